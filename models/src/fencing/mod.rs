//! The timeless model: a lease may end at any moment, a message may arrive at any later one, or never.
//!
//! # What is left out, and why nothing is lost by it
//!
//! - A load is answered at once. An old answer is the same as a holder that is stopped after it read a new one,
//!   and what it does next is a write, which is compared with the version.
//! - A reply comes at once or never. A late one is the same as a holder that is stopped after it.
//! - A message is lost by never being delivered, and stays where it is when it is: so it is doubled, delayed and
//!   reordered. A retry of the same write is a doubled message.
//! - A crash of the store is an end of the lease (its clock begins another era) and requests and replies that never
//!   arrive. What it acknowledged it has.
//! - Every token that any holder ever had may arrive at the gate at any time, whatever became of the holder.

use alloc::sync::Arc;
use std::sync::OnceLock;

use core::time::Duration;

use epoch_fence::gate_rule::{self, Answer as GateAnswer, Event, State as Gate, Terms};
use epoch_fence::protocol::{
    Acquire, Answer, BootTime, Change, Claim, Command, Machine, Progress, Record, Request, Resolve, Tenure,
    Ttl, step,
};
use epoch_fence::{Epoch, FencingToken, GrantId, HolderId, RealmId, Rejected, ResourceId};
use stateright::{Model, Property};

use crate::Removed;

mod calls;
mod state;

pub use state::{Broken, Call, Holder, Message, NOW, Spent, State, Store, Write};

/// A name of an `always` property.
pub const ONE_GRANT_PER_EPOCH: &str = "an epoch belongs to one grant";
/// A name of an `always` property.
pub const EPOCHS_RISE: &str = "epochs rise with every tenure";
/// A name of an `always` property.
pub const RECORD_INVARIANT: &str = "every write keeps the invariant of the record";
/// A name of an `always` property.
pub const NO_OLDER_PERMIT: &str = "no permit of an older epoch is alive beside or after a newer one's";
/// A name of an `always` property.
pub const TOLD_STAYS_TRUE: &str = "an attempt of which its caller was told that it cannot land never lands";
/// A name of an `always` property.
pub const OVER_STAYS_OVER: &str = "a lease that is over is never live again";
/// A name of an `always` property.
pub const TOKENS_WERE_GRANTED: &str = "every token is of a tenure that the store granted";
/// A name of an `always` property.
pub const NOTHING_IMPOSSIBLE: &str = "no machine meets what no correct store answers";

/// Something that the model must be able to reach, so that an empty model cannot pass.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Reached {
    HandedOver,
    UnknownGranted,
    UnknownNotGranted,
    UnknownSuperseded,
    BurnMetTheAttempt,
    DoubledWasGranted,
    StaleRejected,
    Drained,
    RenewedTooLate,
    Renewed,
    WrongRealm,
}

/// How many things there are to reach.
const REACHED: usize = Reached::WrongRealm as usize + 1;

/// How far the model goes.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct Limits {
    /// Holders.
    pub holders: usize,
    /// Attempts of all of them.
    pub attempts: u8,
    /// Renewals of all of them.
    pub renewals: u8,
    /// Hand-overs of all of them.
    pub hand_overs: u8,
    /// Whether a write may arrive more than once.
    pub doubled: bool,
    /// How often an older copy of the store is put back.
    pub rewinds: u8,
    /// Whether there is a gate.
    pub gate: bool,
}

impl Limits {
    /// The store and three holders that contend; messages are doubled.
    #[must_use]
    pub const fn contended() -> Self {
        Self { holders: 3, attempts: 3, renewals: 0, hand_overs: 0, doubled: true, rewinds: 0, gate: false }
    }

    /// The store and two holders that renew and hand over; messages are doubled.
    #[must_use]
    pub const fn renewed() -> Self {
        Self { holders: 2, attempts: 3, renewals: 1, hand_overs: 1, doubled: true, rewinds: 0, gate: false }
    }

