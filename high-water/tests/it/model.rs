//! Random histories on the simulated disk, against a model of three numbers.

use crate::options;
use high_water::{Cut, Fate, FaultMedium, OpenError, Register};
use proptest::prelude::*;

#[derive(Clone, Debug)]
enum Step {
    Raise(u64),
    Reopen,
    FailSync(Fate),
    Kill,
    Cut(Vec<Fate>, bool),
    Evict,
}

fn fate() -> impl Strategy<Value = Fate> {
    prop_oneof![
        Just(Fate::Lost),
        Just(Fate::Whole),
        (0..513_usize).prop_map(Fate::Prefix),
        (0..513_usize).prop_map(Fate::Suffix),
    ]
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        4 => (0..5_u64).prop_map(Step::Raise),
        1 => Just(Step::Reopen),
        2 => fate().prop_map(Step::FailSync),
        1 => Just(Step::Kill),
        2 => (prop::collection::vec(fate(), 4), any::<bool>()).prop_map(|(fates, back)| Step::Cut(fates, back)),
        1 => Just(Step::Evict),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2_000, ..ProptestConfig::default() })]

    /// However raises, openings, failed syncs, kills, power cuts and dropped pages follow each other.
    #[test]
    fn a_register_agrees_with_three_numbers(steps in prop::collection::vec(step(), 1..40)) {
        let mut machine = FaultMedium::new();
        let mut register: Option<Register<FaultMedium>> =
            Some(options().create_on(machine.clone(), 0, b"").unwrap());
        let (mut acknowledged, mut requested) = (0, 0);
        for step in steps {
            match step {
                Step::Raise(more) => {
                    let Some(open) = register.as_mut() else { continue };
                    let value = open.get() + more;
                    let payload = value.to_be_bytes();
                    let same = open.payload() == payload;
                    requested = requested.max(value);
                    match open.raise(value, &payload) {
                        Ok(()) => acknowledged = value,
                        Err(error) if error.is_definite() => prop_assert!(more == 0 && !same || acknowledged == open.get()),
                        Err(_) => register = None,
                    }
                }
                Step::FailSync(fate) => machine.fail_next_sync(5, fate),
                Step::Evict => machine.evict(),
                Step::Kill => {
                    machine = machine.process_crash();
                    register = None;
                }
                Step::Cut(fates, back) => {
                    let order: Vec<usize> = if back { (0..4).rev().collect() } else { (0..4).collect() };
                    machine = machine.power_cut(&Cut::new(&fates).in_order(&order));
                    register = None;
                }
                Step::Reopen => {
                    drop(register.take());
                    register = match options().open_on(machine.clone()) {
                        Ok(register) => {
                            prop_assert!(acknowledged <= register.get() && register.get() <= requested);
                            acknowledged = register.get();
                            Some(register)
                        }
                        Err(error) => {
                            prop_assert!(matches!(error, OpenError::Io(_)), "{error}");
                            None
                        }
                    };
                }
            }
        }
    }
}
