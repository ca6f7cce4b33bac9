//! `Log`: executions, their events, and the clocks of those.

/// A host of a log, by its place among [`Log::hosts`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct HostId(pub(crate) u32);

impl HostId {
    /// Returns its place among [`Log::hosts`].
    #[must_use]
    pub fn to_place(self) -> usize {
        usize::try_from(self.0).unwrap_or(usize::MAX)
    }
}

/// One entry of a clock: how many events of a host are known.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Entry {
    pub(crate) host: HostId,
    pub(crate) counter: u64,
}

impl Entry {
    /// Returns whose events are counted.
    #[must_use]
    pub const fn host(self) -> HostId {
        self.host
    }

    /// Returns how many of them are known: at least one.
    #[must_use]
    pub const fn counter(self) -> u64 {
        self.counter
    }
}

/// One event.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Event {
    pub(crate) line: u64,
    pub(crate) host: HostId,
    pub(crate) counter: u64,
    pub(crate) text: Box<str>,
    pub(crate) wall: Option<Box<str>>,
    /// Where its clock ends in the entries of its execution; it begins where that of the event before ends.
    pub(crate) clock_end: usize,
}

impl Event {
    /// Returns the line on which it begins, from 1.
    #[must_use]
    pub const fn line(&self) -> u64 {
        self.line
    }

    /// Returns where it happened.
    #[must_use]
    pub const fn host(&self) -> HostId {
        self.host
    }

    /// Returns which event of its host it is, from 1.
    #[must_use]
    pub const fn counter(&self) -> u64 {
        self.counter
    }

    /// Returns what the log says of it.
    #[must_use]
    pub fn text(&self) -> &str {
        &self.text
    }

    /// Returns what the wall clock said, where the log has it: as it stands there.
    #[must_use]
    pub fn wall(&self) -> Option<&str> {
        self.wall.as_deref()
    }
}

/// One execution of a log: events that may know of each other.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Execution {
    pub(crate) label: String,
    pub(crate) events: Vec<Event>,
    pub(crate) entries: Vec<Entry>,
}

impl Execution {
    pub(crate) const fn new(label: String) -> Self {
        Self { label, events: Vec::new(), entries: Vec::new() }
    }

    /// Returns what it is called: empty where nothing names it.
    #[must_use]
    pub fn label(&self) -> &str {
        &self.label
    }

    /// Returns its events, in the order of the log.
    #[must_use]
    pub fn events(&self) -> &[Event] {
        &self.events
    }

    /// Returns how many entries all clocks have together.
    #[must_use]
    pub const fn entries(&self) -> usize {
        self.entries.len()
    }

    /// Returns the clock of the event at a place of [`events`](Self::events), its entries in the order of the hosts:
    /// none where there is no such event.
    #[must_use]
    pub fn clock(&self, place: usize) -> &[Entry] {
        let Some(event) = self.events.get(place) else { return &[] };
        let before = place.checked_sub(1).and_then(|before| self.events.get(before));
        let start = before.map_or(0, |before| before.clock_end);
        self.entries.get(start..event.clock_end).unwrap_or_default()
    }
}

/// What of a text belonged to no event.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Skipped {
    pub(crate) lines: u64,
    pub(crate) first: Option<u64>,
}

impl Skipped {
    /// Returns how many lines, blank ones not counted.
    #[must_use]
    pub const fn lines(&self) -> u64 {
        self.lines
    }

    /// Returns the first of them, from 1.
    #[must_use]
    pub const fn first(&self) -> Option<u64> {
        self.first
    }
}

/// A log: each event has a clock with an entry of its own host, and each clock one entry a host.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Log {
    pub(crate) hosts: Vec<String>,
    pub(crate) executions: Vec<Execution>,
    pub(crate) skipped: Skipped,
}

impl Log {
    /// Returns the names of all hosts that have an event or an entry, in the order in which they were met.
    #[must_use]
    pub fn hosts(&self) -> &[String] {
        &self.hosts
    }

    /// Returns the name of a host of this log; of another one's host, that of this log's in its place or nothing.
    #[must_use]
    pub fn host(&self, host: HostId) -> &str {
        self.hosts.get(host.to_place()).map(String::as_str).unwrap_or_default()
    }

    /// Returns its executions, in the order of the log.
    #[must_use]
    pub fn executions(&self) -> &[Execution] {
        &self.executions
    }

    /// Returns how many events all executions have together.
    #[must_use]
    pub fn events(&self) -> usize {
        self.executions.iter().map(|execution| execution.events.len()).sum()
    }

    /// Returns what of the text belonged to no event. ShiViz passes over it in silence.
    #[must_use]
    pub const fn skipped(&self) -> Skipped {
        self.skipped
    }
}

/// Returns the counter that a clock has of a host: 0 where it has none.
pub(crate) fn counter_of(clock: &[Entry], host: HostId) -> u64 {
    match clock.binary_search_by_key(&host, |entry| entry.host) {
        Ok(place) => clock.get(place).map_or(0, |entry| entry.counter),
        Err(_) => 0,
    }
}
