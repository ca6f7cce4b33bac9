//! `Builder`: makes a `Log`, event by event, out of what a program knows.

use alloc::collections::BTreeMap;
use core::{error::Error, fmt};
use std::collections::HashMap;

use vector_clock::{Actor, MAX_COUNTER, Stamp, Storage};

use super::{
    limits::Limits,
    log::{Entry, Event, Execution, HostId, Log},
};

/// Makes a log, event by event. A refused event leaves it as it was.
///
/// # Examples
///
/// ```
/// use clock_tools::shiviz::Builder;
/// use vector_clock::{Heap, VectorClock};
///
/// let mut alice = VectorClock::<u32, Heap>::new(1);
/// let mut bob = VectorClock::<u32, Heap>::new(2);
/// let name = |id| if id == 1 { "alice".to_owned() } else { "bob".to_owned() };
///
/// let mut log = Builder::new();
/// let asked = alice.tick()?;
/// log.stamp(&asked, name, "asks bob", None)?;
/// log.stamp(&bob.observe(&asked)?, name, "is asked", None)?;
///
/// let mut text = Vec::new();
/// clock_tools::shiviz::write(&log.finish(), &mut text)?;
/// assert_eq!(
///     String::from_utf8(text)?,
///     "asks bob\nalice {\"alice\":1}\nis asked\nbob {\"bob\":1, \"alice\":1}\n"
/// );
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug)]
pub struct Builder {
    limits: Limits,
    log: Log,
    ids: HashMap<String, HostId>,
    entries: usize,
    events: usize,
}

impl Default for Builder {
    fn default() -> Self {
        Self::new()
    }
}

impl Builder {
    /// Makes one without events, with the limits of [`Limits::new`].
    #[must_use]
    pub fn new() -> Self {
        Self::with_limits(Limits::new())
    }

    /// Makes one without events.
    #[must_use]
    pub fn with_limits(limits: Limits) -> Self {
        Self { limits, log: Log::default(), ids: HashMap::new(), entries: 0, events: 0 }
    }

    /// Begins another execution: later events know nothing of earlier ones. Before the first event it only names it.
    pub fn execution(&mut self, label: impl Into<String>) {
        self.log.executions.push(Execution::new(label.into()));
    }

    /// Adds an event: where it happened, what its host knew of everybody's events, this one included, what it was, and
    /// what the wall clock said. Its line is its number.
    ///
    /// # Errors
    ///
    /// [`EventError`], and then the log is as it was.
    pub fn event(
        &mut self,
        host: &str,
        clock: impl IntoIterator<Item = (impl AsRef<str>, u64)>,
        text: &str,
        wall: Option<&str>,
    ) -> Result<(), EventError> {
        let line = u64::try_from(self.events).unwrap_or(u64::MAX).saturating_add(1);
        self.event_at(line, host, clock, text, wall)
    }

    /// Adds the event of a stamp; `name` says what an actor is called.
    ///
    /// # Errors
    ///
    /// [`EventError`], and then the log is as it was.
    pub fn stamp<A: Actor, S: Storage>(
        &mut self,
        stamp: &Stamp<A, S>,
        name: impl Fn(A) -> String,
        text: &str,
        wall: Option<&str>,
    ) -> Result<(), EventError> {
        // Whose the event is comes first, as people write it.
        let own = stamp.dot();
        let others = stamp.vector().iter().filter(|dot| dot.actor() != own.actor());
        let clock: Vec<(String, u64)> =
            core::iter::once(own).chain(others).map(|dot| (name(dot.actor()), dot.counter())).collect();
        self.event(&name(own.actor()), clock, text, wall)
    }

    /// Returns the log.
    #[must_use]
    pub fn finish(self) -> Log {
        self.log
    }

    #[cfg(feature = "read")]
    pub(super) const fn is_empty(&self) -> bool {
        self.events == 0
    }

    #[cfg(feature = "read")]
    pub(super) const fn skip(&mut self, skipped: super::log::Skipped) {
        self.log.skipped = skipped;
    }

    pub(super) fn event_at(
        &mut self,
        line: u64,
        host: &str,
        clock: impl IntoIterator<Item = (impl AsRef<str>, u64)>,
        text: &str,
        wall: Option<&str>,
    ) -> Result<(), EventError> {
        let mut draft = self.draft(host)?;
        for (of, counter) in clock {
            self.entry(&mut draft, of.as_ref(), counter)?;
        }
        self.commit(draft, line, text, wall)
    }

    /// Begins an event.
    pub(super) fn draft(&self, host: &str) -> Result<Draft, EventError> {
        if self.events >= self.limits.max_events() {
            return Err(EventError::TooManyEvents { limit: self.limits.max_events() });
        }
        if host.is_empty() {
            return Err(EventError::NoHost);
        }
        Ok(Draft { host: host.to_owned(), entries: Vec::new(), names: BTreeMap::new(), own_is_zero: false })
    }

