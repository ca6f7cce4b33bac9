//! Lamport clocks: numbers for events, such that a cause always has a lower number than its effect.
//!
//! ```
//! use lamport::{AtomicClock, ObserveError};
//!
//! let (alice, bob) = (AtomicClock::new(), AtomicClock::new());
//! let asked = alice.tick()?.at_node("alice"); // stamp the message, send it
//! let received = bob.observe(asked.time())?; // on receipt
//! let answered = bob.tick()?.at_node("bob");
//! assert!(asked.time() < received && received < answered.time());
//! assert!(asked < answered); // the total order extends the causal one
//! # Ok::<(), ObserveError>(())
//! ```
//!
//! # When to use this
//!
//! When nodes that exchange messages need one order that respects causes: message queues, operation logs,
//! replicated state machines, fair locks, last-writer-wins registers. A [`Time`] is 8 bytes, its order costs
//! one comparison, and [`Stamp`] makes the order total with a node id.
//!
//! - It cannot tell whether two events were concurrent: a lower time may belong to an event that nobody heard
//!   of. The sibling crate `vector-clock` can.
//! - It knows nothing of wall time. The sibling crate `hlc` stays near it.
//! - It does not decide who may write. The sibling crate `epoch-fence` does.
//!
//! [`Clock`] has one owner and runs everywhere; [`AtomicClock`] is shared, and may be a `static`. The verbs
//! are the same: `tick` (a local or send event), `observe` (a message was received), `merge` (knowledge
//! arrived, no event), `last` (read, no event).
//!
//! # Guarantees
//!
//! - **Monotonic**: each time that a clock returns is above every one that it returned, observed or merged
//!   before.
//! - **Unique**: a clock returns no time twice; two nodes give no equal [`Stamp`]s as long as their ids
//!   differ.
//! - **Causal**: if one event may have caused another, through any chain of observed messages, its time is
//!   lower.
//! - **Bounded skew**: No; times are not tied to a wall clock. Instead one received time moves a clock by at
//!   most [`MaxJump`], by default 2^40, and none moves it into the upper half of the range, above
//!   [`Time::MAX_ACCEPTED`]: only events use that up, one by one, and they need 2^63 - 1 of them.
//! - **Thread-safe**: [`AtomicClock`] is one atomic word. A greater time also sees what preceded the call
//!   that returned the smaller one.
//! - **Restart-safe**: of `DurableClock` and `AtomicDurableClock` (feature `durable`): after a crash at any point, the
//!   first time is above every one that was handed out. A plain clock begins at zero: keep a bound on what it
//!   handed out, and go on from it with [`resume_after`](Clock::resume_after).
//! - **Progress**: lock-free: of the callers of an [`AtomicClock`], some one always finishes. No call of a plain clock
//!   waits, allocates or panics; a durable one waits for its disk in `upkeep` and `merge_committed`, and the owned one
//!   where it comes to its bound. [`Exhausted`] ends it, after 2^64 - 1 times.
//!
//! # What can go wrong
//!
//! **A peer forges a time near the end.** It is refused as [`JumpExceeded`], counted, and changes nothing.
//! With [`MaxJump::Unbounded`] one such message exhausts every clock it spreads to.
//!
//! **A peer lies in small steps.** Each accepted message may move a clock by the limit: 2^23 of them by the
//! default one bring it to [`Time::MAX_ACCEPTED`]. From there newer times from peers are refused as
//! [`EndReserved`], and **Causal** is lost between the nodes; **Monotonic** and **Unique** hold, and own
//! events go on. Authenticate peers, choose a lower limit, and watch [`Snapshot::last`].
//!
//! **A node was cut off for long.** Honest times may then be further ahead than the limit, and are refused
//! until the node learns a time that it trusts, with [`resume_after`](Clock::resume_after).
//!
//! **A process restarts without `resume_after`**, or a machine image is restored. It gives times and stamps
//! again that it gave before: **Unique** and **Monotonic** are lost across the restart, and hold within each
//! run.
//!
//! **The disk of a durable clock is slow or fails.** It refuses at its bound (`BoundReached`): **Progress** is lost,
//! the rest holds. What a disk that lies about a flush, or an older file put back, costs is on the page of `high-water`.
//!
//! **A process crashes again and again.** Each crash skips what is left of a block, which is at most half of
//! [`MaxJump`], so that peers with the same limit accept the first message after it. They may refuse it, as
//! [`JumpExceeded`], when they heard of nothing between several crashes; a shorter block makes room for more.
//!
//! **Two nodes use one id.** Their stamps may be equal: **Unique** is lost for stamps, and the order is no
//! longer total. **Causal** holds.
//!
//! **A message is not observed.** A receiver that ignores the time of a message breaks the chain: **Causal**
//! does not extend over that message.
//!
//! **Reserved times are used late.** What is left of a [`Times`] when the clock observes a message is below
//! that message: using it for a later event breaks **Causal** for that event.
//!
//! **The range ends.** At [`Time::MAX`] each call that needs a new time returns [`Exhausted`]. Nothing wraps
//! or repeats.
//!
//! # Crate features
//!
//! No feature is needed, and none changes behaviour; the crate is `no_std` without an allocator.
//!
//! - `std` (default): switches on `std` in the optional dependencies that are in use, and `AtomicDurableClock`.
//! - `serde`: `Serialize` and `Deserialize` for [`Time`] and `Stamp<u64>`.
//! - `arbitrary`, `proptest`: [`Time`] and [`Stamp`] for fuzz targets and property tests of your own.
//! - `defmt`: `Format` for times, stamps, counts and errors, as their text is.
//! - `durable`: `DurableClock` over a `Mark` of `high-water`; with `std` also `AtomicDurableClock` and its `Keeper`.
//! - `portable-atomic`: [`AtomicClock`] on targets without 64-bit atomics. Without it they have [`Clock`]. It then makes
//!   atomics by a lock that spins, and an interrupt handler that meets it held waits for ever, *also on a Cortex-M3 or
//!   M4*: firmware on one core switches on its feature `unsafe-assume-single-core`, which shuts interrupts out instead.
//!
//! # Format
//!
//! Bytes, envelope, text and serde forms are in [`mod@format`].
//!
//! # Sources
//!
//! Leslie Lamport, "Time, Clocks, and the Ordering of Events in a Distributed System", Communications of the
//! ACM 21(7), 1978. The lock of its last third is the example `mutual_exclusion`.
#![no_std]
#![forbid(unsafe_code)]
#![cfg_attr(docsrs, feature(doc_cfg))]

