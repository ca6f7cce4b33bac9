//! Stamps of a hybrid logical clock in HTTP and gRPC headers, as layers for `tower`.
//!
//! A [`ClientLayer`] stamps requests and observes answers, a [`ServerLayer`] observes requests and stamps responses, so that
//! causes come before their effects across services, whatever their wall clocks say.
//!
//! ```
//! # use core::{convert::Infallible, future::ready, pin::pin, task::{Context, Poll, Waker}};
//! # use hlc::{AtomicClock, NodeId, source::ManualSource};
//! # use hlc_tower::{ClientLayer, ServerLayer};
//! # use http::{Request, Response};
//! # use tower::{Layer, ServiceExt, service_fn};
//! # async fn example() -> Result<(), Box<dyn core::error::Error>> {
//! let alice = AtomicClock::new(ManualSource::at_millis(1_000));
//! let bob = AtomicClock::new(ManualSource::at_millis(1_300));
//! let handler = service_fn(|_: Request<()>| ready(Ok::<_, Infallible>(Response::new("done"))));
//!
//! let server = ServerLayer::new(&bob, NodeId::new(2)?).layer(handler);
//! let client = ClientLayer::new(&alice, NodeId::new(1)?).layer(server); // a connection, elsewhere
//! client.oneshot(Request::new(())).await?;
//! assert!(alice.tick()? > bob.last().ok_or("stamped")?, "although Alice's wall clock is 300 ms behind");
//! # Ok(())
//! # }
//! # let Poll::Ready(outcome) = pin!(example()).poll(&mut Context::from_waker(Waker::noop())) else { panic!() };
//! # outcome?;
//! # Ok::<(), Box<dyn core::error::Error>>(())
//! ```
//!
//! # When to use this
//!
//! Between services that keep stamps in their rows and logs, on any stack whose messages are those of the `http` crate:
//! axum, tonic, hyper, tower. The header is [`hlc-stamp`](mod@format), its value what [`hlc::Stamp`] prints. A program without
//! `tower` reads and writes it with [`header`]; one over a message broker puts [`hlc::Stamp::to_envelope`] in its header.
//!
//! # What a layer does
//!
//! | message | server | client |
//! |---|---|---|
//! | comes in with a stamp | observes it; [`Received`] in the extensions | the same |
//! | comes in without | a tick; [`Received`] in the extensions | nothing: the answer is as it was |
//! | comes in with a bad stamp, or one too far ahead | 400, and the handler is not called; or ignored: [`StampPolicy`] | ignored; or [`ClientError::Answer`] |
//! | comes in, and the clock itself fails | 503, and the handler is not called; or handled without a stamp: [`ClockPolicy`] | the answer is as it was |
//! | goes out | a tick, unless the handler has stamped it, of this node and between the receipt and now | a tick, whatever stamp it has |
//! | goes out, and the clock itself fails | without a stamp: the work is done | [`ClientError::NotSent`]; or sent without: [`ClockPolicy`] |
//!
//! Each of these is counted by its cause: [`ServerLayer::snapshot`], [`ClientLayer::snapshot`]. Whatever was refused or
//! passed over says why in the extensions of the message that goes on, as [`Refused`].
//!
//! # Guarantees
//!
//! - **Causal**: [`Received::at`] is above [`Received::sent`], and the stamp of a response made by the layer above both. A
//!   call whose stamps were observed at both ends leaves the caller's clock above everything that the server knew when it
//!   answered.
//! - **Bounded skew**: no header moves a clock further ahead than its own `SkewPolicy` lets through, and none moves it
//!   back. What is refused or ignored moves it by the tick of its receipt alone.
//! - **One stamp**: what goes out carries one well-formed stamp; or none, which is counted.
//! - **Counted**: what comes in is counted once, by its cause, and so is what goes out.
//! - **Thread-safe**: a layer, its clones and its services share one clock and one set of counts, and lose none.
//! - **Restart-safe**: No. It is the clock's matter: with the feature `durable` the layers take an `AtomicDurableClock`.
//! - **Progress**: a layer waits for nothing but the service below. No header makes it panic, and it looks at no more than
//!   33 bytes of a value.
//!
//! # What can go wrong
//!
//! **A sender's clock is wrong, or a sender lies.** Up to the skew limit ahead its stamps are believed, and the clock runs
//! ahead with them; beyond it they are refused and counted. A header is not authenticated: at an edge to strangers give the
//! layer's clock a small `SkewPolicy`, or remove the header there. Small enough is what stays below the limit of the
//! services behind it, with the difference of their wall clocks added: else a stranger brings this clock where they refuse it.
//!
//! **Clocks are apart by more than the limit.** Honest senders then get 400 for each request, and no work is done; with
//! [`StampPolicy::Ignore`] the work is done and **Causal** is lost. [`Snapshot::too_far_ahead`] counts both.
//!
//! **The clock itself fails**: its source, its own limit of lead, a durable clock's bound, its end. A server answers 503
//! before its handler runs, and sends what is done without a stamp; **Causal** is lost for that response.
//!
//! **A proxy drops the header, or joins two of them by a comma.** Without it a request is a new beginning: all works, and
//! **Causal** is lost between the two. Two joined are refused as `Oversized`.
//!
//! **A response is streamed, or comes from a cache.** The stamp is that of the response's head: what a handler does while it
//! streams comes after it. An old stamp from a cache is observed like any other, and moves nothing.
//!
//! **A handler stamps its response itself.** That stamp goes out as it is where it is of this node, above [`Received::at`] and
//! below what the clock would issue now. Any other, such as one that came with the response of a service behind a gateway, is
//! replaced, or taken away where the clock gives no stamp. A service behind it that forges one within those bounds, in the
//! gateway's name, repeats a stamp at worst: **Unique** is lost for that response, **Causal** is not.
//!
//! **A response tells something.** It shows this host's time to a millisecond, and its node id.
//!
//! # Crate features
//!
//! - `durable`: [`SharedClock`] for `hlc::AtomicDurableClock`, whose stamps survive a restart.
//!
//! # Format
//!
//! Name, grammar and refusals of the header are specified in [`format`](mod@format).
//!
//! # Sources
//!
//! - RFC 9110, section 5: header fields, their names, and what a recipient does with repeated ones.
//! - Kulkarni, Demirbas, Madappa, Avva, Leone: *Logical Physical Clocks* (OPODIS 2014), for the clock.
#![forbid(unsafe_code)]
#![cfg_attr(docsrs, feature(doc_cfg))]

extern crate alloc;

mod client;
mod counts;
mod error;
pub mod header;
#[cfg(all(test, loom))]
mod loom_tests;
mod policy;
mod received;
mod respond;
mod server;
mod shared_clock;
mod stamper;
mod sync;

#[doc = include_str!("../FORMAT.md")]
pub mod format {}

pub use self::{
    client::{Client, ClientFuture, ClientLayer},
    counts::Snapshot,
    error::{ClientError, ClockError, Refused, Unstamped},
    policy::{ClockPolicy, StampPolicy},
    received::Received,
    respond::{EmptyBody, Respond},
    server::{Server, ServerFuture, ServerLayer},
    shared_clock::SharedClock,
};
