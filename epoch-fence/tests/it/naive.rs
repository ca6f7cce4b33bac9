//! The rule of the record beside a naive one in wide numbers, driven with the same random commands; and its ends.

use core::time::Duration;

use epoch_fence::protocol::{
    Command, Exhausted, Info, Moment, RECOVERY_STRIDE, Record, Refusal, Tenure, Ttl, Version, View,
    invariant, step,
};
use epoch_fence::{Epoch, GrantId, HolderId, RealmId};
use proptest::prelude::*;

fn realm(bits: u128) -> RealmId {
    RealmId::from_random_bits(bits).unwrap()
}

fn grant(bits: u128) -> GrantId {
    GrantId::from_random_bits(bits).unwrap()
}

fn holder(number: usize) -> HolderId {
    format!("holder {number}").parse().unwrap()
}

fn ttl(millis: u64) -> Ttl {
    Ttl::new(Duration::from_millis(millis)).unwrap()
}

const SECOND: u64 = 1_000_000_000;

#[derive(Clone, Copy, Debug)]
enum Event {
    Acquire { holder: usize, ttl: u64 },
    AcquireAgain { holder: usize, back: usize },
    Burn,
    Renew { back: usize, ttl: u64 },
    Release { back: usize },
    HandOver { back: usize, to: usize, keep: u64 },
    Evict { back: usize },
    Recover { floor: u64 },
    Wait { millis: u64 },
    Restart,
    Die,
}

/// The protocol as the documentation tells it, in 128 bits, where nothing can overflow.
#[derive(Default)]
struct Naive {
    version: u128,
    epoch: u128,
    now: u128,
    /// Grant, holder, end.
    held: Option<(u128, usize, u128)>,
    reserved: Option<(usize, u128)>,
}

impl Naive {
    fn live(&self, of: u128) -> bool {
        self.held.is_some_and(|(grant, _, end)| grant == of && self.now < end)
    }

    fn acquire(&mut self, grant: u128, holder: usize, ttl: u64) -> bool {
        let taken = self.held.is_some_and(|(there, _, end)| self.now < end || there == grant);
        let kept = self.reserved.is_some_and(|(to, end)| self.now < end && to != holder);
        if taken || kept {
            return false;
        }
        self.epoch += 1;
        self.version += 1;
        self.held = Some((grant, holder, self.now + u128::from(ttl)));
        self.reserved = None;
        true
    }

    fn end(&mut self, grant: u128, reserved: Option<(usize, u128)>) -> bool {
        let live = self.live(grant);
        if live {
            self.held = None;
            self.reserved = reserved;
            self.version += 1;
        }
        live
    }
}

