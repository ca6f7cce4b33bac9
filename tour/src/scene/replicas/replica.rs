//! `Replica`: a process that keeps one key, takes the writes of clients, and applies those of other replicas.

use core::net::{Ipv4Addr, SocketAddr};
use std::{
    io::Write as _,
    net::TcpStream,
    sync::mpsc::{self, Receiver, SyncSender},
    thread,
};

use hlc::{Source as _, source::SystemSource};
use vector_clock::{CausalBuffer, DvvSet, Heap, Received, VectorClock};

use super::{
    cast::{Entry, Page, REPLICAS, Reading, ReplicaPart, ReplicaReport, Said, Told},
    diary::{self, Diary},
    message::{self, Message, Value},
    network::{BACKLOG, PEER_TIME},
    sabotage::Sabotage,
};
use crate::{
    deadline::Deadline,
    failure::Failure,
    frame::{self, frame},
    parent,
};

/// What happens to a replica.
#[derive(Debug)]
enum Arrival {
    Told(Told),
    /// From the network: the sender, and the message.
    Content(Vec<u8>),
}

/// Plays the role, from the first word of the parent to the report.
pub(crate) fn play() -> Result<(), Failure> {
    let (to, inbox) = mpsc::sync_channel(BACKLOG);
    parent::listen(to.clone(), Arrival::Told);
    let Arrival::Told(Told::Replica(part)) = next(&inbox, Deadline::after(PEER_TIME))? else {
        return Err(Failure::out_of_turn("not a part to play"));
    };
    let deadline = Deadline::after(part.time_limit);
    let network = join(&part, to, deadline)?;
    let mut replica = Replica::new(part, network)?;
    loop {
        match next(&inbox, deadline)? {
            Arrival::Content(content) => replica.receive(&content)?,
            Arrival::Told(Told::Read) => replica.answer()?,
            Arrival::Told(Told::Write { write, context }) => replica.write(write, &context)?,
            Arrival::Told(Told::Finish) => return parent::say(Said::Report(replica.report())),
            Arrival::Told(told) => return Err(Failure::out_of_turn(told)),
        }
    }
}

fn next(inbox: &Receiver<Arrival>, deadline: Deadline) -> Result<Arrival, Failure> {
    inbox.recv_timeout(deadline.left()).map_err(|_| Failure::late("the parent"))
}

/// Connects to the network, says who it is, and passes on what comes.
fn join(part: &ReplicaPart, to: SyncSender<Arrival>, deadline: Deadline) -> Result<TcpStream, Failure> {
    let joining = |error| Failure::io("joining the network", error);
    let address = SocketAddr::from((Ipv4Addr::LOCALHOST, part.port));
    let mut network = TcpStream::connect_timeout(&address, PEER_TIME).map_err(joining)?;
    network.set_nodelay(true).map_err(joining)?;
    network.set_write_timeout(Some(PEER_TIME)).map_err(joining)?;
    network.write_all(&frame(&part.replica.to_be_bytes())).map_err(joining)?;
    let mut from = network.try_clone().map_err(joining)?;
    thread::spawn(move || {
        // A network that is gone is for the parent to notice: it started it.
        while let Ok(Some(content)) = frame::read(&mut from, deadline) {
            if to.send(Arrival::Content(content)).is_err() {
                break;
            }
        }
    });
    Ok(network)
}

struct Replica {
    part: ReplicaPart,
    /// Counts the messages that it sends, one for each write.
    clock: VectorClock<u32, Heap>,
    buffer: CausalBuffer<Message, Heap>,
    key: DvvSet<u32, Value>,
    diary: Diary,
    network: TcpStream,
}

impl Replica {
    fn new(part: ReplicaPart, network: TcpStream) -> Result<Self, Failure> {
        let clock = VectorClock::new(part.replica);
        let mut buffer = CausalBuffer::new();
        for replica in 0..REPLICAS {
            buffer.admit(replica).map_err(Failure::clock)?;
        }
        let diary = Diary::new(part.replica);
        Ok(Self { part, clock, buffer, key: DvvSet::new(), diary, network })
    }

    fn read(&self) -> Reading {
        let values = self.key.values().map(|value| value.write).collect();
        Reading { values, context: self.key.join().to_bytes() }
    }

