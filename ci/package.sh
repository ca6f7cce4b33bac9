#!/usr/bin/env bash
# Every published crate as an archive: it holds what it needs and nothing else, and builds and tests alone.
#
#   ci/package.sh [CRATE...]     no crate: all of them
#
# Alone means unpacked outside the workspace, from the manifest and the lock file in the archive, without a network; see
# ci/archives.py. The tests are those that the archive has: units, examples and documentation. The tests under `tests/` and
# those of interleavings need what is not published: the former stay in the repository, the latter are compiled with
# `--cfg loom` alone.
set -euo pipefail
source "$(dirname "${BASH_SOURCE[0]}")/workspace.sh"

export CARGO_TARGET_DIR="$target_dir/package"
# The archives are unpacked anew for each run, so there is no earlier build to go on from.
export CARGO_INCREMENTAL=0

published=() names=' '
while read -r crate; do
    published+=(--package "$crate")
    names+="$crate "
done < <(packages published)
for crate in "$@"; do
    [[ $crate != -* ]] || die "no such option: $crate"
    [[ $names == *" $crate "* ]] || die "no published crate is called $crate"
done

# All that the lock file names, so that nothing below asks a network.
cargo fetch --locked --quiet
rm -f "$CARGO_TARGET_DIR"/package/*.crate
# In one call, so that the archives that depend on each other find each other and not what other people publish under
# the same names. What cargo would build to verify them is built below, and more.
cargo package --offline --locked --allow-dirty --no-verify --quiet "${published[@]}"
python3 ci/archives.py check "$CARGO_TARGET_DIR/package"

scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
python3 ci/archives.py unpack "$CARGO_TARGET_DIR/package" "$scratch" >"$scratch/unpacked"

for crate in "$@"; do
    grep -q "^$crate " "$scratch/unpacked" || die "no published crate is called $crate"
done

# A subcommand of cargo in the folder of an archive.
alone() {
    (cd "$place" && cargo "$1" --offline --locked --quiet "${@:2}") </dev/null
}

while read -r crate place; do
    [[ $# -eq 0 || " $* " == *" $crate "* ]] || continue
    step "$crate: builds alone with its default features and with none"
    alone build
    alone build --no-default-features
    step "$crate: its own tests, with all features"
    alone test --all-features 2>&1 | tee "$scratch/log"
    # An archive that lost its tests would pass in silence.
    grep -q '^test result: ok. [1-9]' "$scratch/log" || die "the archive of $crate ran no test"
done <"$scratch/unpacked"

# Each run unpacks elsewhere, and so builds these anew: what it leaves would only pile up.
while read -r crate place; do
    (cd "$place" && cargo clean --offline --quiet --package "$crate")
done <"$scratch/unpacked"
