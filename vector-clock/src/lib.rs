//! Vector clocks: who knew what, and so what was before what, and what was concurrent.
//!
//! ```
//! use vector_clock::{Causality, Fixed, VectorClock};
//!
//! let [mut alice, mut bob, mut carol] = [1, 2, 3].map(VectorClock::<u32, Fixed<8>>::new);
//! let asked = alice.tick()?; // stamp the message, send it
//! let answered = bob.observe(&asked)?; // on receipt
//! let meanwhile = carol.tick()?;
//! assert!(asked.happened_before(&answered)); // a cause is before its effect, and
//! assert_eq!(meanwhile.causality(&answered), Causality::Concurrent); // nothing else is
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # When to use this
//!
//! When replicas change the same data without asking each other, and it matters whether one change knew of the
//! other: sibling versions in a store, CRDTs, offline edits, causal delivery of messages, "have I seen this
//! already?". The answer is exact: [`Before`](Causality::Before) exactly when one knew of the other,
//! [`Concurrent`](Causality::Concurrent) exactly when neither did.
//!
//! - It costs an entry for each actor that ever wrote. Where one order is enough and no question is asked about
//!   concurrency, the sibling crate `lamport` does it in eight bytes.
//! - It knows nothing of wall time. The sibling crate `hlc` stays near it.
//! - It finds conflicts and does not decide them. The sibling crate `epoch-fence` decides who may write.
//!
//! | you have | you take |
//! |---|---|
//! | events of actors that exchange messages | [`VectorClock`], and [`Stamp`]s of its events |
//! | versions of replicated data | [`VersionVector`] |
//! | members that are known when the program is built | [`DenseVector`] |
//! | one clock and many threads | `SharedVectorClock` (feature `parking_lot`) |
//! | bytes that only want comparing | [`ClockRef`] |
//! | a peer that has nearly the same vector | [`Delta`] |
//! | values that clients write concurrently under one key | `DvvSet` |
//! | a set of events with gaps | `DotSet` |
//! | messages that must be delivered after their causes | `CausalBuffer` |
//! | the question what everybody knows by now | `MatrixClock` |
//! | replicas that come and go, forked from one another | `IntervalTreeClock` |
//!
//! The verbs of a clock: `tick` (a local or send event), `observe` (a message was received), `merge` (knowledge
//! arrived, no event), `last` (read, no event). Storage is named in the type: [`Fixed<N>`](Fixed), no allocator, or
//! `Heap`.
//!
//! # Guarantees
//!
//! - **Monotonic**: a counter never goes down, and each stamp that a clock returns is after every one that it
//!   returned or observed before.
//! - **Unique**: a clock names no event twice; two clocks name none alike as long as their actors differ.
//! - **Causal**: one event is before another exactly when a chain of observed messages leads from it to the other.
//! - **Bounded skew**: No; there is no wall clock here. Instead one message moves a counter by at most [`MaxJump`], by
//!   default 2^40, and none moves the clock's own.
//! - **Thread-safe**: `SharedVectorClock` is a lock, on purpose.
//! - **Restart-safe**: No; a new clock begins at nothing. Store its vector before a stamp leaves, and go on with
//!   [`VectorClock::resume`].
//! - **Progress**: no call waits, but for the lock of `SharedVectorClock`. No input panics or wraps; with [`Fixed`]
//!   storage none allocates. What peers send cannot take the room that a clock keeps for its own entry.
//!
//! # What can go wrong
//!
//! **A peer forges a counter.** Far ahead, it is refused as [`JumpExceeded`], counted, and changes nothing. Within the
//! limit it is believed: the clock then claims to know events of that actor that it does not, and the actor's next
//! real events compare as known already. **Causal** is lost for those; the peer's own events suffer the same by its
//! own hand. Authenticate peers, and choose a limit near the honest rate.
//!
//! **A peer forges a counter of the clock's own actor.** It is refused as [`Unissued`], whatever the limit. So it is
//! after the next hazard, and there it is the alarm.
//!
//! **An actor restarts from an older state**, or a machine image is restored, or two clocks use one id. Names are given
//! twice: **Unique** is lost, and events that differ compare as equal. The first message that returns from a peer is
//! refused as [`Unissued`]. Go on under a new id.
//!
//! **Ids without end.** An actor per request, or per connection, or a peer that makes ids up, fills every vector;
//! calls end in [`Capacity`], in [`Fixed`] storage when it is full, and of a clock at
//! [`with_max_entries`](VectorClock::with_max_entries). Give ids to replicas and not to clients.
//! [`forget_lossy`](VersionVector::forget_lossy) drops an entry, and says what that costs.
//!
//! **Forged stamps.** [`Stamp::causality`] looks up names: of stamps from clocks it is exact, of forged ones it is
//! what they claim. Two that claim to know each other are concurrent.
//!
//! **A counter at its end.** At [`MAX_COUNTER`] calls return [`Overflow`]. Nothing wraps.
//!
//! **An id type that breaks the law of [`Actor`].** Its own vectors give wrong answers. Nothing panics.
//!
//! # Crate features
//!
//! None changes behaviour. Without any, the crate is `no_std`, without an allocator and without a dependency.
//!
//! - `std` (default): switches on `alloc`, and lets long vectors be compared by the widest instructions that the
//!   processor has.
//! - `alloc`: `Heap` storage and `to_bytes`.
//! - `serde`: `Serialize` and `Deserialize` for [`Dot`], [`VersionVector`] and [`Stamp`].
//! - `arbitrary`, `proptest`: events, vectors, stamps and sets for fuzz targets and property tests of your own: every one,
//!   and only valid ones.
//! - `defmt`: `Format` for events, vectors, stamps, counts and errors.
//! - `parking_lot`: `SharedVectorClock`.
//!
//! # Format
//!
//! Bytes and serde forms are in [`mod@format`]. Every decoder takes [`Limits`].
//!
//! # Sources
//!
//! Colin Fidge, "Timestamps in Message-Passing Systems That Preserve the Partial Ordering", 1988. Friedemann Mattern,
//! "Virtual Time and Global States of Distributed Systems", 1989. D. Stott Parker et al., "Detection of Mutual
//! Inconsistency in Distributed Systems", IEEE Transactions on Software Engineering 9(3), 1983 (version vectors).
//! Reinhard Schwarz, Friedemann Mattern, "Detecting Causal Relationships in Distributed Computations: In Search of the
//! Holy Grail", Distributed Computing 7, 1994 (events compared by one look-up).
#![no_std]
#![cfg_attr(docsrs, feature(doc_cfg))]

