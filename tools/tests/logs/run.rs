//! Random runs: hosts that have events and exchange messages, and the log of what happened.

use clock_tools::shiviz::{Builder, Log};
use fastrand::Rng;
use vector_clock::{Dot, Heap, Stamp, VectorClock, VersionVector};

/// One line of a log that can be bent before it becomes one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Line {
    pub(crate) host: String,
    pub(crate) clock: Vec<(String, u64)>,
    pub(crate) text: String,
    pub(crate) wall: Option<String>,
}

impl Line {
    pub(crate) fn counter(&self) -> u64 {
        self.of(&self.host)
    }

    pub(crate) fn of(&self, host: &str) -> u64 {
        self.clock.iter().find(|(name, _)| name == host).map_or(0, |(_, counter)| *counter)
    }

    pub(crate) fn knows(&self, other: &Self) -> bool {
        self.of(&other.host) >= other.counter()
    }
}

pub(crate) fn name(host: u32) -> String {
    format!("host-{host}")
}

/// A run of clocks of the sibling crate, in a causal order. Some messages are received at once with others.
pub(crate) fn run(seed: u64, hosts: u32, events: usize) -> Vec<Line> {
    let mut random = Rng::with_seed(seed);
    let mut clocks: Vec<_> = (0..hosts).map(VectorClock::<u32, Heap>::new).collect();
    let mut flying: Vec<(u32, Stamp<u32, Heap>)> = Vec::new();
    let mut lines = Vec::new();
    while lines.len() < events {
        let host = random.u32(0..hosts);
        let clock = &mut clocks[host as usize];
        let arrived = flying.iter().position(|(to, _)| *to == host).filter(|_| random.u8(..) < 180);
        let (stamp, text) = match arrived {
            Some(at) => {
                if random.u8(..) < 40 {
                    let (_, other) = flying.swap_remove(random.usize(..flying.len()));
                    clock.merge(other.vector()).unwrap();
                    // What was merged without an event is new with the next one.
                    (clock.tick().unwrap(), "several messages".to_owned())
                } else {
                    let (_, message) = flying.swap_remove(at);
                    (clock.observe(&message).unwrap(), format!("receives {}", message.dot()))
                }
            }
            None => (clock.tick().unwrap(), format!("event \"{}\" <&>", lines.len())),
        };
        lines.push(line(&stamp, text));
        if random.bool() {
            flying.push((random.u32(0..hosts), stamp));
        }
    }
    lines
}

fn line(stamp: &Stamp<u32, Heap>, text: String) -> Line {
    let clock = stamp.vector().iter().map(|dot| (name(dot.actor()), dot.counter())).collect();
    Line { host: name(stamp.dot().actor()), clock, text, wall: None }
}

pub(crate) fn log(lines: &[Line]) -> Log {
    let mut builder = Builder::new();
    for line in lines {
        let clock = line.clock.iter().map(|(host, counter)| (host.as_str(), *counter));
        builder.event(&line.host, clock, &line.text, line.wall.as_deref()).unwrap();
    }
    builder.finish()
}

/// A line written by hand: its host is that of the first entry.
pub(crate) fn by_hand(clock: &[(&str, u64)], text: &str) -> Line {
    let clock: Vec<_> = clock.iter().map(|(host, counter)| ((*host).to_owned(), *counter)).collect();
    Line { host: clock[0].0.clone(), clock, text: text.to_owned(), wall: None }
}

/// Whether a log can have happened, by the definition and with every pair of clocks.
pub(crate) fn can_have_happened(lines: &[Line]) -> bool {
    let find =
        |host: &str, counter: u64| lines.iter().find(|line| line.host == host && line.counter() == counter);
    let covers =
        |one: &Line, other: &Line| other.clock.iter().all(|(host, counter)| one.of(host) >= *counter);
    lines.iter().enumerate().all(|(at, line)| {
        let is_unique =
            lines[..at].iter().all(|other| (&other.host, other.counter()) != (&line.host, line.counter()));
        let own = line.counter() == 1
            || find(&line.host, line.counter() - 1).is_some_and(|before| covers(line, before));
        let others = line.clock.iter().filter(|(host, _)| *host != line.host);
        is_unique
            && own
            && others.into_iter().all(|(host, counter)| {
                find(host, *counter).is_some_and(|known| covers(line, known) && !known.knows(line))
            })
    })
}

/// A vector that names nothing that is not there.
#[test]
fn the_stamps_of_a_run_are_those_of_its_lines() {
    let lines = run(1, 3, 50);
    assert!(can_have_happened(&lines));
    let dots = lines.iter().map(|line| (line.host.clone(), line.counter()));
    let unique: alloc::collections::BTreeSet<_> = dots.collect();
    assert_eq!(unique.len(), 50);
    let vector = VersionVector::<u32, Heap>::from_sorted([Dot::try_new(1, 2).unwrap()]).unwrap();
    let stamp = Stamp::try_new(Dot::try_new(1, 2).unwrap(), vector).unwrap();
    assert_eq!(line(&stamp, String::new()).clock, [("host-1".to_owned(), 2)]);
}
