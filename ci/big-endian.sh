#!/usr/bin/env bash
# The tests of bytes, text and storage on a big-endian processor: s390x, under emulation.
#
#   ci/big-endian.sh [FILTER...]     other tests than those
#
# Debian's compiler builds the standard library itself (ci/build-std.sh), Debian's cross compiler links.
set -euo pipefail
source "$(dirname "${BASH_SOURCE[0]}")/workspace.sh"
source ci/build-std.sh

target=s390x-unknown-linux-gnu
root_of_target=/usr/s390x-linux-gnu

# Not among them: what takes minutes under emulation and shows nothing new, and tests that start their own binary,
# which only the emulator can run.
filters=("$@")
[[ $# -gt 0 ]] || filters=(wire:: stamp_bytes:: text:: uuid:: serde:: order:: record:: laws:: values:: files:: refusals:: flash::)
skipped=(a_million_stamps kill:: a_relative_path_in_a_directory_that_is_gone)
skips=()
for name in "${skipped[@]}"; do skips+=(--skip "$name"); done

has_build_std || die "Debian's compiler is not there; run ci/setup.sh big-endian"
command -v qemu-s390x >/dev/null || die 'there is no qemu-s390x; run ci/setup.sh big-endian'

export CARGO_TARGET_DIR="$target_dir/big-endian"
export CARGO_TARGET_S390X_UNKNOWN_LINUX_GNU_LINKER=s390x-linux-gnu-gcc
export CARGO_TARGET_S390X_UNKNOWN_LINUX_GNU_RUNNER="qemu-s390x -L $root_of_target"
export CARGO_PROFILE_DEV_DEBUG=0
unset RUSTFLAGS

# The forms alone, so that less has to be built. An adapter's are those of the crate below it.
features=serde,uuid,fault,flash
members=()
while read -r crate; do members+=(--package "$crate"); done < <(packages crates)

step "$("$debian_rustc" --version), $target"
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
build_std test -Z build-std --target "$target" --locked --no-fail-fast "${members[@]}" --features "$features" --test it -- \
    "${filters[@]}" "${skips[@]}" 2>&1 | tee "$scratch/log"
# A filter that matches nothing passes in silence: each crate has to have run some.
ran=$(grep -c '^test result: ok. [1-9]' "$scratch/log" || true)
[[ $ran -eq $((${#members[@]} / 2)) ]] || die "only $ran of $((${#members[@]} / 2)) crates ran a test"
