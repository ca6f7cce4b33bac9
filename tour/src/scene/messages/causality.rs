//! `Causality`: what really happened before what, from the logs alone.
//!
//! Lamport 1978: an event happened before a later one of the same node, and before the receipt of what it
//! sent; and so on from there. No stamp and no wall reading has a part in it.

use alloc::collections::{BTreeMap, BTreeSet};

use super::event::{Event, EventId, Kind};
use crate::failure::Failure;

/// The logs of a fleet, put in causal order.
#[derive(Debug)]
pub(crate) struct Causality {
    /// The messages that each node sent, in its own order.
    sent: Vec<Vec<Sent>>,
    pub(crate) delivery: Delivery,
    pub(crate) steps: Steps,
}

/// A message that was sent.
#[derive(Debug)]
struct Sent {
    wall_nanos: u64,
    stamp_bits: u64,
    /// How many messages of each node had been sent before, in causal order.
    known: Vec<usize>,
}

/// What became of the messages.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Delivery {
    pub(crate) sent: u64,
    pub(crate) received: u64,
    /// Receipts of something that was never sent to that node, or was received before.
    pub(crate) unfounded: u64,
}

/// The direct steps of causal order: from each event to the next of its node, and from sending to receipt.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Steps {
    pub(crate) all: u64,
    /// Those whose effect has no greater stamp than its cause.
    pub(crate) wrong: u64,
}

/// Pairs of messages of which one was sent in knowledge of the other, and how some time orders them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Pairs {
    pub(crate) all: u64,
    /// The effect has the lower time.
    pub(crate) wrong: u64,
    /// Both have one time.
    pub(crate) tied: u64,
}

impl Pairs {
    /// Those that are not in causal order.
    pub(crate) const fn not_right(self) -> u64 {
        self.wrong.saturating_add(self.tied)
    }
}

/// A time that messages can be ordered by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Time {
    Wall,
    Hybrid,
}

impl Causality {
    /// Puts the logs in order.
    ///
    /// # Errors
    ///
    /// [`Failure::Contradiction`] where a message would have been received before it was sent.
    pub(crate) fn of(logs: &[Vec<Event>]) -> Result<Self, Failure> {
        let mut order = Order::new(logs);
        loop {
            let before = order.taken();
            for node in 0..logs.len() {
                order.advance(node);
            }
            if order.taken() == before {
                break;
            }
        }
        let events: usize = logs.iter().map(Vec::len).sum();
        if order.taken() < events {
            return Err(Failure::Contradiction { what: "a message was received before it was sent".into() });
        }
        let Order { sent, delivery, steps, .. } = order;
        Ok(Self { sent, delivery, steps })
    }

    /// Counts the causally ordered pairs of messages, and those that `time` orders otherwise.
    ///
    /// The messages of one node that a message knows are the first so many of that node. So for each two
    /// nodes, the known ones are put into a [`Ranks`] as they become known, and asked how many of them are
    /// later: n messages take n log n steps, where looking at each pair would take n squared.
    pub(crate) fn judge(&self, time: Time) -> Pairs {
        let mut pairs = Pairs::default();
        for (cause_node, causes) in self.sent.iter().enumerate() {
            let causes: Vec<u64> = causes.iter().map(|sent| sent.time(time)).collect();
            let mut sorted = causes.clone();
            sorted.sort_unstable();
            for effects in &self.sent {
                let mut ranks = Ranks::new(&sorted);
                let mut causes = causes.iter();
                for effect in effects {
                    let known = effect.known.get(cause_node).copied().unwrap_or_default();
                    while ranks.count < known
                        && let Some(&cause) = causes.next()
                    {
                        ranks.insert(cause);
                    }
                    let at = effect.time(time);
                    let (below, up_to) = (ranks.below(at), ranks.up_to(at));
                    let later = ranks.count.saturating_sub(up_to);
                    pairs.all = add(pairs.all, ranks.count);
                    pairs.wrong = add(pairs.wrong, later);
                    pairs.tied = add(pairs.tied, up_to.saturating_sub(below));
                }
            }
        }
        pairs
    }
}

impl Sent {
    const fn time(&self, time: Time) -> u64 {
        match time {
            Time::Wall => self.wall_nanos,
            Time::Hybrid => self.stamp_bits,
        }
    }
}

/// The logs while they are put in order.
struct Order<'l> {
    logs: &'l [Vec<Event>],
    /// For each node, how much of its log is in order.
    places: Vec<usize>,
    /// For each node, how many messages of each node it knows.
    known: Vec<Vec<usize>>,
    /// What each message knows that is under way, and its stamp.
    under_way: BTreeMap<EventId, (Vec<usize>, u64)>,
    received: BTreeSet<EventId>,
    sent: Vec<Vec<Sent>>,
    delivery: Delivery,
    steps: Steps,
}

impl<'l> Order<'l> {
    fn new(logs: &'l [Vec<Event>]) -> Self {
        let nodes = logs.len();
        Self {
            logs,
            places: vec![0; nodes],
            known: vec![vec![0; nodes]; nodes],
            under_way: BTreeMap::new(),
            received: BTreeSet::new(),
            sent: logs.iter().map(|_| Vec::new()).collect(),
            delivery: Delivery::default(),
            steps: Steps::default(),
        }
    }

