//! The lease protocol of `epoch-fence`, against the rules written once more: what each command makes of a record; and
//! calls of three holders over a network that loses, delays and doubles what passes, down to the dialogues with the
//! store. What was said to be over for an attempt stays over, no epoch has two grants, and of the holders that believe in
//! their lease there is one, who is the record's.

use core::time::Duration;
use std::collections::{BTreeMap, BTreeSet};

use arbitrary::{Arbitrary, Unstructured};
use epoch_fence::engine::memory::Memory;
use epoch_fence::engine::{Engine as _, Swapped};
use epoch_fence::protocol::{
    Acquire, Acquired, Action, Answer, BootTime, Change, Changed, Claim, Command, Exhausted, Granted, Info,
    Machine, Moment, Pending, Progress, Record, Refusal, Request, Resolve, Resolved, Swap, Tenure, Ttl,
    Version, View, invariant, step,
};
use epoch_fence::{Epoch, GrantId, HolderId, RealmId, ResourceId};

mod rule;

use rule::{Plain, left, naive};

#[derive(Arbitrary, Debug)]
struct Script {
    /// Where the numbers begin: near their ends as well.
    version: Option<u8>,
    epoch: Option<u8>,
    nanos: Option<u16>,
    steps: Vec<Step>,
}

#[derive(Arbitrary, Clone, Copy, Debug)]
enum Step {
    Acquire {
        at: u8,
        ttl: u8,
    },
    Retry {
        at: u8,
    },
    Resolve {
        at: u8,
    },
    Renew {
        at: u8,
        ttl: u8,
    },
    Release {
        at: u8,
    },
    HandOver {
        at: u8,
        to: u8,
        keep: u8,
    },
    Evict,
    Recover {
        floor: u8,
    },
    /// The request of a call is sent, and this becomes of it.
    Go {
        at: u8,
        fate: Fate,
    },
    /// Something that was under way arrives.
    Deliver {
        which: u8,
    },
    Wait {
        hundredths: u16,
    },
    Restart,
    /// The store sees that the holder's process is gone.
    Death,
}

#[derive(Arbitrary, Clone, Copy, Debug)]
enum Fate {
    Answered,
    Late {
        hundredths: u8,
    },
    Refused,
    RequestLost,
    ReplyLost,
    Delayed,
    /// Two copies arrive at once; the answer is that to the first, or to the second.
    Doubled {
        second: bool,
    },
    /// One arrives, and a copy of it later.
    Copied,
}

const MAX_STEPS: usize = 150;
const HOLDERS: usize = 3;

pub fn run(data: &[u8]) {
    let Ok(script) = Script::arbitrary(&mut Unstructured::new(data)) else { return };
    let mut world = World::new(&script);
    for step in script.steps.iter().take(MAX_STEPS) {
        world.step(*step);
        assert_eq!(world.store.load(&resource()), Ok(world.view()));
        world.believers();
    }
}

fn resource() -> ResourceId {
    ResourceId::of("fuzz", "protocol")
}

fn holder(number: usize) -> HolderId {
    HolderId::try_new(["a", "b", "c"][number % HOLDERS]).expect("a name")
}

fn realm(number: u128) -> RealmId {
    RealmId::from_random_bits(number).expect("not zero")
}

/// From half a second on, in steps of a tenth; or the longest.
fn ttl(tenths: u8) -> Ttl {
    let length = Duration::from_millis(500 + 100 * u64::from(tenths));
    if tenths == u8::MAX { Ttl::MAX } else { Ttl::new(length).expect("in range") }
}

/// A call under way.
#[derive(Clone, Copy, Debug)]
#[expect(clippy::large_enum_variant, reason = "there are three of them")]
enum Call {
    Acquire(Acquire, Command),
    Resolve(Resolve),
    Change(Change, Command),
}

#[derive(Clone, Copy, Debug, Default)]
struct Holder {
    call: Option<Call>,
    pending: Option<Pending>,
    held: Option<Granted>,
}

struct World {
    /// The engine of the crate for tests, which is told the same.
    store: Memory,
    record: Record,
    now: Moment,
    boot: BootTime,
    /// Whether the holder in the record is known to be gone.
    dead: bool,
    holders: [Holder; HOLDERS],
    under_way: Vec<Swap>,
    grants: u128,
    realms: u128,
    /// Each grant that landed, with its realm and epoch.
    landed: BTreeMap<GrantId, (RealmId, Epoch)>,
    /// Attempts of which somebody was told that they can land no more.
    over: BTreeSet<GrantId>,
    /// Leases that ended early: by an operator, a restart or a death.
    cut_short: BTreeSet<GrantId>,
}

