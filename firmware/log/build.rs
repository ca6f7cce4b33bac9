//! Tells the linker what the start-up code and the log strings need; where the memory is, `clock-firmware` tells it.

use std::env;

fn main() {
    if env::var("TARGET").unwrap_or_default().ends_with("-none-eabi") {
        println!("cargo::rustc-link-arg-bins=-Tlink.x");
        println!("cargo::rustc-link-arg-bins=-Tdefmt.x");
    }
}
