//! The store in memory: what each line of its script does, and its clocks.

use core::time::Duration;

use epoch_fence::engine::memory::{Fault, Memory, MemoryError};
use epoch_fence::engine::{Engine as _, Failure, Swapped};
use epoch_fence::protocol::{Command, Moment, Standing, Swap, Ttl, Version, View};
use epoch_fence::{BootClock as _, GrantId, ResourceId};

use crate::values::{epoch, ledger, realm};

const SECOND: Duration = Duration::from_secs(1);

fn store() -> Memory {
    Memory::new(realm(1))
}

fn grant(bits: u128) -> GrantId {
    GrantId::from_random_bits(bits).unwrap()
}

fn load(store: &Memory) -> View {
    store.load(&ledger()).unwrap()
}

/// What an acquire of a grant writes on what is there.
fn acquire(store: &Memory, bits: u128) -> Swap {
    let command = Command::Acquire {
        grant: grant(bits),
        holder: "ada".parse().unwrap(),
        ttl: Ttl::new(SECOND * 8).unwrap(),
    };
    Swap::prepare(&load(store), &command).unwrap()
}

fn land(store: &Memory, swap: &Swap) -> View {
    match store.swap(&ledger(), swap).unwrap() {
        Swapped::Landed(view) => view,
        Swapped::Conflict => panic!("nobody else is here"),
    }
}

#[test]
fn each_fault_of_a_script_strikes_one_call_and_does_to_a_swap_what_it_says() {
    let late = Fault::Late(SECOND * 3);
    let rows = [
        // How it is answered, and whether it landed.
        (Fault::None, "landed", true),
        (Fault::Refused, "refused", false),
        (Fault::RequestLost, "unknown", false),
        (Fault::ReplyLost, "unknown", true),
        (late, "landed", true),
        (Fault::Delayed, "unknown", false),
        (Fault::Doubled, "conflict", true),
    ];
    for (fault, answered, landed) in rows {
        let store = store();
        let swap = acquire(&store, 7);
        store.script([fault]);
        let error = MemoryError::Fault(fault);
        match (store.swap(&ledger(), &swap), answered) {
            (Ok(Swapped::Landed(view)), "landed") => assert_eq!(view.record(), swap.next(), "{fault:?}"),
            (Ok(Swapped::Conflict), "conflict") => {}
            (Err(Failure::Definite(why)), "refused") | (Err(Failure::Indeterminate(why)), "unknown") => {
                assert_eq!(why, error);
            }
            other => panic!("{fault:?}: {other:?}"),
        }
        assert_eq!(store.swaps(), u64::from(landed), "{fault:?}");
        assert_eq!(load(&store).record().grant(), landed.then_some(grant(7)), "{fault:?}");
        let passed = if fault == late { SECOND * 3 } else { Duration::ZERO };
        assert_eq!(store.now().since_start(), passed, "{fault:?}");
        let under_way = (fault == Fault::Delayed).then_some(true);
        assert_eq!((store.deliver(), store.deliver()), (under_way, None), "{fault:?}");
    }
}

#[test]
fn a_load_that_is_late_tells_of_the_moment_before_and_one_that_fails_tells_nothing() {
    let store = store();
    store.script([Fault::Late(SECOND), Fault::Doubled, Fault::ReplyLost, Fault::Delayed]);
    let before = load(&store);
    assert_eq!((before.now(), store.now().since_start()), (Moment::new(1, 0), SECOND));
    assert_eq!(load(&store).now(), Moment::new(1, 1_000_000_000));
    for fault in [Fault::ReplyLost, Fault::Delayed] {
        assert_eq!(store.load(&ledger()), Err(MemoryError::Fault(fault)));
    }
    assert_eq!(store.deliver(), None, "a load that is under way writes nothing");
}

#[test]
fn a_swap_that_was_under_way_and_is_overtaken_does_not_land() {
    let store = store();
    let swap = acquire(&store, 7);
    store.script([Fault::Delayed]);
    assert!(store.swap(&ledger(), &swap).is_err());
    let other = acquire(&store, 8);
    land(&store, &other);
    assert_eq!((store.deliver(), store.swaps()), (Some(false), 1));
}

#[test]
fn an_epoch_floor_is_shown_with_every_record_and_the_next_epoch_is_above_it() {
    let store = store();
    store.set_epoch_floor(epoch(41));
    assert_eq!(load(&store).epoch(), Some(epoch(41)));
    let swap = acquire(&store, 7);
    assert_eq!(land(&store, &swap).record().epoch(), Some(epoch(42)));
}

#[test]
fn a_lease_that_was_ended_stays_so_for_its_grant_alone() {
    let store = store();
    let other = ResourceId::of("tests", "other");
    store.end_lease(&ledger());
    assert_eq!(store.bytes(&ledger()), None, "there is nothing to end");
    let swap = acquire(&store, 7);
    land(&store, &swap);
    store.end_lease(&other);
    assert!(matches!(load(&store).standing(), Standing::Live { .. }));
    store.end_lease(&ledger());
    let lapsed = Standing::Lapsed { grant: grant(7) };
    assert_eq!(load(&store).standing(), lapsed);
    let burn = Swap::prepare(&load(&store), &Command::Burn).unwrap();
    assert_eq!(land(&store, &burn).standing(), lapsed);
    let next = acquire(&store, 8);
    assert!(
        matches!(land(&store, &next).standing(), Standing::Live { grant: found, .. } if found == grant(8))
    );
}

#[test]
fn both_clocks_go_on_together_to_the_end_and_a_restart_begins_the_stores_again() {
    let store = store();
    store.advance(SECOND);
    store.pause(SECOND);
    assert_eq!((load(&store).now(), store.now().since_start()), (Moment::new(1, 2_000_000_000), SECOND * 2));
    store.restart();
    assert_eq!((load(&store).now(), store.now().since_start()), (Moment::new(2, 0), SECOND * 2));
    store.advance(Duration::MAX);
    assert_eq!(load(&store).now(), Moment::new(2, u64::MAX));
    assert_eq!(store.now().since_start(), Duration::MAX);
}

#[test]
fn what_was_backed_up_is_put_back_and_what_was_wiped_is_vacant() {
    let store = store();
    let swap = acquire(&store, 7);
    land(&store, &swap);
    let backup = store.bytes(&ledger()).unwrap();
    assert_eq!(backup, swap.next().to_bytes().as_bytes());
    store.wipe();
    assert_eq!((store.bytes(&ledger()), load(&store).record().version()), (None, Version::ABSENT));
    store.put(ledger(), backup);
    assert_eq!(load(&store).record(), swap.next());
}
