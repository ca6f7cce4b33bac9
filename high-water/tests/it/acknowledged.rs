//! Openings by somebody who knows what was acknowledged: they write nothing, and lose nothing.

use crate::options;
use high_water::{Fate, FaultMedium, OpenError, Register};

fn open(machine: &FaultMedium, known: u64) -> Result<Register<FaultMedium>, OpenError> {
    options().open_acknowledged_on(machine.clone(), |value, _| value == known)
}

#[test]
fn an_opening_by_one_who_knows_writes_nothing_where_the_file_leaves_no_doubt() {
    let machine = FaultMedium::new();
    drop(options().create_on(machine.clone(), 1, b"").unwrap());
    let syncs = |known| open(&machine, known).unwrap().snapshot().syncs;
    assert_eq!(syncs(1), 1, "after a creation all three slots have the value");
    assert_eq!(syncs(1), 2, "and after an opening two of them");
    let mut register = open(&machine, 1).unwrap();
    register.raise(2, b"two").unwrap();
    drop(register);
    assert_eq!(syncs(2), 0);
    let register = open(&machine, 2).unwrap();
    assert_eq!((register.get(), register.payload()), (2, &b"two"[..]));
    drop(register);
    assert_eq!(syncs(1), 1, "of an older value nothing follows");
    drop(options().recover_on(machine.clone(), 2, b"again").unwrap());
    assert_eq!(syncs(2), 1, "nor after a recovery, which repeats what it found");
    drop(machine);
}

#[test]
fn one_who_knows_is_told_the_value_and_its_payload() {
    let machine = FaultMedium::new();
    let mut register = options().create_on(machine.clone(), 1, b"").unwrap();
    register.raise(7, b"seven").unwrap();
    drop(register);
    let mut asked = None;
    let opened = options().open_acknowledged_on(machine, |value, payload| {
        asked = Some((value, payload.to_vec()));
        true
    });
    drop(opened.unwrap());
    assert_eq!(asked, Some((7, b"seven".to_vec())));
}

/// A life per raise, each opened without a write; one of the syncs fails, and the power with it.
#[test]
fn lives_of_one_raise_each_lose_nothing_acknowledged_whichever_sync_fails() {
    let mut images = 0;
    for failing in 0..6_u64 {
        for fate in [Fate::Lost, Fate::Whole, Fate::Prefix(100)] {
            let machine = FaultMedium::new();
            drop(options().create_on(machine.clone(), 1, b"").unwrap());
            let mut acknowledged = 1;
            for value in 2..9 {
                if value == 2 + failing {
                    machine.fail_next_sync(5, fate);
                }
                let Ok(mut register) = open(&machine, acknowledged) else { continue };
                if register.get() > acknowledged {
                    // An opening has settled what the failed raise left.
                    acknowledged = register.get();
                }
                if value > register.get() && register.raise(value, b"").is_ok() {
                    acknowledged = value;
                }
                drop(register);
                for after in machine.cuts().into_iter().step_by(7).map(|cut| machine.power_cut(&cut)) {
                    images += 1;
                    let found = options().open_on(after).unwrap().get();
                    assert!(
                        (acknowledged..=value).contains(&found),
                        "{found} after {acknowledged}, {failing} {fate:?}"
                    );
                }
            }
            assert_eq!(acknowledged, 8, "{failing} {fate:?}");
        }
    }
    assert!(images > 100, "{images}");
}
