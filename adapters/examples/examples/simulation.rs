//! A deterministic simulation: five nodes whose wall clocks are wrong, drift and step back, and messages that are late,
//! lost, doubled and overtaken. All of it comes from one number, the seed: the same seed gives the same stamps, to the bit.
//!
//! `cargo run -p clock-examples --example simulation -- SEED` runs one. What is checked against is a vector clock on the
//! same messages, which knows exactly what could have caused what.
#![expect(
    clippy::std_instead_of_alloc,
    clippy::std_instead_of_core,
    reason = "a program, written as its readers write theirs"
)]

use std::{collections::BTreeMap, env, error::Error, io::Write as _, time::Duration};

use fastrand::Rng;
use hlc::{Clock, NodeId, PhysicalTime, Source, Stamp, source::ManualSource};
use vector_clock::{Heap, VectorClock};

type Outcome<T> = Result<T, Box<dyn Error>>;
/// An event by its vector: what its node knew.
type Cause = vector_clock::Stamp<u32, Heap>;

const NODES: u32 = 5;
/// How long it goes on, in simulated microseconds.
const END: u64 = 4_000_000;
const EPOCH_MILLIS: u64 = 1_700_000_000_000;

/// A wall clock that is off by up to 100 ms, runs fast or slow by up to 1 in 1,000, and once steps back.
struct Wall {
    off_micros: i64,
    drift_ppm: i64,
    steps_back_at: u64,
}

impl Wall {
    const STEP_MICROS: i64 = 150_000;

    fn new(rng: &mut Rng) -> Self {
        Self {
            off_micros: rng.i64(-100_000..=100_000),
            drift_ppm: rng.i64(-1_000..=1_000),
            steps_back_at: rng.u64(..END),
        }
    }

    /// What it shows when `now` microseconds have passed.
    fn at(&self, now: u64) -> Option<PhysicalTime> {
        let drift = i64::try_from(now).ok()?.checked_mul(self.drift_ppm)?.checked_div(1_000_000)?;
        let step = if now < self.steps_back_at { 0 } else { Self::STEP_MICROS };
        let off = self.off_micros.checked_add(drift)?.checked_sub(step)?;
        let micros = EPOCH_MILLIS.checked_mul(1_000)?.checked_add(now)?.checked_add_signed(off)?;
        Some(PhysicalTime::from_micros(micros))
    }
}

struct Node {
    id: NodeId,
    wall: Wall,
    clock: Clock<ManualSource>,
    vector: VectorClock<u32, Heap>,
}

#[derive(Clone)]
struct Message {
    stamp: Stamp,
    cause: Cause,
}

enum Event {
    /// A node does something, and tells another one of it.
    Work(usize),
    Arrival(usize, Message),
}

/// What happened at a node: by its stamp, by its vector, and by its wall clock.
struct Entry {
    stamp: Stamp,
    cause: Cause,
    wall: PhysicalTime,
}

/// Events in the order of simulated time; those of one instant in the order in which they were planned.
#[derive(Default)]
struct Plan {
    events: BTreeMap<(u64, u64), Event>,
    planned: u64,
}

impl Plan {
    fn add(&mut self, at: u64, event: Event) {
        self.planned = self.planned.wrapping_add(1);
        self.events.insert((at, self.planned), event);
    }
}

impl Node {
    fn new(number: u32, rng: &mut Rng) -> Self {
        let clock = Clock::new(ManualSource::at_millis(EPOCH_MILLIS));
        Self { id: NodeId::from(number), wall: Wall::new(rng), clock, vector: VectorClock::new(number) }
    }

    /// Does what the event asks for, and returns what happened.
    fn handle(&mut self, now: u64, heard: Option<&Message>) -> Outcome<Entry> {
        self.clock.source().set(self.wall.at(now).ok_or("out of range")?);
        let (stamp, cause) = match heard {
            None => (self.clock.tick()?, self.vector.tick()?),
            Some(message) => {
                (self.clock.observe(message.stamp.timestamp())?, self.vector.observe(&message.cause)?)
            }
        };
        Ok(Entry { stamp: stamp.at_node(self.id), cause, wall: self.clock.source().now()? })
    }
}

