//! One write that arrives twice, and a crash anywhere before the second: record and log are as if it had come once.

use alloc::vec::Vec;
use alloc::{format, vec};

use high_water::FaultMedium;

use super::ledger::Written;
use super::ledger_crash::{Disk, faults, ledger, prepare, send, write};
use super::verify;
use crate::audit::LogHead;
use crate::engine::Failure;
use crate::protocol::{Record, Swap};

/// What a process finds that looks: the record, and the whole log behind it.
fn look(machine: &FaultMedium) -> (Record, u64, LogHead) {
    let ledger = ledger(machine);
    let record = ledger.load().unwrap().unwrap();
    let verified = verify::verify(&ledger, None).unwrap();
    assert_eq!(verified.missing(), None, "the load has seen to the last entry");
    (record, verified.entries(), verified.head())
}

/// Sends it again where a crash has left off, and twice more.
fn send_again(
    after: &FaultMedium,
    swap: &Swap,
    was_told: Option<bool>,
    once: &(Record, u64, LogHead),
    image: &str,
) {
    let ledger: super::ledger::Ledger<Disk> = ledger(after);
    for time in 0..3 {
        let sent = send(&ledger, swap).unwrap_or_else(|why| panic!("{why:?} at try {time} after {image}"));
        let landed = matches!(sent, Written::Landed(_));
        assert!(
            !landed || (time == 0 && was_told != Some(true)),
            "it landed twice, at try {time} after {image}"
        );
        assert!(
            landed || time > 0 || was_told != Some(false),
            "it did not land, and was not to after {image}"
        );
        assert_eq!(&look(after), once, "at try {time} after {image}");
    }
}

#[test]
fn a_write_that_is_sent_again_after_a_crash_at_any_call_is_in_record_and_log_once() {
    let mut images = 0;
    let (mut lost, mut kept) = (0, 0);
    // A grant on nothing, a renewal, a release, and a grant on what is there.
    for before in 0..4 {
        let start = FaultMedium::new();
        for nth in 0..before {
            write(&ledger(&start), nth).unwrap();
        }
        let swap = prepare(ledger(&start).load().unwrap(), before);
        let trial = start.process_crash();
        assert!(matches!(send(&ledger(&trial), &swap), Ok(Written::Landed(_))));
        let calls = trial.calls();
        let once = look(&trial);
        for call in 0..calls {
            for fault in faults() {
                let machine = start.process_crash();
                machine.fail(call, fault);
                let was_told = match send(&ledger(&machine), &swap) {
                    Ok(sent) => Some(matches!(sent, Written::Landed(_))),
                    Err(Failure::Definite(_)) => Some(false),
                    Err(Failure::Indeterminate(_)) => None,
                };
                let step = if before == 0 { 199 } else { 67 };
                let cuts = machine.cuts().into_iter().step_by(step).map(|cut| machine.power_cut(&cut));
                let after: Vec<_> = cuts.chain(vec![machine.process_crash()]).collect();
                for after in after {
                    images += 1;
                    let found = ledger(&after.process_crash()).load().unwrap();
                    let landed = found.is_some_and(|found| found.version() == once.0.version());
                    (lost, kept) = if landed { (lost, kept + 1) } else { (lost + 1, kept) };
                    send_again(
                        &after,
                        &swap,
                        was_told,
                        &once,
                        &format!("{fault:?} at call {call} of {before}"),
                    );
                }
            }
        }
    }
    std::println!("{images} crash images after which a write was sent again, {kept} of them had it");
    assert!(lost > 500 && kept > 500, "{lost} {kept}");
}
