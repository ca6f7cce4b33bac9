#!/usr/bin/env bash
# The stores that are servers, PostgreSQL and etcd: fault runs and scenes on servers that are started for them, and the
# tests that need one.
#
#   ci/engines.sh [OPTION...]     CONTENTION_SECONDS (30): how long faults go on, with each
#                                 options go to the fault runs: --seed NUMBER
#
# Without the gate the checker must find violations: else it would not find them with it either.
set -euo pipefail
source "$(dirname "${BASH_SOURCE[0]}")/workspace.sh"

# What is missing is a failure here, and not a test that was not run.
export CLOCKS_REQUIRE_SERVERS=1

# The members and features of the stage `release`, so that what it built serves here as well.
cargo build --locked --release --workspace --all-features --bins
contention=$target_dir/release/contention

for engine in postgres etcd; do
    step "$engine, with the gate: every promise must hold"
    "$contention" --engine "$engine" --seconds "${CONTENTION_SECONDS:-30}" "$@"

    step "$engine, without the gate: violations must show"
    status=0
    "$contention" --engine "$engine" --without-gate --seconds 5 "$@" || status=$?
    [[ $status -eq 1 ]] ||
        die "$engine without the gate ended with status $status, not 1: nothing shows that the checker bites"
done

for scene in promotion restore; do
    step "postgres: $scene"
    "$contention" --engine postgres --scene "$scene"
done

step 'the tests on real servers'
cargo test --locked --release --workspace --all-features --test postgres --test postgres_gate --test etcd
