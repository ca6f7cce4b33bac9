//! Causal delivery: against sets of messages, and against senders who mean harm.

use alloc::collections::BTreeMap;

#[cfg(feature = "alloc")]
use vector_clock::Heap;
use vector_clock::{
    BufferLimits, CausalBuffer, Dot, DotRange, Fixed, MAX_COUNTER, Received, RefusedReason, Stamp, Storage,
    VectorClock, VersionVector,
};

use crate::oracle::{Choices, History};

type Message<S> = (Stamp<u8, S>, &'static str);
/// What the vectors of the messages written out below are kept in.
type Small = Fixed<4>;
/// Room for every buffer below but the largest.
type Room = Fixed<64>;

fn dot(actor: u8, counter: u64) -> Dot<u8> {
    Dot::try_new(actor, counter).unwrap()
}

fn range(actor: u8, first: u64, last: u64) -> DotRange<u8> {
    DotRange::try_new(actor, first, last).unwrap()
}

/// The message `counter` of `actor`, which depends on these others.
fn message(actor: u8, counter: u64, others: &[(u8, u64)]) -> Message<Small> {
    let mut vector = VersionVector::<u8, Small>::new();
    vector.record(dot(actor, counter)).unwrap();
    for &(other, counter) in others {
        vector.record(dot(other, counter)).unwrap();
    }
    (Stamp::try_new(dot(actor, counter), vector).unwrap(), "")
}

fn buffer<S: Storage>(
    members: impl IntoIterator<Item = u8>,
    limits: BufferLimits,
) -> CausalBuffer<Message<Small>, S> {
    let mut buffer = CausalBuffer::with_limits(limits);
    for member in members {
        buffer.admit(member).unwrap();
    }
    buffer
}

/// Receives, and returns what is delivered, in order.
fn deliver<S: Storage>(
    buffer: &mut CausalBuffer<Message<Small>, S>,
    message: Message<Small>,
) -> Vec<Dot<u8>> {
    let first = match buffer.receive(message).unwrap() {
        Received::Deliver(message) => Some(message),
        Received::Waiting | Received::Duplicate => None,
    };
    let mut delivered: Vec<_> = first.into_iter().collect();
    delivered.extend(core::iter::from_fn(|| buffer.pop_ready()));
    delivered.iter().map(|(stamp, _)| stamp.dot()).collect()
}

fn missing<S: Storage>(buffer: &CausalBuffer<Message<Small>, S>) -> Vec<DotRange<u8>> {
    buffer.missing().collect()
}

/// One node of a group that broadcasts: its clock, its buffer, and the set of messages it has delivered.
struct Node<S: Storage> {
    clock: VectorClock<u8, S>,
    buffer: CausalBuffer<Message<S>, S>,
    delivered: History<Dot<u8>>,
}

impl<S: Storage> Node<S> {
    fn deliver(&mut self, message: &Message<S>, pasts: &BTreeMap<Dot<u8>, History<Dot<u8>>>) {
        let dot = message.0.dot();
        assert!(pasts[&dot].is_within(&self.delivered), "{dot:?} before something that it knows of");
        self.delivered.record(dot);
        self.clock.merge(message.0.vector()).unwrap();
    }

    /// Returns what a refused message needs first.
    fn receive(
        &mut self,
        message: Message<S>,
        pasts: &BTreeMap<Dot<u8>, History<Dot<u8>>>,
    ) -> Option<Dot<u8>> {
        match self.buffer.receive(message).map_err(|refused| refused.reason()) {
            Ok(Received::Deliver(message)) => self.deliver(&message, pasts),
            Ok(Received::Waiting | Received::Duplicate) => {}
            Err(RefusedReason::BeyondQuota { needs, .. } | RefusedReason::Full { needs, .. }) => {
                return Some(needs);
            }
            Err(why) => panic!("{why}"),
        }
        self.drain(pasts);
        None
    }

    fn drain(&mut self, pasts: &BTreeMap<Dot<u8>, History<Dot<u8>>>) {
        while let Some(message) = self.buffer.pop_ready() {
            self.deliver(&message, pasts);
        }
    }
}

/// Random broadcasts over a network that loses, doubles and reorders; what is lost is sent again when asked for, or
/// is learnt by other means.
fn execute<S: Storage>(seed: u64, limits: BufferLimits) {
    const NODES: u8 = 4;
    let mut choices = Choices::seeded(seed);
    let mut nodes: Vec<Node<S>> = (0..NODES)
        .map(|own| {
            let mut buffer = CausalBuffer::with_limits(limits);
            for member in 0..NODES {
                buffer.admit(member).unwrap();
            }
            Node { clock: VectorClock::new(own), buffer, delivered: History::new() }
        })
        .collect();
    let mut sent: BTreeMap<Dot<u8>, Message<S>> = BTreeMap::new();
    let mut pasts: BTreeMap<Dot<u8>, History<Dot<u8>>> = BTreeMap::new();
    let mut network: Vec<(usize, Message<S>)> = Vec::new();
    for _ in 0..120 {
        if choices.one_in(3) {
            let at = choices.below(nodes.len());
            let sender = &mut nodes[at];
            let message = (sender.clock.tick().unwrap(), "");
            pasts.insert(message.0.dot(), sender.delivered.clone());
            sender.receive(message.clone(), &pasts);
            sent.insert(message.0.dot(), message.clone());
            for to in (0..nodes.len()).filter(|to| *to != at) {
                for _ in 0..choices.below(3) {
                    network.push((to, message.clone()));
                }
            }
        } else if choices.one_in(12) {
            // A state transfer: one learns all that another one has delivered.
            let (at, other) = (choices.below(nodes.len()), choices.below(nodes.len()));
            let (known, history) = (nodes[other].clock.vector().clone(), nodes[other].delivered.clone());
            let node = &mut nodes[at];
            node.buffer.catch_up(&known).unwrap();
            node.clock.merge(&known).unwrap();
            node.delivered.learn(&history);
            node.drain(&pasts);
        } else if !network.is_empty() {
            let (to, message) = network.swap_remove(choices.below(network.len()));
            nodes[to].receive(message, &pasts);
        }
    }
    for (to, message) in network {
        nodes[to].receive(message, &pasts);
    }
    // Everybody asks for what is missing, and at last for what it does not know to be missing, until all is there. A
    // message that is refused says what to ask for before it.
    for node in &mut nodes {
        for round in 0.. {
            assert!(round < 1_000, "it comes to an end");
            let asked: Vec<Dot<u8>> =
                node.buffer.missing().map(|range| dot(range.actor(), range.first())).collect();
            assert_eq!(asked.is_empty(), node.buffer.waiting() == 0, "what waits can always be helped");
            let unknown = sent.keys().find(|dot| !node.delivered.knows(dot));
            if unknown.is_none() {
                break;
            }
            for dot in asked.iter().chain(unknown.filter(|_| asked.is_empty())) {
                let mut wanted = Some(*dot);
                while let Some(dot) = wanted {
                    wanted = node.receive(sent[&dot].clone(), &pasts);
                }
            }
        }
        assert_eq!(node.delivered, sent.keys().copied().collect());
    }
}

#[test]
fn every_random_execution_delivers_everything_once_and_after_its_past() {
    for seed in 0..200 {
        println!("seed {seed}");
        #[cfg(feature = "alloc")]
        execute::<Heap>(seed, BufferLimits::DEFAULT);
        execute::<Fixed<64>>(seed, BufferLimits::DEFAULT.with_quota(16));
        execute::<Fixed<4>>(seed, BufferLimits::DEFAULT.with_quota(1));
        execute::<Fixed<5>>(seed, BufferLimits::DEFAULT.with_quota(40));
        execute::<Fixed<4>>(seed, BufferLimits::DEFAULT.with_quota(0));
    }
}

#[test]
fn sixty_four_copies_of_an_undeliverable_message_do_not_keep_a_ready_one_out() {
    let mut buffer = buffer::<Fixed<4>>(1..=3, BufferLimits::DEFAULT);
    let undeliverable = message(1, 1, &[(2, 7)]);
    assert_eq!(buffer.receive(undeliverable.clone()).unwrap(), Received::Waiting);
    for _ in 1..64 {
        assert_eq!(buffer.receive(undeliverable.clone()).unwrap(), Received::Duplicate);
    }
    assert_eq!((buffer.waiting(), buffer.snapshot().waiting, buffer.snapshot().duplicates), (1, 1, 63));
    // And not when it is 64 different ones that wait, and no room is left at all.
    let refused = (2..=64).filter(|counter| buffer.receive(message(1, *counter, &[])).is_err()).count();
    assert_eq!((buffer.waiting(), refused, buffer.snapshot().full), (4, 60, 60));
    assert_eq!(deliver(&mut buffer, message(3, 1, &[])), [dot(3, 1)]);
    assert_eq!(deliver(&mut buffer, message(3, 1, &[])), []);
}

#[test]
fn a_sender_at_its_quota_does_not_take_the_room_of_another() {
    let mut buffer = buffer::<Room>(1..=2, BufferLimits::DEFAULT.with_quota(3).with_waiting(6));
    // The first message of sender 1 is lost. Two more fit into its window, however they come.
    for (counter, fits) in [(9, false), (4, false), (3, true), (2, true), (3, true)] {
        assert_eq!(buffer.receive(message(1, counter, &[])).is_ok(), fits, "{counter}");
    }
    let refused = buffer.receive(message(1, 4, &[])).unwrap_err();
    assert_eq!(refused.reason(), RefusedReason::BeyondQuota { needs: dot(1, 3), quota: 3 });
    assert_eq!(refused.into_message().0.dot(), dot(1, 4));
    for counter in 2..=3 {
        assert_eq!(buffer.receive(message(2, counter, &[])).unwrap(), Received::Waiting);
    }
    // The next one of sender 1 has its place even when it cannot be delivered yet.
    assert_eq!(buffer.receive(message(1, 1, &[(2, 3)])).unwrap(), Received::Waiting);
    assert_eq!(missing(&buffer), [range(2, 1, 1)]);
    let order = deliver(&mut buffer, message(2, 1, &[]));
    assert_eq!(order, [dot(2, 1), dot(2, 2), dot(2, 3), dot(1, 1), dot(1, 2), dot(1, 3)]);
}

#[test]
fn missing_names_the_dots_to_ask_for_and_nothing_else() {
    let mut buffer = buffer::<Room>(1..=4, BufferLimits::DEFAULT.with_quota(10));
    assert_eq!(missing(&buffer), []);
    for (actor, counter, others) in [(1, 3, vec![]), (1, 7, vec![]), (2, 1, vec![(3, 4)]), (3, 2, vec![])] {
        assert_eq!(buffer.receive(message(actor, counter, &others)).unwrap(), Received::Waiting);
    }
    let expected = [range(1, 1, 2), range(1, 4, 6), range(3, 1, 1), range(3, 3, 4)];
    assert_eq!(missing(&buffer), expected);
    assert_eq!(deliver(&mut buffer, message(3, 1, &[])), [dot(3, 1), dot(3, 2)]);
    assert_eq!(missing(&buffer), [range(1, 1, 2), range(1, 4, 6), range(3, 3, 4)]);
    // A dependency that does not exist is asked for as far as the window reaches, not up to the forged number.
    assert_eq!(buffer.receive(message(4, 1, &[(2, MAX_COUNTER)])).unwrap(), Received::Waiting);
    assert_eq!(missing(&buffer), [range(1, 1, 2), range(1, 4, 6), range(2, 2, 10), range(3, 3, 4)]);
}

#[test]
fn a_full_buffer_says_what_the_refused_message_needs() {
    let mut buffer = buffer::<Room>(1..=3, BufferLimits::DEFAULT.with_waiting(1));
    assert_eq!(buffer.receive(message(1, 1, &[(2, 1)])).unwrap(), Received::Waiting);
    let refused = buffer.receive(message(2, 1, &[(3, 5)])).unwrap_err();
    let RefusedReason::Full { needs, capacity } = refused.reason() else { panic!("{refused:?}") };
    assert_eq!((needs, capacity.needed(), capacity.capacity()), (dot(3, 5), 2, 1));
    assert_eq!((buffer.waiting(), missing(&buffer)), (1, vec![range(2, 1, 1)]));
}

#[test]
fn a_message_from_or_about_a_stranger_is_refused() {
    let mut buffer = buffer::<Fixed<4>>(1..=2, BufferLimits::DEFAULT);
    for (message, stranger) in
        [(message(9, 1, &[]), 9), (message(1, 1, &[(9, 1)]), 9), (message(1, 5, &[(8, 1)]), 8)]
    {
        let refused = buffer.receive(message).unwrap_err();
        assert_eq!(refused.reason(), RefusedReason::UnknownMember(stranger));
    }
    assert_eq!((buffer.waiting(), missing(&buffer), buffer.snapshot().unknown_member), (0, vec![], 3));
    let mut known = VersionVector::<u8, Small>::new();
    known.record(dot(9, 1)).unwrap();
    assert_eq!(buffer.catch_up(&known).unwrap_err().actor(), 9);
}

#[test]
fn members_are_bounded_and_may_come_later() {
    let mut buffer = buffer::<Room>(1..=2, BufferLimits::DEFAULT.with_members(3));
    assert_eq!(deliver(&mut buffer, message(2, 1, &[])), [dot(2, 1)]);
    buffer.admit_at(dot(0, 41)).unwrap();
    buffer.admit(0).unwrap();
    assert_eq!(buffer.admit(7).unwrap_err().capacity(), 3);
    assert_eq!((buffer.delivered_of(0), buffer.delivered_of(1), buffer.delivered_of(2)), (41, 0, 1));
    assert_eq!(deliver(&mut buffer, message(0, 41, &[])), []);
    assert_eq!(deliver(&mut buffer, message(0, 42, &[(2, 1)])), [dot(0, 42)]);
    let mut small = CausalBuffer::<Message<Small>, Fixed<1>>::new();
    small.admit(1).unwrap();
    assert!(small.admit(2).is_err());
}

#[test]
fn who_waits_for_one_sender_is_woken_exactly_when_its_message_comes() {
    for seed in 0..50 {
        println!("seed {seed}");
        let mut choices = Choices::seeded(seed);
        let mut buffer = buffer::<Room>(0..=60, BufferLimits::DEFAULT.with_quota(100));
        // Each of 60 senders waits for some message of sender 0.
        let mut waiting: BTreeMap<u64, Vec<Dot<u8>>> = BTreeMap::new();
        let mut senders: Vec<u8> = (1..=60).collect();
        while !senders.is_empty() {
            let sender = senders.swap_remove(choices.below(senders.len()));
            let until = 1 + u64::try_from(choices.below(20)).unwrap();
            assert_eq!(buffer.receive(message(sender, 1, &[(0, until)])).unwrap(), Received::Waiting);
            waiting.entry(until).or_default().push(dot(sender, 1));
        }
        for counter in 1..=20 {
            let mut delivered = deliver(&mut buffer, message(0, counter, &[]));
            assert_eq!(delivered.remove(0), dot(0, counter));
            delivered.sort_unstable();
            let mut expected = waiting.remove(&counter).unwrap_or_default();
            expected.sort_unstable();
            assert_eq!(delivered, expected);
        }
        assert_eq!(buffer.waiting(), 0);
    }
}

/// What it costs to deliver 0:1, which wakes 1:1, while `idle` more messages go on waiting for what `for_whom` says.
/// Then 1:1 is delivered, or else waits for `then`.
#[cfg(feature = "alloc")]
fn steps_of_a_delivery(idle: u16, for_whom: impl Fn(u16) -> (u16, u64), then: Option<(u16, u64)>) -> u64 {
    let limits = BufferLimits::DEFAULT.with_members(5_000).with_waiting(5_000);
    let mut buffer = CausalBuffer::<Stamp<u16, Heap>, Heap>::with_limits(limits);
    let stamp = |actor, others: &[(u16, u64)]| {
        let own = Dot::try_new(actor, 1).unwrap();
        let mut vector = VersionVector::<u16, Heap>::from_sorted([own]).unwrap();
        for &(other, counter) in others {
            vector.record(Dot::try_new(other, counter).unwrap()).unwrap();
        }
        Stamp::try_new(own, vector).unwrap()
    };
    for member in 0..idle + 4 {
        buffer.admit(member).unwrap();
    }
    let others: Vec<_> = [(0, 1)].into_iter().chain(then).collect();
    assert_eq!(buffer.receive(stamp(1, &others)).unwrap(), Received::Waiting);
    for at in 0..idle {
        assert_eq!(buffer.receive(stamp(at + 4, &[for_whom(at)])).unwrap(), Received::Waiting);
    }
    let before = buffer.snapshot().steps;
    assert!(matches!(buffer.receive(stamp(0, &[])).unwrap(), Received::Deliver(_)));
    assert_eq!(buffer.pop_ready().is_some(), then.is_none());
    assert_eq!((buffer.pop_ready(), buffer.waiting()), (None, usize::from(idle) + then.iter().count()));
    buffer.snapshot().steps - before
}

#[test]
#[cfg(feature = "alloc")]
fn a_delivery_costs_what_it_wakes_however_many_go_on_waiting() {
    // They wait for others: the cost is the same to the step.
    let alone = steps_of_a_delivery(0, |_| (2, 1), None);
    for idle in [1, 10, 100, 1_000, 4_000] {
        assert_eq!(steps_of_a_delivery(idle, |_| (2, 1), None), alone);
        assert_eq!(steps_of_a_delivery(idle, |at| (at + 3, 1), None), alone);
    }
    // They wait for later messages of the same sender, or for one that the woken message then waits for as well: a
    // logarithm for taking the top off a heap, or for putting one in.
    for idle in [1, 10, 100, 1_000, 4_000_u16] {
        let logarithm = 2 * u64::from(idle.ilog2() + 1);
        for order in [1, 3, 996_u16] {
            let later = |at: u16| 2 + u64::from(at.wrapping_mul(order) % 997);
            let off = steps_of_a_delivery(idle, |at| (0, later(at)), None);
            assert!(off <= alone + logarithm, "{off} steps to take one of {idle}");
            for until in [1, 500, 1_000] {
                let on = steps_of_a_delivery(idle, |at| (2, later(at)), Some((2, until)));
                assert!(on <= alone + 2 + logarithm, "{on} steps to put one to {idle}");
            }
        }
    }
}

#[test]
fn what_is_known_by_other_means_is_not_waited_for() {
    let mut buffer = buffer::<Room>(1..=4, BufferLimits::DEFAULT);
    for (actor, counter, others) in [
        (1, 2, vec![]),
        (1, 3, vec![(2, 9)]),
        (2, 10, vec![]),
        (3, 1, vec![(1, 2)]),
        (4, 2, vec![]),
        (4, 5, vec![]),
    ] {
        assert_eq!(buffer.receive(message(actor, counter, &others)).unwrap(), Received::Waiting);
    }
    let mut known = VersionVector::<u8, Small>::new();
    for dot in [dot(1, 2), dot(2, 9), dot(4, 3)] {
        known.record(dot).unwrap();
    }
    assert_eq!(buffer.catch_up(&known), Ok(2), "1:2 and 4:2 are known");
    assert_eq!(missing(&buffer), [range(4, 4, 4)]);
    let mut ready: Vec<_> =
        core::iter::from_fn(|| buffer.pop_ready()).map(|(stamp, _)| stamp.dot()).collect();
    ready.sort_unstable();
    assert_eq!(ready, [dot(1, 3), dot(2, 10), dot(3, 1)]);
    assert_eq!(deliver(&mut buffer, message(4, 4, &[])), [dot(4, 4), dot(4, 5)]);
    assert_eq!(buffer.snapshot().delivered, 5);
    // Slots are used again, and a second time nothing changes.
    assert_eq!(buffer.catch_up(&known), Ok(0));
    assert_eq!((buffer.waiting(), missing(&buffer)), (0, vec![]));
}

#[test]
fn the_last_message_there_can_be_is_delivered() {
    let mut buffer = buffer::<Room>([], BufferLimits::DEFAULT);
    buffer.admit_at(dot(1, MAX_COUNTER - 2)).unwrap();
    assert_eq!(buffer.receive(message(1, MAX_COUNTER, &[])).unwrap(), Received::Waiting);
    assert_eq!(missing(&buffer), [range(1, MAX_COUNTER - 1, MAX_COUNTER - 1)]);
    let order = deliver(&mut buffer, message(1, MAX_COUNTER - 1, &[]));
    assert_eq!(order, [dot(1, MAX_COUNTER - 1), dot(1, MAX_COUNTER)]);
}