impl World {
    fn new(script: &Script) -> Self {
        let version = script.version.map_or(0, |from_end| u64::MAX - u64::from(from_end));
        let epoch = script.epoch.map(|from_end| Epoch::MAX_ISSUED.get() - u64::from(from_end));
        let epoch = epoch.and_then(Epoch::new).filter(|_| version > 0);
        let record = Record::try_new(realm(1), Version::new(version), epoch, Tenure::Free, Info::EMPTY);
        let nanos = script.nanos.map_or(0, |from_end| u64::MAX - u64::from(from_end) * 100_000_000);
        let record = record.expect("it makes sense");
        let store = Memory::new(realm(1));
        store.advance(Duration::from_nanos(nanos));
        if version > 0 {
            store.put(resource(), record.to_bytes().as_bytes());
        }
        Self {
            store,
            record,
            now: Moment::new(1, nanos),
            boot: BootTime::new(Duration::ZERO),
            dead: false,
            holders: [Holder::default(); HOLDERS],
            under_way: Vec::new(),
            grants: 0,
            realms: 1,
            landed: BTreeMap::new(),
            over: BTreeSet::new(),
            cut_short: BTreeSet::new(),
        }
    }

    fn view(&self) -> View {
        let view = View::new(self.record, self.now);
        if self.dead { view.with_ended() } else { view }
    }

    fn wait(&mut self, hundredths: u64) {
        let wait = Duration::from_millis(10 * hundredths);
        self.boot = self.boot.saturating_add(wait);
        let nanos = self.now.nanos().saturating_add(10_000_000 * hundredths);
        self.now = Moment::new(self.now.era(), nanos);
        self.store.advance(wait);
    }

    fn step(&mut self, step: Step) {
        match step {
            Step::Go { at, fate } => return self.go(usize::from(at) % HOLDERS, fate),
            Step::Deliver { which } => {
                if !self.under_way.is_empty() {
                    let swap = self.under_way.remove(usize::from(which) % self.under_way.len());
                    self.land(&swap);
                }
                return;
            }
            Step::Wait { hundredths } => return self.wait(hundredths.into()),
            Step::Restart => {
                self.cut_short.extend(self.record.grant());
                self.now = Moment::new(self.now.era() + 1, 0);
                self.store.restart();
                return;
            }
            Step::Death => {
                self.cut_short.extend(self.record.grant());
                self.dead = self.record.grant().is_some();
                if self.dead {
                    self.store.end_lease(&resource());
                }
                return;
            }
            _ => {}
        }
        let (Step::Acquire { at, .. }
        | Step::Retry { at }
        | Step::Resolve { at }
        | Step::Renew { at, .. }
        | Step::Release { at }
        | Step::HandOver { at, .. }) = step
        else {
            return self.operate(step);
        };
        let at = usize::from(at) % HOLDERS;
        let one = self.holders[at];
        if one.call.is_some() {
            return;
        }
        let grant = one.held.map(|held| held.token().grant());
        let change = |command| Some(Call::Change(Change::new(command), command));
        self.holders[at].call = match step {
            Step::Acquire { ttl: length, .. } if one.held.is_none() && one.pending.is_none() => {
                self.grants += 1;
                let grant = GrantId::from_random_bits(self.grants).expect("not zero");
                let (holder, ttl) = (holder(at), ttl(length));
                let claim = Claim::new(resource(), holder, ttl);
                Some(Call::Acquire(Acquire::new(claim, grant), Command::Acquire { grant, holder, ttl }))
            }
            Step::Retry { .. } => one.pending.map(|pending| {
                let (holder, ttl) = (pending.claim().holder(), pending.claim().ttl());
                let command = Command::Acquire { grant: pending.grant(), holder, ttl };
                Call::Acquire(Acquire::retry(pending), command)
            }),
            Step::Resolve { .. } => one.pending.map(|pending| Call::Resolve(Resolve::new(pending))),
            Step::Renew { ttl: length, .. } => {
                grant.and_then(|grant| change(Command::Renew { grant, ttl: ttl(length) }))
            }
            // Whoever begins to end its lease believes in it no more.
            Step::Release { .. } => {
                self.holders[at].held = None;
                grant.and_then(|grant| change(Command::Release { grant }))
            }
            Step::HandOver { to, keep, .. } => {
                self.holders[at].held = None;
                let (to, keep) = (holder(to.into()), ttl(keep));
                grant.and_then(|grant| change(Command::HandOver { grant, to, keep }))
            }
            _ => None,
        };
    }

    /// What an operator does, who has a network that works.
    fn operate(&mut self, step: Step) {
        let command = match step {
            Step::Evict => match self.record.grant() {
                Some(grant) => Command::Evict { grant },
                None => return,
            },
            Step::Recover { floor } => {
                self.realms += 1;
                Command::Recover { realm: realm(self.realms), floor: Epoch::new(floor.into()) }
            }
            other => panic!("{other:?} is no operator's"),
        };
        let expected = naive(&self.record, self.now, self.dead, &command);
        assert_eq!(step_of(&self.view(), &command), expected);
        if let Ok(swap) = Swap::prepare(&self.view(), &command) {
            assert!(self.land(&swap));
        }
    }

