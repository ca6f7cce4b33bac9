#!/usr/bin/env bash
# Installs what the named stages need and this machine lacks; says nothing where all is there.
#
#   ci/setup.sh [STAGE...]     no stage: what all of them need
#
# Needs rustup's stable toolchain, and Debian's apt, as root or through sudo, for what the system lacks.
set -euo pipefail
source "$(dirname "${BASH_SOURCE[0]}")/workspace.sh"
source ci/build-std.sh

# What a fresh machine gets. A version that is already there is left alone.
cargo_deny_version=0.20.2
cargo_fuzz_version=0.13.2
cargo_hack_version=0.6.46
# It reads what rustdoc of this toolchain writes: another toolchain may need another version.
cargo_semver_checks_version=0.51.0

stages=" ${*:-big-endian debug deny engines features firmware fuzz instructions lint package semver} "
needed_by() {
    local stage
    for stage in "$@"; do
        [[ $stages == *" $stage "* ]] && return 0
    done
    return 1
}

as_root() {
    if [[ $(id -u) -eq 0 ]]; then
        "$@"
    elif command -v sudo >/dev/null; then
        sudo "$@"
    else
        die "cannot install $missing: this is not root, and there is no sudo"
    fi
}

# PostgreSQL's programs in PATH, or where Debian keeps them.
has_postgres() {
    local program
    for program in "$(command -v initdb || true)" /usr/lib/postgresql/*/bin/initdb; do
        [[ -x ${program%/*}/postgres && -x $program ]] && return 0
    done
    return 1
}

protoc_has_its_own_messages() {
    local program
    program=$(command -v protoc) && [[ -e $(readlink -f "${program%/*}")/../include/google/protobuf/descriptor.proto ]]
}

# Installs packages, and starts none of the servers that they bring: the checks start their own.
install_packages() {
    local policy=/usr/sbin/policy-rc.d status=0
    if [[ -e $policy ]]; then
        as_root "${apt[@]}" install -y --no-install-recommends "$@"
        return
    fi
    printf '#!/bin/sh\nexit 101\n' | as_root tee "$policy" >/dev/null
    as_root chmod 755 "$policy"
    as_root "${apt[@]}" install -y --no-install-recommends "$@" || status=$?
    as_root rm -f "$policy"
    return "$status"
}

# A linker for everything, Python for the checks, a C++ compiler for libFuzzer; machines of other kinds, and a compiler
# that builds for them (see build-std.sh).
missing=''
command -v cc >/dev/null || missing+=' gcc libc6-dev'
command -v git >/dev/null || missing+=' git'
command -v python3 >/dev/null || missing+=' python3'
if needed_by fuzz && ! command -v c++ >/dev/null; then missing+=' g++'; fi
if needed_by firmware; then
    command -v qemu-system-arm >/dev/null || missing+=' qemu-system-arm'
    command -v arm-none-eabi-objdump >/dev/null || missing+=' binutils-arm-none-eabi'
    command -v ld.lld >/dev/null || missing+=' lld'
fi
if needed_by instructions; then
    command -v valgrind >/dev/null || missing+=' valgrind'
fi
if needed_by big-endian; then
    command -v qemu-s390x >/dev/null || missing+=' qemu-user'
    command -v s390x-linux-gnu-gcc >/dev/null || missing+=' gcc-s390x-linux-gnu libc6-dev-s390x-cross'
fi
# The client of etcd is made from its messages when it is built: by every stage that takes all features.
if needed_by lint features package semver debug release stress contention engines doc loom benches instructions; then
    command -v protoc >/dev/null || missing+=' protobuf-compiler'
    # The messages that come with protoc itself; Debian has them in a package of their own, which it only recommends.
    protoc_has_its_own_messages || missing+=' libprotobuf-dev'
fi
# A client of HTTP that is not ours.
if needed_by debug release; then
    command -v curl >/dev/null || missing+=' curl'
fi
# Other stages run what needs a server where there is one, and say so where there is none.
if needed_by engines; then
    has_postgres || missing+=' postgresql'
    command -v etcd >/dev/null || missing+=' etcd-server'
    command -v etcdctl >/dev/null || missing+=' etcd-client'
    command -v nats-server >/dev/null || [[ -x /usr/sbin/nats-server ]] || missing+=' nats-server'
    # Certificates for a server that encrypts.
    command -v openssl >/dev/null || missing+=' openssl'
fi
if needed_by big-endian firmware && ! has_build_std; then missing+=" $build_std_packages"; fi
if [[ -n $missing ]]; then
    missing=${missing# }
    command -v apt-get >/dev/null || die "install these by hand, there is no apt here: $missing"
    step "apt: $missing"
    apt=(env DEBIAN_FRONTEND=noninteractive timeout 300 apt-get -q -o DPkg::Lock::Timeout=120)
    as_root "${apt[@]}" update || die 'apt-get update failed'
    # shellcheck disable=SC2086
    install_packages $missing || die "apt could not install $missing"
fi
python3 -c 'import tomllib' 2>/dev/null || die 'python3 is older than 3.11; the checks need its tomllib'

command -v cargo >/dev/null || die "there is no cargo; install rustup's stable toolchain first"
wanted=$(sed -n 's/^rust-version = "\(.*\)"$/\1/p' Cargo.toml)
have=$(rustc --version | sed 's/^rustc \([0-9.]*\).*/\1/')
[[ $(printf '%s\n' "$wanted" "$have" | sort -V | head -n 1) == "$wanted" ]] ||
    die "rustc $have is older than $wanted; run: rustup update stable"

component() {
    local name=$1
    shift
    "$@" >/dev/null 2>&1 && return
    step "rustup: $name"
    timeout 300 rustup component add "$name" || die "rustup could not add $name"
}
if needed_by lint; then
    component rustfmt cargo fmt --version
    component clippy cargo clippy --version
fi

# Tools are built unoptimised: they run for seconds, and building them would take minutes.
tool() {
    local name=$1 version=$2
    cargo "${name#cargo-}" --version >/dev/null 2>&1 && return
    step "cargo install $name $version"
    env -u CARGO_TARGET_DIR -u RUSTFLAGS CARGO_PROFILE_RELEASE_OPT_LEVEL=0 CARGO_PROFILE_RELEASE_LTO=off \
        timeout 900 cargo install --quiet --locked "$name" --version "$version" ||
        die "cargo could not install $name $version within 15 minutes"
}
if needed_by features; then tool cargo-hack "$cargo_hack_version"; fi
if needed_by fuzz && [[ -f fuzz/Cargo.toml ]]; then tool cargo-fuzz "$cargo_fuzz_version"; fi
if needed_by semver; then tool cargo-semver-checks "$cargo_semver_checks_version"; fi
if needed_by deny; then tool cargo-deny "$cargo_deny_version"; fi
# The library refuses a runner of another version, so the version is the library's.
if needed_by instructions; then
    version=$(awk '/^name = "gungraun-runner"$/ { getline; gsub(/"/, "", $3); print $3 }' Cargo.lock)
    if [[ $(gungraun-runner --version 2>/dev/null) != "gungraun-runner $version" ]]; then
        step "cargo install gungraun-runner $version"
        env -u CARGO_TARGET_DIR -u RUSTFLAGS CARGO_PROFILE_RELEASE_OPT_LEVEL=0 CARGO_PROFILE_RELEASE_LTO=off \
            timeout 900 cargo install --quiet --locked --force gungraun-runner --version "$version" ||
            die "cargo could not install gungraun-runner $version within 15 minutes"
    fi
fi
