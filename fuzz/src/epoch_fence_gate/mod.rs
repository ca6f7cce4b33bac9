//! Operation sequences on the gates of `epoch-fence`, against a naive one: the pure rule, the gate in memory, and the
//! durable gate over a register on a simulated disk that fails. Whatever tokens come, of two permits that are alive none
//! is of another epoch; and over all lives of a durable gate the epochs that it admits do not fall, and each has one
//! grant.

use arbitrary::{Arbitrary, Unstructured};
use epoch_fence::gate_rule::{self, Answer, Event, State, Terms, Ticket};
use epoch_fence::{
    AdoptError, DurableGate, DurableGateError, Epoch, FencingToken, Gate, GrantId, MaxAdvance, MaxPermits,
    Permit, RealmId, ResourceId,
};
use high_water::{Fate, Fault, FaultMedium, Options, inspect_on};

mod any_gate;
mod model;

use any_gate::AnyGate;
use model::{Counts, Model, Number, epoch, grant, number, realm, resource};

use crate::bounds::{Bound, bounded};

#[derive(Arbitrary, Debug)]
struct Script {
    durable: bool,
    floor: Number,
    max_permits: u8,
    max_advance: Option<u16>,
    steps: Vec<Step>,
}

#[derive(Arbitrary, Clone, Copy, Debug)]
enum Step {
    Enter(Token),
    Check(Token),
    Leave {
        which: u8,
    },
    Adopt {
        realm: u8,
        floor: Number,
    },
    Seal,
    Abandon,
    /// A call to the disk fails, so many calls from now. At most one between two openings that went well.
    Fault {
        after: u8,
        errno: bool,
    },
    FailSync {
        fate: u8,
    },
    Reopen {
        floor: Option<Number>,
    },
    Kill,
    PowerCut {
        which: u16,
    },
}

#[derive(Arbitrary, Clone, Copy, Debug)]
struct Token {
    realm: u8,
    other_resource: bool,
    epoch: Number,
    grant: u8,
}

const MAX_STEPS: usize = 80;
const EIO: i32 = 5;

pub fn run(data: &[u8]) {
    hostile(data);
    let Ok(script) = Script::arbitrary(&mut Unstructured::new(data)) else { return };
    let mut world = World::new(&script);
    let mut steps = script.steps.iter().take(MAX_STEPS);
    if script.durable {
        while world.durable_life(&mut steps) {}
    } else {
        let gate = Gate::new(realm(0), resource(), epoch(world.model.floor))
            .with_max_permits(world.max_permits())
            .with_max_advance(world.max_advance());
        world.life(&gate, &mut steps);
    }
}

fn options() -> Options {
    Options::new(DurableGate::identity(resource()))
}

/// What a register may hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Kept {
    realm: Option<RealmId>,
    value: u64,
    grant: Option<GrantId>,
}

impl Kept {
    const NEW: Self = Self { realm: None, value: 0, grant: None };

    /// The floor of a gate that is made of it with another one, and whom it has admitted.
    fn gate(self, floor: u64) -> (u64, Option<(u64, GrantId)>) {
        match self.grant {
            Some(grant) if floor <= self.value => (self.value, Some((self.value, grant))),
            Some(_) => (floor, None),
            None => (floor.max(self.value + 1), None),
        }
    }

    /// What is written before that gate is made.
    fn given_up(self, realm: RealmId, floor: u64) -> Option<Self> {
        let below = self.gate(floor).0 - 1;
        (below > self.value).then_some(Self { realm: Some(realm), value: below, grant: None })
    }
}

struct World {
    model: Model,
    /// The same events, to the pure rule; `None` after a failure of the disk, of which it knows nothing.
    state: Option<State>,
    terms: Terms,
    medium: FaultMedium,
    /// What was acknowledged last, and after it all that was asked for.
    kept: Vec<Kept>,
    /// The greatest epoch that was ever admitted, and to whom.
    greatest: Option<(u64, GrantId)>,
    /// Faults planned on this machine.
    planned: u64,
    sync_fails: bool,
    /// Whether anything may have gone wrong in this life.
    faulted: bool,
}

impl World {
    fn new(script: &Script) -> Self {
        let max_permits = u32::from(script.max_permits % 8) + 1;
        let max_advance = script.max_advance.map(u64::from);
        let mut model = Model {
            realm: realm(0),
            floor: 1,
            admitted: None,
            closed: true,
            sealed: false,
            in_flight: 0,
            max_permits,
            max_advance,
            counts: Counts::default(),
        };
        model.floor = number(&model, script.floor);
        let medium = FaultMedium::new();
        options().create_on(medium.clone(), 0, b"").expect("a healthy disk refuses a register");
        let limit = max_advance.map_or(MaxAdvance::Unbounded, MaxAdvance::AtMost);
        let permits = MaxPermits::new(max_permits).expect("in range");
        Self {
            state: Some(State::new(realm(0), epoch(model.floor))),
            terms: Terms::new(resource()).with_max_advance(limit).with_max_permits(permits),
            model,
            medium,
            kept: vec![Kept::NEW],
            greatest: None,
            planned: 0,
            sync_fails: false,
            faulted: false,
        }
    }