fn events() -> impl Strategy<Value = Event> {
    let ttls = || prop_oneof![Just(500_u64), 500..5_000_u64];
    prop_oneof![
        6 => (0..3_usize, ttls()).prop_map(|(holder, ttl)| Event::Acquire { holder, ttl }),
        1 => (0..3_usize, 0..3_usize).prop_map(|(holder, back)| Event::AcquireAgain { holder, back }),
        1 => Just(Event::Burn),
        4 => (0..3_usize, ttls()).prop_map(|(back, ttl)| Event::Renew { back, ttl }),
        3 => (0..3_usize).prop_map(|back| Event::Release { back }),
        2 => (0..3_usize, 0..3_usize, ttls()).prop_map(|(back, to, keep)| Event::HandOver { back, to, keep }),
        1 => (0..2_usize).prop_map(|back| Event::Evict { back }),
        1 => (0..100_u64).prop_map(|floor| Event::Recover { floor }),
        5 => (0..3_000_u64).prop_map(|millis| Event::Wait { millis }),
        1 => Just(Event::Restart),
        1 => Just(Event::Die),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]

    #[test]
    fn the_rule_answers_every_command_as_the_naive_one_does(events in prop::collection::vec(events(), 1..80)) {
        let mut naive = Naive::default();
        let mut record = Record::vacant(realm(1));
        let (mut era, mut base, mut died) = (0_u128, 0_u128, false);
        let (mut grants, mut realms) = (vec![1_000_u128], 1);
        for event in events {
            let now = Moment::new(era, u64::try_from((naive.now - base) * 1_000_000).unwrap());
            let view = View::new(record, now);
            let view = if died { view.with_ended() } else { view };
            let of = |back: usize| grants[grants.len().saturating_sub(back + 1)];
            let (command, expected) = match event {
                Event::Acquire { holder: at, ttl: length } => {
                    let new = *grants.last().unwrap() + 1;
                    grants.push(new);
                    let command = Command::Acquire { grant: grant(new), holder: holder(at), ttl: ttl(length) };
                    (command, naive.acquire(new, at, length))
                }
                Event::AcquireAgain { holder: at, back } => {
                    let command = Command::Acquire { grant: grant(of(back)), holder: holder(at), ttl: ttl(500) };
                    (command, naive.acquire(of(back), at, 500))
                }
                Event::Burn => {
                    naive.version += 1;
                    (Command::Burn, true)
                }
                Event::Renew { back, ttl: length } => {
                    let live = naive.live(of(back));
                    if live {
                        naive.version += 1;
                        let later = naive.now + u128::from(length);
                        naive.held = naive.held.map(|(grant, holder, end)| (grant, holder, end.max(later)));
                    }
                    (Command::Renew { grant: grant(of(back)), ttl: ttl(length) }, live)
                }
                Event::Release { back } => {
                    (Command::Release { grant: grant(of(back)) }, naive.end(of(back), None))
                }
                Event::HandOver { back, to, keep } => {
                    let command = Command::HandOver { grant: grant(of(back)), to: holder(to), keep: ttl(keep) };
                    let reserved = Some((to, naive.now + u128::from(keep)));
                    (command, naive.end(of(back), reserved))
                }
                Event::Evict { back } => {
                    let there = naive.held.is_some_and(|(grant, ..)| grant == of(back));
                    if there {
                        naive.held = None;
                        naive.version += 1;
                    }
                    (Command::Evict { grant: grant(of(back)) }, there)
                }
                Event::Recover { floor } => {
                    realms += 1;
                    naive.epoch = naive.epoch.max(u128::from(floor)) + (1 << 20);
                    naive.version += 1 << 20;
                    (naive.held, naive.reserved) = (None, None);
                    (Command::Recover { realm: realm(realms), floor: Epoch::new(floor) }, true)
                }
                Event::Wait { millis } => {
                    naive.now += u128::from(millis);
                    continue;
                }
                Event::Restart => {
                    era += 1;
                    base = naive.now;
                    naive.held = naive.held.map(|(grant, holder, _)| (grant, holder, 0));
                    naive.reserved = None;
                    continue;
                }
                Event::Die => {
                    died = naive.held.is_some();
                    naive.held = naive.held.map(|(grant, holder, _)| (grant, holder, 0));
                    continue;
                }
            };
            match step(&view, &command) {
                Ok(next) => {
                    prop_assert!(expected, "{:?} at {:?}", command, view);
                    prop_assert!(invariant(&record, &next));
                    died &= next.grant() == record.grant();
                    record = next;
                }
                Err(why) => prop_assert!(!expected, "{:?} at {:?}: {}", command, view, why),
            }
            prop_assert_eq!(u128::from(record.version().get()), naive.version);
            prop_assert_eq!(record.epoch().map_or(0, |epoch| u128::from(epoch.get())), naive.epoch);
            prop_assert_eq!(record.grant().map(GrantId::get), naive.held.map(|(grant, ..)| grant));
        }
    }

    #[test]
    fn no_stored_value_and_no_command_makes_the_rule_panic_or_break_its_invariant(
        version in prop_oneof![1..5_u64, u64::MAX - 5..=u64::MAX, any::<u64>()],
        epoch in prop_oneof![1..5_u64, Epoch::MAX_ISSUED.get() - 5..=Epoch::MAX_ISSUED.get()],
        end in any::<u64>(),
        now in any::<u64>(),
        kind in 0..3_u8,
        floor in any::<u64>(),
        which in 0..7_u8,
    ) {
        let end = Moment::new(0, end);
        let tenure = match kind {
            0 => Tenure::Free,
            1 => Tenure::Reserved { to: holder(1), until: end },
            _ => Tenure::Held { grant: grant(1), holder: holder(1), expiry: end },
        };
        let Ok(record) = Record::try_new(realm(1), Version::new(version), Epoch::new(epoch), tenure, Info::EMPTY)
        else {
            return Ok(());
        };
        let command = match which {
            0 => Command::Acquire { grant: grant(2), holder: holder(1), ttl: Ttl::MAX },
            1 => Command::Burn,
            2 => Command::Renew { grant: grant(1), ttl: Ttl::MAX },
            3 => Command::Release { grant: grant(1) },
            4 => Command::HandOver { grant: grant(1), to: holder(2), keep: Ttl::MAX },
            5 => Command::Evict { grant: grant(1) },
            _ => Command::Recover { realm: realm(2), floor: Epoch::new(floor) },
        };
        let view = View::new(record, Moment::new(0, now)).with_epoch_floor(Epoch::new(floor));
        if let Ok(next) = step(&view, &command) {
            prop_assert!(invariant(&record, &next), "{:?} {:?} {:?}", command, record, next);
            prop_assert!(next.epoch() <= Some(Epoch::MAX_ISSUED));
        }
    }
}

