#!/usr/bin/env bash
# Processes that contend for one resource while others pause, kill and restart them, with the gate and without it.
#
#   ci/contention.sh [OPTION...]     CONTENTION_SECONDS (30): how long faults go on
#                                    options go to both runs: --seed NUMBER
#
# Without the gate the checker must find violations: else it would not find them with it either.
set -euo pipefail
source "$(dirname "${BASH_SOURCE[0]}")/workspace.sh"

# The members and features of the stage `release`, so that what it built serves here as well.
cargo build --locked --release --workspace --all-features --bins
contention=$target_dir/release/contention

step 'with the gate: every promise must hold'
"$contention" --seconds "${CONTENTION_SECONDS:-30}" "$@"

step 'without the gate: violations must show'
status=0
"$contention" --without-gate --seconds 5 "$@" || status=$?
[[ $status -eq 1 ]] || die "the run without the gate ended with status $status, not 1: nothing shows that the checker bites"
