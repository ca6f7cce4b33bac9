#!/usr/bin/env bash
# Sees each rule of tidy.sh pass on a small clean workspace, and fire when its violation is planted there.
# shellcheck disable=SC2016
set -euo pipefail
source "$(dirname "${BASH_SOURCE[0]}")/workspace.sh"

scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
fired=' '

# A guarantee with all that is to be said of it.
section() {
    cat <<MD

### $1

**Statement**: It is so, as \`raise\` says.

**Assumes**: The platform.

**Breaks when**:

- the exchange is a store.

**Tests**:

- \`laws::it_never_goes_back\`
- \`clock::tests::a_unit_test_is_found\`
- \`bench::it_is_fast_enough\`

**Tool and bound**: proptest.

**Not covered**: Two clocks.
MD
}

# A workspace that keeps every rule, with something in it for each rule to look at.
fixture() {
    rm -rf "$scratch/it"
    mkdir -p "$scratch"/it/{bench/src,ci,docs/verification} "$scratch"/it/clock/{examples,src,tests/{it,vectors}}
    cd "$scratch/it"
    git init --quiet
    cat >Cargo.toml <<'TOML'
[workspace]
resolver = "3"
members = ["clock", "bench"]

[workspace.lints.rust]
unsafe_code = "deny"
TOML
    cat >clock/Cargo.toml <<'TOML'
[package]
name = "clock"
version = "0.2.0"
description = "A clock"
edition = "2024"
rust-version = "1.89"
license = "MIT"
authors = ["Someone"]
readme = "README.md"
keywords = ["clock"]
categories = ["concurrency"]
include = ["src/**", "examples/**", "tests/vectors/**", "*.md", "LICENSE-*"]

[package.metadata.docs.rs]
all-features = true
rustdoc-args = ["--cfg", "docsrs"]

[lints]
workspace = true
TOML
    cat >bench/Cargo.toml <<'TOML'
[package]
name = "bench"
version = "0.0.0"
edition = "2024"
publish = false

[lints]
workspace = true
TOML
    for file in FORMAT.md LICENSE-APACHE LICENSE-MIT; do
        echo 'text' >"clock/$file"
    done
    printf '```toml\n[dependencies]\nclock = { path = "../clocks/clock" }\n```\n' >clock/README.md
    printf '## %s\n\n### Added\n\n' Unreleased '0.2.0 - 2026-11-27' '0.1.0 - 2026-11-26' >clock/CHANGELOG.md
    cat >clock/src/lib.rs <<'RUST'
//! A clock. SeqCst, `core::sync::atomic` and #[allow(dead_code)] in a comment are words.
//!
//! # Guarantees
//!
//! - **Monotonic**: it rises.
//! - **Restart-safe**: No.
mod sync;
pub mod clock;

#[cfg(doctest)]
#[doc = include_str!("../README.md")]
mod readme {}
RUST
    cat >clock/src/sync.rs <<'RUST'
pub(crate) use core::sync::atomic::{AtomicU64, Ordering};
RUST
    cat >clock/src/clock.rs <<'RUST'
use core::cmp::Ordering::{Equal, Less};
use crate::sync::{AtomicU64, Ordering};

pub fn raise(word: &AtomicU64) -> u64 {
    let text = "Ordering::SeqCst \" // std::sync::atomic";
    // ORDERING: AcqRel. Pairs with itself.
    word.fetch_add(1, Ordering::AcqRel)
}

#[expect(dead_code, reason = "shows that a reason is enough")]
fn unused() {}

#[cfg(test)]
mod tests {
    use std::sync::atomic::Ordering::SeqCst;
    #[test]
    fn a_unit_test_is_found() {}
}
RUST
    cat >clock/tests/it/laws.rs <<'RUST'
proptest! {
    #[test]
    fn it_never_goes_back(a in any::<u64>()) {}
}
RUST
    printf 'use std::sync::atomic::Ordering;\n#[test]\nfn it_is_fast_enough() {}\n' >bench/src/lib.rs
    cat >clock/src/drum.rs <<'RUST'
/// A drum.
///
/// # Guarantees
///
/// - **Steady**, always: it beats.
/// - **Loud**: no.
///
/// # What can go wrong
///
/// - **It tears.**
pub struct Drum;
RUST
    {
        printf '## Guarantees\n'
        section Monotonic
        section '`Drum`: Steady'
        printf '\n## Lesser promises\n\n| promise | tests | tool and bound | not covered |\n|---|---|---|---|\n'
        echo '| the bytes are frozen | `clock::tests::a_unit_test_is_found` | examples | prose |'
    } >docs/verification/clock.md
    cat >docs/verification.md <<'MD'
| crate | guarantee | in one line |
|---|---|---|
| `clock` | [Monotonic](verification/clock.md#monotonic) | it rises |
| `clock` | [`Drum`: Steady](verification/clock.md#drum-steady) | it beats |
MD
    cat >clock/src/snapshot.rs <<'RUST'
pub struct Snapshot {
    /// The greatest one.
    pub last: u64,
}
RUST
    cat >clock/examples/day.rs <<'RUST'
fn main() {
    let clock = 1;
    assert_eq!(clock, 1);
}
RUST
    {
        echo '## `clock`'
        printf '\n### %s\n' State Transitions Invariants Assumptions 'Crash points' Ordering Acknowledgement
        echo 'The rule is `clock::raise`, `a_unit_test_is_found` shows it, `Snapshot` [counts](operations.md#clocksnapshot).'
    } >docs/model.md
    cat >docs/operations.md <<'MD'
### `clock::Snapshot`

| counter | is | page |
|---|---|---|
| `last` | the greatest | none |
MD
    cat >docs/hlc-in-a-service.md <<'MD'
[The program](../clock/examples/day.rs):

```rust
let clock = 1;
assert_eq!(clock, 1);
```
MD
    printf '00 zero\n01 one\n' >clock/tests/vectors/time.txt
    echo '00 zero' >clock/tests/vectors/date.txt
    python3 "$root/ci/tidy.py" --freeze >ci/vectors.sha256
}

# Plants what the rest of the line does in a clean copy, and sees this rule fire, and no other.
fires() {
    local rule=$1 output
    shift
    fixture
    "$@"
    if output=$(python3 "$root/ci/tidy.py" "$scratch/it"); then
        die "$rule stayed silent on: $*"
    fi
    if ! grep -q ": $rule: " <<<"$output" || grep -v ": $rule: " <<<"$output" | grep -qv '^tidy: '; then
        die "$rule was to fire alone on: $*"$'\n'"$output"
    fi
    fired+="$rule "
}

append() {
    printf '%b\n' "$2" >>"$1"
}

replace() {
    grep -q -- "$2" "$1" || die "nothing to replace: $2 in $1"
    sed -i "s~$2~$3~" "$1"
}

# A release of this name, without a heading in the changelog.
released() {
    git add --all
    git -c user.name=tidy -c user.email=tidy@localhost -c commit.gpgsign=false commit --quiet --no-verify --message all
    git -c tag.gpgsign=false tag "$1"
}

# Put together here, so that this file does not hold them.
open_task=TO; open_task+=DO
home=/ho; home+=me/someone

fixture
python3 "$root/ci/tidy.py" "$scratch/it" >/dev/null || {
    python3 "$root/ci/tidy.py" "$scratch/it" || true
    die 'the clean workspace is not clean'
}

src=clock/src/clock.rs
fires ordering-tag replace "$src" 'ORDERING: AcqRel' 'thread safe'
fires ordering-tag replace "$src" 'ORDERING: AcqRel' 'ORDERING: Relaxed'
fires ordering-tag replace "$src" 'word.fetch' '\n\n\n\n\n\n\n\n\n\n\n\nword.fetch'
fires ordering-tag append "$src" 'fn f(w: \&AtomicU64) -> u64 {\n\n\n\n\n\n w.load(AtomicOrdering::Acquire) }'
fires ordering-import append "$src" '// ORDERING: Relaxed.\nuse crate::sync::Ordering::Relaxed;'
fires ordering-import append "$src" 'use crate::sync::Ordering::{Acquire, Release};'
fires ordering-import append "$src" 'use crate::sync::Ordering::*;'
fires ordering-import append "$src" 'use crate::sync::Ordering as O;'
fires seq-cst append "$src" '// ORDERING: SeqCst.\nconst O: Ordering = Ordering::SeqCst;'
fires atomics-door append "$src" 'use core::sync::atomic::AtomicBool;'
fires atomics-door append "$src" 'use std::{\n    sync::{Arc, atomic::AtomicBool},\n};'
fires atomics-door append "$src" 'type Word = portable_atomic::AtomicU64;'
fires counted-model append bench/src/lib.rs 'fn f() { loom::model(|| {}) }'
fires counted-model append bench/src/lib.rs 'use loom::{\n    model::Builder,\n    thread,\n};'
fires ascii append "$src" '// \xc2\xb5s'
fires ascii append clock/Cargo.toml '# \xe2\x80\x94'
fires open-task append bench/src/lib.rs "// $open_task: later"
fires lints replace bench/Cargo.toml 'workspace = true' ''
fires lints replace clock/Cargo.toml '^\[lints\]' '[package.metadata.lints]'
fires length append "$src" "$(printf '\\n%.0s' {1..600})"
fires reason append "$src" '#[allow(dead_code)]\nfn g() {}'
fires reason append clock/tests/it/laws.rs '#![cfg_attr(loom, expect(unused_imports))]'
fires ignored-test append clock/tests/it/laws.rs '#[ignore = "slow"]\nfn h() {}'
page=docs/verification/clock.md
row='| the bytes are frozen |'
fires named-test replace $page 'never_goes_back' 'sometimes_goes_back'
fires named-test replace $page 'laws::it' 'model::it'
fires named-test replace $page 'bench::it' 'clock::it'
fires named-test replace clock/tests/it/laws.rs '#\[test\]' ''
fires named-test append $page "${row/frozen/small} by eye | a look | all |"
fires named-test append $page "${row/frozen/small} \`fuzz/nothing\` | libFuzzer | all |"
fires guarantee-section append $page "${row/frozen/small} \`laws::it_never_goes_back\` | a column too few |"
fires guarantee-section append $page "${row/frozen/small} \`laws::it_never_goes_back\` | proptest | |"
fires guarantee-section replace $page '| promise |' '| crate |'
fires guarantee-section replace clock/src/lib.rs 'Restart-safe\*\*: No' 'Restart-safe**: no clock is restarted'
fires guarantee-section replace clock/src/drum.rs 'Loud\*\*: no' 'Loud**: it is'
fires guarantee-section replace clock/src/drum.rs 'struct Drum' 'struct Horn'
fires guarantee-section append bench/src/lib.rs '//! # Guarantees\n//!\n//! - **Fast**: it is.'
fires guarantee-section append clock/README.md '## Guarantees\n\n- **Small**: it is.'
fires guarantee-section replace clock/src/lib.rs '# Guarantees' '# Hopes'
fires guarantee-section replace clock/src/lib.rs '- \*\*Monotonic\*\*: it rises' ''
fires guarantee-section replace $page '^\*\*Assumes\*\*: The platform.' '**Assumes**: None.'
fires guarantee-section replace $page '^\*\*Assumes\*\*: The platform.' '**Assumes**: -'
fires guarantee-section replace $page '^- the exchange is a store' ''
fires guarantee-section replace $page '^\*\*Not covered\*\*' '**Covered**'
fires guarantee-section replace $page '^\*\*Tool and bound\*\*: proptest.' ''
fires guarantee-section append docs/verification/sundial.md text
fires guarantee-index replace docs/verification.md '.*Drum.*' ''
fires guarantee-index append docs/verification.md '| `clock` | [Unique](verification/clock.md#monotonic) | once |'
fires guarantee-index append docs/verification.md '| crate | guarantee | tests |'
fires named-item replace $page '`raise` says' '`raise_it` says'
fires named-item replace docs/model.md 'clock::raise' 'clock::lower'
fires named-item replace docs/model.md 'a_unit_test_is_found' 'a_unit_test_is_not_found'
fires named-item replace "$src" 'pub fn raise' 'pub fn rise'
fires quoted-code replace clock/examples/day.rs 'let clock = 1' 'let clock = 2'
fires quoted-code replace docs/hlc-in-a-service.md 'clock/examples/day.rs' 'clock/Cargo.toml'
fires model-parts replace docs/model.md '### Crash points' '### Crashes'
fires model-parts replace docs/model.md '## `clock`' '## `sundial`'
fires counter-row append clock/src/snapshot.rs 'pub struct DaySnapshot {\n    pub days: u64,\n}'
fires counter-row replace docs/operations.md '`last`' '`first`'
fires linked-section replace docs/model.md '#clocksnapshot' '#sundialsnapshot'
fires linked-section append docs/model.md 'See [there](nowhere.md).'
fires frozen-vectors replace clock/tests/vectors/time.txt '00 zero' '00 nought'
fires frozen-vectors append clock/tests/vectors/time.txt '02 two'
fires frozen-vectors rm clock/tests/vectors/time.txt
fires machine-path append clock/README.md "see $home/notes"
fires published-files rm clock/FORMAT.md
fires published-files cp /dev/null clock/README.md
fires published-metadata replace clock/Cargo.toml '^description.*' ''
fires published-metadata replace clock/Cargo.toml 'A clock' 'A clock.'
fires published-metadata replace clock/Cargo.toml '^rust-version.*' ''
fires published-metadata replace clock/Cargo.toml '^license.*' ''
fires published-metadata replace clock/Cargo.toml '^authors.*' ''
fires published-metadata replace clock/Cargo.toml '^readme.*' 'readme = false'
fires published-metadata replace clock/Cargo.toml '"clock"\]' '"clock", "a", "b", "c", "d", "e"]'
fires published-metadata replace clock/Cargo.toml '"clock"\]' '"two words"]'
fires published-metadata replace clock/Cargo.toml '"clock"\]' '"a-word-of-21-characters"]'
fires published-metadata replace clock/Cargo.toml '"concurrency"' '"clocks"'
fires published-metadata replace clock/Cargo.toml 'all-features = true' 'all-features = false'
fires published-metadata replace clock/Cargo.toml '"docsrs"' '"docs"'
fires published-metadata replace clock/Cargo.toml '"examples/\*\*", ' ''
fires published-metadata replace clock/Cargo.toml '"examples/\*\*"' '"examples/**", "sql/**"'
fires published-metadata replace clock/Cargo.toml '"examples/\*\*"' '"examples/**", "notes/**"'
fires changelog replace clock/CHANGELOG.md 'Unreleased' 'Next'
fires changelog replace clock/CHANGELOG.md '### Added' '### Done'
fires changelog replace clock/CHANGELOG.md '0.2.0 - 2026-11-27' '0.2.0'
fires changelog replace clock/CHANGELOG.md '0.2.0' '0.0.9'
fires changelog released clock-v0.3.0
fires readme replace clock/README.md 'path = ' 'version = "0.1", path = '
fires readme replace clock/README.md '\.\./clocks/clock" }' '../clocks/clock" }\ncargo add clock'
fires readme replace clock/README.md '{ path = "\.\./clocks/clock" }' '"0.2"'
fires readme replace clock/src/lib.rs 'cfg(doctest)' 'cfg(test)'
fires readme replace clock/src/lib.rs '\.\./README' '../CHANGELOG'

while read -r rule _; do
    [[ $fired == *" $rule "* ]] || die "no violation is planted for $rule"
done < <(python3 "$root/ci/tidy.py" --rules)
step "tidy: each of $(wc -w <<<"$(tr ' ' '\n' <<<"$fired" | sort -u)") rules fires on its violations, and on nothing else"
