//! A register on a simulated disk: histories of raises, failed syncs, kills and power cuts, and files that somebody
//! else has written to. Whatever happens, a restart finds at least what was acknowledged and at most what was asked
//! for, or refuses.

use arbitrary::{Arbitrary, Unstructured};
use high_water::{Fate, FaultMedium, Identity, OpenError, Options, Record, Register, inspect_on};

use crate::bounds::{Bound, bounded};

const OPTIONS: Options = Options::new(Identity::from_bytes(*b"a fuzzed number."));

#[derive(Arbitrary, Debug)]
enum Step {
    Raise {
        by: u8,
        payload: u8,
    },
    /// The next sync fails; at most one between two acknowledgements, as FORMAT.md assumes.
    FailSync {
        fate: u8,
        bytes: u16,
    },
    Reopen,
    /// The operator writes it anew, at this much above what was acknowledged.
    Recover {
        by: u8,
        payload: u8,
    },
    /// Somebody puts an older image of the file back; and the operator recovers it.
    PutBack {
        which: u8,
    },
    Kill,
    PowerCut {
        which: u16,
    },
}

#[derive(Arbitrary, Debug)]
struct Script {
    steps: Vec<Step>,
    /// Bytes that somebody else changes at the end: offset and new value.
    patches: Vec<(u32, u8)>,
}

const MAX_STEPS: usize = 40;
const MAX_IMAGES: usize = 4;
const EIO: i32 = 5;

pub fn run(data: &[u8]) {
    record(data);
    if let Ok(script) = Script::arbitrary(&mut Unstructured::new(data)) {
        history(&script);
    }
}

/// Any bytes, and the same bytes under a right checksum, are refused or are the one form of a record.
fn record(data: &[u8]) {
    let Some((bytes, _)) = data.split_first_chunk::<{ Record::LEN }>() else { return };
    let mut sealed = *bytes;
    let body = Record::LEN - 4;
    let checksum = crc32fast::hash(&sealed[..body]);
    sealed[body..].copy_from_slice(&checksum.to_be_bytes());
    for bytes in [bytes, &sealed] {
        if let Ok(record) = bounded(Bound::NOTHING, bytes.len(), || Record::from_bytes(bytes)) {
            assert_eq!(&record.to_bytes(), bytes);
            assert!(record.payload().len() <= 256);
        }
    }
    // Six such records in a file of the right length: opened or refused.
    let mut file = vec![0; 6 * 16 * 1024];
    for place in 0..6 {
        file[place * 16 * 1024..][..Record::LEN].copy_from_slice(&sealed);
    }
    let medium = FaultMedium::with_file(&file);
    let _ = (inspect_on(&medium).is_ok(), OPTIONS.open_on(medium).is_ok());
}

/// What has been promised.
struct Told {
    acknowledged: u64,
    asked: u64,
    may_fail: bool,
}

impl Told {
    fn acknowledge(&mut self, value: u64) {
        assert!(
            self.acknowledged <= value && value <= self.asked,
            "{} {value} {}",
            self.acknowledged,
            self.asked
        );
        self.acknowledged = value;
        self.may_fail = true;
    }

    /// Recovers, once more where a sync was made to fail.
    fn recover(&mut self, medium: &FaultMedium, floor: u64, payload: &[u8]) -> Register<FaultMedium> {
        self.asked = self.asked.max(floor);
        let recovered = (0..2).find_map(|_| OPTIONS.recover_on(medium.clone(), floor, payload).ok());
        let register = recovered.expect("one failed sync does not keep an operator out");
        assert!(floor <= register.get() && register.payload() == payload);
        self.acknowledge(register.get());
        register
    }

    /// Opens, once more where a sync was made to fail.
    fn open(&mut self, medium: &FaultMedium) -> Option<Register<FaultMedium>> {
        let register = (0..2).find_map(|_| OPTIONS.open_on(medium.clone()).ok())?;
        self.acknowledge(register.get());
        Some(register)
    }
}

fn history(script: &Script) {
    let mut medium = FaultMedium::new();
    let Ok(mut register) = OPTIONS.create_on(medium.clone(), 1, b"first") else {
        panic!("a healthy disk refuses a register")
    };
    let mut told = Told { acknowledged: 1, asked: 1, may_fail: true };
    let mut values = vec![1];
    let mut images = vec![(1, medium.cached().expect("it was just created"))];
    for step in script.steps.iter().take(MAX_STEPS) {
        match *step {
            Step::Raise { by, payload } => {
                let value = told.asked + u64::from(by);
                told.asked = value;
                values.push(value);
                if register.raise(value, &vec![payload; payload.into()]).is_ok() {
                    told.acknowledge(value);
                    assert_eq!(register.get(), value);
                    if let Some(image) = medium.cached().filter(|_| images.len() < MAX_IMAGES) {
                        images.push((value, image));
                    }
                }
                continue;
            }
            Step::FailSync { fate, bytes } => {
                if told.may_fail {
                    let bytes = usize::from(bytes);
                    let fates = [Fate::Lost, Fate::Whole, Fate::Prefix(bytes), Fate::Suffix(bytes)];
                    medium.fail_next_sync(EIO, fates[usize::from(fate) % fates.len()]);
                    told.may_fail = false;
                }
                continue;
            }
            Step::Reopen => drop(register),
            Step::Recover { by, payload } => {
                drop(register);
                let floor = told.acknowledged + u64::from(by);
                values.push(floor);
                register = told.recover(&medium, floor, &vec![payload; payload.into()]);
                continue;
            }
            Step::PutBack { which } => {
                drop(register);
                let (value, image) = &images[usize::from(which) % images.len()];
                medium.overwrite(image);
                // Whoever remembers what was acknowledged finds it out.
                let remembers = OPTIONS.at_least(told.acknowledged).open_on(medium.clone());
                let regressed = matches!(remembers, Err(OpenError::Regressed { .. }));
                assert!(
                    regressed || !told.may_fail || *value >= told.acknowledged,
                    "an old value is taken for new"
                );
                drop(remembers);
                register = told.recover(&medium, told.acknowledged, b"recovered");
                continue;
            }
            Step::Kill => {
                drop(register);
                medium = medium.process_crash();
            }
            Step::PowerCut { which } => {
                drop(register);
                let cuts = medium.cuts();
                if let Some(cut) = cuts.get(usize::from(which) % cuts.len().max(1)) {
                    medium = medium.power_cut(cut);
                }
            }
        }
        register = told.open(&medium).expect("one failed sync does not lose a register");
    }

    drop(register);
    let Some(mut file) = medium.cached() else { return };
    for &(offset, byte) in &script.patches {
        if let Some(place) = file.get_mut(offset as usize) {
            *place = byte;
        }
    }
    let medium = FaultMedium::with_file(&file);
    if let Ok(found) = inspect_on(&medium) {
        assert!(values.contains(&found.record().value()), "a value that was never asked for");
    }
    if let Ok(register) = OPTIONS.open_on(medium) {
        assert!(values.contains(&register.get()), "a value that was never asked for");
    }
}
