//! `Swap`: one write, to land on one version or not at all.

use super::rule::as_asked;
use super::{Command, Impossible, Record, Refusal, Version, View, step};
use crate::{GrantId, RealmId};

/// What a write is for. A store may need to know: a renewal may be less durable than the rest, and a log names
/// each by its kind.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[expect(clippy::exhaustive_enums, reason = "an engine must decide on every one")]
pub enum Action {
    /// Somebody becomes the holder.
    Acquire,
    /// An attempt is made impossible.
    Burn,
    /// A live lease goes on. It may land only while it is live.
    Renew,
    /// A holder ends its lease.
    Release,
    /// A holder ends its lease for a successor.
    HandOver,
    /// An operator ends a lease.
    Evict,
    /// An operator begins a new realm.
    Recover,
}

impl From<&Command> for Action {
    fn from(command: &Command) -> Self {
        match command {
            Command::Acquire { .. } => Self::Acquire,
            Command::Burn => Self::Burn,
            Command::Renew { .. } => Self::Renew,
            Command::Release { .. } => Self::Release,
            Command::HandOver { .. } => Self::HandOver,
            Command::Evict { .. } => Self::Evict,
            Command::Recover { .. } => Self::Recover,
        }
    }
}

/// One write: the record as it was seen, and what it is to become.
///
/// A store lets it land where [`lands_on`](Self::lands_on) says so, as one atomic step with the look at what is
/// stored. A store with sequences of its own may give a greater version and epoch than asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Swap {
    action: Action,
    before: Record,
    next: Record,
}

impl Swap {
    /// Makes the write that the command asks for, by [`step`].
    ///
    /// # Errors
    ///
    /// Those of [`step`]. Nothing is written.
    pub fn prepare(view: &View, command: &Command) -> Result<Self, Refusal> {
        let next = step(view, command)?;
        Ok(Self { action: command.into(), before: *view.record(), next })
    }

    /// Returns what the write is for.
    #[must_use]
    pub const fn action(&self) -> Action {
        self.action
    }

    /// Returns the realm in which it may land.
    #[must_use]
    pub const fn expected_realm(&self) -> RealmId {
        self.before.realm()
    }

    /// Returns the version on which it may land.
    #[must_use]
    pub const fn expected(&self) -> Version {
        self.before.version()
    }

    /// Returns the record as it was seen.
    #[must_use]
    pub const fn before(&self) -> &Record {
        &self.before
    }

    /// Returns the record that is to be stored.
    #[must_use]
    pub const fn next(&self) -> &Record {
        &self.next
    }

    /// Returns the grant that the write leaves in the record.
    #[must_use]
    pub const fn grant(&self) -> Option<GrantId> {
        self.next.grant()
    }

    /// Says whether the write may land on what is stored now.
    ///
    /// Realm and version are those that were seen; and a renewal comes in time, because an expired lease is
    /// over for ever, also if nobody came.
    #[must_use]
    pub fn lands_on(&self, stored: &View) -> bool {
        let unchanged =
            stored.record().realm() == self.expected_realm() && stored.record().version() == self.expected();
        let in_time = match self.action {
            Action::Renew => self.grant().is_some_and(|grant| stored.remaining(grant).is_some()),
            Action::Acquire
            | Action::Burn
            | Action::Release
            | Action::HandOver
            | Action::Evict
            | Action::Recover => true,
        };
        unchanged && in_time
    }

    /// Checks what a store says it wrote.
    ///
    /// # Errors
    ///
    /// - [`Impossible::NotAsAsked`] when it is not what was to be written.
    pub fn check_landed(&self, stored: &View) -> Result<(), Impossible> {
        as_asked(&self.before, &self.next, stored.record())
    }
}
