//! The name of a register: durable before anybody is told of it.

use crate::crash::{calls, coarse_cuts};
use crate::options;
use high_water::{Cut, Fate, Fault, FaultMedium, OpenError};

const EIO: i32 = 5;

#[test]
fn a_name_that_was_not_flushed_can_be_lost_and_then_nobody_was_told_of_it() {
    let machine = FaultMedium::new();
    let calls = calls(|machine| options().create_on(machine.clone(), 0, b""));
    let mut lost = 0;
    for call in 0..=calls {
        let machine = machine.process_crash();
        machine.fail(call, Fault::PowerCut);
        let created = options().create_on(machine.clone(), 5, b"").is_ok();
        for cut in coarse_cuts(&machine) {
            match options().open_on(machine.power_cut(&cut)) {
                Ok(register) => assert_eq!(register.get(), 5),
                Err(OpenError::NotFound) => {
                    assert!(!created, "acknowledged, then lost by {cut:?}");
                    lost += 1;
                }
                Err(error) => panic!("half a register: {error} after {cut:?} at {call}"),
            }
        }
    }
    assert!(lost > 0);
}

/// The creator dies after the name appears and before it is durable. The next process opens the register and
/// acknowledges a raise: the name has to be durable by then.
#[test]
fn an_opening_makes_the_name_durable_that_its_creator_left_in_the_cache() {
    let mut adopted = 0;
    for call in 0..calls(|machine| options().create_on(machine.clone(), 0, b"")) {
        let machine = FaultMedium::new();
        machine.fail(call, Fault::PowerCut);
        drop(options().create_on(machine.clone(), 0, b""));
        let killed = machine.process_crash();
        let Ok(mut register) = options().open_on(killed.clone()) else { continue };
        register.raise(9, b"").unwrap();
        drop(register);
        adopted += 1;
        for cut in killed.cuts() {
            assert_eq!(options().open_on(killed.power_cut(&cut)).unwrap().get(), 9, "{cut:?}");
        }
    }
    assert!(adopted > 0, "no creation was interrupted between link and sync");
}

/// After a failed sync the directory may pass for clean without the name, and a later sync for successful. A creation
/// that was told of the failure leaves no such name behind: the next one makes a new entry.
#[test]
fn a_register_created_after_the_sync_of_the_directory_failed_is_there_after_a_power_cut() {
    let mut failed = 0;
    for call in 0..calls(|machine| options().create_on(machine.clone(), 0, b"")) {
        for fault in [Fault::SyncFails { errno: EIO, fate: Fate::Lost }, Fault::Errno(EIO)] {
            let machine = FaultMedium::new();
            machine.fail(call, fault);
            if options().create_on(machine.clone(), 0, b"").is_ok() {
                continue;
            }
            failed += 1;
            for machine in [machine.clone(), machine.process_crash()] {
                let mut register = options().open_or_create_on(&machine).unwrap();
                register.raise(9, b"").unwrap();
                for cut in machine.cuts().into_iter().chain([Cut::new(&[])]) {
                    let found = options().open_on(machine.power_cut(&cut)).map(|register| register.get());
                    assert_eq!(found, Ok(9), "{fault:?} at {call}, then {cut:?}");
                }
            }
        }
    }
    assert!(failed > 10, "{failed} creations failed");
}