    /// What every store does with a write, and what is true of each that lands.
    fn land(&mut self, swap: &Swap) -> bool {
        let unchanged =
            (self.record.realm(), self.record.version()) == (swap.expected_realm(), swap.expected());
        let live = match *self.record.tenure() {
            Tenure::Held { grant, expiry, .. } if Some(grant) == swap.grant() => {
                !self.dead && left(self.now, expiry).is_some()
            }
            _ => false,
        };
        let lands = unchanged && (swap.action() != Action::Renew || live);
        assert_eq!(swap.lands_on(&self.view()), lands, "{swap:?}");
        let swapped = self.store.swap(&resource(), swap).expect("no fault was asked for");
        assert_eq!(matches!(swapped, Swapped::Landed(_)), lands, "{swap:?}");
        if !lands {
            return false;
        }
        let (before, next) = (self.record, *swap.next());
        assert!(invariant(&before, &next));
        assert_eq!(Record::from_bytes(next.to_bytes().as_bytes()), Ok(next));
        if let (Action::Acquire, Some(grant), Some(epoch)) = (swap.action(), next.grant(), next.epoch()) {
            assert!(!self.over.contains(&grant), "{grant} lands after it was over");
            let others = self.landed.values();
            assert!(others.clone().all(|(_, other)| *other < epoch), "epoch {epoch} was given out before");
            assert_eq!(self.landed.insert(grant, (next.realm(), epoch)), None, "{grant} lands twice");
        }
        if matches!(swap.action(), Action::Evict | Action::Recover) {
            self.cut_short.extend(before.grant());
        }
        self.dead &= before.grant() == next.grant();
        self.record = next;
        true
    }

    /// Sends what a call asks for, and gives it the answer.
    fn go(&mut self, at: usize, fate: Fate) {
        let Some(call) = self.holders[at].call.take() else { return };
        let (sent, seen) = (self.boot, self.view());
        match call {
            Call::Acquire(machine, command) => {
                let answer = self.ask(machine.request(), fate);
                let loaded = matches!(answer, Answer::Loaded(_)) && machine.pending().is_none();
                match machine.answer(sent, answer) {
                    Progress::Ask(next) => {
                        self.prepared(loaded, next.request(), &seen, &command);
                        // A driver that is lost resolves what the machine says is pending.
                        self.holders[at].pending = next.pending();
                        self.holders[at].call = Some(Call::Acquire(next, command));
                    }
                    Progress::Done(outcome) => {
                        if let (true, Acquired::Refused(why)) = (loaded, &outcome) {
                            assert_eq!(self.naive(&seen, &command), Err(*why));
                        }
                        self.acquired(at, &command, outcome);
                    }
                }
            }
            Call::Resolve(machine) => {
                let answer = self.ask(machine.request(), fate);
                let loaded = matches!(answer, Answer::Loaded(_));
                match machine.answer(sent, answer) {
                    Progress::Ask(next) => {
                        self.prepared(loaded, next.request(), &seen, &Command::Burn);
                        self.holders[at].call = Some(Call::Resolve(next));
                    }
                    Progress::Done(outcome) => self.resolved(at, machine.pending().grant(), outcome),
                }
            }
            Call::Change(machine, command) => {
                let answer = self.ask(machine.request(), fate);
                let loaded = matches!(answer, Answer::Loaded(_));
                match machine.answer(sent, answer) {
                    Progress::Ask(next) => {
                        self.prepared(loaded, next.request(), &seen, &command);
                        self.holders[at].call = Some(Call::Change(next, command));
                    }
                    Progress::Done(outcome) => self.changed(at, &command, outcome),
                }
            }
        }
    }

    fn naive(&self, seen: &View, command: &Command) -> Result<Plain, Refusal> {
        let dead = seen.record().grant().is_some_and(|grant| {
            seen.remaining(grant).is_none() && matches!(seen.record().tenure(), Tenure::Held { expiry, .. } if left(seen.now(), *expiry).is_some())
        });
        naive(seen.record(), seen.now(), dead, command)
    }

    /// After a look at the record a call writes what the rule makes of it.
    fn prepared(&self, loaded: bool, request: Request<'_>, seen: &View, command: &Command) {
        if let (true, Request::Swap(swap)) = (loaded, request) {
            assert_eq!(Ok(Plain::of(swap.next())), self.naive(seen, command), "{command:?}");
        }
    }

