//! Log lines and spans of `tracing` that begin with a stamp of a hybrid logical clock, so that the logs of many hosts,
//! sorted as text, are in causal order.
//!
//! ```
//! use hlc::{AtomicClock, NodeId, source::ManualSource};
//! use hlc_tracing::StampTimer;
//!
//! // Bob's wall clock is 300 ms behind Alice's.
//! let alice = AtomicClock::new(ManualSource::at_millis(1_300));
//! let bob = AtomicClock::new(ManualSource::at_millis(1_000));
//! let [timer_of_alice, timer_of_bob] = [(&alice, 1), (&bob, 2_u32)].map(|(clock, node)| StampTimer::new(clock, node.into()));
//!
//! let asked = timer_of_alice.prefix().to_string(); // what her line begins with; then she sends
//! bob.observe(alice.tick()?)?;
//! assert!(timer_of_bob.prefix().to_string() > asked, "his line sorts after hers");
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # When to use this
//!
//! When logs of several hosts are read together and their wall clocks disagree by more than their messages take: then
//! sorted by wall time, answers come before questions. The clock must be the one that the host's messages are stamped
//! with and observed by, or the lines know nothing of the messages.
//!
//! | you want | take |
//! |---|---|
//! | lines that begin with a stamp | [`StampTimer`], as the timer of `tracing_subscriber::fmt` |
//! | the stamp of a moment as a field of a span or an event | `stamp = %TIMER.prefix()`, with [`StampTimer::prefix`] |
//! | the stamp at which a span was made, for other layers and for your code | [`StampLayer`], [`SpanStamp`] |
//! | a clock of your own making | [`SharedClock`] |
//!
//! It gives no order to events of one instant that no message connects: those are concurrent, and come in the order of
//! their stamps. It authenticates nothing: whoever writes a log can write any stamp.
//!
//! # Guarantees
//!
//! - **Causal**: if an event could have caused another (same thread, same clock with synchronisation between, or a
//!   chain of messages each stamped with `tick` and received with `observe`), its line sorts before the other's, as
//!   bytes.
//! - **Unique**: no two stamped lines of one node begin alike.
//! - **Never silent**: a line whose clock gave no stamp is there, in its place after the lines before it, and says that
//!   it has none and why. It never carries a stamp of an earlier line as its own.
//! - **No loop**: a line that is logged while its thread reads the clock gets no stamp, instead of asking again.
//!
//! # What can go wrong
//!
//! **The clock refuses.** Its source fails, it is at the end of its layout, or beyond its own limit. Lines then begin
//! with the last stamp that the clock knew, a `!`, a count and the reason ([`Prefix`]); all guarantees hold but that they
//! tell the time. [`StampTimer::unstamped`] counts them: alert when it rises.
//!
//! **A message was not stamped, or its stamp was refused** because it was beyond the
//! [`SkewPolicy`](hlc::SkewPolicy) (500 ms unless you say otherwise; hosts an hour apart need an hour). **Causal** does
//! not extend over that message.
//!
//! **Two nodes share a name.** **Unique** is lost; the rest holds.
//!
//! **Threads write in another order than they stamped.** A line is stamped before it is written, so the lines in one
//! file may be a little out of order. Sorting puts them right; do not assume that they are.
//!
//! **The sorting is not by bytes.** `sort` in a locale of people ignores punctuation. Say `LC_ALL=C sort`.
//!
//! **An event is several lines.** Messages with line breaks, and the formats `pretty` and `json` with line breaks,
//! are torn apart by a tool that sorts lines. Use the default, `compact` or `json` format.
//!
//! **Colours.** With ANSI colours each line begins with an escape sequence. They still sort among themselves, and not
//! together with lines without colours. Switch colours off in files (`with_ansi(false)`).
//!
//! **Two outputs.** Each formatter asks the clock for each event: the line in the file and that on the terminal have
//! different stamps.
//!
//! # Crate features
//!
//! - `durable`: [`SharedClock`] for `hlc::AtomicDurableClock`, whose lines sort after those of before a restart, whatever
//!   the wall clock does meanwhile.
//!
//! # Format
//!
//! What a line begins with is specified in [`mod@format`].
//!
//! # Sources
//!
//! - Kulkarni, Demirbas, Madappa, Avva, Leone: *Logical Physical Clocks* (OPODIS 2014): its section 6 has snapshots and
//!   logs of many nodes as the reason for hybrid clocks.
#![forbid(unsafe_code)]
#![cfg_attr(docsrs, feature(doc_cfg))]

extern crate alloc;

mod clock;
mod layer;
mod prefix;
mod span_stamp;
mod sync;
mod ticking;
mod timer;

#[doc = include_str!("../FORMAT.md")]
pub mod format {}

#[cfg(doctest)]
#[doc = include_str!("../README.md")]
mod readme {}

pub use self::{
    clock::SharedClock,
    layer::StampLayer,
    prefix::{NoStamp, Prefix},
    span_stamp::SpanStamp,
    timer::StampTimer,
};