#[cfg(any(feature = "alloc", test))]
extern crate alloc;
#[cfg(any(feature = "std", test))]
extern crate std;

mod actor;
#[cfg(feature = "arbitrary")]
mod arbitrary;
mod bytes;
mod causality;
mod counters;
#[cfg(feature = "defmt")]
mod defmt;
mod delta;
mod dense_vector;
mod dot;
mod error;
mod jump;
mod kernel;
#[cfg(all(test, loom, feature = "parking_lot"))]
mod loom_tests;
mod pairs;
#[cfg(feature = "proptest")]
pub mod proptest;
mod rule;
#[cfg(any(feature = "arbitrary", feature = "proptest"))]
mod sample;
mod sealed;
#[cfg(feature = "serde")]
mod serde;
#[cfg(feature = "parking_lot")]
mod shared;
mod stamp;
pub mod storage;
#[cfg(feature = "parking_lot")]
mod sync;
mod vector_clock;
mod version_vector;
mod wire;

#[doc = include_str!("../FORMAT.md")]
pub mod format {}

#[cfg(doctest)]
#[doc = include_str!("../README.md")]
mod readme {}

pub use actor::{Actor, Plain};
pub use causality::Causality;
pub use counters::Snapshot;
pub use delta::{ApplyError, Delta, DeltaError, WrongBase};
pub use dense_vector::DenseVector;
pub use dot::{Dot, MAX_COUNTER};
pub use error::{
    Capacity, CounterRange, DotMismatch, EntryError, JumpExceeded, LaneError, MergeError, NoLane,
    ObserveError, Overflow, TickError, Unissued,
};
pub use jump::MaxJump;
#[cfg(feature = "parking_lot")]
pub use shared::SharedVectorClock;
pub use stamp::Stamp;
#[cfg(feature = "alloc")]
pub use storage::Heap;
pub use storage::{Fixed, Storage};
pub use vector_clock::VectorClock;
pub use version_vector::VersionVector;
pub use wire::{BufferTooSmall, ClockRef, DecodeError, Ignorable, Limits};

// Structures.
mod causal_buffer;
mod dot_range;
#[cfg(feature = "alloc")]
mod dot_set;
#[cfg(feature = "alloc")]
mod dvv_set;
#[cfg(feature = "alloc")]
mod interval_tree_clock;
#[cfg(feature = "alloc")]
mod matrix_clock;

pub use causal_buffer::{
    BufferLimits, BufferSnapshot, Causal, CausalBuffer, Received, Refused, RefusedReason, UnknownMember,
};
pub use dot_range::{DotRange, DotRangeError};
#[cfg(feature = "alloc")]
pub use dot_set::DotSet;
#[cfg(feature = "alloc")]
pub use dvv_set::{DvvLimits, DvvPartsError, DvvSet};
#[cfg(feature = "alloc")]
pub use interval_tree_clock::{
    BudgetExceeded, EventJump, IntervalTreeClock, IntervalTreeDecodeError, IntervalTreeError,
    IntervalTreeSnapshot, NodeBudget,
};
#[cfg(feature = "alloc")]
pub use matrix_clock::{
    MatrixClock, MatrixMergeError, MatrixObserveError, NotAboveCut, NotStable, RetireError, StableCut,
};