#[cfg(test)]
extern crate alloc;
#[cfg(any(test, all(feature = "durable", feature = "std")))]
extern crate std;

#[cfg(feature = "arbitrary")]
mod arbitrary;
#[cfg(any(target_has_atomic = "64", feature = "portable-atomic"))]
mod atomic;
mod clock;
mod counters;
#[cfg(feature = "defmt")]
mod defmt;
#[cfg(feature = "durable")]
mod durable;
mod error;
mod jump;
#[cfg(all(test, loom))]
mod loom_tests;
#[cfg(feature = "proptest")]
mod proptest;
mod rule;
#[cfg(feature = "serde")]
mod serde;
mod stamp;
#[cfg(any(target_has_atomic = "64", feature = "portable-atomic"))]
mod sync;
mod text;
mod time;
mod wire;

#[doc = include_str!("../FORMAT.md")]
pub mod format {}

#[cfg(doctest)]
#[doc = include_str!("../README.md")]
mod readme {}

#[cfg(any(target_has_atomic = "64", feature = "portable-atomic"))]
pub use atomic::AtomicClock;
pub use clock::Clock;
pub use counters::Snapshot;
#[cfg(all(
    feature = "durable",
    feature = "std",
    any(target_has_atomic = "64", feature = "portable-atomic")
))]
pub use durable::AtomicDurableClock;
#[cfg(feature = "durable")]
pub use durable::{Block, BlockOutOfRange, BoundReached, DurableClock, DurableSnapshot, TickError};
pub use error::{EndReserved, EnvelopeError, Exhausted, JumpExceeded, MergeError, ObserveError, TextError};
#[cfg(all(
    feature = "durable",
    feature = "std",
    any(target_has_atomic = "64", feature = "portable-atomic")
))]
pub use high_water::Keeper;
pub use jump::MaxJump;
pub use stamp::Stamp;
pub use time::{Time, Times};
