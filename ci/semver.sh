#!/usr/bin/env bash
# Whether a published crate breaks what its last release promised: cargo-semver-checks against the tag of that release.
#
#   ci/semver.sh [CRATE...]     no crate: all published ones
#   ci/semver.sh --self-test    sees a function that is gone found and one that is new passed, then checks all crates
#
# A release is a tag CRATE-vVERSION; CONTRIBUTING.md has its steps, and what this cannot see. A crate without a release is
# named as not checked. A break passes where the version in the manifest says that there is one.
set -euo pipefail
source "$(dirname "${BASH_SOURCE[0]}")/workspace.sh"

export CARGO_TARGET_DIR="$target_dir/semver"
# How the tool ends where it found a break; any other failure is its own.
broken=100

# The newest release of a crate below this commit; `hlc-v*` is no release of hlc-tower.
last_release() {
    git for-each-ref --count=1 --merged=HEAD --sort=-version:refname --format='%(refname:short)' "refs/tags/$1-v[0-9]*"
}

self_test() {
    local scratch copy=lamport crate_dir
    scratch=$(mktemp -d)
    # shellcheck disable=SC2064
    trap "rm -rf '$scratch'" EXIT
    crate_dir=$(packages dir "$copy")
    crate_dir=${crate_dir#"$root/"}
    # All that the lock file names, so that the copy asks no network.
    cargo fetch --locked --quiet
    git ls-files -z --cached --others --exclude-standard | while IFS= read -rd '' file; do
        [[ ! -f $file ]] || printf '%s\0' "$file"
    done | tar -c --null --files-from=- | tar -x -C "$scratch"
    cd "$scratch"
    git init --quiet
    # Whatever the user's own settings are.
    git config user.name self-test
    git config user.email self-test@localhost
    git config commit.gpgsign false
    git config tag.gpgsign false
    commit() {
        git add --all
        git commit --quiet --no-verify --message "$1"
    }
    # The status with which this script ends in the copy, which has no tag but those that are made here.
    try() {
        local status=0
        CARGO_NET_OFFLINE=true CARGO_TARGET_DIR=$target_dir ci/semver.sh "$copy" >"$scratch.log" 2>&1 || status=$?
        [[ $status -eq $1 ]] && grep -q -- "$2" "$scratch.log" || {
            cat "$scratch.log"
            rm -f "$scratch.log"
            die "self-test: ended with $status, not with $1 and \"$2\": $3"
        }
        rm -f "$scratch.log"
        step "self-test: $3"
    }

    commit 'as it is'
    try 0 "$copy: not checked" 'without a release nothing is checked, and it says so'
    git tag "$copy-v0.0.1"
    printf '\n/// Planted.\npub const fn planted() {}\n' >>"$crate_dir/src/lib.rs"
    try 0 "$copy: nothing broken" 'a function that is new breaks nothing'
    commit 'with a function more'
    git tag "$copy-v0.0.2"
    # Of another crate, newer, and without that function.
    git tag "$copy-vitals-v9.0.0" HEAD~1
    git checkout --quiet HEAD~1 -- "$crate_dir/src/lib.rs"
    try "$broken" 'function_missing' 'a function that is gone is found, against the newest release'
    # The sources that were compared would pile up, a copy for each run.
    rm -rf "$CARGO_TARGET_DIR/semver-checks"
}

mapfile -t published < <(packages published)
crates=("$@")
if [[ ${1-} == --self-test ]]; then
    (self_test)
    crates=()
fi
[[ ${#crates[@]} -gt 0 ]] || crates=("${published[@]}")

for crate in "${crates[@]}"; do
    [[ $crate != -* ]] || die "no such option, or not at its place: $crate"
    [[ " ${published[*]} " == *" $crate "* ]] || die "no published crate is called $crate"
    release=$(last_release "$crate")
    if [[ -z $release ]]; then
        step "$crate: not checked, it has no release: no tag $crate-vVERSION below this commit"
        continue
    fi
    step "$crate: against $release"
    cargo semver-checks --package "$crate" --baseline-rev "$release" --all-features || {
        status=$?
        [[ $status -ne $broken ]] || echo "$crate breaks what $release promised: change that, or raise its version"
        exit "$status"
    }
    step "$crate: nothing broken since $release"
done
