//! What every store must keep, as a suite that any of them can run.
//!
//! ```
//! use epoch_fence::engine::conformance::{self, Subject};
//! use epoch_fence::engine::memory::Memory;
//! use epoch_fence::RealmId;
//!
//! let Some(realm) = RealmId::from_random_bits(1) else { return Ok(()) };
//! let store = Memory::new(realm);
//! let checks = conformance::run(&Subject::new(&store, &store, |wait| store.advance(wait)))?;
//! assert_eq!(checks, conformance::RULES);
//! # Ok::<(), conformance::Violation>(())
//! ```
//!
//! It needs two clients of one store without faults, and a way to let the time of that store pass; of a store whose
//! clock cannot be moved that is to wait. Each rule has a resource of its own.

use core::error::Error;
use core::fmt;
use core::time::Duration;
use std::sync::Barrier;

use super::{Engine, Failure, Swapped};
use crate::protocol::{Command, Record, Standing, Swap, Ttl, Version, View};
use crate::{GrantId, HolderId, RealmId, ResourceId};

/// How many rules there are.
pub const RULES: usize = 13;

/// A rule that a store broke.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Violation {
    rule: &'static str,
    seen: alloc::string::String,
}

impl Violation {
    /// Returns the rule, as a sentence that was not so.
    #[must_use]
    pub const fn rule(&self) -> &'static str {
        self.rule
    }

    /// Returns what was seen instead.
    #[must_use]
    pub fn seen(&self) -> &str {
        &self.seen
    }
}

impl fmt::Display for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "not so: {}; seen: {}", self.rule, self.seen)
    }
}

impl Error for Violation {}

/// Two clients of one store, and its time.
#[derive(Debug)]
pub struct Subject<'e, E, A> {
    one: &'e E,
    two: &'e E,
    advance: A,
    namespace: u128,
}

type Checked = Result<(), Violation>;