    /// Adds an entry to its clock. Names that are new are learnt only when the event is whole.
    pub(super) fn entry(&self, draft: &mut Draft, host: &str, counter: u64) -> Result<(), EventError> {
        if counter > MAX_COUNTER {
            return Err(EventError::CounterRange { host: host.to_owned(), counter });
        }
        // An entry of zero says what no entry says; but nobody has a zeroth event.
        if counter == 0 {
            draft.own_is_zero |= host == draft.host;
            return Ok(());
        }
        if self.entries.saturating_add(draft.entries.len()) >= self.limits.max_entries() {
            return Err(EventError::TooManyEntries { limit: self.limits.max_entries() });
        }
        let id = match (self.ids.get(host), draft.names.get(host)) {
            (Some(id), _) | (None, Some(id)) => *id,
            (None, None) => {
                let next = self.log.hosts.len().saturating_add(draft.names.len());
                if next >= self.limits.max_hosts() {
                    return Err(EventError::TooManyHosts { limit: self.limits.max_hosts() });
                }
                let limit = self.limits.max_hosts();
                let id = HostId(u32::try_from(next).map_err(|_| EventError::TooManyHosts { limit })?);
                draft.names.insert(host.to_owned(), id);
                id
            }
        };
        draft.entries.push(Entry { host: id, counter });
        Ok(())
    }

    /// Takes the event, or leaves everything as it was.
    pub(super) fn commit(
        &mut self,
        mut draft: Draft,
        line: u64,
        text: &str,
        wall: Option<&str>,
    ) -> Result<(), EventError> {
        draft.entries.sort_unstable_by_key(|entry| entry.host);
        let twice = draft.entries.iter().zip(draft.entries.iter().skip(1));
        if let Some((entry, _)) = twice.into_iter().find(|(one, next)| one.host == next.host) {
            let known = self.log.hosts.get(entry.host.to_place());
            let new = || draft.names.iter().find(|(_, id)| **id == entry.host).map(|(name, _)| name);
            let host = known.or_else(new).cloned().unwrap_or_default();
            return Err(EventError::DuplicateHost { host });
        }
        let id = self.ids.get(&draft.host).or_else(|| draft.names.get(&draft.host)).copied();
        let own = id.and_then(|id| draft.entries.iter().find(|entry| entry.host == id).copied());
        let Some(own) = own else {
            let host = draft.host;
            return Err(if draft.own_is_zero {
                EventError::Zero { host }
            } else {
                EventError::NoOwn { host }
            });
        };
        let mut names: Vec<(String, HostId)> = draft.names.into_iter().collect();
        names.sort_unstable_by_key(|(_, id)| *id);
        for (name, id) in names {
            self.log.hosts.push(name.clone());
            self.ids.insert(name, id);
        }
        if self.log.executions.is_empty() {
            self.log.executions.push(Execution::new(String::new()));
        }
        let Some(execution) = self.log.executions.last_mut() else { return Ok(()) };
        self.entries = self.entries.saturating_add(draft.entries.len());
        self.events = self.events.saturating_add(1);
        execution.entries.append(&mut draft.entries);
        execution.events.push(Event {
            line,
            host: own.host,
            counter: own.counter,
            text: text.into(),
            wall: wall.map(Into::into),
            clock_end: execution.entries.len(),
        });
        Ok(())
    }
}

/// An event that is not whole yet.
#[derive(Debug)]
pub(super) struct Draft {
    host: String,
    entries: Vec<Entry>,
    /// Hosts that the log did not know before.
    names: BTreeMap<String, HostId>,
    own_is_zero: bool,
}

/// Why an event was refused.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum EventError {
    /// Its host has no name.
    NoHost,
    /// Its clock has no entry of its own host.
    NoOwn {
        /// Its host.
        host: String,
    },
    /// Its clock counts no event of its own host, and so not this one.
    Zero {
        /// Its host.
        host: String,
    },
    /// Its clock has two entries of one host.
    DuplicateHost {
        /// The host.
        host: String,
    },
    /// A counter is above [`MAX_COUNTER`].
    CounterRange {
        /// Whose.
        host: String,
        /// What stands there.
        counter: u64,
    },
    /// There are more events than the limit.
    TooManyEvents {
        /// The limit.
        limit: usize,
    },
    /// There are more hosts than the limit.
    TooManyHosts {
        /// The limit.
        limit: usize,
    },
    /// The clocks have more entries than the limit, together.
    TooManyEntries {
        /// The limit.
        limit: usize,
    },
}

impl fmt::Display for EventError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoHost => f.write_str("the event has no host"),
            Self::NoOwn { host } => write!(f, "the clock has no entry of the event's own host {host:?}"),
            Self::Zero { host } => {
                write!(f, "the clock counts no event of {host:?}, which is the event's own host")
            }
            Self::DuplicateHost { host } => write!(f, "the clock has two entries of {host:?}"),
            Self::CounterRange { host, counter } => {
                write!(f, "the clock counts {counter} events of {host:?}, and the most is {MAX_COUNTER}")
            }
            Self::TooManyEvents { limit } => write!(f, "there are more than {limit} events"),
            Self::TooManyHosts { limit } => write!(f, "there are more than {limit} hosts"),
            Self::TooManyEntries { limit } => write!(f, "the clocks have more than {limit} entries"),
        }
    }
}

impl Error for EventError {}
