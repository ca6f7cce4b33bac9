//! Every state that the rule can reach, under every fault of the medium that FORMAT.md allows.
//!
//! A breadth-first search to closure: not up to a depth, but until nothing new is found. It covers any number
//! of raises, openings, failed syncs, killed processes, power cuts and evicted pages, in any order. Only the
//! order of sequence numbers, their remainders by three, and the order of values matter to the rule, so states are
//! renumbered to their ranks, which makes their number finite.

use super::*;
use std::collections::{BTreeSet, HashMap, VecDeque, hash_map::Entry};
use std::{format, string::String, vec::Vec};

/// Where a process is between two calls to the medium.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Process {
    /// Not running, or poisoned: the next thing it does is an opening.
    Down,
    /// Is at work on a batch. `written` copies of it are in the cache; `then` comes after its sync, if anything.
    Writes { head: Head, only: Option<Half>, written: u8, then: Option<(Half, u64)> },
    /// Open.
    Holds { current: Head },
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
struct World {
    disk: View,
    cache: View,
    dirty: [bool; 6],
    process: Process,
    acknowledged: u64,
    requested: u64,
    /// Faults of the medium (failed syncs and writes, rot) still to come before the next acknowledgement.
    faults: u8,
}

/// The search closes with two as well, after 898,041 states: worth a minute after a change of the rule.
const FAULTS: u8 = 1;

fn head(sequence: u64, value: u64, kind: Kind) -> Head {
    Head { sequence, value, kind, tag: 0 }
}

fn index(place: Place) -> usize {
    Place::ALL.iter().position(|other| *other == place).unwrap()
}

impl World {
    fn created() -> Self {
        let mut disk = View::default();
        for place in Place::ALL {
            let sequence = Slot::ALL.iter().position(|slot| *slot == place.slot).unwrap() as u64;
            disk.set(place, Some(head(sequence, 0, Kind::Raise)));
        }
        Self {
            disk,
            cache: disk,
            dirty: [false; 6],
            process: Process::Down,
            acknowledged: 0,
            requested: 0,
            faults: FAULTS,
        }
    }

    fn write(mut self, place: Place, written: Option<Head>) -> Self {
        self.cache.set(place, written);
        self.dirty[index(place)] = true;
        self
    }

    fn with(mut self, process: Process) -> Self {
        self.process = process;
        self
    }

    /// A sync that succeeds writes what is dirty, and only that: after one that failed, a page of the cache can
    /// be clean and newer than the disk for as long as it stays in memory.
    fn synced(mut self) -> Self {
        for place in Place::ALL {
            if self.dirty[index(place)] {
                self.disk.set(place, self.cache.at(place));
            }
        }
        self.dirty = [false; 6];
        self
    }

    /// Every way in which the unwritten copies may have reached the disk: not, wholly, torn.
    fn landings(self) -> Vec<Self> {
        let mut worlds = std::vec![self];
        for place in Place::ALL {
            if !self.dirty[index(place)] {
                continue;
            }
            let more = worlds.iter().flat_map(|world| {
                [self.disk.at(place), self.cache.at(place), None].map(|fate| {
                    let mut landed = *world;
                    landed.disk.set(place, fate);
                    landed.dirty[index(place)] = false;
                    landed
                })
            });
            worlds = more.collect();
        }
        worlds
    }

    /// A write that did not finish leaves a torn copy in the cache; the process gives up.
    fn failed_write(self, place: Place) -> Self {
        Self { faults: self.faults - 1, ..self }.write(place, None).with(Process::Down)
    }