/// A rule, as a sentence, and what tries it.
type Rule<'s, 'e, E, A> = (&'static str, fn(&Case<'s, 'e, E, A>) -> Checked);

impl<'e, E: Engine + Sync, A: Fn(Duration)> Subject<'e, E, A> {
    /// Takes two clients, which may be one, and what lets the store's time pass.
    pub const fn new(one: &'e E, two: &'e E, advance: A) -> Self {
        Self { one, two, advance, namespace: 0 }
    }

    /// Uses other resources: for a store that an earlier run has written to.
    #[must_use]
    pub fn with_namespace(self, namespace: u128) -> Self {
        Self { namespace, ..self }
    }
}

/// Runs every rule, and returns how many there were.
///
/// # Errors
///
/// The first [`Violation`].
pub fn run<E: Engine + Sync, A: Fn(Duration)>(subject: &Subject<'_, E, A>) -> Result<usize, Violation> {
    let rules: [Rule<'_, '_, E, A>; RULES] = [
        ("a resource that was never written is vacant, and looking does not write it", vacant),
        ("of all who write on one version, one lands", one_lands),
        ("a write lands once, however often it arrives", once),
        ("a burned attempt never lands", burned),
        ("what landed is what was asked for, and what everybody loads from then on", seen_by_all),
        ("versions rise with each write, and epochs with each tenure", rising),
        ("a lease whose end has come is over: it is not renewed, and another may come", expired),
        ("a renewal moves the end away and never nearer", renewed),
        ("a released resource is free at once, and the lease is not renewed", released),
        ("a reserved resource is kept for one, and not for ever", reserved),
        ("a recovery goes on far above, and nothing of the old realm lands", recovered),
        ("nothing that is sent again lands again, also behind what came since", repeated),
        ("resources do not know of each other, and every holder's name fits", apart),
    ];
    let mut checked = 0_usize;
    let [(never_written, _), ..] = rules;
    for (number, (rule, check)) in (0_u128..).zip(rules) {
        let name = alloc::format!("{} {number}", subject.namespace);
        let resource = ResourceId::of("epoch-fence conformance", &name);
        vacant(&Case { subject, rule: never_written, resource, name: name.clone() })?;
        check(&Case { subject, rule, resource, name })?;
        checked = checked.saturating_add(1);
    }
    Ok(checked)
}

/// One rule, and the resource that it is tried on.
struct Case<'s, 'e, E, A> {
    subject: &'s Subject<'e, E, A>,
    rule: &'static str,
    resource: ResourceId,
    name: alloc::string::String,
}

const TTL: Duration = Duration::from_secs(2);

fn ttl() -> Ttl {
    Ttl::new(TTL).unwrap_or(Ttl::MIN)
}

impl<'e, E: Engine + Sync, A: Fn(Duration)> Case<'_, 'e, E, A> {
    fn hold(&self, holds: bool, seen: &dyn fmt::Debug) -> Checked {
        if holds { Ok(()) } else { Err(self.violation(seen)) }
    }

    fn violation(&self, seen: &dyn fmt::Debug) -> Violation {
        Violation { rule: self.rule, seen: alloc::format!("{seen:?}") }
    }

    fn load(&self, client: &E) -> Result<View, Violation> {
        client.load(&self.resource).map_err(|why| self.violation(&why))
    }

    /// A write of what the command makes of a view.
    fn prepare(&self, view: &View, command: &Command) -> Result<Swap, Violation> {
        Swap::prepare(view, command).map_err(|why| self.violation(&(why, view)))
    }

    fn send(&self, client: &E, swap: &Swap) -> Result<Swapped, Violation> {
        client.swap(&self.resource, swap).map_err(|why| match why {
            Failure::Definite(why) | Failure::Indeterminate(why) => self.violation(&why),
        })
    }

    /// Loads, writes, and is to land: what was asked for, by a step that the protocol knows.
    fn land(&self, client: &E, command: &Command) -> Result<View, Violation> {
        let before = self.load(client)?;
        let swap = self.prepare(&before, command)?;
        match self.send(client, &swap)? {
            Swapped::Landed(view) => {
                self.hold(swap.check_landed(&view).is_ok(), &(command, view))?;
                Ok(view)
            }
            Swapped::Conflict => Err(self.violation(&command)),
        }
    }

    fn is_conflict(&self, client: &E, swap: &Swap) -> Checked {
        let sent = self.send(client, swap)?;
        self.hold(sent == Swapped::Conflict, &sent)
    }

    /// An acquire under a grant of its own.
    fn acquire(&self, grant: u128) -> Result<Command, Violation> {
        let holder = HolderId::try_new("conformance").map_err(|why| self.violation(&why))?;
        Ok(Command::Acquire { grant: self.grant(grant), holder, ttl: ttl() })
    }

    fn grant(&self, number: u128) -> GrantId {
        // Any bits but zero do, as long as no two attempts share them.
        GrantId::nearest(self.subject.namespace.wrapping_mul(1 << 64).wrapping_add(number))
    }

    const fn clients(&self) -> (&'e E, &'e E) {
        (self.subject.one, self.subject.two)
    }

    fn wait(&self, wait: Duration) {
        (self.subject.advance)(wait);
    }
}

fn vacant<E: Engine + Sync, A: Fn(Duration)>(case: &Case<'_, '_, E, A>) -> Checked {
    let (one, two) = case.clients();
    for client in [one, two, one] {
        let view = case.load(client)?;
        // A record of this version is empty.
        case.hold(view.record().version() == Version::ABSENT, &view)?;
    }
    Ok(())
}

fn one_lands<E: Engine + Sync, A: Fn(Duration)>(case: &Case<'_, '_, E, A>) -> Checked {
    let (one, two) = case.clients();
    // The first write of all, and one on a record that is there.
    for (first, second) in [(1, 2), (3, 4)] {
        let view = case.load(one)?;
        let (here, there) = (case.acquire(first)?, case.acquire(second)?);
        let (here, there) = (case.prepare(&view, &here)?, case.prepare(&view, &there)?);
        let together = Barrier::new(2);
        let racers = [(one, &here), (two, &there)];
        let sent = std::thread::scope(|scope| {
            let racers = racers.map(|(client, swap)| {
                let (together, resource) = (&together, &case.resource);
                scope.spawn(move || {
                    together.wait();
                    client.swap(resource, swap).is_ok_and(|sent| sent != Swapped::Conflict)
                })
            });
            racers.map(|racer| racer.join().unwrap_or(false))
        });
        case.hold(sent == [true, false] || sent == [false, true], &sent)?;
        let winner = if sent == [true, false] { here } else { there };
        let stored = case.load(two)?;
        case.hold(stored.record().grant() == winner.grant(), &stored)?;
        let grant = winner.grant().unwrap_or_else(|| case.grant(0));
        case.land(one, &Command::Release { grant })?;
    }
    Ok(())
}

