#!/usr/bin/env bash
# Every published crate under each of its feature sets, and linked without std and without an allocator.
set -euo pipefail
source "$(dirname "${BASH_SOURCE[0]}")/workspace.sh"

# Dead code under one feature set is a warning that no other check would see.
export RUSTFLAGS="${RUSTFLAGS:-} -D warnings"
export CARGO_TARGET_DIR="$target_dir/features"

# Links the crate into a library that has no std and no allocator. Where the crate, or one of its
# dependencies, brings std, there are two panic handlers; where it brings alloc, there is no allocator.
# Either is an error of the compiler, on any host, without a bare-metal target.
link_without_std() {
    local crate=$1 features=$2 probe=$CARGO_TARGET_DIR/no-std/$1 dir list=''
    dir=$(packages dir "$crate")
    [[ -n $features ]] && list="\"${features//,/\", \"}\""
    mkdir -p "$probe/src"
    cat >"$probe/Cargo.toml" <<MANIFEST
[package]
name = "no-std-probe"
version = "0.0.0"
edition = "2024"
publish = false

[lib]
crate-type = ["staticlib"]

[dependencies]
probed = { package = "$crate", path = "$dir", default-features = false, features = [$list] }

[profile.dev]
panic = "abort"

[workspace]
MANIFEST
    cat >"$probe/src/lib.rs" <<'LIB'
#![no_std]
extern crate probed;

#[panic_handler]
fn on_panic(_: &core::panic::PanicInfo<'_>) -> ! {
    loop {}
}
LIB
    # The same versions as everywhere else.
    cp Cargo.lock "$probe/Cargo.lock"
    cargo build --quiet --manifest-path "$probe/Cargo.toml"
}

for crate in $(packages published); do
    step "$crate: none, each, default and all features"
    cargo hack check --locked --package "$crate" --lib --each-feature
    while IFS= read -r set; do
        step "$crate: $set"
        cargo check --locked --quiet --package "$crate" --lib --no-default-features --features "$set"
    done < <(packages feature-sets "$crate")

    if grep -q 'no_std' "$(packages dir "$crate")/src/lib.rs"; then
        features=$(packages no-std "$crate")
        step "$crate: linked without std or alloc, no features"
        link_without_std "$crate" ''
        if [[ -n $features ]]; then
            step "$crate: linked without std or alloc, features $features"
            link_without_std "$crate" "$features"
        fi
    else
        step "$crate: not a no_std crate"
    fi
done
