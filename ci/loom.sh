#!/usr/bin/env bash
# The interleaving tests of every crate that has a `loom_tests` module, or of the crates named.
#
# Each test sets its own bound, where it needs one, and says so; see docs/memory-model.md.
set -euo pipefail
source "$(dirname "${BASH_SOURCE[0]}")/workspace.sh"

# What the caller's shell holds must not narrow an exploration that is reported as whole.
unset LOOM_MAX_PREEMPTIONS LOOM_MAX_PERMUTATIONS LOOM_MAX_DURATION
export RUSTFLAGS="${RUSTFLAGS:-} --cfg loom"
export CARGO_TARGET_DIR="$target_dir/loom"

crates=("$@")
[[ $# -gt 0 ]] || mapfile -t crates < <(packages loom)
[[ ${#crates[@]} -gt 0 ]] || step 'no crate has interleaving tests'

for crate in "${crates[@]}"; do
    step "$crate"
    # All features that matter here: what is explored must not depend on which of them brings an atomic.
    features=$(packages loom-features "$crate")
    run=(cargo test --locked --release --package "$crate" --features "$features" --lib --)
    # A module that holds no test, or is not compiled, would pass in silence.
    found=$("${run[@]}" --list loom_tests::)
    [[ $found == *': test'* ]] || die "$crate has a loom_tests module, but no test in it was found"
    "${run[@]}" loom_tests::
done
