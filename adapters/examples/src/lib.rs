//! Whole programs over the adapters, each in a folder under `examples/`, with its tests beside it. This library is empty.
//!
//! | example | what it shows |
//! |---|---|
//! | `axum` | two services and a client over HTTP: causes before effects, a hostile client, requests without the header, curl |
//! | `tonic` | the same layers over gRPC, where the header is metadata |
//!
//! `cargo run -p clock-examples --example NAME` runs one.

/// Its code needs axum, which the crate itself does not.
#[cfg(doctest)]
#[doc = include_str!("../../hlc-tower/README.md")]
mod readme_of_hlc_tower {}