    fn next(self) -> Vec<Self> {
        let mut next = Vec::new();
        // A process can be killed, and the power cut, at any moment.
        next.push(self.with(Process::Down));
        for cut in self.landings() {
            next.push(Self { cache: cut.disk, ..cut }.with(Process::Down));
        }
        for place in Place::ALL {
            if self.dirty[index(place)] {
                continue;
            }
            // A clean page is dropped and read again.
            let mut evicted = self;
            evicted.cache.set(place, self.disk.at(place));
            next.push(evicted);
            // One copy rots while the other one is whole and not being rewritten.
            let twin = Place::new(place.slot, place.half.other());
            let rewritten = matches!(self.process, Process::Writes { only: Some(_), .. });
            let whole = self.disk.at(twin).is_some() && self.cache.at(twin).is_some();
            if self.faults > 0 && whole && !rewritten && !self.dirty[index(twin)] {
                let mut rotten = Self { faults: self.faults - 1, ..self };
                rotten.disk.set(place, None);
                rotten.cache.set(place, None);
                next.push(rotten);
            }
        }
        // A sync can fail: some, all or none has landed, the cache keeps what was written, and calls it clean.
        let faults = self.faults.checked_sub(1);
        let failed_syncs = faults.into_iter().flat_map(|faults| {
            self.landings().into_iter().map(move |world| Self { faults, process: Process::Down, ..world })
        });
        match self.process {
            Process::Down => {
                let plan = opening(&self.cache).expect("a register that was created can be opened");
                let head = head(plan.first.sequence, plan.newest.value, Kind::Opening);
                let then = plan.second.map(|batch| (batch.only.unwrap(), batch.sequence));
                next.push(self.with(Process::Writes { head, only: plan.first.only, written: 0, then }));
                // Somebody who knows what was acknowledged goes on from there without a write.
                next.extend(
                    acknowledged(&self.cache)
                        .filter(|newest| newest.value == self.acknowledged)
                        .map(|current| self.with(Process::Holds { current })),
                );
            }
            Process::Holds { current } => {
                if let Ok(batch) = raising(&self.cache, current) {
                    let mut asked = self;
                    asked.requested += 1;
                    let head = head(batch.sequence, asked.requested, batch.kind);
                    next.push(asked.with(Process::Writes { head, only: batch.only, written: 0, then: None }));
                }
            }
            Process::Writes { head, only, written, then } => {
                let batch = Batch { sequence: head.sequence, kind: head.kind, only };
                if let Some(place) = batch.places().nth(written.into()) {
                    if self.faults > 0 {
                        next.push(self.failed_write(place));
                    }
                    let written = written + 1;
                    next.push(self.write(place, Some(head)).with(Process::Writes {
                        head,
                        only,
                        written,
                        then,
                    }));
                } else {
                    next.extend(failed_syncs);
                    next.push(match then {
                        Some((half, sequence)) => self.synced().with(Process::Writes {
                            head: Head { sequence, ..head },
                            only: Some(half),
                            written: 0,
                            then: None,
                        }),
                        None => {
                            let mut done = self.synced().with(Process::Holds { current: head });
                            done.acknowledged = head.value;
                            done.faults = FAULTS;
                            done
                        }
                    });
                }
            }
        }
        next.into_iter().map(Self::renumbered).collect()
    }

