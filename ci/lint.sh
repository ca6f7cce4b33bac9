#!/usr/bin/env bash
# Format, clippy and rustdoc, each with warnings denied.
set -euo pipefail
source "$(dirname "${BASH_SOURCE[0]}")/workspace.sh"

step 'format'
cargo fmt --all --check
step 'clippy'
cargo clippy --locked --workspace --all-targets --all-features -- -D warnings
step 'rustdoc'
RUSTDOCFLAGS="-D warnings" cargo doc --locked --workspace --no-deps --all-features
step 'public items beside the Rust API guidelines'
ci/api.sh

# A package with a workspace of its own is not reached by --workspace.
for package in $(packages excluded); do
    step "format of $package"
    cargo fmt --all --manifest-path "$package/Cargo.toml" --check
done
if [[ -f fuzz/Cargo.toml ]]; then
    step 'clippy of fuzz'
    CARGO_TARGET_DIR="$target_dir/fuzz-lint" \
        cargo clippy --locked --manifest-path fuzz/Cargo.toml --all-targets -- -D warnings
fi
if [[ -f firmware/Cargo.toml ]]; then
    step 'clippy of firmware'
    # For this host: clippy has no library for bare metal. What logs is left out, because its transport is for no host.
    CARGO_TARGET_DIR="$target_dir/firmware-lint" \
        cargo clippy --locked --manifest-path firmware/Cargo.toml --package clock-firmware \
        --features alone,counterproof -- -D warnings
fi
