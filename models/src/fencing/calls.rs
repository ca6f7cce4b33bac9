//! What the holders and the store do with the protocol's machines, and where a rule is taken away.

use alloc::sync::Arc;

use core::time::Duration;

use epoch_fence::protocol::{
    Acquired, Action as Purpose, Answer, BootTime, Changed, Machine, Pending, Progress, Record, Request,
    Resolved, Standing, Swap, Tenure, View, invariant,
};
use epoch_fence::{Epoch, FencingToken, GrantId};

use super::state::{Broken, Call, Holder, Message, NOW, State, Store, Write};
use super::{Fencing, Reached};
use crate::Removed;

/// A record with another epoch and tenure.
fn rewrite(record: &Record, epoch: Option<Epoch>, tenure: Tenure) -> Option<Record> {
    Record::try_new(record.realm(), record.version(), epoch, tenure, *record.info()).ok()
}

impl Fencing {
    /// A holder has a token now, and whatever it sends may arrive at any time.
    fn learn(&self, state: &mut State, token: FencingToken) -> Holder {
        if state.last != Some((token.realm(), token.epoch(), token.grant())) {
            state.broke(Broken::Token);
        }
        if self.limits.gate && !state.tokens.contains(&token) {
            state.tokens.push(token);
            state.tokens.sort_by_key(|token| (token.epoch(), token.grant()));
        }
        Holder::Holding(token)
    }

    /// What the store answers to a load, as far as the rule that is taken away lets the caller see it.
    pub(super) fn load(&self, state: &State, call: &Call) -> View {
        let view = state.store.view();
        let Call::Renew(_, token) = call else { return view };
        match (self.removed, view.standing(), *view.record().tenure()) {
            (Removed::ExpiryFinal, ..) => state.store.view_without_end(),
            (Removed::GrantMatch, Standing::Live { .. }, Tenure::Held { holder, expiry, .. }) => {
                let tenure = Tenure::Held { grant: token.grant(), holder, expiry };
                rewrite(view.record(), view.record().epoch(), tenure)
                    .map_or(view, |record| View::new(record, NOW))
            }
            _ => view,
        }
    }

    fn lands(&self, store: &Store, swap: &Swap) -> bool {
        let version = store.record.version() == swap.expected();
        match (self.removed, swap.action()) {
            (Removed::VersionCompare, Purpose::Acquire) => true,
            (Removed::ExpiryFinal, Purpose::Renew) => version,
            (Removed::GrantMatch, Purpose::Renew) => {
                version && matches!(store.view().standing(), Standing::Live { .. })
            }
            _ => swap.lands_on(&store.view()),
        }
    }

    /// The holder's call goes on, until it waits for something.
    pub(super) fn go_on(&self, state: &mut State, at: usize, call: Call) {
        let burn = match call.request() {
            Request::Load => None,
            Request::Swap(swap) => {
                if self.removed == Removed::BurnWrite && swap.action() == Purpose::Burn {
                    Some(View::new(*swap.next(), NOW))
                } else {
                    let next = self.stored(swap);
                    state.send(at, Write { swap: Arc::new(*swap), next });
                    None
                }
            }
        };
        match burn {
            // The write is left out, and taken for done.
            Some(view) => self.answer(state, at, call, Answer::Landed(view)),
            None => state.set(at, Holder::Calling(call)),
        }
    }

    /// The record that a write leaves.
    fn stored(&self, swap: &Swap) -> Record {
        let keeps_epoch = self.removed == Removed::EpochIncrement && swap.action() == Purpose::Acquire;
        if keeps_epoch {
            let epoch = swap.before().epoch().or(Some(Epoch::FIRST));
            rewrite(swap.next(), epoch, *swap.next().tenure()).unwrap_or(*swap.next())
        } else {
            *swap.next()
        }
    }

    /// Hands an answer to a call.
    pub(super) fn answer(&self, state: &mut State, at: usize, call: Call, answer: Answer) {
        let sent = BootTime::new(Duration::ZERO);
        match call {
            Call::Acquire(machine) => {
                let grant = machine.pending().as_ref().map(Pending::grant);
                match machine.answer(sent, answer) {
                    Progress::Ask(machine) => self.go_on(state, at, Call::Acquire(machine)),
                    Progress::Done(outcome) => self.acquired(state, at, grant, outcome),
                }
            }
            Call::Resolve(machine) => {
                let grant = machine.pending().grant();
                let met = matches!(machine.request(), Request::Load);
                match machine.answer(sent, answer) {
                    Progress::Ask(machine) => self.go_on(state, at, Call::Resolve(machine)),
                    Progress::Done(outcome) => {
                        if met && matches!(outcome, Resolved::Granted(_)) {
                            self.reach(Reached::BurnMetTheAttempt);
                        }
                        self.resolved(state, at, grant, outcome);
                    }
                }
            }
            Call::Renew(machine, token) => match machine.answer(sent, answer) {
                Progress::Ask(machine) => self.go_on(state, at, Call::Renew(machine, token)),
                Progress::Done(Changed::Refused { .. }) => {
                    self.reach(Reached::RenewedTooLate);
                    state.set(at, Holder::Idle);
                }
                Progress::Done(Changed::Impossible(_)) => {
                    state.broke(Broken::Impossible);
                    state.set(at, Holder::Idle);
                }
                Progress::Done(outcome) => {
                    if matches!(outcome, Changed::Done { .. }) {
                        self.reach(Reached::Renewed);
                    }
                    state.set(at, Holder::Holding(token));
                }
            },
            Call::End(machine) => match machine.answer(sent, answer) {
                Progress::Ask(machine) => self.go_on(state, at, Call::End(machine)),
                Progress::Done(outcome) => {
                    if matches!(outcome, Changed::Impossible(_)) {
                        state.broke(Broken::Impossible);
                    }
                    state.set(at, Holder::Idle);
                }
            },
        }
    }

