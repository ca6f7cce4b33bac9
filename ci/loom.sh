#!/usr/bin/env bash
# The interleaving tests of every crate that has a `loom_tests` module, or of the crates named.
#
#   ci/loom.sh [CRATE...]            one line for each test: what it explored, and under which bound
#   ci/loom.sh --record [CRATE...]   the same, into the table of docs/memory-model.md
#
# A test sets its bound and the least that it must explore; what it did explore is held against that table.
set -euo pipefail
source "$(dirname "${BASH_SOURCE[0]}")/workspace.sh"

export RUSTFLAGS="${RUSTFLAGS:-} --cfg loom"
export CARGO_TARGET_DIR="$target_dir/loom"

record=()
if [[ ${1-} == --record ]]; then
    record=(--record)
    shift
fi
crates=("$@")
[[ $# -gt 0 ]] || mapfile -t crates < <(packages loom)
[[ ${#crates[@]} -gt 0 ]] || step 'no crate has interleaving tests'

log=$(mktemp)
trap 'rm -f "$log"' EXIT
for crate in "${crates[@]}"; do
    step "$crate"
    # All features that matter here: what is explored must not depend on which of them brings an atomic.
    features=$(packages loom-features "$crate")
    if ! cargo test --locked --release --package "$crate" --features "$features" --lib -- loom_tests:: >"$log"; then
        cat "$log"
        die "an interleaving test of $crate failed"
    fi
    python3 ci/loom.py "${record[@]}" "$crate" "$log"
    # Of which ci/test.sh counts the tests.
    grep '^test result: ' "$log"
done
