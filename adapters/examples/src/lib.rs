//! The clocks where people already work: in the headers of other protocols, in brokers, in stores.
//!
//! Each file in `examples/` is one such place, with the library that its users have, and runs its assertions with the
//! tests: `cargo test -p clock-examples --examples`. To see one alone: `cargo run -p clock-examples --example redb`.