/// Runs the simulation of a seed. Nothing in it reads a real clock, and nothing depends on the order of a hash map.
fn run(seed: u64) -> Outcome<Vec<Entry>> {
    let mut rng = Rng::with_seed(seed);
    let mut nodes: Vec<_> = (0..NODES).map(|number| Node::new(number, &mut rng)).collect();
    let (mut plan, mut entries) = (Plan::default(), Vec::new());
    for node in 0..nodes.len() {
        plan.add(rng.u64(..50_000), Event::Work(node));
    }
    while let Some(((now, _), event)) = plan.events.pop_first() {
        let (at, heard) = match event {
            Event::Work(node) => (node, None),
            Event::Arrival(node, message) => (node, Some(message)),
        };
        let node = nodes.get_mut(at).ok_or("no such node")?;
        let entry = node.handle(now, heard.as_ref())?;
        if heard.is_none() {
            let message = Message { stamp: entry.stamp, cause: entry.cause.clone() };
            let to = rng.usize(..nodes.len());
            // One message in ten is lost, one in ten arrives twice; each copy takes a way of its own.
            let copies = match rng.u8(..10) {
                0 => 0,
                1 => 2,
                _ => 1,
            };
            for _ in 0..copies {
                plan.add(now.saturating_add(rng.u64(200..80_000)), Event::Arrival(to, message.clone()));
            }
            let next = now.saturating_add(rng.u64(1_000..150_000));
            if next < END {
                plan.add(next, Event::Work(at));
            }
        }
        entries.push(entry);
    }
    Ok(entries)
}

/// Pairs of which one event could have caused the other, and of how many of them each order has the effect first.
#[derive(Debug, Default, PartialEq, Eq)]
struct Verdict {
    causal: usize,
    wrong_by_stamp: usize,
    wrong_by_wall: usize,
}

fn judge(entries: &[Entry]) -> Verdict {
    let mut verdict = Verdict::default();
    let pairs = entries.iter().flat_map(|cause| entries.iter().map(move |effect| (cause, effect)));
    for (cause, effect) in pairs.filter(|(cause, effect)| cause.cause.happened_before(&effect.cause)) {
        verdict.causal = verdict.causal.saturating_add(1);
        let count = |is_wrong: bool, counted: usize| counted.saturating_add(usize::from(is_wrong));
        verdict.wrong_by_stamp = count(effect.stamp <= cause.stamp, verdict.wrong_by_stamp);
        verdict.wrong_by_wall = count(effect.wall <= cause.wall, verdict.wrong_by_wall);
    }
    verdict
}

/// How far the stamps were from the time that has really passed, at most.
fn greatest_error(entries: &[Entry]) -> Duration {
    let error = |entry: &Entry| {
        let (stamped, wall) = (entry.stamp.timestamp().physical_time(), entry.wall);
        stamped.saturating_since(wall).max(wall.saturating_since(stamped))
    };
    entries.iter().map(error).max().unwrap_or_default()
}

fn main() -> Outcome<()> {
    let seed = env::args().nth(1).map_or(Ok(1), |seed| seed.parse())?;
    let entries = run(seed)?;
    let Verdict { causal, wrong_by_stamp, wrong_by_wall } = judge(&entries);
    let mut out = std::io::stdout().lock();
    writeln!(
        out,
        "seed {seed}: {} events on {NODES} nodes, {causal} pairs of cause and effect",
        entries.len()
    )?;
    writeln!(
        out,
        "by wall clock, the effect is first in {wrong_by_wall} of them; by stamp, in {wrong_by_stamp}"
    )?;
    writeln!(out, "no stamp is further than {:?} from its node's wall clock", greatest_error(&entries))?;
    if let Some(last) = entries.iter().map(|entry| entry.stamp).max() {
        writeln!(out, "the last stamp is {last}, {}", last.timestamp().human())?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn stamps(seed: u64) -> Vec<Stamp> {
        run(seed).unwrap().into_iter().map(|entry| entry.stamp).collect()
    }

    #[test]
    fn the_same_seed_gives_the_same_stamps_and_another_gives_others() {
        assert_eq!(stamps(7), stamps(7));
        assert_ne!(stamps(7), stamps(8));
    }

    #[test]
    fn no_effect_is_stamped_before_its_cause_although_wall_clocks_have_it_so() {
        for seed in 0..10 {
            let verdict = judge(&run(seed).unwrap());
            assert_eq!(verdict.wrong_by_stamp, 0, "seed {seed}");
            assert!(
                verdict.causal > 10_000 && verdict.wrong_by_wall > 100,
                "seed {seed} shows nothing: {verdict:?}"
            );
        }
    }

    #[test]
    fn stamps_are_unique_and_stay_near_the_wall_clocks() {
        for seed in 0..10 {
            let entries = run(seed).unwrap();
            let mut stamps: Vec<_> = entries.iter().map(|entry| entry.stamp).collect();
            stamps.sort_unstable();
            stamps.dedup();
            assert_eq!(stamps.len(), entries.len(), "seed {seed}");
            // Off by 100 ms and drifted by 4 on either side, and one of the two stepped back.
            assert!(greatest_error(&entries) < Duration::from_millis(360), "seed {seed}");
        }
    }

    #[test]
    fn the_program_tells_what_it_found() {
        assert!(judge(&[]).causal == 0);
        main().unwrap();
    }
}
