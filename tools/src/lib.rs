//! What the program `clocks` is made of: stamps of any layout, and logs that carry them.
//!
//! The program is documented in its `--help` and in the README. This library is what it calls, for programs that
//! read the same logs.
//!
//! # Crate features
//!
//! - `cli` (default): the program, and all that it needs. Without it there is what a program takes that writes down and
//!   draws its own run: [`shiviz::Builder`], [`shiviz::write`], [`validate`] and [`diagram`], with no dependency but
//!   `vector-clock`.
#![forbid(unsafe_code)]

extern crate alloc;

#[cfg(feature = "cli")]
mod any_layout;
#[cfg(feature = "cli")]
mod any_stamp;
#[cfg(feature = "cli")]
mod conversion;
pub mod diagram;
#[cfg(feature = "cli")]
mod input;
#[cfg(feature = "cli")]
pub mod merge;
#[cfg(feature = "cli")]
mod notation;
#[cfg(feature = "cli")]
mod place;
pub mod shiviz;
pub mod validate;

#[cfg(all(doctest, feature = "cli"))]
#[doc = include_str!("../README.md")]
mod readme {}

#[cfg(feature = "cli")]
pub use self::{
    any_layout::{AnyLayout, ForLayout, UnknownLayout},
    any_stamp::AnyStamp,
    conversion::{Conversion, DoesNotFit, Moved},
    input::Input,
    notation::{NoSuchForm, Notation, NotationError, UnknownNotation},
    place::{Place, ReadError},
};