    fn acquired(&self, state: &mut State, at: usize, grant: Option<GrantId>, outcome: Acquired) {
        let next = match outcome {
            Acquired::Granted(granted) => self.learn(state, granted.token()),
            Acquired::Indeterminate(pending) => Holder::Unknown(pending),
            Acquired::Refused(_) | Acquired::Contended | Acquired::Superseded | Acquired::Failed => {
                if let Some(grant) = grant {
                    self.tell(state, grant, false);
                }
                Holder::Idle
            }
            Acquired::Impossible(_) => {
                state.broke(Broken::Impossible);
                Holder::Idle
            }
        };
        state.set(at, next);
    }

    fn resolved(&self, state: &mut State, at: usize, grant: GrantId, outcome: Resolved) {
        let next = match outcome {
            Resolved::Granted(granted) => {
                self.reach(Reached::UnknownGranted);
                self.learn(state, granted.token())
            }
            Resolved::NotGranted => {
                self.reach(Reached::UnknownNotGranted);
                self.tell(state, grant, true);
                Holder::Idle
            }
            Resolved::Superseded => {
                self.reach(Reached::UnknownSuperseded);
                self.tell(state, grant, false);
                Holder::Idle
            }
            Resolved::Indeterminate(pending) => Holder::Unknown(pending),
            Resolved::Refused(pending, _) | Resolved::Impossible(pending, _) => {
                state.broke(Broken::Impossible);
                Holder::Unknown(pending)
            }
        };
        state.set(at, next);
    }

    /// Notes that a caller was told that its attempt cannot land, `never` or no more.
    fn tell(&self, state: &mut State, grant: GrantId, never: bool) {
        if never && state.last.is_some_and(|(_, _, landed)| landed == grant) {
            state.broke(Broken::LandedAfterAll);
        }
        if let Err(place) = state.told.binary_search(&grant) {
            state.told.insert(place, grant);
        }
    }

    /// A copy of a write arrives at the store.
    pub(super) fn deliver(&self, state: &mut State, place: usize, heard: bool) -> Option<()> {
        let Message { from, write } = state.network.get(place)?.clone();
        let lands = self.lands(&state.store, &write.swap);
        let answer = if lands {
            self.land(state, &write);
            Answer::Landed(state.store.view())
        } else {
            Answer::Conflict
        };
        if !self.limits.doubled {
            state.network.remove(place);
        }
        let holder = Arc::clone(state.holders.get(from)?);
        match holder.as_ref() {
            Holder::Calling(call) if heard && call.request() == Request::Swap(&write.swap) => {
                if matches!((call, answer), (Call::Acquire(_), Answer::Conflict))
                    && state.store.record.grant() == write.swap.grant()
                {
                    self.reach(Reached::DoubledWasGranted);
                }
                self.answer(state, from, call.clone(), answer);
                Some(())
            }
            // Where nobody waits, it arrives one way only; and what did not land and is not heard of is lost.
            _ if heard || !lands => None,
            _ => Some(()),
        }
    }

    /// Forgets what can do nothing any more: writes on versions that are gone, for which nobody waits. Versions
    /// do not come back, which is itself a property; where that rule is taken away, nothing is forgotten.
    pub(super) fn forget(&self, state: &mut State) {
        if matches!(self.removed, Removed::VersionCompare | Removed::Recovery) {
            return;
        }
        let (version, holders) = (state.store.record.version(), &state.holders);
        state.network.retain(|message| {
            let awaited = holders.get(message.from).is_some_and(|holder| match holder.as_ref() {
                Holder::Calling(call) => call.request() == Request::Swap(&message.write.swap),
                Holder::Idle | Holder::Unknown(_) | Holder::Holding(_) => false,
            });
            awaited || version <= message.write.swap.expected()
        });
        let network = &state.network;
        state.told.retain(|told| network.iter().any(|message| message.write.swap.grant() == Some(*told)));
    }

    fn land(&self, state: &mut State, write: &Write) {
        let (before, after) = (state.store.record, write.next);
        if !invariant(&before, &after) {
            state.broke(Broken::Invariant);
        }
        // What is over is so for its grant, and not for a version of the record.
        let renews = write.swap.action() == Purpose::Renew;
        let ended = state.store.ended && before.grant() == after.grant() && !renews;
        if state.store.ended && renews && before.grant() == after.grant() {
            state.broke(Broken::Revived);
        }
        if write.swap.action() == Purpose::Acquire {
            if state.told.iter().any(|told| Some(*told) == after.grant()) {
                state.broke(Broken::LandedAfterAll);
            }
            if matches!(before.tenure(), Tenure::Reserved { until, .. } if *until != NOW) {
                self.reach(Reached::HandedOver);
            }
        }
        state.store = Store { record: after, ended };
        state.note();
    }
}
