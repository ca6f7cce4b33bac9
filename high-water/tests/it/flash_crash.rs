//! The power is cut at every byte of every program and erase, in every way that the simulated flash knows, and again
//! during what follows.

use crate::OURS;
use crate::flash::{REGION, Small, created, open};
use clock_testing::tally;
use high_water::{FlashError, FlashMark, FlashOperation, Mark, Reading, Reserver, Torn};
use std::num::NonZeroU64;

/// Every way but the single bits, which have a test of their own.
const TEARS: [Torn; 8] = [
    Torn::Clean,
    Torn::Some(1),
    Torn::Some(2),
    Torn::Unstable,
    Torn::Undefined(3),
    Torn::Done,
    Torn::Unreadable,
    Torn::Bits(0x5a),
];
const READINGS: [Reading; 4] =
    [Reading::Programmed, Reading::Erased, Reading::Alternating, Reading::Random(9)];

/// What has been promised.
#[derive(Clone, Copy, Debug)]
struct Told {
    acknowledged: u64,
    asked: u64,
}

impl Told {
    fn acknowledge(&mut self, value: u64, when: &dyn Fn() -> String) {
        assert!(self.acknowledged <= value && value <= self.asked, "{value} after {self:?}, {}", when());
        self.acknowledged = value;
    }

    /// A life: opens, raises, and is not told what is left of it by an error.
    fn live(&mut self, flash: &mut Small, raises: u64, when: &dyn Fn() -> String) {
        match open(flash) {
            Ok(mut mark) => {
                self.acknowledge(mark.get(), when);
                for raise in 1..=raises {
                    // Many bits change in each value.
                    let value = self.asked + 1 + self.asked * raise % 129;
                    self.asked = value;
                    if mark.raise_to(value).is_ok() {
                        self.acknowledge(value, when);
                    }
                    assert_eq!(mark.get(), self.acknowledged, "{}", when());
                }
            }
            Err(FlashError::Io(_)) => {}
            Err(error) => panic!("{error}: {self:?}, {}", when()),
        }
        assert_eq!(flash.violations(), 0, "{}", when());
    }
}

/// Lives with so many raises each: the sectors are gone through several times.
const LIVES: [u64; 4] = [2, 5, 0, 7];

fn script(flash: &mut Small, when: &dyn Fn() -> String) -> Told {
    let mut told = Told { acknowledged: 1, asked: 1 };
    for raises in LIVES {
        told.live(flash, raises, when);
    }
    told
}

/// What an opening under power finds, however unstable bits read.
fn check(flash: &Small, told: Told, when: &dyn Fn() -> String) -> u64 {
    for reading in READINGS {
        let mut after = flash.restarted();
        after.set_reading(reading);
        let when = || format!("{}, read {reading:?}", when());
        let mut told = told;
        told.live(&mut after, 1, &when);
        assert_eq!(told.acknowledged, told.asked, "it goes on, {}", when());
    }
    READINGS.len() as u64
}

/// The first, the second, a middle and the last byte of each operation from a step on.
fn telling_steps(flash: &Small, from: u64) -> Vec<u64> {
    let span = |done: &FlashOperation| match *done {
        FlashOperation::Program { step, len, .. } => (step, u64::from(len)),
        FlashOperation::Erase { step, .. } => (step, 288),
        other => panic!("{other:?}"),
    };
    let spans = flash.operations().iter().map(span).filter(|(step, _)| *step >= from);
    spans.flat_map(|(step, len)| [step, step + 1, step + len / 2, step + len - 1]).collect()
}

fn power_is_cut_at_every_byte() -> u64 {
    let base = created(1);
    let end = {
        let mut trial = base.clone();
        script(&mut trial, &String::new);
        trial.steps()
    };
    let mut images = 0;
    for step in base.steps()..=end {
        for torn in TEARS {
            let when = || format!("{torn:?} at {step}");
            let mut flash = base.clone();
            flash.cut_at(step, torn);
            let told = script(&mut flash, &when);
            images += check(&flash, told, &when);
        }
    }
    images
}

