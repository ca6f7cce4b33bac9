//! A register on a simulated disk: histories of raises, failed syncs, kills and power cuts, and files that somebody
//! else has written to. Whatever happens, a restart finds at least what was acknowledged and at most what was asked
//! for, or refuses.

use arbitrary::{Arbitrary, Unstructured};
use high_water::{Fate, FaultMedium, Identity, Options, Record, Register, inspect_on};

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
        if let Ok(record) = Record::from_bytes(bytes) {
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
    for step in script.steps.iter().take(MAX_STEPS) {
        match *step {
            Step::Raise { by, payload } => {
                let value = told.asked + u64::from(by);
                told.asked = value;
                values.push(value);
                if register.raise(value, &vec![payload; payload.into()]).is_ok() {
                    told.acknowledge(value);
                    assert_eq!(register.get(), value);
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
