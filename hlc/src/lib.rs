//! Hybrid logical clock.
#![no_std]
#![forbid(unsafe_code)]
#![cfg_attr(docsrs, feature(doc_cfg))]

#[cfg(any(feature = "std", test))]
extern crate alloc;
#[cfg(any(feature = "std", test))]
extern crate std;

#[cfg(any(target_has_atomic = "64", feature = "portable-atomic"))]
mod atomic;
mod clock;
mod driver;
mod error;
mod human;
pub mod layout;
mod limits;
mod node_id;
mod packed;
mod physical_time;
mod reservation;
mod rule;
mod snapshot;
pub mod source;
mod stamp;
#[cfg(any(target_has_atomic = "64", feature = "portable-atomic"))]
mod sync;
mod text;

#[cfg(any(target_has_atomic = "64", feature = "portable-atomic"))]
pub use self::atomic::AtomicClock;
pub use self::{
    clock::Clock,
    error::{
        BadDigit, DecodeError, Exhausted, LeadExceeded, NodeIdOutOfRange, ObserveError, PartsOutOfRange,
        SkewExceeded, SourceError, Stepped, TextError, TickError, UnknownVersion, WrongLength,
    },
    human::Human,
    limits::{LeadPolicy, SkewPolicy},
    node_id::NodeId,
    packed::{Packed, Timestamp},
    physical_time::PhysicalTime,
    reservation::Reservation,
    snapshot::Snapshot,
    source::Source,
    stamp::Stamp,
};
