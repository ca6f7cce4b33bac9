#!/usr/bin/env bash
# Real threads at random work on each type that they may share: what the interleaving tests are too small for.
#
#   ci/stress.sh [CRATE...]    CLOCKS_STRESS_SECONDS (3): how long each test goes on
#                              CLOCKS_STRESS_SEED: the seed of each test's first round; another one each time, if unset
#
# A test that fails says the seed of its round. The same seed is the same work, not the same interleaving.
set -euo pipefail
source "$(dirname "${BASH_SOURCE[0]}")/workspace.sh"

for number in "${CLOCKS_STRESS_SECONDS-0}" "${CLOCKS_STRESS_SEED-0}"; do
    [[ $number =~ ^[0-9]+$ ]] || die "$number is no number"
done
export CLOCKS_STRESS_SECONDS=${CLOCKS_STRESS_SECONDS:-3}
export CLOCKS_STRESS_SEED=${CLOCKS_STRESS_SEED:-$((RANDOM * 32768 + RANDOM))}

crates=("$@")
for crate in "$@"; do
    [[ -f $(packages dir "$crate")/tests/it/stress.rs ]] || die "$crate has no stress tests"
done
if [[ $# -eq 0 ]]; then
    for file in */tests/it/stress.rs; do
        crates+=("${file%%/*}")
    done
fi
# Built as the stage `release` builds it, so that what is there serves here as well.
run=(cargo test --locked --release --workspace --all-features --test it)
[[ $# -eq 0 ]] || run=(cargo test --locked --release --all-features --test it "${crates[@]/#/--package=}")

step "each test for $CLOCKS_STRESS_SECONDS s, from seed $CLOCKS_STRESS_SEED"
log=$(mktemp)
trap 'rm -f "$log"' EXIT
# One test at a time: the threads of one are more than the processors.
if ! "${run[@]}" -- stress:: --test-threads=1 >"$log"; then
    cat "$log"
    die "CLOCKS_STRESS_SEED=$CLOCKS_STRESS_SEED"
fi
grep '^stress ' "$log" || die 'no test said what it did'
said=$(grep -c '^stress ' "$log")
ran=$(grep -Ec '^test ([a-z_]+::)*stress::' "$log")
[[ $said -eq $ran && $said -ge ${#crates[@]} ]] || die "$ran tests of ${#crates[@]} crates ran, and $said said what they did"
# Of which ci/test.sh counts the tests.
grep -E '^test result: .* [1-9][0-9]* passed' "$log"
