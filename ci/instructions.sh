#!/usr/bin/env bash
# How many instructions a call of each hot path takes, counted by callgrind, beside what benches/instructions.txt says.
#
#   ci/instructions.sh             fails where a path takes 5 % more than it says, and names those that take 5 % less
#   ci/instructions.sh --record    writes the file: in the change that made the difference, and for a reason told there
#
# A count is exact, whatever else the machine does, but another compiler makes other instructions: where what the file
# was made with is not what is here, the counts are only printed.
set -euo pipefail
source "$(dirname "${BASH_SOURCE[0]}")/workspace.sh"

case ${1-} in
'' | --record) ;;
*) die 'say nothing, or --record' ;;
esac

# What an earlier run left, of a path that is gone.
rm -rf "$target_dir/gungraun/clock-benches/instructions"
# The flags of the other checks would make other code.
env -u RUSTFLAGS GUNGRAUN_HOME="$target_dir/gungraun" \
    cargo bench --locked --quiet --package clock-benches --features instructions --bench instructions -- \
    --save-summary=json --nocapture=no >"$target_dir/instructions.log" 2>&1 || {
    tail -n 40 "$target_dir/instructions.log"
    die 'the paths could not be counted'
}
python3 ci/instructions.py "$target_dir/gungraun/clock-benches/instructions" "${@}"
