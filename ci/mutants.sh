#!/usr/bin/env bash
# Changes one thing in a published crate at a time, and looks whether its tests notice.
#
#   ci/mutants.sh CRATE [OPTION...]     options go to cargo-mutants: --shard 0/8, --file hlc/src/rule.rs, --jobs 2
#
# Hours for the large crates: no stage of ci/test.sh. Ends with the score, and fails where a change that no test noticed
# is not listed with its reason in docs/mutants.md, where one is listed that there is not, or where fewer than 95 of 100
# were noticed.
set -euo pipefail
source "$(dirname "${BASH_SOURCE[0]}")/workspace.sh"

[[ $# -gt 0 && $1 != -* ]] || die 'say which crate'
crate=$1
shift
packages dir "$crate" >/dev/null || die "there is no crate $crate"
cargo mutants --version >/dev/null 2>&1 || die 'there is no cargo-mutants; run: cargo install --locked cargo-mutants'

# Enough to notice a wrong answer; the crash and kill tests search further in the stages debug and release.
export PROPTEST_CASES=${PROPTEST_CASES:-48}
for kills in EPOCH_FENCE HIGH_WATER HLC LAMPORT; do
    export "${kills}_TEST_KILLS=${KILLS:-30}"
done

output=$target_dir/mutants/$crate
mkdir -p "$output"
cargo mutants --list --package "$crate" >"$output/list"
step "$crate: $(wc -l <"$output/list") changes"
status=0
cargo mutants --package "$crate" --all-features --profile mutants --output "$output" "$@" -- --lib --bins --tests || status=$?
# 2: some survived, 3: some took too long. Anything else is a failure of the run itself.
[[ $status -eq 0 || $status -eq 2 || $status -eq 3 ]] || die "cargo-mutants ended with status $status"
python3 ci/mutants.py "$output/mutants.out" "$output/list"
