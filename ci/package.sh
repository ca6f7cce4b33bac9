#!/usr/bin/env bash
# Every published crate as an archive: it holds what it needs, and builds alone.
set -euo pipefail
source "$(dirname "${BASH_SOURCE[0]}")/workspace.sh"

export CARGO_TARGET_DIR="$target_dir/package"

crates=()
while read -r crate; do
    crates+=(--package "$crate")
done < <(packages published)
# In one call, so that the archives that depend on each other are built against each other and not against
# what other people publish under the same names.
cargo package --locked --allow-dirty --quiet "${crates[@]}"
for archive in "$CARGO_TARGET_DIR"/package/*.crate; do
    step "$(basename "$archive"): $(tar -tzf "$archive" | wc -l) files, $(du -k "$archive" | cut -f 1) KiB"
done
