//! The model with clocks: an issuer's, and those of two holders that run at other rates.
//!
//! Requests and replies take any time. A holder may be stopped at any moment: it is one that does nothing while
//! the time goes on. A time-out leaves the request under way.

use alloc::sync::Arc;
use std::sync::OnceLock;

use core::time::Duration;

use epoch_fence::protocol::{
    Acquire, Acquired, Answer, BootTime, Change, Changed, Claim, Command, Granted, Machine, Moment, Progress,
    Record, Request, Swap, Ttl, View,
};
use epoch_fence::{GrantId, HolderId, RealmId, ResourceId};
use stateright::{Model, Property};

use crate::Removed;

/// A name of an `always` property.
pub const BELIEVED_IS_LIVE: &str = "whoever believes in its lease has it at the issuer";
/// A name of an `always` property.
pub const LOST_STAYS_LOST: &str = "a lease that its holder knew lost is never believed in again";

/// One step of the issuer's clock: the margin of the time to live below.
const TICK: Duration = Duration::from_millis(250);
/// The time to live: eight ticks.
const TTL: Duration = Duration::from_secs(2);

/// How fast a holder's clock runs: this many of its ticks in that many of the issuer's.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Rate(u32, u32);

impl Rate {
    /// Slow by an eighth: as slow as the margin allows.
    pub const SLOWEST: Self = Self(7, 8);
    /// Slower than the margin allows.
    pub const TOO_SLOW: Self = Self(5, 8);
    /// Fast.
    pub const FAST: Self = Self(9, 8);
}

/// What a holder waits for.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Call {
    /// To become the holder.
    Acquire(Acquire),
    /// To go on.
    Renew(Change, Granted),
}

impl Call {
    fn waits_for(&self, swap: &Swap) -> bool {
        let request = match self {
            Self::Acquire(machine) => machine.request(),
            Self::Renew(machine, _) => machine.request(),
        };
        request == Request::Swap(swap)
    }
}

/// A process that wants to hold.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Holder {
    /// It wants nothing.
    Idle,
    /// It sent a request then, and the answer may be on its way.
    Calling(Arc<Call>, BootTime, Option<Arc<View>>),
    /// It has a lease.
    Holding(Granted),
}

/// The whole.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct State {
    /// Ticks of the issuer's clock.
    pub ticks: u32,
    /// The record.
    pub record: Record,
    /// The holders, and whether each knew its latest lease lost.
    pub holders: Vec<(Holder, bool)>,
    /// Requests under way.
    pub network: Vec<(usize, Arc<Swap>)>,
    /// Attempts made.
    pub attempts: u8,
    /// Renewals sent.
    pub renewals: u8,
}

/// What may happen.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Action {
    /// Time goes on.
    Tick,
    /// A holder begins an attempt.
    Start(usize),
    /// A holder renews.
    Renew(usize),
    /// A request arrives.
    Arrive(usize),
    /// A holder reads its answer.
    Hear(usize),
    /// A holder waits no longer.
    GiveUp(usize),
}

/// The model.
#[derive(Debug)]
pub struct Deadline {
    rates: [Rate; 2],
    removed: Removed,
    ttl: Ttl,
    names: [HolderId; 2],
    resource: ResourceId,
    realm: RealmId,
    reached: [OnceLock<()>; REACHED],
}

/// Something that the model must be able to reach, so that an empty model cannot pass.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Reached {
    Renewed,
    TakenOver,
    TooLate,
}

/// How many things there are to reach.
const REACHED: usize = Reached::TooLate as usize + 1;

const ATTEMPTS: u8 = 2;
const RENEWALS: u8 = 1;

/// How far the time goes: a lease, its renewal, and most of another.
const LAST_TICK: u32 = 16;

