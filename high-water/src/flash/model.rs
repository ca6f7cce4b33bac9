//! All histories of a small flash: raises, power cuts, interrupted erases, failing operations, openings and rot, to
//! closure. Numbers are relative, so that the search ends although the histories do not.

use super::{Base, Entry, Field, Head, Proof, Survey, after, invariant, judge};
use std::collections::{BTreeSet, HashSet, VecDeque};
use std::{println, vec::Vec};

/// What a field of an entry holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Stored {
    /// Erased to the end, and not touched since.
    Blank,
    /// Programmed to the end.
    Solid(Head),
    /// A program or an erase of it was interrupted: it reads as valid, as something invalid or as erased, each time anew.
    Unstable(Head),
    /// Likewise, and never as valid.
    Noise,
    /// It reads as something invalid.
    Rotten,
    /// It cannot be read.
    Unreadable,
}

type Fields = [Stored; 4];

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
struct Sector<const ENTRIES: usize> {
    entries: [Fields; ENTRIES],
    erasing: bool,
}

/// What a life knows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
struct Life {
    value: u64,
    spare: usize,
    sector: usize,
    entry: usize,
    sequence: u32,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
struct State<const SECTORS: usize, const ENTRIES: usize> {
    sectors: [Sector<ENTRIES>; SECTORS],
    life: Option<Life>,
    acknowledged: u64,
    asked: u64,
    /// One field may rot between two acknowledgements.
    may_rot: bool,
    /// Raises and repairs that may still be interrupted or fail before the next one is complete.
    interruptions: u8,
}

/// What the medium may do.
#[derive(Clone, Copy, Debug)]
struct Physics {
    /// Interrupted or failed raises and repairs between two that were completed.
    interruptions: u8,
    /// What an interrupted operation leaves reads otherwise each time. Else one way, for ever.
    unstable: bool,
    /// One field may rot, or become unreadable, between two acknowledgements.
    rots: bool,
}

/// Whatever is read, and the power fails twice before anything is completed.
const TWICE: Physics = Physics { interruptions: 2, unstable: true, rots: true };
/// The power fails as often as it likes, and what it leaves reads the same until it is erased.
const FOR_EVER: Physics = Physics { interruptions: u8::MAX, unstable: false, rots: false };

fn head(value: u64, sequence: u32) -> Head {
    Head { value, sequence, tag: (value as u32) << 16 | sequence }
}

/// Whether an entry is open however it reads: nothing of it can be held, and nothing lost.
fn counts_for_nothing(entry: &Fields) -> bool {
    let valid = |field: &&Stored| matches!(field, Stored::Solid(_) | Stored::Unstable(_));
    let unreadable = entry.iter().filter(|field| **field == Stored::Unreadable).count();
    let [.., seal, second] = entry;
    entry.iter().filter(valid).count() < 2 && !valid(&seal) && !valid(&second) && unreadable < 2
}

impl<const SECTORS: usize, const ENTRIES: usize> State<SECTORS, ENTRIES> {
    fn created(physics: Physics) -> Self {
        let blank = Sector { entries: [[Stored::Blank; 4]; ENTRIES], erasing: false };
        let mut sectors = [blank; SECTORS];
        sectors[0].entries[0] = [Stored::Solid(head(0, 0)); 4];
        Self {
            sectors,
            life: None,
            acknowledged: 0,
            asked: 0,
            may_rot: physics.rots,
            interruptions: physics.interruptions,
        }
    }

    fn fields(&mut self) -> impl Iterator<Item = &mut Stored> {
        self.sectors.iter_mut().flat_map(|sector| sector.entries.iter_mut().flatten())
    }

    fn heads(&mut self) -> impl Iterator<Item = &mut Head> {
        self.fields().filter_map(|field| match field {
            Stored::Solid(head) | Stored::Unstable(head) => Some(head),
            Stored::Blank | Stored::Noise | Stored::Rotten | Stored::Unreadable => None,
        })
    }

    /// Only the order of values and of sequence numbers matters, and whether there is one between two of them.
    fn normal(mut self) -> Self {
        let open = self.life.filter(|life| life.entry < ENTRIES);
        for (number, sector) in self.sectors.iter_mut().enumerate() {
            let open = open.filter(|life| life.sector == number);
            // The next thing that happens to any other sector is an erase.
            sector.erasing &= open.is_some();
            for (at, entry) in sector.entries.iter_mut().enumerate() {
                if open.is_none_or(|life| at < life.entry) && counts_for_nothing(entry) {
                    *entry = [Stored::Rotten; 4];
                }
            }
        }
        let mut values: BTreeSet<u64> = self.heads().map(|head| head.value).collect();
        values.extend([self.acknowledged, self.asked]);
        values.extend(self.life.map(|life| life.value));
        let rank = |value: u64| 2 * values.range(..value).count() as u64;
        let mut sequences: BTreeSet<u32> = self.heads().map(|head| head.sequence).collect();
        sequences.extend(self.life.map(|life| life.sequence));
        let gaps = |sequence: u32| -> u32 {
            let below = sequences.range(..=sequence).zip(sequences.range(..=sequence).skip(1));
            below.map(|(low, high)| (high - low).min(2)).sum()
        };
        self.heads().for_each(|old| *old = head(rank(old.value), gaps(old.sequence)));
        if let Some(life) = &mut self.life {
            life.sequence = gaps(life.sequence);
            life.value = rank(life.value);
        }
        Self { acknowledged: rank(self.acknowledged), asked: rank(self.asked), ..self }
    }