    fn ask(&mut self, request: Request<'_>, fate: Fate) -> Answer {
        let Request::Swap(swap) = request else {
            let view = self.view();
            return match fate {
                Fate::Refused => Answer::Failed,
                Fate::RequestLost | Fate::ReplyLost | Fate::Delayed => Answer::Unknown,
                Fate::Late { hundredths } => {
                    self.wait(hundredths.into());
                    Answer::Loaded(view)
                }
                Fate::Answered | Fate::Doubled { .. } | Fate::Copied => Answer::Loaded(view),
            };
        };
        let swap = *swap;
        let answer = |world: &mut Self| {
            let landed = world.land(&swap);
            if landed { Answer::Landed(world.view()) } else { Answer::Conflict }
        };
        match fate {
            Fate::Answered => answer(self),
            Fate::Late { hundredths } => {
                let answer = answer(self);
                self.wait(hundredths.into());
                answer
            }
            Fate::Refused => Answer::Failed,
            Fate::RequestLost => Answer::Unknown,
            Fate::ReplyLost => {
                self.land(&swap);
                Answer::Unknown
            }
            Fate::Delayed => {
                self.under_way.push(swap);
                Answer::Unknown
            }
            Fate::Doubled { second } => {
                let answers = (answer(self), answer(self));
                if second { answers.1 } else { answers.0 }
            }
            Fate::Copied => {
                self.under_way.push(swap);
                answer(self)
            }
        }
    }

    /// A lease is what landed, and is believed in no longer than it lasts.
    fn granted(&mut self, at: usize, grant: GrantId, granted: Granted) {
        let token = granted.token();
        assert_eq!(self.landed.get(&grant), Some(&(token.realm(), token.epoch())));
        assert_eq!((token.grant(), granted.holder()), (grant, holder(at)));
        self.holders[at].held = Some(granted);
    }

    fn acquired(&mut self, at: usize, command: &Command, outcome: Acquired) {
        let Command::Acquire { grant, .. } = *command else { panic!("{command:?}") };
        self.holders[at].pending = None;
        match outcome {
            Acquired::Granted(granted) => self.granted(at, grant, granted),
            Acquired::Indeterminate(pending) => self.holders[at].pending = Some(pending),
            Acquired::Refused(_) | Acquired::Contended | Acquired::Superseded => {
                self.over.insert(grant);
            }
            Acquired::Failed => {
                assert!(!self.landed.contains_key(&grant));
                self.over.insert(grant);
            }
            Acquired::Impossible(why) => panic!("a correct store: {why}"),
        }
    }

    fn resolved(&mut self, at: usize, grant: GrantId, outcome: Resolved) {
        self.holders[at].pending = None;
        match outcome {
            Resolved::Granted(granted) => self.granted(at, grant, granted),
            Resolved::NotGranted => {
                assert!(!self.landed.contains_key(&grant), "{grant} was granted");
                self.over.insert(grant);
            }
            Resolved::Superseded => {
                self.over.insert(grant);
            }
            Resolved::Indeterminate(pending) => self.holders[at].pending = Some(pending),
            Resolved::Refused(pending, why) => {
                assert_eq!(why, Refusal::Exhausted(Exhausted::Version));
                self.holders[at].pending = Some(pending);
            }
            Resolved::Impossible(_, why) => panic!("a correct store: {why}"),
        }
    }

    fn changed(&mut self, at: usize, command: &Command, outcome: Changed) {
        let one = &mut self.holders[at];
        match (outcome, *command) {
            (Changed::Done { view, sent }, Command::Renew { ttl, grant }) => {
                let held = one.held.filter(|held| held.token().grant() == grant);
                // What cannot be believed in any more leaves the old end.
                one.held = held.map(|held| held.renewed(&view, sent, self.boot, ttl).unwrap_or(held));
            }
            (Changed::Done { view, .. }, Command::Release { grant } | Command::HandOver { grant, .. }) => {
                assert_ne!(view.record().grant(), Some(grant));
            }
            (Changed::Refused { why, view }, _) => {
                assert_eq!(self.naive(&view, command), Err(why));
            }
            (Changed::Impossible(why), _) => panic!("a correct store: {why}"),
            _ => {}
        }
    }

    /// Whoever believes in a lease that nobody cut short is the holder in the record, and so the only one.
    fn believers(&self) {
        for held in self.holders.iter().filter_map(|one| one.held) {
            let token = held.token();
            if held.remaining(self.boot).is_zero() || self.cut_short.contains(&token.grant()) {
                continue;
            }
            assert_eq!(self.record.grant(), Some(token.grant()), "another one may hold");
            assert_eq!((self.record.realm(), self.record.epoch()), (token.realm(), Some(token.epoch())));
            assert!(
                self.view().remaining(token.grant()).is_some(),
                "the lease is over, and its holder does not know"
            );
        }
    }
}

/// What the rule makes of a record, in numbers.
fn step_of(view: &View, command: &Command) -> Result<Plain, Refusal> {
    step(view, command).map(|record| Plain::of(&record))
}
