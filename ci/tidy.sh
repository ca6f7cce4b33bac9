#!/usr/bin/env bash
# House rules that no lint knows; ci/tidy.py lists them.
#
#   ci/tidy.sh [ROOT]        checks this workspace, or the one at ROOT
#   ci/tidy.sh --rules       one line for each rule
#   ci/tidy.sh --self-test   sees each rule fire on a planted violation, then checks this workspace
set -euo pipefail
source "$(dirname "${BASH_SOURCE[0]}")/workspace.sh"

if [[ ${1-} == --self-test ]]; then
    ci/tidy-test.sh
    shift
fi
[[ $# -eq 0 || $1 == --rules ]] || grep -qs '^\[workspace\]' "${1%/}/Cargo.toml" || die "no such option, and no workspace: $1"
python3 ci/tidy.py "${1-$root}"
