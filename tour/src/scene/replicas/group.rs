//! `Group`: the replicas and the network as the parent sees them, and what they said.

use alloc::collections::BTreeMap;

use super::{
    cast::{Entry, Link, NetworkPart, Page, REPLICAS, Reading, ReplicaPart, ReplicaReport, Said, Told},
    history::{self, Write},
    sabotage::Sabotage,
};
use crate::{children::Children, failure::Failure, scene, stage::Stage};

/// Everything that was said: what the verdict is computed from.
#[derive(Clone, Debug, Default)]
pub(crate) struct Testimony {
    /// All writes; a write's number is its place here.
    pub(crate) writes: Vec<Write>,
    /// What happened to each replica, in its own order.
    pub(crate) logs: Vec<Vec<Entry>>,
    pub(crate) reports: Vec<ReplicaReport>,
    /// Messages that reached a replica, copies included.
    pub(crate) arrived: u64,
    /// Of those, the copies that the network made.
    pub(crate) doubled: u64,
    /// The pages of all diaries, as they were heard of.
    pub(crate) diary: Vec<Page>,
    /// How many of them are of the first round.
    pub(crate) first_round: usize,
}

/// Running replicas, and the network between them.
pub(crate) struct Group<'s> {
    pub(crate) stage: &'s Stage<'s>,
    children: Children<Said>,
    network: usize,
    testimony: Testimony,
    /// What the links hold that are held.
    held: BTreeMap<Link, u64>,
    /// Messages that have to reach a replica. They may be heard of before the parent knows that they must.
    due: u64,
    /// Messages that have to be held, and those that are or were.
    to_keep: u64,
    kept: u64,
}

impl<'s> Group<'s> {
    /// Starts every process, and has each take its part.
    pub(crate) fn start(stage: &'s Stage<'s>) -> Result<Self, Failure> {
        let options = stage.options;
        let mut children = Children::new();
        for replica in 0..REPLICAS {
            stage.start(&mut children, &format!("replica {replica}"), "replica")?;
        }
        let network = stage.start(&mut children, "network", "network")?;
        let logs = (0..REPLICAS).map(|_| Vec::new()).collect();
        let mut group = Self {
            stage,
            children,
            network,
            testimony: Testimony { logs, ..Testimony::default() },
            held: BTreeMap::new(),
            due: 0,
            to_keep: 0,
            kept: 0,
        };
        let time_limit = stage.time_limit();
        group.tell_network(&Told::Network(NetworkPart { seed: options.seed, time_limit }))?;
        let Said::Listening { port } = group.answer("the network to listen")? else {
            return Err(Failure::out_of_turn("not the port"));
        };
        let sabotage = options.sabotage.and_then(scene::sabotage::Sabotage::of_replicas);
        for replica in 0..REPLICAS {
            let sabotage = sabotage.filter(|_| replica == Sabotage::REPLICA);
            let part = ReplicaPart { replica, port, time_limit, sabotage };
            group.tell(replica, &Told::Replica(part))?;
        }
        let Said::Joined = group.answer("the replicas to connect")? else {
            return Err(Failure::out_of_turn("not that they have joined"));
        };
        stage.note("the replicas are connected");
        Ok(group)
    }

    /// Has a client read at a replica.
    pub(crate) fn read(&mut self, replica: u32) -> Result<Reading, Failure> {
        self.tell(replica, &Told::Read)?;
        let Said::Read { reading, .. } = self.answer("a reading")? else {
            return Err(Failure::out_of_turn("not a reading"));
        };
        Ok(reading)
    }

    /// Has a client read at a replica; what the client has then, [`write`](Self::write) takes.
    pub(crate) fn client(&mut self, replica: u32) -> Result<Client, Failure> {
        let reading = self.read(replica)?;
        let log = self.testimony.logs.get(slot(replica)).map(Vec::as_slice).unwrap_or_default();
        let seen = log.iter().filter(|entry| matches!(entry, Entry::Applied { .. })).count();
        Ok(Client { replica, seen, reading })
    }

    /// Has a client write where it read, and returns the write's number.
    pub(crate) fn write(&mut self, client: &Client) -> Result<u32, Failure> {
        let Client { replica, seen, ref reading } = *client;
        let write =
            u32::try_from(self.testimony.writes.len()).map_err(|_| Failure::late("the last number"))?;
        self.tell(replica, &Told::Write { write, context: reading.context.clone() })?;
        let Said::Wrote { wall_nanos, .. } = self.answer("a write")? else {
            return Err(Failure::out_of_turn("not a write"));
        };
        self.testimony.writes.push(Write { replica, seen, wall_nanos });
        for to in (0..REPLICAS).filter(|to| *to != replica) {
            match self.held.get_mut(&Link { from: replica, to }) {
                Some(held) => {
                    *held = held.saturating_add(1);
                    self.to_keep = self.to_keep.saturating_add(1);
                }
                None => self.due = self.due.saturating_add(1),
            }
        }
        Ok(write)
    }