    /// The store, three holders and the gate.
    #[must_use]
    pub const fn gate() -> Self {
        Self { holders: 3, attempts: 3, renewals: 0, hand_overs: 1, doubled: false, rewinds: 0, gate: true }
    }

    /// Two holders, the gate, and a store that is put back to an older copy.
    #[must_use]
    pub const fn rewound() -> Self {
        Self { holders: 2, attempts: 3, renewals: 0, hand_overs: 0, doubled: false, rewinds: 1, gate: true }
    }
}

/// The model.
#[derive(Debug)]
pub struct Fencing {
    limits: Limits,
    removed: Removed,
    ttl: Ttl,
    names: Vec<HolderId>,
    resource: ResourceId,
    realm: RealmId,
    next_realm: RealmId,
    terms: Terms,
    reached: [OnceLock<()>; REACHED],
}

/// What may happen.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Action {
    /// A holder begins an attempt.
    Start(usize),
    /// A holder waits no longer.
    GiveUp(usize),
    /// A holder whose call goes on with a load does it.
    Load(usize),
    /// A holder sends the same attempt again.
    Retry(usize),
    /// A holder asks what became of its attempt.
    Resolve(usize),
    /// A holder renews.
    Renew(usize),
    /// A holder releases.
    Release(usize),
    /// A holder hands over to another.
    HandOver(usize, usize),
    /// A holder crashes, and forgets all it knew.
    Crash(usize),
    /// A copy of a write arrives; the sender hears of it, or not.
    Deliver(usize, bool),
    /// The lease or reservation in the store comes to its end.
    End,
    /// A token arrives at the gate.
    Enter(FencingToken),
    /// An effect ends, and its permit with it.
    Leave(usize),
    /// Somebody copies the store.
    Backup,
    /// Somebody puts the older copy back; and the operator, if it knows the rule, recovers.
    Rewind,
    /// The operator has the gate adopt the new realm.
    Adopt,
}

fn some<T>(value: Option<T>, what: &str) -> Result<T, String> {
    value.ok_or_else(|| what.into())
}

impl Fencing {
    /// Makes the model.
    ///
    /// # Errors
    ///
    /// A text, where a constant of this file is none that the protocol allows.
    pub fn new(limits: Limits, removed: Removed) -> Result<Self, String> {
        let name = |text: &str| HolderId::try_new(text).map_err(|why| why.to_string());
        let names = ["a", "b", "c", "d"].into_iter().take(limits.holders).map(name);
        let resource = ResourceId::of("models", "fencing");
        Ok(Self {
            limits,
            removed,
            ttl: Ttl::MIN,
            names: names.collect::<Result<_, _>>()?,
            resource,
            realm: some(RealmId::from_random_bits(1), "a realm")?,
            next_realm: some(RealmId::from_random_bits(2), "a realm")?,
            terms: Terms::new(resource),
            reached: Default::default(),
        })
    }

    fn reach(&self, what: Reached) {
        if let Some(place) = self.reached.get(what as usize) {
            place.get_or_init(|| ());
        }
    }

    fn has_reached(&self, what: Reached) -> bool {
        self.reached.get(what as usize).is_some_and(|place| place.get().is_some())
    }

    fn claim(&self, at: usize) -> Option<Claim> {
        Some(Claim::new(self.resource, *self.names.get(at)?, self.ttl))
    }
}

impl Fencing {
    fn holder_actions(&self, state: &State, at: usize, actions: &mut Vec<Action>) {
        let Some(holder) = state.holders.get(at) else { return };
        match holder.as_ref() {
            Holder::Idle => {
                if state.spent.attempts < self.limits.attempts {
                    actions.push(Action::Start(at));
                }
                return;
            }
            Holder::Calling(call) => {
                actions.push(Action::GiveUp(at));
                if call.request() == Request::Load {
                    actions.push(Action::Load(at));
                }
            }
            Holder::Unknown(_) => actions.extend([Action::Retry(at), Action::Resolve(at)]),
            Holder::Holding(_) => {
                actions.push(Action::Release(at));
                if state.spent.renewals < self.limits.renewals {
                    actions.push(Action::Renew(at));
                }
                if state.spent.hand_overs < self.limits.hand_overs {
                    let others = (0..self.limits.holders).filter(|to| *to != at);
                    actions.extend(others.map(|to| Action::HandOver(at, to)));
                }
            }
        }
        actions.push(Action::Crash(at));
    }

