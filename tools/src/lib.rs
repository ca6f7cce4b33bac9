//! What the program `clocks` is made of: stamps of any layout, and logs that carry them.
//!
//! The program is documented in its `--help` and in the README. This library is what it calls, for programs that
//! read the same logs.
#![forbid(unsafe_code)]

extern crate alloc;

mod any_layout;
mod any_stamp;
mod conversion;
mod input;
pub mod merge;
mod notation;
mod place;

#[cfg(doctest)]
#[doc = include_str!("../README.md")]
mod readme {}

pub use self::{
    any_layout::{AnyLayout, ForLayout, UnknownLayout},
    any_stamp::AnyStamp,
    conversion::{Conversion, DoesNotFit, Moved},
    input::Input,
    notation::{NoSuchForm, Notation, NotationError, UnknownNotation},
    place::{Place, ReadError},
};