    /// Has the network hold back what is sent on a link from now on.
    pub(crate) fn hold(&mut self, link: Link) -> Result<(), Failure> {
        self.tell_network(&Told::Hold(link))?;
        let Said::Holding = self.answer("the network to hold a link")? else {
            return Err(Failure::out_of_turn("not that it holds"));
        };
        self.held.insert(link, 0);
        Ok(())
    }

    /// Has the network let go of what it held back on a link.
    pub(crate) fn release(&mut self, link: Link) -> Result<(), Failure> {
        self.tell_network(&Told::Release(link))?;
        let Said::Released { copies } = self.answer("the network to release a link")? else {
            return Err(Failure::out_of_turn("not that it let go"));
        };
        let held = self.held.remove(&link).unwrap_or_default();
        self.due = self.due.saturating_add(copies);
        self.testimony.doubled = self.testimony.doubled.saturating_add(copies.saturating_sub(held));
        Ok(())
    }

    /// Waits until every message has reached its replica, or is held.
    pub(crate) fn settle(&mut self) -> Result<(), Failure> {
        while self.testimony.arrived < self.due || self.kept < self.to_keep {
            if let Some(said) = self.hear("messages to arrive")? {
                return Err(Failure::out_of_turn(said));
            }
        }
        Ok(())
    }

    /// Takes note that the first round is over.
    pub(crate) const fn first_round_is_over(&mut self) {
        self.testimony.first_round = self.testimony.diary.len();
    }

    /// Returns the write that has arrived at a replica last, where it waits, and those that it waits for.
    pub(crate) fn waiting(&self, replica: u32) -> Option<(u32, Vec<u32>)> {
        let Entry::Waits { write, missing } = self.testimony.logs.get(slot(replica))?.last()? else {
            return None;
        };
        Some((*write, history::named(&self.testimony.writes, missing)?.into_iter().collect()))
    }

    /// Ends every process, and returns what was said.
    pub(crate) fn finish(mut self) -> Result<Testimony, Failure> {
        for replica in 0..REPLICAS {
            self.tell(replica, &Told::Finish)?;
            let Said::Report(report) = self.answer("a report")? else {
                return Err(Failure::out_of_turn("not a report"));
            };
            self.children.release(slot(replica));
            self.testimony.reports.push(report);
        }
        self.children.release(self.network);
        self.tell_network(&Told::Finish)?;
        self.children.finish()?;
        Ok(self.testimony)
    }

    fn tell(&mut self, replica: u32, what: &Told) -> Result<(), Failure> {
        self.children.tell(slot(replica), what)
    }

    fn tell_network(&mut self, what: &Told) -> Result<(), Failure> {
        self.children.tell(self.network, what)
    }

    /// Returns the next thing that answers what was told; what else is said before is taken.
    fn answer(&mut self, waiting_for: &str) -> Result<Said, Failure> {
        loop {
            if let Some(said) = self.hear(waiting_for)? {
                return Ok(said);
            }
        }
    }

    /// Hears the next thing, writes down what happened, and returns it where it is an answer.
    fn hear(&mut self, waiting_for: &str) -> Result<Option<Said>, Failure> {
        let (child, said) = self.children.hear(self.stage.deadline(), waiting_for)?;
        let log = self.testimony.logs.get_mut(child);
        Ok(match (log, said) {
            (Some(log), Said::Received { entries, page }) => {
                log.extend(entries);
                self.testimony.diary.push(page);
                self.testimony.arrived = self.testimony.arrived.saturating_add(1);
                None
            }
            (None, Said::Kept) => {
                self.kept = self.kept.saturating_add(1);
                None
            }
            (Some(log), Said::Wrote { wall_nanos, mut entries, page }) => {
                log.append(&mut entries);
                self.testimony.diary.push(page.clone());
                Some(Said::Wrote { wall_nanos, entries, page })
            }
            (Some(log), Said::Read { reading, page }) => {
                log.push(Entry::Read { values: reading.values.clone() });
                self.testimony.diary.push(page.clone());
                Some(Said::Read { reading, page })
            }
            (_, said) => Some(said),
        })
    }
}

/// A client that has read, and what it knows from that.
#[derive(Debug)]
pub(crate) struct Client {
    replica: u32,
    /// How many writes the replica had applied.
    seen: usize,
    pub(crate) reading: Reading,
}

/// The place of a replica in lists, and its number as a child.
fn slot(replica: u32) -> usize {
    usize::try_from(replica).unwrap_or(usize::MAX)
}