    /// An operation is interrupted; `None` if that happened too often.
    fn interrupted(self) -> Option<Self> {
        let left = if self.interruptions == u8::MAX { u8::MAX } else { self.interruptions.checked_sub(1)? };
        Some(Self { interruptions: left, ..self })
    }

    /// Every way in which the sector can be after an erase that was not completed.
    fn half_erased(self, sector: usize, physics: Physics) -> Vec<Self> {
        let Some(mut state) = self.interrupted() else { return Vec::new() };
        state.sectors[sector].erasing = true;
        let old = state.sectors[sector].entries;
        let with = |change: &dyn Fn(usize, Stored) -> Stored| {
            let mut state = state;
            let fields = state.sectors[sector].entries.iter_mut().flatten();
            fields.zip(old.iter().flatten()).enumerate().for_each(|(at, (to, from))| *to = change(at, *from));
            state
        };
        let mut all = Vec::from([with(&|_, _| Stored::Unreadable)]);
        if physics.unstable {
            // Worse than any field being gone, or not reached.
            all.push(with(&|_, field| match field {
                Stored::Solid(head) | Stored::Unstable(head) => Stored::Unstable(head),
                Stored::Blank | Stored::Noise | Stored::Rotten | Stored::Unreadable => Stored::Noise,
            }));
        } else {
            // Up to some field it is gone, or from there on.
            for until in 0..=4 * ENTRIES {
                for left in [Stored::Blank, Stored::Rotten] {
                    all.push(with(&|at, field| if at < until { left } else { field }));
                    all.push(with(&|at, field| if at >= until { left } else { field }));
                }
            }
        }
        all
    }

    /// What a program that was not completed may leave.
    fn half_programmed(head: Head, physics: Physics) -> Vec<Stored> {
        let mut all = Vec::from([Stored::Unreadable]);
        if physics.unstable {
            all.push(Stored::Unstable(head));
        } else {
            all.extend([Stored::Solid(head), Stored::Rotten, Stored::Blank]);
        }
        all
    }

    /// Writes an entry as the driver does: what there is if it ends well, and all the ways in which it does not.
    fn write(self, life: Life, value: u64, physics: Physics) -> (Self, Vec<Self>) {
        let mut ends = Vec::new();
        let mut begun = self;
        let mut life = life;
        if life.entry >= ENTRIES {
            let sector = life.spare;
            for state in self.half_erased(sector, physics) {
                ends.push(Self { life: None, ..state });
                // An erase that fails is definite, and the life goes on.
                ends.push(Self { life: Some(life), ..state });
            }
            begun.sectors[sector] = Sector { entries: [[Stored::Blank; 4]; ENTRIES], erasing: false };
            life = Life { sector, entry: 0, sequence: life.sequence + 1, ..life };
            ends.extend(begun.interrupted().map(|cut| Self { life: None, ..cut }));
        }
        let (sector, entry) = (life.sector, life.entry);
        life.entry += 1;
        let head = head(value, life.sequence);
        for field in 0..4 {
            assert!(!begun.sectors[sector].erasing, "programmed in a half erased sector: {self:?}");
            let place = begun.sectors[sector].entries[entry][field];
            assert_eq!(place, Stored::Blank, "programmed twice: {self:?}");
            for left in Self::half_programmed(head, physics) {
                let Some(mut state) = begun.interrupted() else { continue };
                state.sectors[sector].entries[entry][field] = left;
                ends.push(Self { life: None, ..state });
                // A first copy that fails is definite, too; after the other fields the mark is poisoned.
                if field == 0 {
                    ends.push(Self { life: Some(life), ..state });
                }
            }
            begun.sectors[sector].entries[entry][field] = Stored::Solid(head);
            // The power is cut between two programs, or after the last, and before anybody was told.
            ends.extend(begun.interrupted().map(|cut| Self { life: None, ..cut }));
        }
        let spare = usize::from(after(sector as u16, SECTORS as u16));
        begun.life = Some(Life { value, spare, ..life });
        begun.interruptions = physics.interruptions;
        begun.may_rot = physics.rots;
        (begun.told(value), ends)
    }

    fn told(self, value: u64) -> Self {
        assert!(
            invariant(value, self.acknowledged, self.asked),
            "{value} is not between {} and {}: {self:?}",
            self.acknowledged,
            self.asked
        );
        Self { acknowledged: value, ..self }
    }

