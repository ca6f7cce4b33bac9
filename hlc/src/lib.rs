//! Timestamps near wall time that never go back, and that order causes before their effects.
//!
//! A [`Clock`] joins a physical clock with a counter: each stamp it issues is above every stamp it has
//! issued or seen, whatever the physical clock does, and stays within the clocks' own error of real time.
//!
//! ```
//! use hlc::{Clock, source::ManualSource};
//!
//! let (fast, slow) = (ManualSource::at_millis(1_300), ManualSource::at_millis(1_000));
//! let (mut alice, mut bob) = (Clock::new(&fast), Clock::new(&slow));
//! let question = alice.tick()?;
//! let answer = bob.observe(question)?;
//! assert!(answer > question, "although Bob's wall clock is 300 ms behind");
//! # Ok::<(), Box<dyn core::error::Error>>(())
//! ```
//!
//! # When to use this
//!
//! For message headers, database versions and event logs: wherever a `SystemTime` would be compared with one
//! from another host. A stamp is 8 bytes ([`Timestamp`]), or 16 with the node that made it ([`Stamp`]).
//!
//! Stamps tell *that* one event may have caused another, never that two are concurrent: for that take a
//! vector clock (`vector-clock`). Where nearness to wall time does not matter, a Lamport clock (`lamport`)
//! needs no physical clock. Neither gives mutual exclusion: guard a resource with fencing tokens, not with
//! time.
//!
//! | you have | take |
//! |---|---|
//! | one owner, or a target without atomics | [`Clock`] |
//! | many threads | [`AtomicClock`], also in a `static` |
//! | a wall clock | [`SystemSource`](source::SystemSource) |
//! | a need for speed | [`AnchoredSource`](source::AnchoredSource), [`CachedSource`](source::CachedSource) |
//! | a timer that wraps, and no calendar | [`Widening`](source::Widening) under [`Offset`](source::Offset) |
//! | restarts, and a wall clock that may be set back | `DurableClock`, `AtomicDurableClock` (feature `durable`) |
//! | a test | [`ManualSource`](source::ManualSource) |
//! | a database with its own layout of the 64 bits | [`layout`] |
//! | a binary header of your own | [`StampBytes`] |
//!
//! # Guarantees
//!
//! - **Monotonic**: each stamp of a clock is above all that it issued, observed or merged before.
//! - **Unique**: no clock issues a stamp twice. Two clocks can issue equal timestamps; a [`Stamp`] with
//!   distinct node ids is unique in the system.
//! - **Causal**: if an event could have caused another (same clock, or a chain of messages each stamped with
//!   `tick` and received with `observe`), its stamp is the lesser.
//! - **Bounded skew**: no stamp above the clock's own last one is accepted if its receipt would be stamped
//!   further ahead of physical time than the [`SkewPolicy`]: by default 500 ms. A stamp is never below its physical
//!   reading by one unit of the layout or more; in layouts that round up, not at all. (Physical time before the
//!   layout's epoch counts as the epoch.)
//! - **Thread-safe**: [`AtomicClock`] keeps all of these under any interleaving, and a greater stamp from
//!   `tick`, `observe` or `reserve` sees what preceded the smaller one. `merge` promises only the number.
//! - **Restart-safe**: of `DurableClock` and `AtomicDurableClock` (feature `durable`): after a crash at any point, and
//!   whatever the wall clock does meanwhile, every stamp is above every one issued before. The plain clocks rely on
//!   physical time having gone on: keep their last stamp and give it to [`resume_after`](Clock::resume_after).
//! - **Progress**: lock-free: some caller always finishes. No call of a plain clock blocks, allocates or spins on another. A
//!   durable one waits for its disk in `upkeep` and `merge_committed`, and the owned one where it comes to its bound.
//!
//! # What can go wrong
//!
//! **The wall clock steps back.** Stamps go on rising from the last one by their counter, ahead of the wall
//! clock until it has caught up. [`Snapshot::lead`] shows by how much; with
//! [`LeadPolicy::AtMost`] the clock refuses instead. All guarantees hold but nearness to time. While the lead is
//! above the skew limit, peers refuse the stamps, and `reserve` hands out no block of them.
//!
//! **The wall clock jumps ahead.** The clock follows it and cannot come back; peers refuse its stamps beyond
//! their [`SkewPolicy`], so that the others stay right. [`StepLimit`](source::StepLimit) refuses the jump itself.
//!
//! **One reading of the wall clock is wrong.** A plain clock follows it, and cannot come back while it lives. A durable one
//! asks again before a reading moves its bound: one wrong reading takes the clock to its bound at most, the bound a window
//! further, and a restart no further than that. A reading that comes twice is believed, and outlives the process:
//! that of a wall clock that is set wrong, or of a [`CachedSource`](source::CachedSource) between two refreshes.
//! [`StepLimit`](source::StepLimit), below the cache, refuses it.
//!
//! **A peer lives in the year 2500**, or says so. Its stamps are refused and counted; the clock does not
//! change. Under [`SkewPolicy::Unbounded`] one such stamp moves every clock that hears of it, for good.
//!
//! **More stamps than a counter holds.** Above 65,536 in one millisecond, the counter of the default layout
//! carries into physical time and the clock runs ahead: [`Snapshot::carries`] counts it. Take a layout with a
//! larger counter for such rates.
//!
//! **Two nodes share a name.** Their stamps can be equal: **Unique** is lost, the rest holds.
//!
//! **A stamp is not authenticated.** Whoever can send bytes can send stamps up to the skew limit ahead, and
//! move the clock by as much as that. It cannot move it further, back, or to its end.
//!
//! **The process restarts.** A durable clock goes on at its bound, up to 250 ms ahead of physical time. Where its disk
//! is slow or fails, it refuses at the bound (`BoundReached`): **Progress** is lost, the rest holds. What a disk that
//! lies about a flush, or an older file put back, costs is on the page of `high-water`.
//!
//! **The end.** At the layout's last timestamp each event is refused, as [`Exhausted`]; nothing wraps.
//!
//! # Crate features
//!
//! - `std` (default): `SystemSource`, `MonotonicSource`, `InstantCounter`, `Ticker`, `to_system_time`.
//! - `portable-atomic`: `AtomicClock` and the shared sources on targets without 64-bit atomics. It then makes atomics by
//!   a lock that spins, and an interrupt handler that meets it held waits for ever, *also on a Cortex-M3 or M4*: firmware
//!   on one core switches on its feature `unsafe-assume-single-core`, which shuts interrupts out instead.
//! - `serde`: text where the format is read by people, integers elsewhere; always validated.
//! - `uuid`: a stamp as UUIDv7 and back, order kept.
//! - `arbitrary`, `proptest`: values for fuzz targets and property tests of your own: every one, and only valid ones.
//! - `zerocopy-0_8`: the traits of zerocopy 0.8 for [`StampBytes`], for headers that are read in place.
//! - `quanta`: a cycle counter for `AnchoredSource`.
//! - `defmt`: `Format` for stamps, ids, counts and errors, as their text is.
//! - `durable`: `DurableClock` over a `Mark` of `high-water`; with `std` also `AtomicDurableClock` and its `Keeper`.
//!
//! Without features the crate is `no_std`, allocates nothing and depends on nothing.
//!
//! # Format
//!
//! Bytes, text and UUID are specified in [`format`].
//!
//! # Sources
//!
//! - Kulkarni, Demirbas, Madappa, Avva, Leone: *Logical Physical Clocks* (OPODIS 2014): the algorithm is its
//!   figure 5, the packed form its section 6.2.
//! - Lamport: *Time, Clocks, and the Ordering of Events in a Distributed System* (CACM 21(7), 1978).
//! - RFC 9562, section 5.7: UUIDv7.
#![no_std]
#![forbid(unsafe_code)]
#![cfg_attr(docsrs, feature(doc_cfg))]

