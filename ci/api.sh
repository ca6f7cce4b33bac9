#!/usr/bin/env bash
# The public items of the published crates beside the Rust API guidelines, as far as a program can see: ci/api.py.
#
# What is not as they have it is an exception in docs/api-guidelines.md, with its reason.
set -euo pipefail
source "$(dirname "${BASH_SOURCE[0]}")/workspace.sh"

scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT

# What rustdoc knows of a crate is an option of nightly, and of whoever reads what this very compiler writes. For rustdoc alone:
# with the variable set for all, dependencies would be built anew.
cat >"$scratch/rustdoc" <<'SH'
#!/bin/sh
RUSTC_BOOTSTRAP=1 exec "$REAL_RUSTDOC" "$@"
SH
chmod +x "$scratch/rustdoc"
REAL_RUSTDOC=$(rustup which rustdoc 2>/dev/null || command -v rustdoc)
export REAL_RUSTDOC

# The members and features of ci/lint.sh, so that what clippy has checked serves here as well; and the configuration of
# docs.rs, which no other check builds.
RUSTDOC="$scratch/rustdoc" RUSTDOCFLAGS='--cfg docsrs -Z unstable-options --output-format json' \
    cargo doc --locked --quiet --workspace --no-deps --all-features --lib
python3 ci/api.py "$target_dir/doc"