    /// Every way in which the flash can read.
    fn readings(&self) -> Vec<Base> {
        let fields = || self.sectors.iter().flat_map(|sector| sector.entries.iter().flatten());
        let ways = |field: &Stored| match field {
            Stored::Unstable(_) => 3,
            Stored::Noise => 2,
            Stored::Blank | Stored::Solid(_) | Stored::Rotten | Stored::Unreadable => 1,
        };
        let mut all = Vec::new();
        for choice in 0..fields().map(ways).product::<u64>() {
            let mut left = choice;
            let mut read = |field: Stored| {
                let way = left % ways(&field);
                left /= ways(&field);
                match field {
                    Stored::Solid(head) => Field::Valid(head),
                    Stored::Unstable(head) if way == 2 => Field::Valid(head),
                    Stored::Blank => Field::Erased,
                    Stored::Unstable(_) | Stored::Noise if way == 1 => Field::Erased,
                    Stored::Unstable(_) | Stored::Noise | Stored::Rotten => Field::Invalid,
                    Stored::Unreadable => Field::Unreadable,
                }
            };
            let mut survey = Survey::new();
            for (number, sector) in self.sectors.iter().enumerate() {
                for entry in sector.entries {
                    let [first, second, seal, again] = entry.map(&mut read);
                    let seals = [seal, again].map(|seal| match seal {
                        Field::Valid(head) => Field::Valid(head.tag),
                        Field::Erased => Field::Erased,
                        Field::Invalid => Field::Invalid,
                        Field::Unreadable => Field::Unreadable,
                    });
                    survey.add(number as u16, judge(Entry { records: [first, second], seals }));
                }
            }
            assert!(!survey.is_lost(), "lost: {self:?}");
            let base = survey.base(SECTORS as u16).unwrap_or_else(|| panic!("nothing is held: {self:?}"));
            if !all.contains(&base) {
                all.push(base);
            }
        }
        all
    }

    fn after(self, physics: Physics) -> Vec<Self> {
        let mut next = if self.may_rot { self.rotten() } else { Vec::new() };
        if let Some(life) = self.life {
            next.push(Self { life: None, ..self });
            let highest = self.clone().heads().map(|head| head.value).max().unwrap_or(0).max(self.asked);
            for value in life.value + 1..=highest + 1 {
                let asked = Self { asked: self.asked.max(value), ..self };
                let (done, ends) = asked.write(life, value, physics);
                next.push(done);
                next.extend(ends);
            }
            return next;
        }
        for Base { newest, spare } in self.readings() {
            let (value, spare) = (newest.head.value, spare.into());
            let life = Life { value, spare, sector: 0, entry: ENTRIES, sequence: newest.head.sequence };
            if newest.proof == Proof::Whole {
                next.push(Self { life: Some(life), ..self }.told(value));
            } else {
                let (done, ends) = self.write(life, value, physics);
                next.push(done);
                next.extend(ends.into_iter().map(|end| Self { life: None, ..end }));
            }
        }
        next
    }

    /// One field rots or becomes unreadable, in an entry whose other fields are complete.
    fn rotten(self) -> Vec<Self> {
        let mut all = Vec::new();
        for (number, sector) in self.sectors.iter().enumerate().filter(|(_, sector)| !sector.erasing) {
            for (at, entry) in sector.entries.iter().enumerate() {
                if entry.iter().all(|field| matches!(field, Stored::Solid(_))) {
                    for (field, left) in
                        (0..4).flat_map(|field| [(field, Stored::Rotten), (field, Stored::Unreadable)])
                    {
                        let mut state = Self { may_rot: false, ..self };
                        state.sectors[number].entries[at][field] = left;
                        all.push(state);
                    }
                }
            }
        }
        all
    }
}

fn search<const SECTORS: usize, const ENTRIES: usize>(physics: Physics) -> usize {
    let first = State::<SECTORS, ENTRIES>::created(physics);
    let mut seen = HashSet::from([first]);
    let mut open = VecDeque::from([first]);
    while let Some(state) = open.pop_front() {
        for next in state.after(physics) {
            let next = next.normal();
            if seen.insert(next) {
                open.push_back(next);
            }
        }
    }
    seen.len()
}

#[test]
fn two_interruptions_and_any_reading_of_what_they_left_lose_nothing() {
    let quiet = Physics { rots: false, ..TWICE };
    let states = [search::<2, 1>(TWICE), search::<3, 1>(quiet), search::<2, 2>(quiet)];
    println!("{states:?} states of 2 sectors of one entry, with rot; 3 of one, and 2 of two, without");
    assert!(states.iter().all(|states| *states > 1_000), "{states:?}");
}

#[test]
fn no_number_of_interruptions_loses_what_reads_the_same_each_time() {
    let states = [search::<2, 1>(FOR_EVER), search::<3, 1>(FOR_EVER)];
    println!("{states:?} states of 2 and 3 sectors of one entry");
    assert!(states.iter().all(|states| *states > 1_000), "{states:?}");
}

/// The limit of two sectors, whatever the rule: FORMAT.md says why.
#[test]
#[should_panic(expected = "interruptions: 0")]
fn three_interruptions_and_changing_readings_lose_the_value_of_two_sectors() {
    search::<2, 1>(Physics { interruptions: 3, ..TWICE });
}