impl Deadline {
    /// Makes the model.
    ///
    /// # Errors
    ///
    /// A text, where a constant of this file is none that the protocol allows.
    pub fn new(rates: [Rate; 2], removed: Removed) -> Result<Self, String> {
        let name = |text: &str| HolderId::try_new(text).map_err(|why| why.to_string());
        Ok(Self {
            rates,
            removed,
            ttl: Ttl::new(TTL).ok_or("a time to live")?,
            names: [name("a")?, name("b")?],
            resource: ResourceId::of("models", "deadline"),
            realm: RealmId::from_random_bits(1).ok_or("a realm")?,
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

    fn view(state: &State) -> View {
        let now = TICK.saturating_mul(state.ticks).as_nanos();
        View::new(state.record, Moment::new(0, u64::try_from(now).unwrap_or(u64::MAX)))
    }

    fn clock(&self, state: &State, at: usize) -> Option<BootTime> {
        let Rate(own, issuer) = *self.rates.get(at)?;
        let own_ticks = TICK.checked_mul(state.ticks)?.checked_mul(own)?;
        Some(BootTime::new(own_ticks.checked_div(issuer)?))
    }

    /// Whether a holder acts as one that holds.
    fn believes(&self, state: &State, at: usize) -> bool {
        let granted = match state.holders.get(at) {
            Some((Holder::Holding(granted), _)) => granted,
            Some((Holder::Calling(call, ..), _)) => match call.as_ref() {
                Call::Renew(_, granted) => granted,
                Call::Acquire(_) => return false,
            },
            _ => return false,
        };
        let margin = if self.removed == Removed::Margin { self.ttl.margin() } else { Duration::ZERO };
        self.clock(state, at).is_some_and(|now| now < granted.deadline().saturating_add(margin))
    }

    fn grant(state: &State, at: usize) -> Option<GrantId> {
        match &state.holders.get(at)?.0 {
            Holder::Holding(granted) => Some(granted.token().grant()),
            Holder::Calling(call, ..) => match call.as_ref() {
                Call::Renew(_, granted) => Some(granted.token().grant()),
                Call::Acquire(_) => None,
            },
            Holder::Idle => None,
        }
    }

    fn set(state: &mut State, at: usize, holder: Holder) -> Option<()> {
        state.holders.get_mut(at)?.0 = holder;
        Some(())
    }

    /// A call begins: its load is answered at once, and its write is sent.
    fn send(&self, state: &mut State, at: usize, call: Call) -> Option<()> {
        let sent = self.clock(state, at)?;
        let loaded = Answer::Loaded(Self::view(state));
        let call = match call {
            Call::Acquire(machine) => match machine.answer(sent, loaded) {
                Progress::Ask(machine) => Call::Acquire(machine),
                Progress::Done(_) => return None,
            },
            Call::Renew(machine, granted) => match machine.answer(sent, loaded) {
                Progress::Ask(machine) => Call::Renew(machine, granted),
                Progress::Done(_) => {
                    self.reach(Reached::TooLate);
                    state.holders.get_mut(at)?.1 = true;
                    return Self::set(state, at, Holder::Idle);
                }
            },
        };
        let request = match &call {
            Call::Acquire(machine) => machine.request(),
            Call::Renew(machine, _) => machine.request(),
        };
        if let Request::Swap(swap) = request {
            state.network.push((at, Arc::new(*swap)));
        }
        Self::set(state, at, Holder::Calling(Arc::new(call), sent, None))
    }

    fn arrive(&self, state: &mut State, place: usize) -> Option<()> {
        if place >= state.network.len() {
            return None;
        }
        let (from, swap) = state.network.remove(place);
        if !swap.lands_on(&Self::view(state)) {
            // The conflict is not told: it is a reply that is lost.
            return Some(());
        }
        if state.record.grant().is_some() && state.record.grant() != swap.grant() {
            self.reach(Reached::TakenOver);
        }
        state.record = *swap.next();
        let view = Self::view(state);
        if let Some((Holder::Calling(call, _, answer), _)) = state.holders.get_mut(from)
            && call.waits_for(&swap)
        {
            *answer = Some(Arc::new(view));
        }
        Some(())
    }

    fn hear(&self, state: &mut State, at: usize) -> Option<()> {
        let (Holder::Calling(call, sent, Some(view)), _) = state.holders.get(at)?.clone() else {
            return None;
        };
        let now = self.clock(state, at)?;
        let sent = if self.removed == Removed::CountFromSending { now } else { sent };
        let landed = Answer::Landed(*view);
        let holder = match call.as_ref() {
            Call::Acquire(machine) => match machine.answer(sent, landed) {
                Progress::Done(Acquired::Granted(granted)) => {
                    state.holders.get_mut(at)?.1 = false;
                    Holder::Holding(granted)
                }
                _ => Holder::Idle,
            },
            Call::Renew(machine, granted) => match machine.answer(sent, landed) {
                Progress::Done(Changed::Done { view, sent }) => {
                    let now = if self.removed == Removed::DeadlineFinal {
                        BootTime::new(Duration::ZERO)
                    } else {
                        now
                    };
                    match granted.renewed(&view, sent, now, self.ttl) {
                        Some(granted) => {
                            self.reach(Reached::Renewed);
                            Holder::Holding(granted)
                        }
                        None => {
                            self.reach(Reached::TooLate);
                            Holder::Idle
                        }
                    }
                }
                _ => Holder::Idle,
            },
        };
        Self::set(state, at, holder)
    }
}

impl Model for Deadline {
    type State = State;
    type Action = Action;

    fn init_states(&self) -> Vec<State> {
        vec![State {
            ticks: 0,
            record: Record::vacant(self.realm),
            holders: vec![(Holder::Idle, false); self.names.len()],
            network: Vec::new(),
            attempts: 0,
            renewals: 0,
        }]
    }

    fn actions(&self, state: &State, actions: &mut Vec<Action>) {
        if state.ticks < LAST_TICK {
            actions.push(Action::Tick);
        }
        for (at, (holder, _)) in state.holders.iter().enumerate() {
            match holder {
                Holder::Idle if state.attempts < ATTEMPTS => actions.push(Action::Start(at)),
                Holder::Idle => {}
                Holder::Calling(_, _, answer) => {
                    actions.push(Action::GiveUp(at));
                    if answer.is_some() {
                        actions.push(Action::Hear(at));
                    }
                }
                Holder::Holding(_) if state.renewals < RENEWALS && self.believes(state, at) => {
                    actions.push(Action::Renew(at));
                }
                Holder::Holding(_) => {}
            }
        }
        actions.extend((0..state.network.len()).map(Action::Arrive));
    }

    fn next_state(&self, last: &State, action: Action) -> Option<State> {
        let mut state = last.clone();
        match action {
            Action::Tick => {
                state.ticks = state.ticks.checked_add(1)?;
                for at in 0..state.holders.len() {
                    let over = self.believes(last, at) && !self.believes(&state, at);
                    state.holders.get_mut(at)?.1 |= over;
                }
            }
            Action::Start(at) => {
                state.attempts = state.attempts.checked_add(1)?;
                let claim = Claim::new(self.resource, *self.names.get(at)?, self.ttl);
                let grant = GrantId::from_random_bits(u128::from(state.attempts))?;
                self.send(&mut state, at, Call::Acquire(Acquire::new(claim, grant)))?;
            }
            Action::Renew(at) => {
                let (Holder::Holding(granted), _) = state.holders.get(at)?.clone() else { return None };
                state.renewals = state.renewals.checked_add(1)?;
                let command = Command::Renew { grant: granted.token().grant(), ttl: self.ttl };
                self.send(&mut state, at, Call::Renew(Change::new(command), granted))?;
            }
            Action::Arrive(place) => self.arrive(&mut state, place)?,
            Action::Hear(at) => self.hear(&mut state, at)?,
            Action::GiveUp(at) => {
                let (Holder::Calling(call, ..), _) = state.holders.get(at)?.clone() else { return None };
                let holder = match call.as_ref() {
                    Call::Acquire(_) => Holder::Idle,
                    // An unknown renewal extends nothing.
                    Call::Renew(_, granted) => Holder::Holding(*granted),
                };
                Self::set(&mut state, at, holder)?;
            }
        }
        // What can land no more is forgotten: its reply is as good as lost.
        let version = state.record.version();
        state.network.retain(|(_, swap)| version <= swap.expected());
        Some(state)
    }

    fn properties(&self) -> Vec<Property<Self>> {
        vec![
            Property::always(BELIEVED_IS_LIVE, |model: &Self, state: &State| {
                (0..state.holders.len()).all(|at| {
                    let live = Self::grant(state, at).and_then(|grant| Self::view(state).remaining(grant));
                    live.is_some() || !model.believes(state, at)
                })
            }),
            Property::always(LOST_STAYS_LOST, |model: &Self, state: &State| {
                state.holders.iter().enumerate().all(|(at, (_, lost))| !(*lost && model.believes(state, at)))
            }),
            Property::sometimes("a renewal moves the deadline", |model: &Self, _| {
                model.has_reached(Reached::Renewed)
            }),
            Property::sometimes("a renewal comes too late", |model: &Self, _| {
                model.has_reached(Reached::TooLate)
            }),
            Property::sometimes("another takes over", |model: &Self, _| {
                model.has_reached(Reached::TakenOver)
            }),
        ]
    }
}
