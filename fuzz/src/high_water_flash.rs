//! A mark on a simulated flash: histories of raises and power cuts, and regions that hold anything. Whatever happens, a
//! restart finds at least what was acknowledged and at most what was asked for, or refuses.

use arbitrary::{Arbitrary, Unstructured};
use high_water::{FaultFlash, FlashError, FlashMark, FlashRecord, Identity, Mark, Reading, Torn};

use crate::bounds::{Bound, bounded};

const OURS: Identity = Identity::from_bytes(*b"a fuzzed number.");
const SECTORS: usize = 3;
const SECTOR: usize = 192;
/// Two entries a sector.
type Flash = FaultFlash<4, SECTOR>;
const REGION: core::ops::Range<u32> = 0..(SECTORS * SECTOR) as u32;
const MAX_STEPS: usize = 40;

#[derive(Arbitrary, Debug)]
enum Step {
    Raise {
        by: u8,
    },
    Reopen,
    /// The power is cut so many bytes later.
    Cut {
        after: u16,
        torn: u8,
        seed: u8,
    },
    Read {
        how: u8,
        seed: u8,
    },
}

#[derive(Arbitrary, Debug)]
struct Entry {
    sector: u8,
    entry: u8,
    sequence: u8,
    value: u64,
    /// Which of the four fields are there.
    fields: u8,
}

#[derive(Arbitrary, Debug)]
struct Script {
    steps: Vec<Step>,
    entries: Vec<Entry>,
    patches: Vec<(u16, u8)>,
}

pub fn run(data: &[u8]) {
    record(data);
    opening(data);
    if let Ok(script) = Script::arbitrary(&mut Unstructured::new(data)) {
        opening(&image(&script));
        history(&script.steps);
    }
}

fn sealed(mut bytes: [u8; FlashRecord::LEN]) -> [u8; FlashRecord::LEN] {
    let zeros: u32 = bytes[4..36].iter().map(|byte| byte.count_zeros()).sum();
    bytes[3] = u8::try_from(zeros).unwrap_or(u8::MAX);
    let checksum = crc32fast::hash(&bytes[..36]);
    bytes[36..].copy_from_slice(&checksum.to_be_bytes());
    bytes
}

/// Any bytes, and the same bytes under a right checksum, are refused or are the one form of a record.
fn record(data: &[u8]) {
    let Some((bytes, _)) = data.split_first_chunk::<{ FlashRecord::LEN }>() else { return };
    for bytes in [*bytes, sealed(*bytes)] {
        if let Ok(record) = bounded(Bound::NOTHING, bytes.len(), || FlashRecord::from_bytes(&bytes)) {
            assert_eq!(record.to_bytes(), bytes);
            assert!(record.sector() < record.sectors());
            // With more ones it is none.
            for bit in 0..320 {
                let mut part = bytes;
                part[bit / 8] |= 1 << (bit % 8);
                assert!(part == bytes || FlashRecord::from_bytes(&part).is_err());
            }
        }
    }
}

fn image(script: &Script) -> Vec<u8> {
    let mut bytes = vec![0xff; SECTORS * SECTOR];
    for wanted in script.entries.iter().take(8) {
        let (sector, entry) = (usize::from(wanted.sector) % SECTORS, usize::from(wanted.entry) % 2);
        let mut record = [0; FlashRecord::LEN];
        record[..3].copy_from_slice(b"HW\x01");
        record[4..8].copy_from_slice(&[0, sector as u8, 0, SECTORS as u8]);
        record[8..24].copy_from_slice(&OURS.to_bytes());
        record[24..28].copy_from_slice(&u32::from(wanted.sequence).to_be_bytes());
        record[28..36].copy_from_slice(&wanted.value.to_be_bytes());
        let record = sealed(record);
        let seal = FlashRecord::from_bytes(&record).expect("it is whole").seal();
        let places = [entry * 40, 80 + entry * 40, 160 + entry * 8, 176 + entry * 8];
        let fields: [&[u8]; 4] = [&record, &record, &seal, &seal];
        for (at, (place, field)) in places.into_iter().zip(fields).enumerate() {
            if wanted.fields >> at & 1 == 1 {
                bytes[sector * SECTOR + place..][..field.len()].copy_from_slice(field);
            }
        }
    }
    for &(at, byte) in script.patches.iter().take(8) {
        let at = usize::from(at) % bytes.len();
        bytes[at] = byte;
    }
    bytes
}