fn once<E: Engine + Sync, A: Fn(Duration)>(case: &Case<'_, '_, E, A>) -> Checked {
    let (one, two) = case.clients();
    let view = case.load(one)?;
    let swap = case.prepare(&view, &case.acquire(1)?)?;
    let first = case.send(one, &swap)?;
    case.hold(matches!(first, Swapped::Landed(_)), &first)?;
    case.is_conflict(one, &swap)?;
    case.is_conflict(two, &swap)?;
    // Nor when everything else is as it was.
    case.land(one, &Command::Release { grant: case.grant(1) })?;
    case.is_conflict(two, &swap)
}

fn repeated<E: Engine + Sync, A: Fn(Duration)>(case: &Case<'_, '_, E, A>) -> Checked {
    let (one, two) = case.clients();
    let to = HolderId::try_new("conformance").map_err(|why| case.violation(&why))?;
    let [first, second] = [1, 2].map(|number| case.grant(number));
    case.land(one, &Command::Burn)?;
    let realm = RealmId::nearest(case.load(one)?.record().realm().get().wrapping_add(1));
    let commands = [
        case.acquire(1)?,
        Command::Renew { grant: first, ttl: ttl() },
        Command::HandOver { grant: first, to, keep: ttl() },
        case.acquire(2)?,
        Command::Evict { grant: second },
        Command::Recover { realm, floor: None },
    ];
    let mut sent = alloc::vec::Vec::new();
    for command in commands {
        let swap = case.prepare(&case.load(one)?, &command)?;
        let landed = case.send(one, &swap)?;
        case.hold(matches!(landed, Swapped::Landed(_)), &landed)?;
        let once = case.load(two)?;
        sent.push(swap);
        for again in &sent {
            case.is_conflict(two, again)?;
            let stored = case.load(one)?;
            case.hold(stored.record() == once.record(), &(command, once, stored))?;
        }
    }
    Ok(())
}

fn burned<E: Engine + Sync, A: Fn(Duration)>(case: &Case<'_, '_, E, A>) -> Checked {
    let (one, two) = case.clients();
    for attempt in [1, 2] {
        let view = case.load(one)?;
        let attempt = case.prepare(&view, &case.acquire(attempt)?)?;
        let burn = case.prepare(&view, &Command::Burn)?;
        let sent = case.send(two, &burn)?;
        case.hold(matches!(sent, Swapped::Landed(_)), &sent)?;
        case.is_conflict(one, &attempt)?;
        let stored = case.load(one)?;
        case.hold(stored.record().epoch() == view.record().epoch(), &stored)?;
    }
    Ok(())
}

fn seen_by_all<E: Engine + Sync, A: Fn(Duration)>(case: &Case<'_, '_, E, A>) -> Checked {
    let (one, two) = case.clients();
    let same =
        |left: &Record, right: &Record| left.version() == right.version() && left.tenure() == right.tenure();
    let landed = case.land(one, &case.acquire(1)?)?;
    for client in [one, two] {
        let stored = case.load(client)?;
        case.hold(same(stored.record(), landed.record()), &(landed, stored))?;
        case.hold(stored.remaining(case.grant(1)).is_some_and(|left| left <= TTL), &stored)?;
    }
    let landed = case.land(two, &Command::Release { grant: case.grant(1) })?;
    let stored = case.load(one)?;
    case.hold(same(stored.record(), landed.record()), &(landed, stored))
}

fn rising<E: Engine + Sync, A: Fn(Duration)>(case: &Case<'_, '_, E, A>) -> Checked {
    let (one, two) = case.clients();
    let mut last = case.load(one)?;
    for round in 1..4 {
        let grant = case.grant(round);
        let steps = [
            (one, case.acquire(round)?, true),
            (two, Command::Burn, false),
            (one, Command::Renew { grant, ttl: ttl() }, false),
            (two, Command::Release { grant }, false),
        ];
        for (client, command, begins) in steps {
            let next = case.land(client, &command)?;
            let (before, after) = (last.record(), next.record());
            case.hold(before.version() < after.version(), &(last, next))?;
            case.hold((before.epoch() < after.epoch()) == begins, &(last, next))?;
            last = next;
        }
    }
    Ok(())
}

