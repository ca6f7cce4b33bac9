//! `Diagram`: what is drawn, and where.

use alloc::collections::BinaryHeap;
use core::{cmp::Reverse, error::Error, fmt};

use super::wall::Moment;
use crate::{
    shiviz::{Entry, Event, Execution, HostId, Log},
    validate::{Finding, Index, Order, Report, Senders, Steps, validate},
};

/// The most events of a diagram: beyond them the page would be higher than browsers scroll.
const MAX_EVENTS: usize = 200_000;

/// The most times that something is looked at. One message an event takes a few; a log whose events each receive
/// thousands of messages takes the square of that.
const MAX_STEPS: u64 = 1_000_000_000;

/// An execution, laid out: each event in a row of its own, below all that it knows.
#[derive(Debug)]
pub struct Diagram<'l> {
    log: &'l Log,
    execution: &'l Execution,
    /// For each row the place of its event.
    rows: Vec<usize>,
    /// The hosts that have events, in the order of their first ones.
    lanes: Vec<HostId>,
    /// For each host of the log its lane, where it has one.
    lane_of: Vec<Option<usize>>,
    messages: Vec<Message>,
}

/// A message: the row of its sending, and that of its receipt below.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Message {
    send: usize,
    receive: usize,
    is_backwards: bool,
}

impl Message {
    /// Returns the row in which it is sent.
    #[must_use]
    pub const fn send(self) -> usize {
        self.send
    }

    /// Returns the row in which it is received: a later one.
    #[must_use]
    pub const fn receive(self) -> usize {
        self.receive
    }

    /// Returns whether it was received before it was sent, as the wall clocks of the two hosts have it.
    #[must_use]
    pub const fn is_backwards(self) -> bool {
        self.is_backwards
    }
}

impl<'l> Diagram<'l> {
    /// Lays out an execution of `log`.
    ///
    /// # Errors
    ///
    /// - [`DiagramError::Invalid`] when the execution contradicts itself: there is no order of its events to draw.
    /// - [`DiagramError::TooManyEvents`] above 200,000.
    /// - [`DiagramError::TooManyMessages`] when so many messages are received by so few events that to find them would
    ///   take minutes.
    pub fn new(log: &'l Log, execution: &'l Execution) -> Result<Self, DiagramError> {
        if execution.events().len() > MAX_EVENTS {
            return Err(DiagramError::TooManyEvents { events: execution.events().len(), limit: MAX_EVENTS });
        }
        let report = validate(log, execution, Order::Any);
        if !report.is_valid() {
            return Err(DiagramError::Invalid(Box::new(report)));
        }
        let edges = edges(log, execution)?;
        let rows = rows(log, execution, &edges);
        let mut row_of = vec![0; rows.len()];
        for (row, place) in rows.iter().enumerate() {
            if let Some(of) = row_of.get_mut(*place) {
                *of = row;
            }
        }
        let moments: Vec<Option<Moment>> =
            execution.events().iter().map(|event| Moment::read(event.wall()?)).collect();
        let moment = |place: usize| moments.get(place).copied().flatten();
        let mut messages: Vec<Message> = edges
            .iter()
            .map(|&(send, receive)| {
                let sent_at = moment(send);
                let is_backwards =
                    moment(receive).zip(sent_at).is_some_and(|(received, sent)| received.is_before(sent));
                let row = |place: usize| row_of.get(place).copied().unwrap_or_default();
                Message { send: row(send), receive: row(receive), is_backwards }
            })
            .collect();
        messages.sort_unstable_by_key(|message| (message.receive, message.send));
        let mut lanes = Vec::new();
        let mut lane_of = vec![None; log.hosts().len()];
        for event in rows.iter().filter_map(|place| execution.events().get(*place)) {
            if let Some(lane @ None) = lane_of.get_mut(event.host().to_place()) {
                *lane = Some(lanes.len());
                lanes.push(event.host());
            }
        }
        Ok(Self { log, execution, rows, lanes, lane_of, messages })
    }

