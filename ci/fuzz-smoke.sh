#!/usr/bin/env bash
# Builds every fuzz target, replays its corpus, and explores from there for a few seconds each.
#
#   ci/fuzz-smoke.sh [TARGET...]     FUZZ_SECONDS (5): how long each target explores
#                                    FUZZ_TOOLCHAIN (nightly if installed, else the default one)
#
# Coverage feedback needs no nightly compiler: stable explores as well. Nightly adds the address sanitizer.
set -euo pipefail
source "$(dirname "${BASH_SOURCE[0]}")/workspace.sh"

if [[ ! -f fuzz/Cargo.toml ]]; then
    step 'no fuzz targets'
    exit 0
fi

seconds=${FUZZ_SECONDS:-5}
toolchain=${FUZZ_TOOLCHAIN-$(rustup toolchain list 2>/dev/null | grep -o '^nightly[^ ]*' | head -n 1 || true)}
if [[ $toolchain == nightly* ]]; then
    sanitizer=address
else
    sanitizer=none
fi
# rustup's proxies read this; without a toolchain named, the default one builds.
[[ -z $toolchain ]] || export RUSTUP_TOOLCHAIN=$toolchain
# cargo-fuzz has no --locked, and would bring the lock file up to date in silence.
cargo metadata --locked --format-version 1 --manifest-path fuzz/Cargo.toml >/dev/null ||
    die 'fuzz/Cargo.lock is not up to date'

targets=("$@")
[[ $# -gt 0 ]] || mapfile -t targets < <(cargo fuzz list --fuzz-dir fuzz)
[[ ${#targets[@]} -gt 0 ]] || die 'fuzz/ holds no target'

build_dir=$target_dir/fuzz
triple=$(rustc -vV | sed -n 's/^host: //p')
step "build, sanitizer $sanitizer, $(rustc --version)"
cargo fuzz build --fuzz-dir fuzz --sanitizer "$sanitizer" --target "$triple" --target-dir "$build_dir"

found=$(mktemp -d)
trap 'rm -rf "$found"' EXIT
for target in "${targets[@]}"; do
    binary=$build_dir/$triple/release/$target
    [[ -x $binary ]] || die "no fuzz target is called $target"
    artifacts=$root/fuzz/artifacts/$target
    corpus=$root/fuzz/corpus/$target
    # New inputs go to the first folder; the committed corpus after it is only read.
    folders=("$found/$target")
    mkdir -p "$artifacts" "${folders[0]}"
    log=$found/$target.log
    flags=("-artifact_prefix=$artifacts/" -timeout=10)

    if [[ -d $corpus ]]; then
        folders+=("$corpus")
        step "$target: replay $(find "$corpus" -type f | wc -l) inputs"
        "$binary" "${flags[@]}" -runs=0 "$corpus" >"$log" 2>&1 || { cat "$log"; die "$target fails on its corpus"; }
    fi
    step "$target: explore for $seconds s"
    "$binary" "${flags[@]}" "-max_total_time=$seconds" "${folders[@]}" >"$log" 2>&1 || {
        cat "$log"
        die "$target found a failing input; it is kept in fuzz/artifacts/$target"
    }
    tail -n 1 "$log"
done
