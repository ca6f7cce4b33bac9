//! What a lease in a directory is: its life, its end, and what its clocks decide.

use core::time::Duration;

use epoch_fence::engine::file::{FileError, NotVerified};
use epoch_fence::engine::{Engine, Failure};
use epoch_fence::protocol::{Action, Command, Standing, Swap, Ttl};
use epoch_fence::{
    Ended, Epoch, Evicted, FencingToken, GrantId, NotAcquired, NotChanged, RealmId, Resolution, ResourceId,
    Wait,
};

use super::{Leases, ManualHost, Scratch, anywhere, claim, leases, real_leases, resource};

#[test]
fn a_lease_is_granted_renewed_handed_over_and_released_and_the_log_tells_it() {
    let (scratch, host) = (Scratch::new(), ManualHost::new());
    let (here, there) = (leases(&scratch, &host), leases(&scratch, &host));
    let mut first = here.acquire(&claim("first", 8_000), Wait::AtOnce).unwrap();
    let held = there.acquire(&claim("second", 8_000), Wait::AtOnce).unwrap_err();
    assert!(matches!(held, NotAcquired::Held { holder, .. } if holder.as_str() == "first"), "{held:?}");
    host.advance(4_000);
    assert_eq!(first.renew().unwrap(), Duration::from_secs(7));
    let token = first.token();
    assert!(here.engine().lifeline(&token).is_some(), "it lives on");
    let keep = Ttl::new(Duration::from_secs(5)).unwrap();
    assert_eq!(first.hand_over("second".parse().unwrap(), keep).unwrap(), Ended::HandedOver);
    let kept = here.acquire(&claim("third", 8_000), Wait::AtOnce).unwrap_err();
    assert!(matches!(kept, NotAcquired::Reserved { to, .. } if to.as_str() == "second"), "{kept:?}");
    let second = there.acquire(&claim("second", 8_000), Wait::AtOnce).unwrap();
    assert_eq!(second.token().epoch().get(), token.epoch().get() + 1);
    assert_eq!(second.token().realm(), token.realm());
    assert_eq!(second.release().unwrap(), Ended::Released);
    let mut names = std::fs::read_dir(here.engine().folder(resource())).unwrap();
    let alive = names.any(|found| found.unwrap().file_name().to_str().unwrap().starts_with("alive."));
    assert!(!alive, "whoever gave up is not alive");

    let history = here.engine().history(resource()).unwrap().map(Result::unwrap);
    let told: Vec<_> = history.map(|entry| entry.anchor().action()).collect();
    let expected = [Action::Acquire, Action::Renew, Action::HandOver, Action::Acquire, Action::Release];
    assert_eq!(told, expected);
    let verified = here.engine().verify(resource(), None).unwrap();
    assert_eq!((verified.entries(), verified.missing(), verified.unread()), (5, None, 0));
    assert_eq!(here.engine().resources().unwrap(), [resource()]);
    assert_eq!(here.snapshot().impossible + there.snapshot().impossible, 0);
}

#[test]
fn expiry_is_judged_by_whoever_comes_next_and_is_final() {
    let (scratch, host) = (Scratch::new(), ManualHost::new());
    let leases = leases(&scratch, &host);
    let mut first = leases.acquire(&claim("first", 8_000), Wait::AtOnce).unwrap();
    host.advance(7_999);
    assert!(first.lost(), "the holder stops by the margin before");
    assert!(matches!(leases.acquire(&claim("second", 8_000), Wait::AtOnce), Err(NotAcquired::Held { .. })));
    host.advance(1);
    let second = leases.acquire(&claim("second", 8_000), Wait::AtOnce).unwrap();
    assert!(matches!(first.renew(), Err(NotChanged::Lost)));
    assert_eq!(leases.current(&resource()).unwrap().record().grant(), Some(second.token().grant()));
}

#[test]
fn a_lease_that_another_process_took_over_costs_its_former_holder_no_file_for_ever() {
    let (scratch, host) = (Scratch::new(), ManualHost::new());
    let (here, there) = (leases(&scratch, &host), leases(&scratch, &host));
    let former = here.acquire(&claim("first", 8_000), Wait::AtOnce).unwrap();
    let first = former.token();
    assert!(here.engine().lifeline(&first).is_some());
    host.advance(8_000);
    let second = there.acquire(&claim("second", 8_000), Wait::AtOnce).unwrap();
    host.advance(8_000);
    let third = here.acquire(&claim("third", 8_000), Wait::AtOnce).unwrap();
    assert!(here.engine().lifeline(&first).is_none(), "it was open, and its file left in the folder");
    assert!(here.engine().lifeline(&third.token()).is_some());
    let alive = |token: &FencingToken| {
        scratch.path().join(resource().to_string()).join(format!("alive.{}", token.grant()))
    };
    assert!(!alive(&first).exists() && alive(&third.token()).exists());
    drop(second);
}