    /// A call begins: its first load is answered at once, and it goes on from there.
    fn begin(&self, state: &mut State, at: usize, call: Call) {
        let view = self.load(state, &call);
        self.answer(state, at, call, Answer::Loaded(view));
    }

    fn start(&self, state: &mut State, at: usize) -> Option<()> {
        state.spent.attempts = state.spent.attempts.checked_add(1)?;
        let number = match self.removed {
            Removed::FreshGrant => u128::try_from(at).ok()?.checked_add(1)?,
            _ => u128::from(state.spent.attempts),
        };
        let acquire = Acquire::new(self.claim(at)?, GrantId::from_random_bits(number)?);
        let view = state.store.view();
        match acquire.answer(BootTime::new(Duration::ZERO), Answer::Loaded(view)) {
            Progress::Ask(machine) => self.go_on(state, at, Call::Acquire(machine)),
            // Refused: nothing was sent, and nothing happened.
            Progress::Done(_) => return None,
        }
        Some(())
    }

    fn holder_step(&self, state: &mut State, at: usize, action: &Action) -> Option<()> {
        let holder = Arc::clone(state.holders.get(at)?);
        match (action, holder.as_ref()) {
            (Action::Start(_), Holder::Idle) => self.start(state, at)?,
            (Action::GiveUp(_), Holder::Calling(call)) => {
                self.answer(state, at, call.clone(), Answer::Unknown)
            }
            (Action::Load(_), Holder::Calling(call)) => self.begin(state, at, call.clone()),
            (Action::Retry(_), Holder::Unknown(pending)) => {
                self.go_on(state, at, Call::Acquire(Acquire::retry(*pending)));
            }
            (Action::Resolve(_), Holder::Unknown(pending)) => {
                self.begin(state, at, Call::Resolve(Resolve::new(*pending)));
            }
            (Action::Renew(_), Holder::Holding(token)) => {
                state.spent.renewals = state.spent.renewals.checked_add(1)?;
                let command = Command::Renew { grant: token.grant(), ttl: self.ttl };
                self.begin(state, at, Call::Renew(Change::new(command), *token));
            }
            (Action::Release(_), Holder::Holding(token)) => {
                let command = Command::Release { grant: token.grant() };
                self.begin(state, at, Call::End(Change::new(command)));
            }
            (Action::HandOver(_, to), Holder::Holding(token)) => {
                state.spent.hand_overs = state.spent.hand_overs.checked_add(1)?;
                let command =
                    Command::HandOver { grant: token.grant(), to: *self.names.get(*to)?, keep: self.ttl };
                self.begin(state, at, Call::End(Change::new(command)));
            }
            (Action::Crash(_), _) => state.set(at, Holder::Idle),
            _ => return None,
        }
        Some(())
    }

    /// A token arrives at the gate.
    fn enter(&self, state: &mut State, token: FencingToken) -> Option<()> {
        let (gate, answer) = gate_rule::step(&self.terms, state.gate, Event::Enter(token));
        state.gate = gate;
        let ticket = match answer {
            GateAnswer::Admitted(ticket) => ticket,
            GateAnswer::Rejected(Rejected::Draining { .. }) if self.removed == Removed::Drain => {
                // As a gate that only compares: it takes the newer epoch as soon as it sees it.
                let open = Gate::resumed(token.realm(), token.epoch(), token.grant());
                let (gate, answer) = gate_rule::step(&self.terms, open, Event::Enter(token));
                state.gate = gate;
                match answer {
                    GateAnswer::Admitted(ticket) => ticket,
                    _ => return None,
                }
            }
            GateAnswer::Rejected(why) => {
                match why {
                    Rejected::Stale { .. } => self.reach(Reached::StaleRejected),
                    Rejected::Draining { .. } => self.reach(Reached::Drained),
                    Rejected::WrongRealm => self.reach(Reached::WrongRealm),
                    _ => {}
                }
                return Some(());
            }
            _ => return None,
        };
        state.admitted = state.admitted.max(Some(token.epoch()));
        state.permits.push((token.epoch(), ticket));
        state.permits.sort_unstable();
        Some(())
    }