    fn max_permits(&self) -> MaxPermits {
        MaxPermits::new(self.model.max_permits).expect("in range")
    }

    fn max_advance(&self) -> MaxAdvance {
        self.model.max_advance.map_or(MaxAdvance::Unbounded, MaxAdvance::AtMost)
    }

    /// One life of a durable gate; whether there is another one.
    fn durable_life<'s>(&mut self, steps: &mut impl Iterator<Item = &'s Step>) -> bool {
        let gate = self.open(epoch(self.model.floor));
        let gate = gate.with_max_permits(self.max_permits()).with_max_advance(self.max_advance());
        let end = self.life(&gate, steps);
        drop(gate);
        // A restarted process knows nothing, or a floor that somebody tells it.
        self.model.floor = match end {
            None => return false,
            Some(Step::Reopen { floor }) => floor.map_or(1, |floor| number(&self.model, floor)),
            Some(Step::Kill) => self.restart(self.medium.process_crash()),
            Some(Step::PowerCut { which }) => {
                let cuts = self.medium.cuts();
                match cuts.get(usize::from(which) % cuts.len().max(1)) {
                    Some(cut) => self.restart(self.medium.power_cut(cut)),
                    None => 1,
                }
            }
            other => panic!("{other:?} ends no life"),
        };
        true
    }

    /// Another machine, as it is after a crash of this one.
    fn restart(&mut self, medium: FaultMedium) -> u64 {
        (self.medium, self.planned, self.sync_fails) = (medium, 0, false);
        1
    }

    /// Makes a gate of what the register remembers, which must be what was acknowledged last, or asked for since.
    fn open(&mut self, floor: Epoch) -> DurableGate<FaultMedium> {
        let mut with = self.kept[0].realm.unwrap_or(realm(0));
        // Ends: one call fails, one realm is not the one that was tried first.
        loop {
            let register = (0..4).find_map(|_| options().open_on(self.medium.clone()).ok());
            let register = register.expect("one failed call does not lose a register");
            let value = register.get();
            assert!(self.kept.iter().any(|kept| kept.value == value), "{value} is none of {:?}", self.kept);
            match DurableGate::new(register, with, resource(), floor) {
                Ok(gate) => {
                    self.begin(&gate, with, value, floor.get());
                    return gate;
                }
                Err(DurableGateError::WrongRealm { found }) => {
                    let asked = self.kept.iter().any(|kept| kept.realm == Some(found));
                    assert!(asked && found != with, "a realm that nobody asked for");
                    with = found;
                }
                Err(DurableGateError::NotSaved(_)) => {
                    assert!(self.faulted || self.pending(), "a healthy disk keeps a floor");
                    let given_up = self.kept.iter().filter_map(|kept| kept.given_up(with, floor.get()));
                    let given_up: Vec<_> = given_up.collect();
                    self.kept.extend(given_up);
                }
                Err(why) => panic!("{why}"),
            }
        }
    }

    /// Whether a planned fault has not struck yet.
    fn pending(&self) -> bool {
        self.sync_fails || self.medium.struck() < self.planned
    }

    fn begin(&mut self, gate: &DurableGate<FaultMedium>, with: RealmId, value: u64, floor: u64) {
        let seen = gate.snapshot();
        let found = self.kept.iter().copied().find(|kept| {
            let (at, admitted) = kept.gate(floor);
            let token = admitted.map(|(at, grant)| FencingToken::new(with, resource(), epoch(at), grant));
            kept.value == value
                && kept.realm.is_none_or(|realm| realm == with)
                && (at, admitted.map(|(at, _)| at)) == (seen.floor.get(), seen.admitted.map(Epoch::get))
                && token.is_none_or(|token| gate.check(&token).is_ok())
        });
        let found = found.unwrap_or_else(|| panic!("{seen:?} is none of {:?} above {floor}", self.kept));
        let (at, admitted) = found.gate(floor);
        self.kept = vec![found.given_up(with, floor).unwrap_or(found)];
        self.faulted = self.pending();
        self.model = Model {
            realm: with,
            floor: at,
            admitted,
            closed: admitted.is_none(),
            sealed: false,
            in_flight: 0,
            counts: Counts::default(),
            ..self.model
        };
        self.state = Some(match admitted {
            Some((admitted, grant)) => State::resumed(with, epoch(admitted), grant),
            None => State::new(with, epoch(at)),
        });
    }

    /// Does the steps, up to one that ends the life of a durable gate.
    fn life<'s, G: AnyGate>(&mut self, gate: &G, steps: &mut impl Iterator<Item = &'s Step>) -> Option<Step> {
        // The permits that are alive, what the rule gave for each, and whether it was abandoned.
        let mut permits: Vec<(Permit<'_>, Option<Ticket>, bool)> = Vec::new();
        for step in steps {
            match *step {
                Step::Enter(asked) => {
                    let token = self.token(asked);
                    if let Some((permit, ticket)) = self.enter(gate, &token) {
                        let alive = permits.iter().filter(|(_, _, abandoned)| !abandoned);
                        alive.for_each(|(other, ..)| assert_eq!(other.epoch(), permit.epoch()));
                        permits.push((permit, ticket, false));
                    }
                }
                Step::Check(asked) => {
                    let token = self.token(asked);
                    let advice = bounded(Bound::NOTHING, 0, || gate.check(&token));
                    assert_eq!(advice, self.model.check(&token), "{token}");
                }
                Step::Leave { which } => {
                    if !permits.is_empty() {
                        let (permit, ticket, abandoned) = permits.remove(usize::from(which) % permits.len());
                        drop(permit);
                        self.model.in_flight -= u32::from(!abandoned);
                        let answer = ticket.and_then(|ticket| self.rule(Event::Release(ticket)));
                        let expected = if abandoned { Answer::WasAbandoned } else { Answer::Released };
                        assert!(answer.is_none_or(|answer| answer == expected), "{answer:?}");
                    }
                }
                Step::Adopt { realm: to, floor } => {
                    self.adopt(gate, realm(to), number(&self.model, floor).max(1));
                }
                Step::Seal => {
                    self.model.sealed = true;
                    assert_eq!(gate.seal(), self.model.in_flight);
                    let sealed = self.rule(Event::Seal);
                    assert!(sealed.is_none_or(|sealed| sealed == Answer::Sealed(self.model.in_flight)));
                }
                Step::Abandon => {
                    let alive = core::mem::take(&mut self.model.in_flight);
                    assert_eq!(gate.abandon(), alive);
                    let abandoned = self.rule(Event::Abandon);
                    assert!(abandoned.is_none_or(|abandoned| abandoned == Answer::Abandoned(alive)));
                    self.model.counts.abandoned += u64::from(alive);
                    permits.iter_mut().for_each(|(_, _, abandoned)| *abandoned = true);
                }
                Step::Fault { after, errno } if !self.faulted => {
                    let fault = if errno { Fault::Errno(EIO) } else { Fault::Short(1) };
                    self.medium.fail(self.medium.calls() + u64::from(after % 16), fault);
                    self.planned += 1;
                    self.faulted = true;
                }
                Step::FailSync { fate } if !self.faulted => {
                    let bytes = usize::from(fate);
                    let fates = [Fate::Lost, Fate::Whole, Fate::Prefix(bytes), Fate::Suffix(bytes)];
                    self.medium.fail_next_sync(EIO, fates[bytes % fates.len()]);
                    (self.sync_fails, self.faulted) = (true, true);
                }
                Step::Fault { .. } | Step::FailSync { .. } => {}
                Step::Reopen { .. } | Step::Kill | Step::PowerCut { .. } => {
                    if G::DURABLE {
                        return Some(*step);
                    }
                }
            }
            self.model.is_as(&gate.snapshot());
            let state = self.state;
            assert!(state.is_none_or(|state| gate_rule::invariant(&self.terms, &state)), "{state:?}");
        }
        None
    }

    fn token(&self, asked: Token) -> FencingToken {
        // The gate's own realm and resource, more often than not.
        let of = if asked.realm < 192 { self.model.realm } else { realm(asked.realm) };
        let other = asked.other_resource && asked.grant > 192;
        let before = if other { ResourceId::of("fuzz", "other") } else { resource() };
        FencingToken::new(of, before, epoch(number(&self.model, asked.epoch)), grant(asked.grant))
    }

    fn rule(&mut self, event: Event) -> Option<Answer> {
        let (state, answer) = gate_rule::step(&self.terms, self.state?, event);
        self.state = Some(state);
        Some(answer)
    }

    fn enter<'g, G: AnyGate>(
        &mut self,
        gate: &'g G,
        token: &FencingToken,
    ) -> Option<(Permit<'g>, Option<Ticket>)> {
        let asked =
            Kept { realm: Some(token.realm()), value: token.epoch().get(), grant: Some(token.grant()) };
        let advances = self.model.counts.advances;
        // A gate in memory allocates nothing; the simulated disk of a durable one does.
        let room = if G::DURABLE { Bound::total(u32::MAX.into(), 0) } else { Bound::NOTHING };
        let entered = bounded(room, 0, || gate.enter(token));
        let saved = !matches!(entered, Err(None));
        let answer = entered.as_ref().map(|_| ()).map_err(|why| *why);
        assert_eq!(answer, self.model.enter(token, saved), "{token}");
        if !saved {
            self.failed(asked);
            return None;
        }
        if self.model.counts.advances > advances {
            self.acknowledged::<G>(asked);
        }
        let ticket = match self.rule(Event::Enter(*token)) {
            None => None,
            Some(Answer::Admitted(ticket)) => {
                assert_eq!(answer, Ok(()));
                Some(ticket)
            }
            Some(Answer::Rejected(why)) => {
                assert_eq!(answer, Err(Some(why)));
                None
            }
            Some(other) => panic!("{other:?}"),
        };
        let permit = entered.ok()?;
        let now = (token.epoch().get(), token.grant());
        let in_order = self.greatest.is_none_or(|last| last.0 < now.0 || last == now);
        assert!(in_order, "{now:?} was admitted after {:?}", self.greatest);
        self.greatest = Some(now);
        Some((permit, ticket))
    }

    fn adopt<G: AnyGate>(&mut self, gate: &G, realm: RealmId, floor: u64) {
        let judged = self.model.judge_adoption(realm, floor);
        // A durable gate writes the realm under the number below the floor, and so needs one more.
        if G::DURABLE && judged != Ok(false) && floor - 1 <= self.kept[0].value {
            let least = epoch(self.kept[0].value.saturating_add(2));
            assert_eq!(gate.adopt(realm, epoch(floor)), Err(Some(AdoptError::FloorTooLow { least })));
            return;
        }
        let asked = Kept { realm: Some(realm), value: floor - 1, grant: None };
        let adopted = gate.adopt(realm, epoch(floor));
        let saved = adopted != Err(None);
        assert_eq!(adopted, self.model.adopt(realm, floor, saved));
        if !saved {
            return self.failed(asked);
        }
        if judged == Ok(true) && adopted.is_ok() {
            self.acknowledged::<G>(asked);
        }
        match self.rule(Event::Adopt { realm, floor: epoch(floor) }) {
            None => {}
            Some(Answer::Adopted) => assert_eq!(adopted, Ok(())),
            Some(Answer::NotAdopted(why)) => assert_eq!(adopted, Err(Some(why))),
            Some(other) => panic!("{other:?}"),
        }
    }

    fn failed(&mut self, asked: Kept) {
        assert!(self.faulted, "a healthy disk keeps {asked:?}");
        self.kept.push(asked);
        self.state = None;
    }

    fn acknowledged<G: AnyGate>(&mut self, written: Kept) {
        // Whoever is killed now leaves a register that says so.
        if G::DURABLE {
            let left = inspect_on(&self.medium.process_crash()).expect("a register");
            let grant = written.grant.map_or([0; GrantId::BYTES], GrantId::to_bytes);
            assert_eq!(left.record().value(), written.value);
            assert!(left.record().payload().ends_with(&grant), "{written:?} is not what was written");
        }
        self.kept = vec![written];
        // The sync that was to fail has been.
        self.sync_fails = false;
    }
}