#[test]
fn no_lease_outlives_a_boot_and_epochs_do() {
    let (scratch, host) = (Scratch::new(), ManualHost::new());
    let before = leases(&scratch, &host);
    let mut first = before.acquire(&claim("first", 80_000), Wait::AtOnce).unwrap();
    let epoch = first.token().epoch();
    host.reboot();
    let after = leases(&scratch, &host);
    let second = after.acquire(&claim("second", 8_000), Wait::AtOnce).unwrap();
    assert_eq!(second.token().epoch().get(), epoch.get() + 1);
    assert!(matches!(first.renew(), Err(NotChanged::Lost)));
}

#[test]
fn the_wall_clock_decides_nothing_and_stamps_rise_all_the_same() {
    let (scratch, host) = (Scratch::new(), ManualHost::new());
    let leases = leases(&scratch, &host);
    for wall in [1_700_000_000, 4_000_000_000, 1, 0] {
        host.set_wall(wall);
        let lease = leases.acquire(&claim("h", 8_000), Wait::AtOnce).unwrap();
        assert_eq!(lease.release().unwrap(), Ended::Released);
    }
    let history = leases.engine().history(resource()).unwrap().map(Result::unwrap);
    let stamps: Vec<_> = history.map(|entry| entry.anchor().stamp().timestamp()).collect();
    assert!(stamps.len() == 8 && stamps.is_sorted_by(|left, right| left < right), "{stamps:?}");
}

#[test]
fn an_attempt_whose_answer_is_lost_is_resolved() {
    let (scratch, host) = (Scratch::new(), ManualHost::new());
    let leases = leases(&scratch, &host);
    // Two readings before the write, and the one after it.
    host.fail_reading(2);
    let unknown = leases.acquire(&claim("first", 8_000), Wait::AtOnce).unwrap_err();
    let NotAcquired::Indeterminate(pending, _) = unknown else { panic!("{unknown:?}") };
    assert!(matches!(leases.acquire(&claim("other", 8_000), Wait::AtOnce), Err(NotAcquired::Held { .. })));
    let Resolution::Granted(lease) = leases.resolve(pending).unwrap() else { panic!("it landed") };
    assert_eq!(lease.token().grant(), pending.grant());
}

#[test]
fn a_holder_counts_as_alive_while_its_attempt_may_be_the_one_that_landed_and_no_longer() {
    let (scratch, host) = (Scratch::new(), ManualHost::new());
    let (here, there) = (leases(&scratch, &host), leases(&scratch, &host));
    host.fail_reading(2);
    let unknown = here.acquire(&claim("first", 8_000), Wait::AtOnce).unwrap_err();
    let NotAcquired::Indeterminate(pending, _) = unknown else { panic!("{unknown:?}") };
    let token = |epoch, grant| FencingToken::new(RealmId::random().unwrap(), resource(), epoch, grant);
    let lives =
        |leases: &Leases<'_>| leases.engine().lifeline(&token(Epoch::FIRST, pending.grant())).is_some();
    assert!(lives(&here));
    // The copy meets the first one, which landed.
    let again = here.retry(pending).unwrap();
    assert!(again.token().grant() == pending.grant() && lives(&here));
    // It meets another's tenure.
    host.advance(8_000);
    let other = there.acquire(&claim("other", 8_000), Wait::AtOnce).unwrap();
    assert!(here.retry(pending).is_err());
    assert!(!lives(&here));
    assert!(there.engine().lifeline(&other.token()).is_some());
}

#[test]
fn who_comes_while_another_process_writes_waits_for_it() {
    let (scratch, host) = (Scratch::new(), ManualHost::new());
    let leases = leases(&scratch, &host);
    drop(leases.acquire(&claim("before", 8_000), Wait::AtOnce).unwrap());
    let record = std::fs::File::open(leases.engine().folder(resource()).join("record")).unwrap();
    record.lock().unwrap();
    std::thread::scope(|scope| {
        let waiting = scope.spawn(|| leases.acquire(&claim("next", 8_000), Wait::AtOnce).is_ok());
        // Long enough that it has met the lock; were it not, nothing would be shown, and nothing fail.
        std::thread::sleep(Duration::from_millis(100));
        record.unlock().unwrap();
        assert!(waiting.join().unwrap());
    });
}