/// A region that holds anything is opened or refused; what is refused is left alone, and what is opened goes on.
fn opening(bytes: &[u8]) {
    let mut flash = Flash::with_bytes(SECTORS, bytes);
    let before = flash.bytes();
    let value = match FlashMark::open(&mut flash, REGION, OURS) {
        Ok(mark) => mark.get(),
        Err(error) => {
            assert_eq!((flash.bytes(), flash.steps()), (before, 0), "{error}");
            return;
        }
    };
    let mut mark = FlashMark::open(&mut flash, REGION, OURS).expect("what was opened opens again");
    assert_eq!(mark.get(), value);
    let next = value.saturating_add(1);
    let raised = mark.raise_to(next);
    let found = FlashMark::open(&mut flash, REGION, OURS).expect("and again").get();
    assert_eq!(found, if raised.is_ok() { next } else { value });
    assert_eq!(flash.violations(), 0);
}

fn history(steps: &[Step]) {
    let mut flash = Flash::new(SECTORS);
    assert!(FlashMark::create(&mut flash, REGION, OURS, 1).is_ok(), "a healthy flash refuses a mark");
    let (mut acknowledged, mut asked) = (1, 1);
    // FORMAT.md: two in a row, and then one that is not.
    let mut interruptions = 0;
    let mut steps = steps.iter().take(MAX_STEPS).peekable();
    while steps.peek().is_some() {
        let written = flash.steps();
        let mut life = match FlashMark::open(&mut flash, REGION, OURS) {
            Ok(mark) => Some(mark),
            Err(FlashError::Io(_)) => None,
            Err(error) => panic!("{error} after {acknowledged} and {asked}"),
        };
        if let Some(mark) = &life {
            let found = mark.get();
            assert!(acknowledged <= found && found <= asked, "{acknowledged} {found} {asked}");
            acknowledged = found;
        }
        let opened = life.is_some();
        let mut raised = false;
        let mut next = None;
        for step in steps.by_ref() {
            match (step, &mut life) {
                (Step::Raise { by }, Some(mark)) => {
                    let value = asked + u64::from(*by);
                    asked = value;
                    if mark.raise_to(value).is_ok() {
                        raised |= value > acknowledged;
                        acknowledged = value;
                    }
                }
                (Step::Raise { .. }, None) => {}
                (step, _) => {
                    next = Some(step);
                    break;
                }
            }
        }
        assert_eq!(flash.violations(), 0);
        let interrupted = flash.is_off();
        if raised || (opened && flash.steps() > written && !interrupted) {
            interruptions = 0;
        }
        interruptions += u32::from(interrupted);
        flash = flash.restarted();
        match next {
            Some(Step::Cut { after, torn, seed }) if interruptions < 2 => {
                let (seed, bits) = (u64::from(*seed), *seed);
                let tears = [
                    Torn::Clean,
                    Torn::Bits(bits),
                    Torn::Some(seed),
                    Torn::Unstable,
                    Torn::Undefined(seed),
                    Torn::Done,
                    Torn::Unreadable,
                ];
                let step = flash.steps() + u64::from(*after) % 700;
                flash.cut_at(step, tears[usize::from(*torn) % tears.len()]);
            }
            Some(Step::Read { how, seed }) => {
                let seed = u64::from(*seed);
                let readings =
                    [Reading::Programmed, Reading::Erased, Reading::Alternating, Reading::Random(seed)];
                flash.set_reading(readings[usize::from(*how) % readings.len()]);
            }
            _ => {}
        }
    }
}
