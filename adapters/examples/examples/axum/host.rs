//! A host: a wall clock that is off, a clock above it, and a notebook.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use hlc::{
    AtomicClock, NodeId, NodeIdOutOfRange, PhysicalTime, SkewPolicy, Source, SourceError, Stamp,
    source::SystemSource,
};

/// The system's clock, as a host has it whose wall clock is behind.
#[derive(Debug)]
pub(crate) struct Behind {
    by: Duration,
}

impl Source for Behind {
    fn now(&self) -> Result<PhysicalTime, SourceError> {
        SystemSource::new().now()?.checked_sub(self.by).ok_or(SourceError::BeforeUnixEpoch)
    }
}

pub(crate) type Clock = Arc<AtomicClock<Behind>>;

#[derive(Clone, Debug)]
pub(crate) struct Note {
    pub(crate) stamp: Stamp,
    pub(crate) wall_millis: u128,
    pub(crate) host: &'static str,
    pub(crate) event: &'static str,
}

#[derive(Debug)]
pub(crate) struct Host {
    name: &'static str,
    node: NodeId,
    clock: Clock,
    notes: Mutex<Vec<Note>>,
}

impl Host {
    pub(crate) fn new(
        name: &'static str,
        id: u64,
        behind_millis: u64,
        skew: SkewPolicy,
    ) -> Result<Self, NodeIdOutOfRange> {
        let source = Behind { by: Duration::from_millis(behind_millis) };
        let clock = Arc::new(AtomicClock::new(source).with_skew_policy(skew));
        Ok(Self { name, node: NodeId::new(id)?, clock, notes: Mutex::default() })
    }

    pub(crate) fn clock(&self) -> Clock {
        Arc::clone(&self.clock)
    }

    pub(crate) const fn node(&self) -> NodeId {
        self.node
    }

    /// Notes an event under its stamp, and beside it what the wall clock says, which orders nothing.
    pub(crate) fn note(&self, stamp: Stamp, event: &'static str) {
        let wall_millis = self.clock.source().now().map_or(0, |now| now.to_duration().as_millis());
        let note = Note { stamp, wall_millis, host: self.name, event };
        self.notes.lock().unwrap_or_else(PoisonError::into_inner).push(note);
    }

    pub(crate) fn notes(&self) -> Vec<Note> {
        self.notes.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}
