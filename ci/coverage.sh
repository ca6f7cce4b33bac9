#!/usr/bin/env bash
# Which lines of the published crates the tests run: a figure for each crate, and the lines that none of them runs.
#
#   ci/coverage.sh             all published crates
#   ci/coverage.sh CRATE...    these alone, by the tests of the named crates alone
#
#   LLVM_COV, LLVM_PROFDATA    LLVM's tools, of the major version of the compiler's own LLVM; by default those that
#                              Debian's package llvm-VERSION installs
#
# All features together, and the default ones, in one figure: each is compiled without something of the other. Runs
# of documentation are not counted, nor are interleavings and fuzzers.
set -euo pipefail
source "$(dirname "${BASH_SOURCE[0]}")/workspace.sh"

export CARGO_TARGET_DIR="$target_dir/coverage"
version=$(rustc -vV | sed -n 's/^LLVM version: \([0-9]*\).*/\1/p')
export LLVM_COV=${LLVM_COV:-llvm-cov-$version} LLVM_PROFDATA=${LLVM_PROFDATA:-llvm-profdata-$version}
for tool in "$LLVM_COV" "$LLVM_PROFDATA"; do
    command -v "$tool" >/dev/null || die "there is no $tool; install Debian's llvm-$version, or name LLVM's tools"
done
LLVM_COV=$(command -v "$LLVM_COV") LLVM_PROFDATA=$(command -v "$LLVM_PROFDATA")
cargo llvm-cov --version >/dev/null 2>&1 || die 'there is no cargo-llvm-cov; run: cargo install --locked cargo-llvm-cov'

crates=("$@")
[[ $# -gt 0 ]] || mapfile -t crates < <(packages published)
named=("${crates[@]/#/--package=}")
targets=(--lib --bins --tests --examples)

cargo llvm-cov clean --workspace
failed=0
for features in all default; do
    step "$features features"
    flags=()
    [[ $features != all ]] || flags=(--all-features)
    cargo llvm-cov --locked --no-report --no-fail-fast "${named[@]}" "${flags[@]}" "${targets[@]}" || failed=1
done

# Processes that are killed leave reports that end before they begin: those are left out.
report=$CARGO_TARGET_DIR/lcov.info
cargo llvm-cov report --failure-mode all --lcov --output-path "$report" 2>"$report.log" || {
    cat "$report.log" >&2
    die 'there is no report'
}
python3 ci/coverage.py "$report" "${crates[@]}" || failed=1
[[ $failed -eq 0 ]] || die 'a test failed, a line has neither a test nor a reason, or a reason has no line: see above'