#[test]
fn an_operator_evicts_by_grant_and_only_that_one() {
    let (scratch, host) = (Scratch::new(), ManualHost::new());
    let leases = leases(&scratch, &host);
    let first = leases.acquire(&claim("first", 8_000), Wait::AtOnce).unwrap();
    let other = GrantId::random().unwrap();
    assert_eq!(leases.evict(&resource(), other).unwrap(), Evicted::AlreadyGone);
    assert_eq!(leases.evict(&resource(), first.token().grant()).unwrap(), Evicted::Evicted);
    assert!(leases.acquire(&claim("second", 8_000), Wait::AtOnce).is_ok());
}

#[test]
fn a_resource_that_was_never_written_costs_no_file_to_look_at() {
    let (scratch, host) = (Scratch::new(), ManualHost::new());
    let leases = leases(&scratch, &host);
    let view = leases.current(&resource()).unwrap();
    assert_eq!((view.standing(), view.record().epoch()), (Standing::Free, None));
    assert_eq!(leases.engine().verify(resource(), None).unwrap().entries(), 0);
    assert_eq!(leases.engine().history(resource()).unwrap().count(), 0);
    assert_eq!(std::fs::read_dir(scratch.path()).unwrap().count(), 0);
}

#[test]
fn what_was_deleted_begins_anew_in_another_realm() {
    let (scratch, host) = (Scratch::new(), ManualHost::new());
    let leases = leases(&scratch, &host);
    let before = leases.acquire(&claim("first", 8_000), Wait::AtOnce).unwrap().token();
    std::fs::remove_dir_all(leases.engine().folder(resource())).unwrap();
    let after = leases.acquire(&claim("second", 8_000), Wait::AtOnce).unwrap().token();
    assert_eq!(after.epoch(), before.epoch(), "the count begins again");
    assert_ne!(after.realm(), before.realm(), "and does not compare with what was");
    let view = leases.current(&resource()).unwrap();
    let late = Swap::prepare(&view, &Command::Burn).unwrap();
    std::fs::remove_dir_all(scratch.path()).unwrap();
    let sent = leases.engine().swap(&resource(), &late);
    assert_eq!(sent, Err(Failure::Definite(FileError::NoDirectory)));
    let gone = leases.acquire(&claim("third", 8_000), Wait::AtOnce).unwrap_err();
    assert_eq!(gone, NotAcquired::Failed(FileError::NoDirectory));
    assert!(!scratch.path().exists(), "nobody makes it again by accident");
    assert_eq!(anywhere().open(scratch.path()).unwrap_err(), FileError::NoDirectory);
    assert_eq!(anywhere().open("/dev/null").unwrap_err(), FileError::NoDirectory);
}

#[test]
fn two_that_begin_a_resource_at_once_get_one_grant() {
    let scratch = Scratch::new();
    let go = std::sync::Barrier::new(4);
    let epochs: Vec<Option<u64>> = std::thread::scope(|scope| {
        let threads: Vec<_> = (0..4)
            .map(|number| {
                let (path, go) = (scratch.path(), &go);
                scope.spawn(move || {
                    let leases = real_leases(path);
                    let claim = claim(&format!("racer {number}"), 60_000);
                    go.wait();
                    let lease = leases.acquire(&claim, Wait::AtOnce).ok();
                    // Nobody's lease ends before all have answered.
                    go.wait();
                    lease.map(|lease| lease.token().epoch().get())
                })
            })
            .collect();
        threads.into_iter().map(|thread| thread.join().unwrap()).collect()
    });
    let granted: Vec<u64> = epochs.iter().flatten().copied().collect();
    assert_eq!(granted, [1], "{epochs:?}");
    let verified = real_leases(scratch.path()).engine().verify(resource(), None).unwrap();
    assert_eq!(verified.last().unwrap().record().epoch(), Some(Epoch::FIRST));
}

#[test]
fn another_resource_s_files_are_refused() {
    let (scratch, host) = (Scratch::new(), ManualHost::new());
    let leases = leases(&scratch, &host);
    drop(leases.acquire(&claim("first", 8_000), Wait::AtOnce).unwrap());
    let other = ResourceId::of("tests", "other");
    let (from, to) = (leases.engine().folder(resource()), leases.engine().folder(other));
    std::fs::rename(from, to).unwrap();
    assert!(matches!(leases.engine().load(&other), Err(FileError::Register(_))));
    assert!(matches!(leases.engine().verify(other, None), Err(NotVerified::File(_))));
    // A recovery of one resource does not destroy another one's files.
    assert!(leases.engine().recover(other, RealmId::random().unwrap(), None).is_err());
}
