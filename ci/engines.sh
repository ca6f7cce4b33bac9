#!/usr/bin/env bash
# The stores that are servers, PostgreSQL and etcd: fault runs and scenes on servers that are started for them, and the
# tests that need one; those that need a NATS server too.
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

# Runs until a run ends with one of two verdicts, each try longer: on a machine that does other things too, a short one may
# see nothing (status 3), or no violation yet.
until_it_ends_with() {
    local wanted=$1 seconds=$2 status
    shift 2
    for try in 1 2 3; do
        status=0
        "$contention" "$@" --seconds "$((seconds * try))" || status=$?
        [[ $status -ne $wanted ]] || return 0
        [[ $status -eq 3 || $status -lt $wanted ]] || break
    done
    die "contention $* ended with status $status, not $wanted"
}

for engine in postgres etcd; do
    step "$engine, with the gate: every promise must hold"
    until_it_ends_with 0 "${CONTENTION_SECONDS:-30}" --engine "$engine" "$@"

    step "$engine, without the gate: violations must show"
    until_it_ends_with 1 5 --engine "$engine" --without-gate "$@"
done

for scene in promotion restore; do
    step "postgres: $scene"
    "$contention" --engine postgres --scene "$scene"
done

step 'the tests on real servers'
cargo test --locked --release --workspace --all-features --test postgres --test postgres_gate --test etcd \
    --test nats --example nats