    /// Returns what the execution is called.
    #[must_use]
    pub fn label(&self) -> &'l str {
        self.execution.label()
    }

    /// Returns the names of the hosts that have events, from left to right.
    #[must_use]
    pub fn hosts(&self) -> impl ExactSizeIterator<Item = &'l str> {
        self.lanes.iter().map(|host| self.log.host(*host))
    }

    /// Returns the events, from top to bottom.
    pub fn events(&self) -> impl Iterator<Item = &'l Event> {
        self.rows.iter().filter_map(|place| self.execution.events().get(*place))
    }

    /// Returns the lane of an event of this diagram, from 0.
    #[must_use]
    pub fn lane(&self, event: &Event) -> usize {
        self.lane_of.get(event.host().to_place()).copied().flatten().unwrap_or_default()
    }

    /// Returns the messages, by the rows of their receipt.
    #[must_use]
    pub fn messages(&self) -> &[Message] {
        &self.messages
    }

    pub(super) fn host(&self, event: &Event) -> &'l str {
        self.log.host(event.host())
    }
}

/// The send and the receipt of each message, by their places.
fn edges(log: &Log, execution: &Execution) -> Result<Vec<(usize, usize)>, DiagramError> {
    let mut steps = Steps::default();
    let index = Index::new(log.hosts().len(), execution, &mut steps);
    let mut edges = Vec::new();
    for events in index.of_host() {
        let mut known: &[Entry] = &[];
        for &(_, place) in events {
            let now = execution.clock(place);
            let own = execution.events().get(place).map(Event::host);
            // The log is valid: nothing that was known is missing, so entries differ where one is new.
            let is_new = |entry: &&Entry| {
                Some(entry.host()) != own && crate::shiviz::counter_of(known, entry.host()) < entry.counter()
            };
            let mut senders = Senders::of(execution, &index, now.iter().filter(is_new).copied(), &mut steps);
            while let Some(send) = senders.take(&mut steps) {
                edges.push((send, place));
                if steps.total() > MAX_STEPS {
                    return Err(DiagramError::TooManyMessages);
                }
            }
            known = now;
        }
    }
    Ok(edges)
}

/// The places of all events, each after all that it knows, and else in the order of the log.
fn rows(log: &Log, execution: &Execution, edges: &[(usize, usize)]) -> Vec<usize> {
    let count = execution.events().len();
    let mut left = vec![0_usize; count];
    let mut effects_of: Vec<Vec<usize>> = vec![Vec::new(); count];
    let index = Index::new(log.hosts().len(), execution, &mut Steps::default());
    let own = index.of_host().flat_map(|events| {
        events.iter().zip(events.iter().skip(1)).map(|((_, cause), (_, effect))| (*cause, *effect))
    });
    for (cause, effect) in own.chain(edges.iter().copied()) {
        if let (Some(count), Some(effects)) = (left.get_mut(effect), effects_of.get_mut(cause)) {
            *count = count.saturating_add(1);
            effects.push(effect);
        }
    }
    let mut free: BinaryHeap<Reverse<usize>> =
        left.iter().enumerate().filter(|(_, count)| **count == 0).map(|(place, _)| Reverse(place)).collect();
    let mut rows = Vec::with_capacity(count);
    while let Some(Reverse(place)) = free.pop() {
        rows.push(place);
        for effect in effects_of.get(place).map(Vec::as_slice).unwrap_or_default() {
            let Some(count) = left.get_mut(*effect) else { continue };
            *count = count.saturating_sub(1);
            if *count == 0 {
                free.push(Reverse(*effect));
            }
        }
    }
    rows
}

/// An execution has no diagram.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum DiagramError {
    /// It contradicts itself.
    Invalid(Box<Report>),
    /// It has too many events.
    TooManyEvents {
        /// How many it has.
        events: usize,
        /// How many it may have.
        limit: usize,
    },
    /// To find its messages would take minutes.
    TooManyMessages,
}

impl fmt::Display for DiagramError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Invalid(report) => {
                f.write_str("the log contradicts itself")?;
                match report.findings().first() {
                    Some(first) => write!(f, ", first on line {}: {first}", Finding::line(first)),
                    None => Ok(()),
                }
            }
            Self::TooManyEvents { events, limit } => write!(f, "{events} events are more than {limit}"),
            Self::TooManyMessages => f.write_str("its events receive too many messages each"),
        }
    }
}

impl Error for DiagramError {}
