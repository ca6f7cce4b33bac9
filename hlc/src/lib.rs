//! Hybrid logical clock.
#![no_std]
#![forbid(unsafe_code)]
#![cfg_attr(docsrs, feature(doc_cfg))]

#[cfg(feature = "std")]
extern crate std;

#[cfg(any(target_has_atomic = "64", feature = "portable-atomic"))]
mod sync;