    fn store_step(&self, state: &mut State, action: &Action) -> Option<()> {
        match action {
            Action::End => {
                if matches!(state.store.record.tenure(), Tenure::Held { .. }) {
                    state.store.ended = true;
                }
                state.lapse_reservation();
            }
            Action::Backup => state.backup = Some(Box::new(state.store.record)),
            Action::Rewind => {
                state.spent.rewinds = state.spent.rewinds.checked_add(1)?;
                state.store = Store { record: *state.backup.take()?, ended: true };
                if self.removed != Removed::Recovery {
                    let floor = state.last.map(|(_, epoch, _)| epoch);
                    let command = Command::Recover { realm: self.next_realm, floor };
                    state.store.record = step(&state.store.view(), &command).ok()?;
                    state.store.ended = false;
                }
            }
            Action::Adopt => {
                let event = Event::Adopt { realm: self.next_realm, floor: state.store.record.epoch()? };
                let (gate, _) = gate_rule::step(&self.terms, state.gate, event);
                state.gate = gate;
            }
            _ => return None,
        }
        Some(())
    }
}

impl Model for Fencing {
    type State = State;
    type Action = Action;

    fn init_states(&self) -> Vec<State> {
        vec![State {
            store: Store { record: Record::vacant(self.realm), ended: false },
            backup: None,
            holders: (0..self.limits.holders).map(|_| Arc::new(Holder::Idle)).collect(),
            network: Vec::new(),
            gate: Gate::new(self.realm, Epoch::FIRST),
            permits: Vec::new(),
            admitted: None,
            tokens: Vec::new(),
            last: None,
            told: Vec::new(),
            broken: Vec::new(),
            spent: Spent::default(),
        }]
    }

    fn actions(&self, state: &State, actions: &mut Vec<Action>) {
        for at in 0..state.holders.len() {
            self.holder_actions(state, at, actions);
        }
        for place in 0..state.network.len() {
            actions.extend([Action::Deliver(place, true), Action::Deliver(place, false)]);
        }
        let open_end = match state.store.record.tenure() {
            Tenure::Free => false,
            Tenure::Reserved { until, .. } => *until != NOW,
            Tenure::Held { .. } => !state.store.ended,
        };
        if open_end {
            actions.push(Action::End);
        }
        if self.limits.gate {
            let idle =
                |token: &&FencingToken| !state.permits.iter().any(|(epoch, _)| *epoch == token.epoch());
            actions.extend(state.tokens.iter().filter(idle).map(|token| Action::Enter(*token)));
            actions.extend((0..state.permits.len()).map(Action::Leave));
        }
        if state.spent.rewinds < self.limits.rewinds {
            actions.push(if state.backup.is_none() { Action::Backup } else { Action::Rewind });
        }
        if state.store.record.realm() == self.next_realm && state.gate.realm() != self.next_realm {
            actions.push(Action::Adopt);
        }
    }