/// A register with any number and any payload: refused, or the gate that FORMAT.md says it is.
fn hostile(data: &[u8]) {
    let Some((value, payload)) = data.split_first_chunk::<8>() else { return };
    let value = u64::from_be_bytes(*value);
    let Ok(register) = options().create_on(FaultMedium::new(), value, payload) else {
        return assert!(payload.len() > 256, "a healthy disk refuses a register");
    };
    let parts = match payload {
        [1, rest @ ..] if rest.len() == 32 => {
            let (realm, grant) = rest.split_at(16);
            let number = |bytes: &[u8]| u128::from_be_bytes(bytes.try_into().expect("half of 32"));
            RealmId::from_random_bits(number(realm))
                .map(|realm| (realm, GrantId::from_random_bits(number(grant))))
        }
        _ => None,
    };
    let with = parts.map_or(realm(0), |(realm, _)| realm);
    match DurableGate::new(register, with, resource(), Epoch::FIRST) {
        Ok(gate) => {
            let (realm, grant) = parts.map_or((None, None), |(realm, grant)| (Some(realm), grant));
            assert!(parts.is_some() || (value == 0 && payload.is_empty()), "{payload:?} is no gate");
            let (floor, admitted) = Kept { realm, value, grant }.gate(1);
            let seen = gate.snapshot();
            assert_eq!(
                (seen.floor.get(), seen.admitted.map(Epoch::get)),
                (floor, admitted.map(|(at, _)| at))
            );
        }
        Err(DurableGateError::Payload(_)) => {
            let ends =
                parts.is_some_and(|(_, grant)| if grant.is_some() { value == 0 } else { value == u64::MAX });
            assert!(parts.is_none() || ends, "what a gate wrote was refused");
        }
        Err(why) => panic!("{why}"),
    }
}
