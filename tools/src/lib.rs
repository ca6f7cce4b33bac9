//! What the program `clocks` is made of: stamps of any layout, and logs that carry them.
//!
//! The program is documented in its `--help` and in the README. This library is what it calls, for programs that
//! read the same logs.
//!
//! # Crate features
//!
//! - `cli` (default): the program; switches on `read`.
//! - `read`: what reads stamps and logs, and merges logs. Without it there is what a program takes that draws its own run:
//!   [`shiviz::Builder`], [`shiviz::write()`], [`validate`] and [`diagram`], with no dependency but `vector-clock`.
#![forbid(unsafe_code)]

extern crate alloc;

#[cfg(feature = "read")]
mod any_layout;
#[cfg(feature = "read")]
mod any_stamp;
#[cfg(feature = "read")]
mod conversion;
pub mod diagram;
#[cfg(feature = "read")]
mod input;
#[cfg(feature = "read")]
pub mod merge;
#[cfg(feature = "read")]
mod notation;
#[cfg(feature = "read")]
mod place;
pub mod shiviz;
pub mod validate;

#[cfg(all(doctest, feature = "cli"))]
#[doc = include_str!("../README.md")]
mod readme {}

#[cfg(feature = "read")]
pub use self::{
    any_layout::{AnyLayout, ForLayout, UnknownLayout},
    any_stamp::AnyStamp,
    conversion::{Conversion, DoesNotFit, Moved},
    input::Input,
    notation::{NoSuchForm, Notation, NotationError, UnknownNotation},
    place::{Place, ReadError},
};