    fn next_state(&self, last: &State, action: Action) -> Option<State> {
        let mut state = last.clone();
        match &action {
            Action::Start(at)
            | Action::GiveUp(at)
            | Action::Load(at)
            | Action::Retry(at)
            | Action::Resolve(at)
            | Action::Renew(at)
            | Action::Release(at)
            | Action::HandOver(at, _)
            | Action::Crash(at) => self.holder_step(&mut state, *at, &action)?,
            Action::Deliver(place, heard) => self.deliver(&mut state, *place, *heard)?,
            Action::Enter(token) => self.enter(&mut state, *token)?,
            Action::Leave(place) => {
                if *place >= state.permits.len() {
                    return None;
                }
                let (_, ticket) = state.permits.remove(*place);
                state.gate = gate_rule::step(&self.terms, state.gate, Event::Release(ticket)).0;
            }
            Action::End | Action::Backup | Action::Rewind | Action::Adopt => {
                self.store_step(&mut state, &action)?;
            }
        }
        self.forget(&mut state);
        (state != *last).then_some(state)
    }

    fn properties(&self) -> Vec<Property<Self>> {
        let mut all = vec![
            Property::always(ONE_GRANT_PER_EPOCH, |_, state: &State| {
                !state.broken.contains(&Broken::TwoGrants)
            }),
            Property::always(EPOCHS_RISE, |_, state: &State| !state.broken.contains(&Broken::EpochFell)),
            Property::always(RECORD_INVARIANT, |_, state: &State| !state.broken.contains(&Broken::Invariant)),
            Property::always(NO_OLDER_PERMIT, |model: &Self, state: &State| {
                gate_rule::invariant(&model.terms, &state.gate)
                    && state.permits.iter().all(|(epoch, _)| Some(*epoch) == state.admitted)
            }),
            Property::always(TOLD_STAYS_TRUE, |_, state: &State| {
                !state.broken.contains(&Broken::LandedAfterAll)
            }),
            Property::always(OVER_STAYS_OVER, |_, state: &State| !state.broken.contains(&Broken::Revived)),
            Property::always(TOKENS_WERE_GRANTED, |_, state: &State| !state.broken.contains(&Broken::Token)),
            Property::always(NOTHING_IMPOSSIBLE, |_, state: &State| {
                !state.broken.contains(&Broken::Impossible)
            }),
        ];
        all.extend([
            Property::sometimes("an unknown attempt resolves as granted", |model: &Self, _| {
                model.has_reached(Reached::UnknownGranted)
            }),
            Property::sometimes("an unknown attempt resolves as not granted", |model: &Self, _| {
                model.has_reached(Reached::UnknownNotGranted)
            }),
            Property::sometimes("an unknown attempt resolves as superseded", |model: &Self, _| {
                model.has_reached(Reached::UnknownSuperseded)
            }),
        ]);
        if self.limits.doubled {
            all.extend([
                Property::sometimes("a burn meets the attempt that it was to stop", |model: &Self, _| {
                    model.has_reached(Reached::BurnMetTheAttempt)
                }),
                Property::sometimes("a doubled attempt is granted once", |model: &Self, _| {
                    model.has_reached(Reached::DoubledWasGranted)
                }),
            ]);
        }
        if self.limits.gate {
            all.extend([
                Property::sometimes("a stale holder is rejected", |model: &Self, _| {
                    model.has_reached(Reached::StaleRejected)
                }),
                Property::sometimes("a newer holder waits for the drain", |model: &Self, _| {
                    model.has_reached(Reached::Drained)
                }),
            ]);
        }
        if self.limits.hand_overs > 0 {
            all.push(Property::sometimes("a hand-over happens", |model: &Self, _| {
                model.has_reached(Reached::HandedOver)
            }));
        }
        if self.limits.renewals > 0 {
            all.extend([
                Property::sometimes("a renewal lands", |model: &Self, _| model.has_reached(Reached::Renewed)),
                Property::sometimes("a renewal comes too late", |model: &Self, _| {
                    model.has_reached(Reached::RenewedTooLate)
                }),
            ]);
        }
        if self.limits.rewinds > 0 && self.removed != Removed::Recovery {
            all.push(Property::sometimes("a token of the other realm is rejected", |model: &Self, _| {
                model.has_reached(Reached::WrongRealm)
            }));
        }
        all
    }
}
