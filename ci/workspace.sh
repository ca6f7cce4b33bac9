# shellcheck shell=bash
# Sourced by every check: where the workspace is, where builds go, and one way to fail.

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd -P)
cd "$root" || exit

export PATH="${CARGO_HOME:-$HOME/.cargo}/bin:$PATH"
# Read by the checks that build with flags of their own: each needs a folder of its own below this one,
# or every change of flags would rebuild everything.
# shellcheck disable=SC2034
target_dir=${CARGO_TARGET_DIR:-$root/target}

die() {
    printf '%s: error: %s\n' "$(basename "$0")" "$*" >&2
    exit 1
}

step() {
    printf -- '-- %s\n' "$*"
}

# What cargo knows of the members; see packages.py for the questions it answers.
packages() {
    python3 "$root/ci/packages.py" "$@"
}
