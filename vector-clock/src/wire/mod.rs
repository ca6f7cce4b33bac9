//! Clocks as bytes, as [`format`](crate::format) says: limits, errors, and [`ClockRef`], which needs no decoding.
//!
//! Values have `encode_into` and `decode` themselves. Every decoder takes [`Limits`], and has checked the whole
//! input against them before it allocates anything.

mod clock_ref;
mod encode;
mod envelope;
mod error;
mod flags;
mod limits;
mod varint;

pub use clock_ref::ClockRef;
pub(crate) use encode::{Digest, Message, write};
pub(crate) use envelope::Envelope;
pub use error::{BufferTooSmall, DecodeError};
pub use flags::Ignorable;
pub(crate) use flags::Kind;
pub use limits::Limits;
