//! Tells the linker where the memory is, and the image what it was built for.

use std::env;

fn main() {
    let target = env::var("TARGET").unwrap_or_default();
    println!("cargo::rerun-if-changed=memory.x");
    println!("cargo::rustc-env=FIRMWARE_TARGET={target}");
    if target.ends_with("-none-eabi") {
        let folder = env::var("CARGO_MANIFEST_DIR").unwrap_or_default();
        println!("cargo::rustc-link-search={folder}");
        println!("cargo::rustc-link-arg-bins=-Tlink.x");
    }
}
