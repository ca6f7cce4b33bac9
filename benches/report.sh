#!/usr/bin/env bash
# Measures everything and makes the report: benches/results/report.md and speed.svg.
#
#   benches/report.sh             half an hour and more, on a machine that does nothing else
#   benches/report.sh --quick     a tenth of it, and rougher
#
# What earlier runs left is deleted first, so that every figure is of this run.
set -euo pipefail
source "$(dirname "${BASH_SOURCE[0]}")/../ci/workspace.sh"

options=()
once=()
case ${1-} in
'') ;;
--quick)
    options=(--sample-size 20 --warm-up-time 0.2 --measurement-time 0.4)
    once=(--once)
    ;;
*) die 'say nothing, or --quick' ;;
esac

rm -rf "$target_dir/criterion" "$target_dir/report"
cargo build --locked --release --package clock-benches --bins --benches
cargo bench --locked --package clock-benches -- "${options[@]}"
CARGO_TARGET_DIR=$target_dir cargo bench --manifest-path benches/loro/Cargo.toml -- "${options[@]}"
benches/build-cost.py "${once[@]}"
cargo run --locked --release --package clock-benches --bin report
