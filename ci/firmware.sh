#!/usr/bin/env bash
# The crates on a Cortex-M0 and a Cortex-M3 in QEMU: firmware/README.md says what is shown.
#
#   ci/firmware.sh             builds and runs everything, and checks what it says
#   ci/firmware.sh --sizes     prints the tables of firmware/README.md, as measured
#
# Where rustup has both targets, its compiler builds; else Debian's does (ci/build-std.sh).
set -euo pipefail
source "$(dirname "${BASH_SOURCE[0]}")/workspace.sh"
source ci/build-std.sh

declare -A machines=([thumbv6m-none-eabi]=microbit [thumbv7m-none-eabi]=lm3s6965evb)
targets=(thumbv6m-none-eabi thumbv7m-none-eabi)
# An image ends by itself within seconds.
run_seconds=60

case ${1-} in
'') ;;
--sizes) only_sizes=yes ;;
*) die 'say --sizes, or nothing' ;;
esac

export CARGO_TARGET_DIR="$target_dir/firmware"
# What the caller has for the host is not for these machines; the second flag takes the form of SHA-256 that is a
# quarter of the size.
export RUSTFLAGS='--cfg sha2_backend_soft="compact"'

sysroot=$(rustc --print sysroot)
if [[ -d $sysroot/lib/rustlib/${targets[0]}/lib && -d $sysroot/lib/rustlib/${targets[1]}/lib ]]; then
    step "$(rustc --version), with its own targets"
    for_target() { cargo "$@"; }
elif has_build_std; then
    step "$("$debian_rustc" --version), with a library built from its sources"
    RUSTFLAGS+=' -C linker=ld.lld -C linker-flavor=ld.lld'
    for_target() {
        build_std "$@" -Z build-std=core,compiler_builtins -Z build-std-features=compiler-builtins-mem
    }
else
    die "neither has rustup the targets ${targets[*]}, nor is Debian's compiler there; run ci/setup.sh firmware"
fi
build_image() {
    for_target build --locked --quiet --manifest-path firmware/Cargo.toml --release "$@"
}

scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT

# Runs an image on the machine of its target. An instruction takes 64 ns there, whatever the host is doing, so that the
# timer interrupts the same instructions each time.
run() {
    local target=$1 image=$2 out=$3 status=0
    timeout --kill-after=5 "$run_seconds" qemu-system-arm -M "${machines[$target]}" -icount shift=6 -nographic \
        -monitor none -serial none -semihosting-config enable=on,target=native \
        -kernel "$CARGO_TARGET_DIR/$target/release/$image" </dev/null >"$out" 2>"$scratch/stderr" || status=$?
    case $status in
    0) return ;;
    124 | 137)
        tail -n 3 "$out"
        die "$image on $target hangs: it had not ended after $run_seconds s; its last lines are above"
        ;;
    *)
        cat "$scratch/stderr" "$out"
        die "$image on $target ended with exit code $status; what it said is above"
        ;;
    esac
}

for target in "${targets[@]}"; do
    step "$target: build"
    build_image --target "$target" --package clock-firmware --features alone --bins
done

if [[ ${only_sizes-} == yes ]]; then
    python3 ci/firmware.py sizes "$CARGO_TARGET_DIR"
    exit
fi

# Where there are no atomics of 64 bits and no feature brings them, other code is left over than on any host.
for target in "${targets[@]}"; do
    step "$target: each published crate without a feature, and without a warning"
    while read -r crate; do
        for_target check --locked --quiet --lib --release --target "$target" --package "$crate" \
            --no-default-features 2>&1 | tee "$scratch/check"
        [[ ! -s $scratch/check ]] || die "$crate has something to say on $target"
    done < <(packages crates)
done

step 'what can panic does not link, and what has a float in it is found'
if build_image --target "${targets[0]}" --package clock-firmware --features counterproof --bin panics 2>"$scratch/panics"; then
    die 'an image that can panic links: what the others show is worth nothing'
fi
grep -q 'undefined symbol: a_panic_can_be_reached' "$scratch/panics" ||
    { cat "$scratch/panics"; die 'the image that can panic fails for another reason'; }
build_image --target "${targets[0]}" --package clock-firmware --features counterproof --bin floats

for target in "${targets[@]}"; do
    step "$target: run"
    run "$target" report "$scratch/report"
    diff --label expected --label "$target" -u <(sed "s/TARGET/$target/" firmware/expected.txt) "$scratch/report" ||
        die "the report of $target is not firmware/expected.txt"
    printf '%s lines as expected, exit code 0\n' "$(wc -l <"$scratch/report")"

    lines=0
    while read -r _ vectors line; do
        grep -Fxq -- "$line" "$vectors" || die "$target encodes what is not in $vectors: $line"
        lines=$((lines + 1))
    done < <(grep '^wire ' "$scratch/report")
    [[ $lines -ge 20 ]] || die "only $lines encodings were compared"
    printf '%s encodings are lines of the golden vectors\n' "$lines"
done

step 'what is logged through defmt, read on the host'
# Read by a program for this host, which rustup's compiler builds.
reader=(env -u RUSTFLAGS cargo build --locked --quiet --manifest-path firmware/Cargo.toml --package clock-firmware-host)
"${reader[@]}"
for target in "${targets[@]}"; do
    # A package of its own, so that no other image is built with what logging needs.
    build_image --target "$target" --package clock-firmware-log
    run "$target" log "$scratch/frames"
    "$CARGO_TARGET_DIR/debug/clock-firmware-host" "$CARGO_TARGET_DIR/$target/release/log" "$scratch/frames" \
        >"$scratch/messages" || die "what $target logged cannot be read"
    diff --label expected --label "$target" -u firmware/expected-log.txt "$scratch/messages" ||
        die "what $target logged is not firmware/expected-log.txt"
    printf '%s: %s messages as expected, in %s bytes\n' \
        "$target" "$(wc -l <"$scratch/messages")" "$(wc -c <"$scratch/frames")"
done

step 'the images of single crates: size, floats, locks, and what runs with interrupts off'
python3 ci/firmware.py check "$CARGO_TARGET_DIR" firmware/README.md