/// In one raise, of every byte that is under way every part of its bits.
fn every_part_of_the_bits_of_every_byte_is_programmed() -> u64 {
    let mut images = 0;
    let mut base = created(1);
    let mut told = Told { acknowledged: 1, asked: 1 };
    told.live(&mut base, 2, &String::new);
    // The erase, and the four fields.
    for step in base.steps()..base.steps() + 288 + 96 {
        for bits in 0..=u8::MAX {
            let when = || format!("bits {bits:08b} at {step}");
            let mut flash = base.clone();
            flash.cut_at(step, Torn::Bits(bits));
            let mut told = told;
            told.live(&mut flash, 1, &when);
            told.live(&mut flash.restarted(), 0, &when);
            images += 1;
        }
    }
    images
}

/// And whatever bits of the rest of a field, by many seeds.
fn any_part_of_a_field_is_programmed() -> u64 {
    let mut images = 0;
    let mut base = created(0x0123_4567_89ab_cdef);
    let mut told = Told { acknowledged: 0x0123_4567_89ab_cdef, asked: 0x0123_4567_89ab_cdef };
    told.live(&mut base, 1, &String::new);
    for step in base.steps()..base.steps() + 96 {
        for seed in 0..64 {
            for torn in [Torn::Some(seed), Torn::Undefined(seed)] {
                let when = || format!("{torn:?} at {step}");
                let mut flash = base.clone();
                flash.cut_at(step, torn);
                let mut mark = FlashMark::open(&mut flash, REGION, OURS).unwrap();
                let asked = told.asked + 1;
                assert!(mark.raise_to(asked).is_err());
                Told { asked, ..told }.live(&mut flash.restarted(), 0, &when);
                images += 1;
            }
        }
    }
    images
}

/// The power is cut in a raise or the erase before it, and again in the opening or the raise that follows; unstable
/// bits read one way in the life between, and another way in the one after.
fn power_is_cut_again_in_what_follows() -> u64 {
    let mut images = 0;
    for raises in [1, 3] {
        let mut base = created(1);
        let mut told = Told { acknowledged: 1, asked: 1 };
        told.live(&mut base, raises, &String::new);
        let mut trial = base.clone();
        told.clone().live(&mut trial, 2, &String::new);
        for first in telling_steps(&trial, base.steps()) {
            for torn in TEARS {
                let mut once = base.clone();
                once.cut_at(first, torn);
                let mut told = told;
                told.live(&mut once, 2, &|| format!("{torn:?} at {first}"));
                for reading in [Reading::Programmed, Reading::Erased, Reading::Random(5)] {
                    let mut between = once.restarted();
                    between.set_reading(reading);
                    images += cut_again(&between, told, &|| format!("{torn:?} at {first}, read {reading:?}"));
                }
            }
        }
    }
    images
}

fn cut_again(between: &Small, told: Told, when: &dyn Fn() -> String) -> u64 {
    let mut images = 0;
    let mut trial = between.clone();
    told.clone().live(&mut trial, 1, when);
    for second in telling_steps(&trial, between.steps()) {
        for torn in [Torn::Clean, Torn::Some(7), Torn::Unstable, Torn::Undefined(8), Torn::Unreadable] {
            let when = || format!("{}, then {torn:?} at {second}", when());
            let mut twice = between.clone();
            twice.cut_at(second, torn);
            let mut told = told;
            told.live(&mut twice, 1, &when);
            images += check(&twice, told, &when);
        }
    }
    images
}

/// One byte rots, and the power is cut at every byte of the repair and of the raise after it.
fn power_is_cut_while_rot_is_repaired() -> u64 {
    let mut images = 0;
    let mut base = created(1);
    let mut told = Told { acknowledged: 1, asked: 1 };
    told.live(&mut base, 2, &String::new);
    // A byte of each field of the newest entry.
    for at in [288 + 40 + 20, 288 + 120 + 40 + 35, 288 + 240 + 8, 288 + 264 + 8 + 7] {
        let mut rotten = base.clone();
        rotten.rot(at, 0x11);
        let mut trial = rotten.clone();
        told.clone().live(&mut trial, 1, &String::new);
        assert!(trial.steps() > rotten.steps() + 288 + 96, "the rot at {at} was not repaired");
        for step in rotten.steps()..=trial.steps() {
            for torn in TEARS {
                let when = || format!("rot at {at}, {torn:?} at {step}");
                let mut flash = rotten.clone();
                flash.cut_at(step, torn);
                let mut told = told;
                told.live(&mut flash, 1, &when);
                images += check(&flash, told, &when);
            }
        }
    }
    images
}

