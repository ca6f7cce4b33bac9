//! Two nodes and a network that reorders and repeats: vectors and causal delivery in fixed storage, over bytes.

use vector_clock::{
    BufferLimits, CausalBuffer, Causality, Fixed, Limits, Received, RefusedReason, Stamp, VectorClock,
};

use crate::outcome::{Failed, Outcome, hold, say};

/// At most this many nodes, and this many messages that wait.
type Storage = Fixed<4>;
type Letter = (Stamp<u16, Storage>, u8);

/// The longest packet: a length, a stamp of four nodes, a payload.
const PACKET: usize = 48;
const LIMITS: Limits = Limits::new().with_max_entries(4);

struct Node {
    clock: VectorClock<u16, Storage>,
    buffer: CausalBuffer<Letter, Storage>,
    /// What was delivered, in order.
    read: [u8; 8],
    count: usize,
}

impl Node {
    fn new(id: u16, peers: &[u16]) -> Outcome<Self> {
        let mut buffer = CausalBuffer::with_limits(BufferLimits::DEFAULT.with_quota(4));
        for &peer in peers {
            buffer.admit(peer)?;
        }
        Ok(Self { clock: VectorClock::new(id).with_max_entries(4), buffer, read: [0; 8], count: 0 })
    }

    /// Sends `payload`: a packet for the others, and a letter that is delivered here.
    fn send(&mut self, payload: u8) -> Outcome<[u8; PACKET]> {
        let stamp = self.clock.tick()?;
        let mut packet = [0; PACKET];
        let (head, body) = packet.split_first_mut().ok_or(Failed)?;
        let written = stamp.encode_into(body)?;
        *head = u8::try_from(written)?;
        *body.get_mut(written).ok_or(Failed)? = payload;
        self.take((stamp, payload))?;
        Ok(packet)
    }

    /// Takes a packet as it came, and returns how many letters became readable.
    fn hear(&mut self, packet: &[u8; PACKET]) -> Outcome<usize> {
        let (&head, body) = packet.split_first().ok_or(Failed)?;
        let bytes = body.get(..usize::from(head)).ok_or(Failed)?;
        let &payload = body.get(usize::from(head)).ok_or(Failed)?;
        self.take((Stamp::decode(bytes, &LIMITS)?, payload))
    }

    fn take(&mut self, letter: Letter) -> Outcome<usize> {
        let before = self.count;
        if let Received::Deliver(letter) = self.buffer.receive(letter)? {
            self.deliver(&letter)?;
        }
        while let Some(letter) = self.buffer.pop_ready() {
            self.deliver(&letter)?;
        }
        Ok(self.count.saturating_sub(before))
    }

    fn deliver(&mut self, (stamp, payload): &Letter) -> Outcome {
        self.clock.merge(stamp.vector())?;
        *self.read.get_mut(self.count).ok_or(Failed)? = *payload;
        self.count = self.count.saturating_add(1);
        Ok(())
    }
}

#[inline(never)] // or the frames of all sections are on the stack at once
pub fn report() -> Outcome {
    let (mut alice, mut bob) = (Node::new(1, &[1, 2])?, Node::new(2, &[1, 2])?);
    let (first, second, third) = (alice.send(b'a')?, alice.send(b'b')?, alice.send(b'c')?);

    // The network turns them round, and brings one twice.
    hold!(bob.hear(&third)? == 0, "the third letter was delivered before the first");
    hold!(bob.hear(&second)? == 0 && bob.buffer.waiting() == 2, "{} wait", bob.buffer.waiting());
    let missing = bob.buffer.missing().next().ok_or(Failed)?;
    hold!(missing.first() == 1 && missing.last() == 1, "{missing:?} is missing");
    hold!(bob.hear(&first)? == 3, "the first letter did not bring the others");
    hold!(bob.hear(&second)? == 0 && bob.buffer.snapshot().duplicates == 1, "a copy was delivered again");
    hold!(bob.read.starts_with(b"abc"), "{:?} in this order", bob.read);
    say!("causal: letters that were turned round are delivered in order, and a copy is not");

    // Two that know nothing of each other, and an answer that knows of both.
    let (mine, yours) = (alice.send(b'd')?, bob.send(b'e')?);
    let (seen_by_alice, seen_by_bob) = (alice.clock.vector().clone(), bob.clock.vector().clone());
    hold!(seen_by_alice.causality(&seen_by_bob) == Causality::Concurrent, "the two know of each other");
    hold!(alice.hear(&yours)? == 1 && bob.hear(&mine)? == 1, "not both were delivered");
    hold!(alice.clock.vector() == bob.clock.vector(), "they do not know the same");
    hold!(seen_by_alice < *bob.clock.vector(), "what came before is not before");
    say!("causal: two letters at once are concurrent, and both nodes end up knowing the same");

    // A stranger, whom nobody admitted, and a node that is there once too often.
    let mut stranger = Node::new(9, &[9])?;
    let letter = (stranger.clock.tick()?, b'x');
    let refused = alice.buffer.receive(letter);
    hold!(
        matches!(&refused, Err(refused) if refused.reason() == RefusedReason::UnknownMember(9)),
        "{refused:?} for a stranger"
    );
    for node in [2, 3, 4] {
        alice.buffer.admit(node)?;
    }
    hold!(alice.buffer.admit(5).is_err(), "five members in the room of four");
    say!("causal: a stranger is refused, and a fifth member where there is room for four");
    Ok(())
}
