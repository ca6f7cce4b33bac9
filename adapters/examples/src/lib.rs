//! Programs with the libraries that people use, each under `examples/`: README.md lists them. This library is empty.

/// Its code needs axum, which the crate itself does not.
#[cfg(doctest)]
#[doc = include_str!("../../hlc-tower/README.md")]
mod readme_of_hlc_tower {}
