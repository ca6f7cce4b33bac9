//! What there is in the model at one moment.

use alloc::sync::Arc;

use epoch_fence::gate_rule::{State as Gate, Ticket};
use epoch_fence::protocol::{
    Acquire, Change, Machine, Moment, Pending, Record, Request, Resolve, Swap, Tenure, View,
};
use epoch_fence::{Epoch, FencingToken, GrantId, RealmId};

/// The store, and whether the lease in it is over. There is no other time.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Store {
    /// What it keeps.
    pub record: Record,
    /// The lease is over.
    pub ended: bool,
}

/// The only moment there is.
pub const NOW: Moment = Moment::new(0, 0);

impl Store {
    /// What it answers with.
    #[must_use]
    pub const fn view(&self) -> View {
        let view = View::new(self.record, NOW);
        if self.ended { view.with_ended() } else { view }
    }

    /// What it answers with if it forgot that the lease is over.
    #[must_use]
    pub const fn view_without_end(&self) -> View {
        View::new(self.record, NOW)
    }
}

/// A call of a holder, under way.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Call {
    /// To become the holder.
    Acquire(Acquire),
    /// To find out.
    Resolve(Resolve),
    /// To go on, with the token that it is for.
    Renew(Change, FencingToken),
    /// To end it: nobody acts under it any more.
    End(Change),
}

impl Call {
    /// What the call waits for.
    #[must_use]
    pub fn request(&self) -> Request<'_> {
        match self {
            Self::Acquire(machine) => machine.request(),
            Self::Resolve(machine) => machine.request(),
            Self::Renew(machine, _) | Self::End(machine) => machine.request(),
        }
    }
}

/// A process that wants to hold.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Holder {
    /// It wants nothing, or has just started.
    Idle,
    /// It waits for an answer.
    Calling(Call),
    /// It does not know what became of its attempt.
    Unknown(Pending),
    /// It believes to hold.
    Holding(FencingToken),
}

/// A write under way. It may arrive at any time, and more than once.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Message {
    /// Who sent it.
    pub from: usize,
    /// What it is.
    pub write: Write,
}

/// A write as it travels. Where a rule is taken away, what lands may be another record than the rule's.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Write {
    /// The write that the machine asked for.
    pub swap: Arc<Swap>,
    /// What is to be stored.
    pub next: Record,
}

impl PartialOrd for Write {
    fn partial_cmp(&self, other: &Self) -> Option<core::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

/// By the bytes that would be stored, which is as good as any.
impl Ord for Write {
    fn cmp(&self, other: &Self) -> core::cmp::Ordering {
        self.next.to_bytes().as_bytes().cmp(other.next.to_bytes().as_bytes())
    }
}

/// Something that must never be.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Broken {
    /// Two grants under one epoch.
    TwoGrants,
    /// A tenure under an epoch below the one before it.
    EpochFell,
    /// A holder has a token of a tenure that the store did not grant.
    Token,
    /// A write that the invariant of the record does not allow.
    Invariant,
    /// A lease that was over is live.
    Revived,
    /// An attempt landed of which its caller had been told that it cannot.
    LandedAfterAll,
    /// A machine met what no correct store answers.
    Impossible,
}

/// The whole.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct State {
    /// The store.
    pub store: Store,
    /// An older copy of it, if somebody made one.
    pub backup: Option<Box<Record>>,
    /// The holders.
    pub holders: Vec<Arc<Holder>>,
    /// What is under way. It is sorted, because the network keeps no order.
    pub network: Vec<Message>,
    /// The gate.
    pub gate: Gate,
    /// The permits that are alive, and the epochs they were given under.
    pub permits: Vec<(Epoch, Ticket)>,
    /// The greatest epoch that the gate ever admitted.
    pub admitted: Option<Epoch>,
    /// Every token that a holder ever had. Any may arrive at the gate at any time: a stopped holder wakes, a
    /// request was on its way.
    pub tokens: Vec<FencingToken>,
    /// The latest tenure that the store granted.
    pub last: Option<(RealmId, Epoch, GrantId)>,
    /// Attempts of which their callers were told that they cannot land, and that are under way.
    pub told: Vec<GrantId>,
    /// What must never be, and is.
    pub broken: Vec<Broken>,
    /// How often each thing was done that is bounded.
    pub spent: Spent,
}

/// How often each thing was done that is bounded.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Spent {
    /// Attempts.
    pub attempts: u8,
    /// Renewals.
    pub renewals: u8,
    /// Hand-overs.
    pub hand_overs: u8,
    /// Older copies put back.
    pub rewinds: u8,
}

impl State {
    /// Notes something that must never be.
    pub fn broke(&mut self, what: Broken) {
        if !self.broken.contains(&what) {
            self.broken.push(what);
        }
    }

    /// Puts a write under way. One that is there already is there twice as well: a retry is a doubled message.
    pub fn send(&mut self, from: usize, write: Write) {
        let message = Message { from, write };
        if let Err(place) = self.network.binary_search(&message) {
            self.network.insert(place, message);
        }
    }

    /// Replaces one holder.
    pub fn set(&mut self, at: usize, holder: Holder) {
        if let Some(place) = self.holders.get_mut(at) {
            *place = Arc::new(holder);
        }
    }

    /// Compares the tenure in the record with the one before it.
    pub fn note(&mut self) {
        let record = self.store.record;
        let (Some(grant), Some(epoch)) = (record.grant(), record.epoch()) else { return };
        if let Some((realm, last, before)) = self.last {
            if realm == record.realm() && epoch == last && grant != before {
                self.broke(Broken::TwoGrants);
            }
            if epoch < last || (epoch == last && realm != record.realm()) {
                self.broke(Broken::EpochFell);
            }
        }
        self.last = Some((record.realm(), epoch, grant));
    }

    /// Lets a reservation lapse.
    pub fn lapse_reservation(&mut self) {
        let record = self.store.record;
        if let Tenure::Reserved { to, .. } = *record.tenure() {
            let lapsed = Tenure::Reserved { to, until: NOW };
            let (realm, version, epoch) = (record.realm(), record.version(), record.epoch());
            if let Ok(record) = Record::try_new(realm, version, epoch, lapsed, *record.info()) {
                self.store.record = record;
            }
        }
    }
}