    /// The same state with the smallest numbers.
    fn renumbered(mut self) -> Self {
        let mut heads: Vec<Head> = self.disk.heads().chain(self.cache.heads()).collect();
        match self.process {
            Process::Down => {}
            Process::Holds { current } => heads.push(current),
            Process::Writes { head, then, .. } => {
                heads.push(head);
                heads.extend(then.map(|(_, sequence)| Head { sequence, ..head }));
            }
        }
        // What lies below the acknowledged value is all alike: if it were ever the newest, the search would end.
        let lowest = self.acknowledged;
        let mut values = BTreeSet::from([self.acknowledged, self.requested]);
        values.extend(heads.iter().map(|head| head.value).filter(|value| *value >= lowest));
        let value = |old: u64| 1 + values.iter().position(|from| *from == old).unwrap() as u64;
        let of_value: HashMap<u64, BTreeSet<u64>> = heads.iter().fold(HashMap::new(), |mut map, head| {
            map.entry(head.value).or_insert_with(BTreeSet::new).insert(head.sequence);
            map
        });
        // The slots are alike: turn them until the newest record is in the first.
        let turn = newest(&self.cache).map_or(0, |newest| 3 - newest.sequence % 3);
        let sequence = |old: Head| {
            let older = of_value[&old.value].iter().take_while(|sequence| **sequence <= old.sequence);
            older.fold(0, |floor, old| (floor..).find(|new| new % 3 == (old + turn) % 3).unwrap() + 1) - 1
        };
        let renumber = |old: Head| match old.value < lowest {
            true => head((old.sequence + turn) % 3, 0, Kind::Raise),
            false => Head { sequence: sequence(old), value: value(old.value), ..old },
        };
        let before = self;
        for from in Place::ALL {
            let slot = Slot::ALL
                [(Slot::ALL.iter().position(|slot| *slot == from.slot).unwrap() + turn as usize) % 3];
            let place = Place::new(slot, from.half);
            self.disk.set(place, before.disk.at(from).map(renumber));
            self.cache.set(place, before.cache.at(from).map(renumber));
            self.dirty[index(place)] = before.dirty[index(from)];
        }
        self.process = match self.process {
            Process::Down => Process::Down,
            Process::Holds { current } => Process::Holds { current: renumber(current) },
            Process::Writes { head, only, written, then } => Process::Writes {
                head: renumber(head),
                only,
                written,
                then: then.map(|(half, after)| (half, sequence(Head { sequence: after, ..head }))),
            },
        };
        self.acknowledged = value(self.acknowledged);
        self.requested = value(self.requested);
        self
    }

    /// What a restart would find now: in the cache if the machine stays up, on the disk if it does not. (What
    /// a power cut finds when something unwritten lands is a state of its own.)
    fn is_sound(&self) -> bool {
        [&self.cache, &self.disk].into_iter().all(|view| {
            newest(view).is_ok_and(|found| invariant(found.value, self.acknowledged, self.requested))
        })
    }
}

/// Six places as `sequence:value`, in the order A B C A' B' C'; `-` is an invalid copy.
fn show(view: &View) -> String {
    let show = |place| {
        view.at(place).map_or("-".into(), |head: Head| {
            format!("{}:{}{}", head.sequence, head.value, if head.kind == Kind::Raise { "r" } else { "o" })
        })
    };
    Place::ALL.map(show).join(" ")
}

/// Visits every state that can be reached; on an unsound one, fails with the shortest history that leads there.
fn explore(from: World) -> HashMap<World, Option<World>> {
    let mut seen = HashMap::from([(from, None)]);
    let mut frontier = VecDeque::from([from]);
    while let Some(world) = frontier.pop_front() {
        if !world.is_sound() {
            let history: Vec<String> = core::iter::successors(Some(world), |world| seen[world])
                .map(|w| {
                    let World { dirty, process, acknowledged, requested, .. } = w;
                    let (disk, cache) = (show(&w.disk), show(&w.cache));
                    format!(
                        "disk {disk} cache {cache} dirty {dirty:?} {process:?} {acknowledged}..={requested}"
                    )
                })
                .collect();
            panic!("unsound, newest first:\n{}", history.join("\n"));
        }
        for next in world.next() {
            if let Entry::Vacant(vacant) = seen.entry(next) {
                vacant.insert(Some(world));
                frontier.push_back(next);
            }
        }
    }
    seen
}

#[test]
fn no_history_of_faults_leads_below_what_was_acknowledged_or_above_what_was_asked_for() {
    let seen = explore(World::created().renumbered());
    std::println!("{} states of the register, to closure", seen.len());
    // An empty search cannot pass: the interesting states are among those seen.
    assert!(
        seen.keys().any(|world| matches!(world.process, Process::Holds { .. }) && world.acknowledged > 0)
    );
    assert!(seen.keys().any(|world| world.requested > world.acknowledged));
    assert!(
        seen.keys().any(|world| !world.dirty.contains(&true) && world.cache != world.disk),
        "a cache newer than the disk"
    );
}
