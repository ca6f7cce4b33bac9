# shellcheck shell=bash
# Sourced by the checks that build for machines of which rustup has no standard library here: Debian's compiler builds
# the library itself, from Debian's sources, which are its very own. Nothing is fetched through rustup.

debian_rustc=/usr/bin/rustc
debian_cargo=/usr/bin/cargo
debian_library=/usr/lib/rustlib/src/rust/library

# Whether Debian's compiler is there, and new enough for the crates.
has_build_std() {
    local wanted have
    [[ -x $debian_rustc && -x $debian_cargo && -d $debian_library/core ]] || return
    wanted=$(sed -n 's/^rust-version = "\(.*\)"$/\1/p' "$root/Cargo.toml")
    have=$("$debian_rustc" --version | sed 's/^rustc \([0-9.]*\).*/\1/')
    [[ $(printf '%s\n' "$wanted" "$have" | sort -V | head -n 1) == "$wanted" ]]
}

# The packages that bring it.
build_std_packages='rustc-web cargo-web rust-web-src'

# cargo with Debian's compiler. To build a standard library is an option of nightly, and of whoever has the sources that
# belong to the compiler.
build_std() {
    RUSTC=$debian_rustc RUSTC_BOOTSTRAP=1 "$debian_cargo" "$@"
}