    /// Has a client read.
    fn answer(&mut self) -> Result<(), Failure> {
        let reading = self.read();
        let (_, page) = self.diary.note(diary::shown(&reading.values))?;
        parent::say(Said::Read { reading, page })
    }

    /// Takes the write of a client, and sends it to the others.
    fn write(&mut self, write: u32, context: &[u8]) -> Result<(), Failure> {
        let context = message::decode_context(context).map_err(Failure::clock)?;
        let stamp = self.clock.tick().map_err(Failure::clock)?;
        let wall = SystemSource::new().now().map_err(Failure::clock)?;
        let wall_nanos = wall.to_nanos().unwrap_or(u64::MAX);
        let (diary, page) = self.diary.note(format!("takes #{write}"))?;
        let message = Message { stamp, context, diary, value: Value { write, wall_nanos } };
        let content = message.to_content();
        // Through its own buffer too, so that what is in there knows of it.
        let entries = self.take(message);
        parent::say(Said::Wrote { wall_nanos, entries, page })?;
        for peer in (0..REPLICAS).filter(|peer| *peer != self.part.replica) {
            let addressed = [peer.to_be_bytes().as_slice(), &content].concat();
            // A network that is gone is for the parent to name, as above.
            let _ = self.network.write_all(&frame(&addressed));
        }
        Ok(())
    }

    fn receive(&mut self, content: &[u8]) -> Result<(), Failure> {
        let garbled = |why: String| Failure::Garbled { from: "the network".into(), why };
        let (sender, content) = content.split_first_chunk().ok_or_else(|| garbled("no sender".into()))?;
        let sender = u32::from_be_bytes(*sender);
        let message = Message::from_content(content).map_err(|error| garbled(error.to_string()))?;
        // The buffer believes the stamp, so who sent it has to be known.
        if message.stamp.dot().actor() != sender {
            return Err(garbled(format!("replica {sender} sent as {}", message.stamp.dot())));
        }
        let sent = message.diary.clone();
        let entries = self.take(message);
        let page: Page = self.diary.received(&sent, diary::told(&entries))?;
        parent::say(Said::Received { entries, page })
    }

    /// Applies a message and what waited for it, or has it wait.
    fn take(&mut self, message: Message) -> Vec<Entry> {
        let write = message.value.write;
        if self.part.sabotage == Some(Sabotage::DeliverAtOnce) {
            return vec![self.apply(&message)];
        }
        match self.buffer.receive(message) {
            Ok(Received::Deliver(message)) => {
                let mut entries = vec![self.apply(&message)];
                while let Some(ready) = self.buffer.pop_ready() {
                    entries.push(self.apply(&ready));
                }
                entries
            }
            Ok(Received::Waiting) => {
                let missing = self.buffer.missing();
                let missing = missing.map(|range| (range.actor(), range.first(), range.last())).collect();
                vec![Entry::Waits { write, missing }]
            }
            Ok(Received::Duplicate) => vec![Entry::Dropped { write }],
            Err(refused) => vec![Entry::Refused { write, why: refused.to_string() }],
        }
    }

    /// Applies a write that this replica or another took: the same call everywhere, so the same values everywhere.
    fn apply(&mut self, message: &Message) -> Entry {
        let Message { stamp, context, value, .. } = message;
        let learnt = self.clock.merge(stamp.vector());
        let everything = self.key.join().clone();
        let seen = if self.part.sabotage == Some(Sabotage::IgnoreContexts) { &everything } else { context };
        let applied = self.key.update(seen, stamp.dot().actor(), *value);
        if self.part.sabotage == Some(Sabotage::LastWriterWins) {
            self.key.lww(|one, other| one.wall_nanos.cmp(&other.wall_nanos));
        }
        let fault = match (learnt, applied) {
            (Err(error), _) => Some(error.to_string()),
            (_, Err(error)) => Some(error.to_string()),
            (Ok(()), Ok(name)) if name != stamp.dot() => Some(format!("{} became {name}", stamp.dot())),
            (Ok(()), Ok(_)) => None,
        };
        Entry::Applied { write: value.write, fault }
    }

    fn report(&self) -> ReplicaReport {
        let snapshot = self.buffer.snapshot();
        ReplicaReport {
            last: self.read(),
            waiting: u64::try_from(snapshot.waiting).unwrap_or(u64::MAX),
            delivered: snapshot.delivered,
            duplicates: snapshot.duplicates,
        }
    }
}
