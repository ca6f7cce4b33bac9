#!/usr/bin/env bash
# Builds every fuzz target, or those named, replays its corpus, and explores from there for a few seconds each. It ends in
# a table of what was done, as Markdown.
#
#   ci/fuzz-smoke.sh [--merge] [TARGET...]
#
#   --merge            what was found and reaches code that the corpus does not is added to it; what was added so before,
#                      and is no longer needed, goes. Seeds that were named by hand stay.
#   FUZZ_SECONDS       (5): how long each target explores
#   FUZZ_TOOLCHAIN     (nightly if installed, else the default one)
#
# Coverage feedback needs no nightly compiler: stable explores as well. Nightly adds the address sanitizer.
set -euo pipefail
source "$(dirname "${BASH_SOURCE[0]}")/workspace.sh"

if [[ ! -f fuzz/Cargo.toml ]]; then
    step 'no fuzz targets'
    exit 0
fi

merge=no
if [[ ${1-} == --merge ]]; then
    merge=yes
    shift
fi
[[ ${1-} != -* ]] || die "no such option: $1"

seconds=${FUZZ_SECONDS:-5}
[[ $seconds =~ ^[1-9][0-9]*$ ]] || die "FUZZ_SECONDS=$seconds is no number of seconds"
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
for target in "${targets[@]}"; do
    [[ -f fuzz/fuzz_targets/$target.rs ]] || die "no fuzz target is called $target"
done

build_dir=$target_dir/fuzz
triple=$(rustc -vV | sed -n 's/^host: //p')
compiler=$(rustc --version)
step "build, sanitizer $sanitizer, $compiler"
build() {
    cargo fuzz build --fuzz-dir fuzz --sanitizer "$sanitizer" --target "$triple" --target-dir "$build_dir" "$@"
}
if [[ $# -eq 0 ]]; then
    build
else
    for target in "$@"; do build "$target"; done
fi

found=$(mktemp -d)
trap 'rm -rf "$found"' EXIT
# Some targets keep files of their own, and are ended without a chance to remove them.
export TMPDIR=$found

# So many inputs of a target are kept beside its seeds.
most=40

# A name that libFuzzer gave: the hash of the input.
is_hashed() {
    [[ $(basename "$1") =~ ^[0-9a-f]{40}$ ]]
}

# Keeps the named seeds, and of all other inputs few that reach what those do not.
minimise() {
    local corpus=$1 new=$2 kept=$found/kept input
    rm -rf "$kept"
    mkdir -p "$kept" "$corpus"
    for input in "$corpus"/*; do
        is_hashed "$input" || cp "$input" "$kept"
    done
    # Places in the code count, and not how often each is passed: that keeps the corpus small.
    "$binary" "${flags[@]}" -set_cover_merge=1 -use_counters=0 "$kept" "$corpus" "$new" >"$log" 2>&1 || return
    for input in "$corpus"/*; do
        if is_hashed "$input"; then rm "$input"; fi
    done
    # A decoder of text has an input for each of its library's errors: of too many the longer ones reach more.
    while read -r input; do
        cp "$input" "$corpus"
    done < <(find "$kept" -type f -printf '%s %p\n' | grep -E '/[0-9a-f]{40}$' | sort -k 1,1nr -k 2 | head -n "$most" | cut -d ' ' -f 2-)
}

# The number behind a word in libFuzzer's last line.
last_of() {
    sed -n "s|.*DONE.* $1: *\\([0-9]*\\).*|\\1|p" "$log" | tail -n 1
}

# Of the processor, in seconds: with other work beside, the clock on the wall says little about what was done.
TIMEFORMAT='%0U + %0S'
rows=()
for target in "${targets[@]}"; do
    binary=$build_dir/$triple/release/$target
    [[ -x $binary ]] || die "$target was not built"
    artifacts=$root/fuzz/artifacts/$target
    corpus=$root/fuzz/corpus/$target
    dictionary=$root/fuzz/dictionaries/$target.dict
    # New inputs go to the first folder; the committed corpus after it is only read.
    folders=("$found/$target")
    mkdir -p "$artifacts" "${folders[0]}"
    log=$found/$target.log
    # What the targets assert of allocations and steps is tighter; these hold for what they do not count. The time is that
    # of the clock on the wall: where all processors are busy, an input of a millisecond has been seen to take ten seconds.
    flags=("-artifact_prefix=$artifacts/" -timeout=60 -rss_limit_mb=2048 -malloc_limit_mb=256)

    if [[ -d $corpus ]]; then
        folders+=("$corpus")
        step "$target: replay $(find "$corpus" -type f | wc -l) inputs"
        "$binary" "${flags[@]}" -runs=0 "$corpus" >"$log" 2>&1 || { cat "$log"; die "$target fails on its corpus"; }
    fi
    explore=("-max_total_time=$seconds")
    [[ ! -f $dictionary ]] || explore+=("-dict=$dictionary")
    step "$target: explore for $seconds s"
    used=$({ time "$binary" "${flags[@]}" "${explore[@]}" "${folders[@]}" >"$log" 2>&1; } 2>&1) || {
        cat "$log"
        die "$target found a failing input; it is kept in fuzz/artifacts/$target"
    }
    # What took ten seconds is kept by libFuzzer; it may not do so again.
    for slow in "$artifacts"/slow-unit-*; do
        [[ -f $slow ]] || continue
        "$binary" "${flags[@]}" -timeout=10 "$slow" >"$log.slow" 2>&1 || { cat "$log.slow"; die "$target is slow on $slow"; }
        rm "$slow"
    done
    grep DONE "$log" | tail -n 1
    runs=$(sed -n 's/^#\([0-9]*\)[[:space:]]*DONE.*/\1/p' "$log" | tail -n 1)
    covered=$(last_of cov) features=$(last_of ft) inputs=$(last_of corp) rate=$(last_of exec/s)
    if [[ $merge == yes ]]; then
        minimise "$corpus" "${folders[0]}" || { cat "$log"; die "$target: the corpus was not minimised"; }
    fi
    committed=$(find "$corpus" -type f 2>/dev/null | wc -l)
    rows+=("| \`$target\` | $((used)) | $runs | $rate | $covered | $features | $inputs | $committed |")
done

processor=$(sed -n 's/^model name[[:space:]]*: //p' /proc/cpuinfo 2>/dev/null | head -n 1)
printf '\n%s, sanitizer %s, %s, on %s of %s.\n\n' "$(date -u +%F)" "$sanitizer" "$compiler" "$(nproc)" \
    "${processor:-an unknown processor}"
printf '| target | processor, s | executions | a second | edges | features | found | corpus |\n'
printf '|---|---:|---:|---:|---:|---:|---:|---:|\n'
printf '%s\n' "${rows[@]}"