fn expired<E: Engine + Sync, A: Fn(Duration)>(case: &Case<'_, '_, E, A>) -> Checked {
    let (one, two) = case.clients();
    case.land(one, &case.acquire(1)?)?;
    let live = case.load(one)?;
    // Prepared while it was live, and sent too late.
    let late = case.prepare(&live, &Command::Renew { grant: case.grant(1), ttl: ttl() })?;
    case.wait(TTL.saturating_add(Duration::from_millis(1)));
    let over = case.load(two)?;
    case.hold(over.standing() == Standing::Lapsed { grant: case.grant(1) }, &over)?;
    case.is_conflict(one, &late)?;
    case.land(two, &case.acquire(2)?)?;
    case.is_conflict(one, &late)
}

fn renewed<E: Engine + Sync, A: Fn(Duration)>(case: &Case<'_, '_, E, A>) -> Checked {
    let (one, two) = case.clients();
    let grant = case.grant(1);
    case.land(one, &case.acquire(1)?)?;
    case.wait(TTL.checked_div(2).unwrap_or(TTL));
    let worn = case.load(two)?.remaining(grant);
    let fresh = case.land(one, &Command::Renew { grant, ttl: ttl() })?.remaining(grant);
    case.hold(worn.is_some() && worn < fresh, &(worn, fresh))?;
    // The shortest time to live, while more than that is left.
    let shorter = case.land(one, &Command::Renew { grant, ttl: Ttl::MIN })?.remaining(grant);
    case.hold(shorter > Some(Ttl::MIN.get()), &(fresh, shorter))
}

fn released<E: Engine + Sync, A: Fn(Duration)>(case: &Case<'_, '_, E, A>) -> Checked {
    let (one, two) = case.clients();
    let grant = case.grant(1);
    let held = case.land(one, &case.acquire(1)?)?;
    let renewal = case.prepare(&held, &Command::Renew { grant, ttl: ttl() })?;
    case.land(one, &Command::Release { grant })?;
    case.is_conflict(one, &renewal)?;
    case.land(two, &case.acquire(2)?)?;
    case.is_conflict(one, &renewal)
}

fn reserved<E: Engine + Sync, A: Fn(Duration)>(case: &Case<'_, '_, E, A>) -> Checked {
    let (one, two) = case.clients();
    let to = HolderId::try_new("successor").map_err(|why| case.violation(&why))?;
    case.land(one, &case.acquire(1)?)?;
    case.land(one, &Command::HandOver { grant: case.grant(1), to, keep: ttl() })?;
    let kept = case.load(two)?.standing();
    case.hold(matches!(kept, Standing::Reserved { to: found, .. } if found == to), &kept)?;
    case.wait(TTL.saturating_add(Duration::from_millis(1)));
    let free = case.load(one)?.standing();
    case.hold(free == Standing::Free, &free)
}

fn recovered<E: Engine + Sync, A: Fn(Duration)>(case: &Case<'_, '_, E, A>) -> Checked {
    let (one, two) = case.clients();
    let held = case.land(one, &case.acquire(1)?)?;
    let old = case.prepare(&held, &Command::Release { grant: case.grant(1) })?;
    let realm = RealmId::nearest(held.record().realm().get().wrapping_add(1));
    let view = case.land(two, &Command::Recover { realm, floor: None })?;
    case.is_conflict(one, &old)?;
    let next = case.land(one, &case.acquire(2)?)?;
    case.hold(next.record().realm() == realm && next.record().epoch() > view.record().epoch(), &next)
}

fn apart<E: Engine + Sync, A: Fn(Duration)>(case: &Case<'_, '_, E, A>) -> Checked {
    let (one, two) = case.clients();
    let names = ["a", "\u{1f980}, \u{e9}\u{304b}; 'quoted' \"and\" --so\\", &"z".repeat(HolderId::MAX_BYTES)];
    for (number, name) in (1..).zip(names) {
        let resource = ResourceId::of(&case.name, name);
        let holder = HolderId::try_new(name).map_err(|why| case.violation(&why))?;
        let view = one.load(&resource).map_err(|why| case.violation(&why))?;
        case.hold(view.record().version() == Version::ABSENT, &view)?;
        let command = Command::Acquire { grant: case.grant(number), holder, ttl: Ttl::MAX };
        let swap = case.prepare(&view, &command)?;
        let sent = one.swap(&resource, &swap);
        case.hold(matches!(sent, Ok(Swapped::Landed(_))), &name)?;
        let stored = two.load(&resource).map_err(|why| case.violation(&why))?;
        let found = stored.standing();
        case.hold(matches!(found, Standing::Live { holder: found, .. } if found == holder), &found)?;
    }
    Ok(())
}