#[cfg(any(feature = "std", test))]
extern crate alloc;
#[cfg(any(feature = "std", test))]
extern crate std;

#[cfg(feature = "arbitrary")]
mod arbitrary;
#[cfg(any(target_has_atomic = "64", feature = "portable-atomic"))]
mod atomic;
mod clock;
#[cfg(feature = "defmt")]
mod defmt;
mod driver;
#[cfg(feature = "durable")]
mod durable;
mod error;
mod human;
pub mod layout;
mod limits;
#[cfg(all(test, loom))]
mod loom_tests;
mod node_id;
mod packed;
mod physical_time;
#[cfg(feature = "proptest")]
mod proptest;
mod reservation;
mod rule;
#[cfg(feature = "serde")]
mod serde;
mod snapshot;
pub mod source;
mod stamp;
mod stamp_bytes;
#[cfg(any(target_has_atomic = "64", feature = "portable-atomic"))]
mod sync;
mod text;
#[cfg(feature = "uuid")]
mod uuid;

#[doc = include_str!("../FORMAT.md")]
pub mod format {}

#[cfg(doctest)]
#[doc = include_str!("../README.md")]
mod readme {}

#[cfg(any(target_has_atomic = "64", feature = "portable-atomic"))]
pub use self::atomic::AtomicClock;
#[cfg(all(
    feature = "durable",
    feature = "std",
    any(target_has_atomic = "64", feature = "portable-atomic")
))]
pub use self::durable::AtomicDurableClock;
#[cfg(feature = "durable")]
pub use self::durable::{
    BoundReached, DurableClock, DurableSnapshot, Resume, UpkeepError, Window, WindowOutOfRange,
};
#[cfg(feature = "uuid")]
pub use self::error::{UuidError, WrongUuidVersion};
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
    stamp_bytes::StampBytes,
};
#[cfg(all(
    feature = "durable",
    feature = "std",
    any(target_has_atomic = "64", feature = "portable-atomic")
))]
pub use high_water::Keeper;