    fn taken(&self) -> usize {
        self.places.iter().sum()
    }

    /// Takes the events of `node` up to the first whose cause is not in order yet.
    fn advance(&mut self, node: usize) {
        let logs = self.logs;
        let (Some(log), Some(place), Some(known), Some(sent)) =
            (logs.get(node), self.places.get_mut(node), self.known.get_mut(node), self.sent.get_mut(node))
        else {
            return;
        };
        while let Some(event) = log.get(*place) {
            let stamp_bits = event.stamp.timestamp().to_bits();
            match event.kind {
                Kind::Sent { .. } => {
                    self.delivery.sent = add(self.delivery.sent, 1);
                    sent.push(Sent { wall_nanos: event.wall_nanos, stamp_bits, known: known.clone() });
                    if let Some(own) = known.get_mut(node) {
                        *own = sent.len();
                    }
                    if let Some(id) = id(node, *place) {
                        self.under_way.insert(id, (known.clone(), stamp_bits));
                    }
                }
                Kind::Received { cause }
                    if self.received.contains(&cause) || !was_sent(logs, cause, node) =>
                {
                    self.delivery.unfounded = add(self.delivery.unfounded, 1);
                }
                Kind::Received { cause } => {
                    let Some((of_cause, cause_bits)) = self.under_way.remove(&cause) else { return };
                    self.received.insert(cause);
                    self.delivery.received = add(self.delivery.received, 1);
                    for (mine, theirs) in known.iter_mut().zip(of_cause) {
                        *mine = theirs.max(*mine);
                    }
                    self.steps.look(cause_bits, stamp_bits);
                }
            }
            if let Some(before) = place.checked_sub(1).and_then(|before| log.get(before)) {
                self.steps.look(before.stamp.timestamp().to_bits(), stamp_bits);
            }
            *place = place.saturating_add(1);
        }
    }
}

impl Steps {
    fn look(&mut self, cause_bits: u64, effect_bits: u64) {
        self.all = add(self.all, 1);
        self.wrong = add(self.wrong, usize::from(cause_bits >= effect_bits));
    }
}

fn was_sent(logs: &[Vec<Event>], cause: EventId, to_node: usize) -> bool {
    let log = usize::try_from(cause.node).ok().and_then(|node| logs.get(node));
    let event = usize::try_from(cause.place).ok().and_then(|place| log?.get(place));
    event.is_some_and(|event| match event.kind {
        Kind::Sent { to } => usize::try_from(to) == Ok(to_node),
        Kind::Received { .. } => false,
    })
}

fn id(node: usize, place: usize) -> Option<EventId> {
    Some(EventId { node: u32::try_from(node).ok()?, place: u32::try_from(place).ok()? })
}

fn add(sum: u64, count: usize) -> u64 {
    sum.saturating_add(u64::try_from(count).unwrap_or(u64::MAX))
}

/// A bag of numbers out of a known, sorted list, that counts those below another: a Fenwick tree over the
/// places in that list (Fenwick 1994).
struct Ranks<'s> {
    sorted: &'s [u64],
    /// At 1-based place p, how many numbers of the `p & -p` places that end there are in the bag.
    tree: Vec<usize>,
    count: usize,
}

impl<'s> Ranks<'s> {
    fn new(sorted: &'s [u64]) -> Self {
        Self { sorted, tree: vec![0; sorted.len().saturating_add(1)], count: 0 }
    }

    fn insert(&mut self, number: u64) {
        self.count = self.count.saturating_add(1);
        let mut place = self.sorted.partition_point(|&known| known < number).saturating_add(1);
        while let Some(sum) = self.tree.get_mut(place) {
            *sum = sum.saturating_add(1);
            place = place.saturating_add(place & place.wrapping_neg());
        }
    }

    fn below(&self, number: u64) -> usize {
        self.of_first(self.sorted.partition_point(|&known| known < number))
    }

    fn up_to(&self, number: u64) -> usize {
        self.of_first(self.sorted.partition_point(|&known| known <= number))
    }

    /// Counts those at the first `places` places.
    fn of_first(&self, places: usize) -> usize {
        let (mut sum, mut place) = (0_usize, places);
        while place > 0 {
            sum = sum.saturating_add(self.tree.get(place).copied().unwrap_or_default());
            place = place.saturating_sub(place & place.wrapping_neg());
        }
        sum
    }
}

#[cfg(test)]
#[expect(clippy::arithmetic_side_effects, reason = "small counts; a sum that overflows fails the test")]
mod tests {
    use super::*;
    use hlc::{NodeId, Timestamp};

