//! What the program `clocks` is made of: stamps of any layout, and logs that carry them.
//!
//! The program is documented in its `--help` and in the README. This library is what it calls, for programs that
//! read the same logs.
#![forbid(unsafe_code)]

extern crate alloc;

mod any_layout;
pub mod diagram;
mod place;
pub mod shiviz;
pub mod validate;

#[cfg(doctest)]
#[doc = include_str!("../README.md")]
mod readme {}

pub use self::{
    any_layout::{AnyLayout, ForLayout, UnknownLayout},
    place::{Place, ReadError},
};
