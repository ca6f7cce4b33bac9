#!/usr/bin/env bash
# Runs each benchmark once: that it runs, not what it takes. `cargo bench -p clock-benches` measures.
set -euo pipefail
source "$(dirname "${BASH_SOURCE[0]}")/workspace.sh"

ran=$target_dir/benches.log
mkdir -p "$target_dir"
cargo bench --locked --package clock-benches -- --test 2>&1 | tee "$ran"
cargo bench --locked --package clock-tools --bench merge -- --test
# A row that was renamed would be missing from the report in silence.
missing=0
while IFS= read -r row; do
    grep -qxF "Testing $row" "$ran" || {
        echo "the report needs the row $row, and no benchmark has it"
        missing=1
    }
done < <(cargo run --locked --quiet --release --package clock-benches --bin report -- --rows)
[[ $missing -eq 0 ]] || die 'rows of the report are not there'
