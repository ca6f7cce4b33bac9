//! `Stamper`: what both layers do to the headers of a message, and count.

use hlc::{NodeId, ObserveError, Stamp, TickError, Timestamp};
use http::HeaderMap;

use crate::{
    Received, Refused, SharedClock, Snapshot, Unstamped,
    counts::{Counted, Counts},
    error::ClockError,
    header,
};

/// A clock with its node id, and the counts. Every service made from one layer shares one.
#[derive(Debug)]
pub(crate) struct Stamper<C> {
    clock: C,
    node: NodeId,
    counts: Counts,
}

impl<C> Stamper<C> {
    pub(crate) fn new(clock: C, node: NodeId) -> Self {
        Self { clock, node, counts: Counts::default() }
    }

    pub(crate) fn snapshot(&self) -> Snapshot {
        self.counts.snapshot()
    }
}

/// Messages that come in.
impl<C: SharedClock> Stamper<C> {
    /// Observes the stamp that the headers carry, or `None` where they carry none.
    pub(crate) fn observe(&self, headers: &HeaderMap) -> Result<Option<Received>, Refused> {
        let sent = match header::read(headers) {
            Ok(Some(sent)) => sent,
            Ok(None) => {
                self.counts.count(Counted::Absent);
                return Ok(None);
            }
            Err(error) => {
                self.counts.count(Counted::of(&error));
                return Err(error.into());
            }
        };
        match self.clock.observe(sent.timestamp()) {
            Ok(at) => {
                self.counts.count(Counted::Accepted);
                Ok(Some(Received::new(at.at_node(self.node), Some(sent))))
            }
            Err(error) => Err(self.blame(error)),
        }
    }

    /// Issues the stamp of a receipt without a sender's stamp.
    pub(crate) fn tick(&self) -> Result<Received, Refused> {
        match self.clock.tick() {
            Ok(at) => Ok(Received::new(at.at_node(self.node), None)),
            Err(error) => {
                self.counts.count(Counted::ClockFailure);
                Err(ClockError::Tick(error).into())
            }
        }
    }

    /// Tells a sender that is too far ahead from a clock that cannot go on: the answers to them are different ones.
    ///
    /// A lead or an end that this stamp would reach may be one that the clock has reached without it. Then a tick fails
    /// as well; where it does not, its stamp is that of a receipt that goes no further.
    #[cold]
    fn blame(&self, error: ObserveError) -> Refused {
        let may_be_the_clocks = matches!(error, ObserveError::Lead(_) | ObserveError::Exhausted(_));
        // The rest, a source and a durable clock's bound, is no fault of a sender.
        if matches!(error, ObserveError::Skew(_)) || (may_be_the_clocks && self.clock.tick().is_ok()) {
            self.counts.count(Counted::TooFarAhead);
            return Refused::TooFarAhead(error);
        }
        self.counts.count(Counted::ClockFailure);
        ClockError::Observe(error).into()
    }
}

/// Messages that go out.
impl<C: SharedClock> Stamper<C> {
    /// Stamps a request, whatever stamp it has: what was copied from another message is not the stamp of this one.
    pub(crate) fn stamp_request(&self, headers: &mut HeaderMap) -> Result<(), Unstamped> {
        if headers.contains_key(header::NAME) {
            self.counts.count(Counted::Replaced);
        }
        self.stamp(headers, self.clock.tick())
    }

    /// Stamps a response that its handler has not stamped. The handler's stamp is this clock's, in this node's name, between the
    /// receipt and now. Any other came with a response that the handler hands on: it would not come after the request, or
    /// nobody has looked at how far ahead it is.
    pub(crate) fn stamp_response(&self, headers: &mut HeaderMap, receipt: Option<Timestamp>) {
        let now = self.clock.tick();
        match (header::read(headers), receipt, &now) {
            (Ok(Some(found)), Some(receipt), Ok(now))
                if *found.node() == self.node && receipt < found.timestamp() && found.timestamp() < *now =>
            {
                self.counts.count(Counted::Kept);
                return;
            }
            (Ok(None), ..) => {}
            (Ok(Some(_)) | Err(_), ..) => self.counts.count(Counted::Replaced),
        }
        // Counted; and what the handler has done stands, with a stamp or without.
        let _ = self.stamp(headers, now);
    }

    fn stamp(&self, headers: &mut HeaderMap, now: Result<Timestamp, TickError>) -> Result<(), Unstamped> {
        match self.put(headers, now) {
            Ok(()) => {
                self.counts.count(Counted::Stamped);
                Ok(())
            }
            Err(error) => {
                // Better no stamp than one that is not this message's.
                headers.remove(header::NAME);
                self.counts.count(Counted::Unstamped);
                Err(error)
            }
        }
    }

    fn put(&self, headers: &mut HeaderMap, now: Result<Timestamp, TickError>) -> Result<(), Unstamped> {
        let stamp: Stamp = now?.at_node(self.node);
        Ok(header::insert(headers, stamp)?)
    }
}