    /// Nodes that send, receive and read lying clocks at random; returns their logs.
    fn random_logs(random: &mut fastrand::Rng, nodes: u32, events: usize) -> Vec<Vec<Event>> {
        let mut logs: Vec<Vec<Event>> = (0..nodes).map(|_| Vec::new()).collect();
        let mut under_way = Vec::new();
        for _ in 0..events {
            let node = random.u32(0..nodes);
            let at = random.choice(0..under_way.len()).filter(|_| random.bool());
            let (node, kind) = match at {
                Some(at) => {
                    let (to, cause) = under_way.swap_remove(at);
                    (to, Kind::Received { cause })
                }
                None => {
                    let to = (node + random.u32(1..nodes)) % nodes;
                    let place = u32::try_from(logs[node as usize].len()).unwrap();
                    under_way.push((to, EventId { node, place }));
                    (node, Kind::Sent { to })
                }
            };
            let stamp = Timestamp::from_bits(random.u64(1..30)).unwrap();
            let stamp = stamp.at_node(NodeId::new(node.into()).unwrap());
            logs[node as usize].push(Event { wall_nanos: random.u64(0..30), stamp, kind });
        }
        logs
    }

    /// The definition, word for word: the transitive closure of the direct steps.
    fn naive(logs: &[Vec<Event>], time: Time) -> (Pairs, Steps) {
        let ids: Vec<EventId> = (0..logs.len())
            .flat_map(|node| (0..logs[node].len()).map(move |place| id(node, place).unwrap()))
            .collect();
        let event = |id: EventId| &logs[id.node as usize][id.place as usize];
        let mut before: BTreeSet<(EventId, EventId)> = BTreeSet::new();
        for &effect in &ids {
            if let Some(place) = effect.place.checked_sub(1) {
                before.insert((EventId { place, ..effect }, effect));
            }
            if let Kind::Received { cause } = event(effect).kind {
                before.insert((cause, effect));
            }
        }
        let mut steps = Steps::default();
        for &(cause, effect) in &before {
            steps.all += 1;
            steps.wrong += u64::from(event(cause).stamp.timestamp() >= event(effect).stamp.timestamp());
        }
        for &middle in &ids {
            for &first in &ids {
                for &last in &ids {
                    if before.contains(&(first, middle)) && before.contains(&(middle, last)) {
                        before.insert((first, last));
                    }
                }
            }
        }
        let mut pairs = Pairs::default();
        let is_sent = |id: EventId| matches!(event(id).kind, Kind::Sent { .. });
        for (cause, effect) in before.into_iter().filter(|&(a, b)| is_sent(a) && is_sent(b)) {
            let at = |id: EventId| match time {
                Time::Wall => event(id).wall_nanos,
                Time::Hybrid => event(id).stamp.timestamp().to_bits(),
            };
            pairs.all += 1;
            pairs.wrong += u64::from(at(cause) > at(effect));
            pairs.tied += u64::from(at(cause) == at(effect));
        }
        (pairs, steps)
    }

    #[test]
    fn what_is_counted_is_what_the_definition_says() {
        let mut seen = Pairs::default();
        for seed in 0..30 {
            let mut random = fastrand::Rng::with_seed(seed);
            let nodes = random.u32(2..5);
            let logs = random_logs(&mut random, nodes, 30);
            let causality = Causality::of(&logs).unwrap();
            for time in [Time::Wall, Time::Hybrid] {
                let (pairs, steps) = naive(&logs, time);
                assert_eq!(causality.judge(time), pairs, "seed {seed}, {time:?}");
                assert_eq!(causality.steps, steps, "seed {seed}");
                seen.wrong += pairs.wrong;
                seen.tied += pairs.tied;
            }
            assert_eq!(causality.delivery.unfounded, 0, "seed {seed}");
        }
        assert!(seen.wrong > 500 && seen.tied > 50, "{seen:?}: too little is compared");
    }

    fn event(kind: Kind) -> Event {
        let stamp = Timestamp::MIN.at_node(NodeId::MIN);
        Event { wall_nanos: 0, stamp, kind }
    }

    #[test]
    fn a_receipt_without_a_sending_is_counted_and_orders_nothing() {
        let sent = EventId { node: 0, place: 0 };
        let first = event(Kind::Sent { to: 1 });
        let receipt = |cause| event(Kind::Received { cause });
        let nothing = EventId { node: 0, place: 7 };
        let nobody = EventId { node: 9, place: 0 };
        for (receipts, received, unfounded) in [
            (vec![receipt(sent)], 1, 0),
            (vec![receipt(sent), receipt(sent)], 1, 1),
            (vec![receipt(nothing), receipt(nobody)], 0, 2),
        ] {
            let causality = Causality::of(&[vec![first], receipts]).unwrap();
            assert_eq!(causality.delivery, Delivery { sent: 1, received, unfounded });
        }
        // Sent to node 1, and received by node 2.
        let causality = Causality::of(&[vec![first], vec![], vec![receipt(sent)]]).unwrap();
        assert_eq!(causality.delivery, Delivery { sent: 1, received: 0, unfounded: 1 });
    }

    #[test]
    fn logs_that_no_order_fits_are_a_contradiction() {
        let id = |node| EventId { node, place: 1 };
        let logs = [1, 0]
            .map(|other| vec![event(Kind::Received { cause: id(other) }), event(Kind::Sent { to: other })]);
        assert!(matches!(Causality::of(&logs), Err(Failure::Contradiction { .. })));
    }
}