fn held(version: u64, epoch: u64, end: u64) -> Record {
    let tenure = Tenure::Held { grant: grant(1), holder: holder(1), expiry: Moment::new(0, end) };
    Record::try_new(realm(1), Version::new(version), Epoch::new(epoch), tenure, Info::EMPTY).unwrap()
}

#[test]
fn the_ends_of_the_ranges_are_typed_and_change_nothing() {
    let acquire = Command::Acquire { grant: grant(2), holder: holder(2), ttl: Ttl::MIN };
    let at = |record, now| View::new(record, Moment::new(0, now));
    let last_epoch = Epoch::MAX_ISSUED.get();
    let rows = [
        (at(held(1, last_epoch, 0), 1), acquire, Exhausted::Epoch),
        (at(held(u64::MAX, 1, 0), 1), acquire, Exhausted::Version),
        (at(held(1, 1, 0), u64::MAX), acquire, Exhausted::Clock),
        (at(held(u64::MAX, 1, 0), 1), Command::Burn, Exhausted::Version),
        (
            at(held(u64::MAX - RECOVERY_STRIDE + 1, 1, 0), 1),
            Command::Recover { realm: realm(2), floor: None },
            Exhausted::Version,
        ),
        (
            at(held(1, 1, 0), 1),
            Command::Recover { realm: realm(2), floor: Some(Epoch::MAX) },
            Exhausted::Epoch,
        ),
    ];
    for (view, command, why) in rows {
        assert_eq!(step(&view, &command), Err(Refusal::Exhausted(why)), "{command:?}");
    }
    let last = step(&at(held(1, last_epoch - 1, 0), 1), &acquire).unwrap();
    assert_eq!(last.epoch(), Some(Epoch::MAX_ISSUED));
}

#[test]
fn an_end_that_no_command_could_have_set_is_refused_and_an_operator_gets_out_of_it() {
    let day = Ttl::MAX.get().as_secs() * SECOND;
    let acquire = Command::Acquire { grant: grant(2), holder: holder(2), ttl: Ttl::MIN };
    let view = |end| View::new(held(1, 1, end), Moment::new(0, 5));
    assert!(matches!(step(&view(day + 5), &acquire), Err(Refusal::Held { .. })));
    for command in [acquire, Command::Renew { grant: grant(1), ttl: Ttl::MIN }] {
        for forged in [day + 6, u64::MAX] {
            assert!(matches!(step(&view(forged), &command), Err(Refusal::EndTooFar { .. })), "{command:?}");
        }
    }
    assert!(step(&view(u64::MAX), &Command::Evict { grant: grant(1) }).is_ok());
    assert!(step(&view(u64::MAX), &Command::Recover { realm: realm(2), floor: None }).is_ok());
}

#[test]
fn a_shorter_renewal_does_not_bring_the_end_nearer() {
    let view = View::new(held(1, 1, 10 * SECOND), Moment::new(0, 0));
    let next = step(&view, &Command::Renew { grant: grant(1), ttl: Ttl::MIN }).unwrap();
    assert_eq!(next.tenure(), view.record().tenure());
    assert!(next.version() > view.record().version());
}

#[test]
fn an_epoch_is_above_the_floor_that_the_store_knows() {
    let free = Record::vacant(realm(1));
    let view = View::new(free, Moment::new(0, 0)).with_epoch_floor(Epoch::new(41));
    let command = Command::Acquire { grant: grant(1), holder: holder(1), ttl: Ttl::MIN };
    assert_eq!(step(&view, &command).unwrap().epoch(), Epoch::new(42));
}
