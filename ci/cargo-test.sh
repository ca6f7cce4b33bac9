#!/usr/bin/env bash
# The tests of every member: `cargo-test.sh debug`, `release` or `doc`.
#
# Arithmetic that wraps in release and panics in debug is two programs, so both run everything. The published crates
# run with default features as well, because all features together put portable-atomic in place of core's atomics.
set -euo pipefail
source "$(dirname "${BASH_SOURCE[0]}")/workspace.sh"

# Benches are left to clippy: their numbers mean nothing on a busy machine.
targets=(--lib --bins --tests --examples)

case ${1-} in
debug)
    step 'all features'
    cargo test --locked --no-fail-fast --workspace --all-features "${targets[@]}"
    step 'default features'
    mapfile -t published < <(packages crates)
    cargo test --locked --no-fail-fast "${published[@]/#/--package=}" "${targets[@]}"
    ;;
release)
    step 'all features'
    cargo test --locked --no-fail-fast --workspace --all-features --release "${targets[@]}"
    ;;
doc)
    step 'documentation and README examples'
    cargo test --locked --no-fail-fast --workspace --all-features --doc
    ;;
*)
    die 'say debug, release or doc'
    ;;
esac