#[test]
fn every_flash_image_lies_between_what_was_acknowledged_and_what_was_asked_for() {
    let kinds: [(&str, fn() -> u64); 5] = [
        ("power cut at every byte", power_is_cut_at_every_byte),
        ("every part of the bits of every byte", every_part_of_the_bits_of_every_byte_is_programmed),
        ("any part of the rest of a field", any_part_of_a_field_is_programmed),
        ("power cut again in what follows", power_is_cut_again_in_what_follows),
        ("power cut while rot is repaired", power_is_cut_while_rot_is_repaired),
    ];
    let mut images = 0;
    for (name, kind) in kinds {
        let tried = kind();
        println!("{tried:>8} {name}");
        assert!(tried > 0, "{name}: nothing was tried");
        images += tried;
    }
    tally(format_args!("{images} flash images"));
    assert!(images >= 100_000, "only {images} flash images");
}

#[test]
fn an_interrupted_creation_or_format_leaves_the_old_or_the_new_or_is_refused() {
    let old = {
        let mut flash = created(40);
        open(&mut flash).unwrap().raise_to(50).unwrap();
        flash
    };
    let (mut refused, mut before, mut after) = (0, 0, 0);
    for (base, value) in [(Small::new(2), 0), (old, 50)] {
        for floor in [7, 60] {
            for step in base.steps()..base.steps() + 2 * 288 + 96 + 1 {
                for torn in TEARS {
                    let mut flash = base.clone();
                    flash.cut_at(step, torn);
                    let formatted = if value == 0 {
                        FlashMark::create(&mut flash, REGION, OURS, floor)
                    } else {
                        FlashMark::format(&mut flash, REGION, OURS, floor)
                    };
                    let formatted = formatted.map(|mark| mark.get());
                    for reading in READINGS {
                        let mut restarted = flash.restarted();
                        restarted.set_reading(reading);
                        let found = open(&mut restarted).map(|mark| mark.get());
                        match found {
                            Ok(found) if found == value.max(floor) => after += 1,
                            Ok(found) => {
                                assert_eq!(found, value, "{torn:?} at {step}");
                                assert!(formatted.is_err(), "{torn:?} at {step}");
                                before += 1;
                            }
                            Err(FlashError::Blank | FlashError::NoValidRecord | FlashError::Io(_)) => {
                                assert_eq!(value, 0, "a mark is never lost by a format");
                                assert!(formatted.is_err());
                                refused += 1;
                            }
                            Err(error) => panic!("{error}, {torn:?} at {step}"),
                        }
                        let again =
                            FlashMark::format(&mut restarted, REGION, OURS, floor).map(|mark| mark.get());
                        assert_eq!(again, Ok(value.max(floor)));
                        assert_eq!(restarted.violations(), 0);
                    }
                }
            }
        }
    }
    assert!(refused > 100 && before > 100 && after > 100, "{refused}, {before}, {after}");
}

#[test]
fn nothing_drawn_before_a_power_cut_is_drawn_after_it() {
    let block = NonZeroU64::new(3).unwrap();
    let draw = |flash: &mut Small, issued: &mut Vec<u64>| -> Option<()> {
        let mut reserver = Reserver::new(open(flash).ok()?, block);
        for _ in 0..5 {
            // A failed upkeep leaves what was reserved before.
            let _ = reserver.upkeep();
            issued.push(reserver.draw().ok()?);
            issued.push(reserver.draw().ok()?);
        }
        Some(())
    };
    let base = created(0);
    let end = {
        let mut trial = base.clone();
        draw(&mut trial, &mut Vec::new()).unwrap();
        trial.steps()
    };
    let mut tried = 0;
    for step in base.steps()..=end {
        for torn in TEARS {
            let mut flash = base.clone();
            flash.cut_at(step, torn);
            let mut before = Vec::new();
            draw(&mut flash, &mut before);
            assert!(before.is_sorted_by(|a, b| a < b), "{before:?}");
            for reading in READINGS {
                let mut after = Vec::new();
                let mut flash = flash.restarted();
                flash.set_reading(reading);
                draw(&mut flash, &mut after).unwrap();
                assert!(after.first() > before.last(), "{before:?}, then {after:?}, {torn:?} at {step}");
                tried += 1;
            }
        }
    }
    assert!(tried > 10_000, "{tried}");
}
