//! The rule: what each command makes of a record. Nowhere else is it written.
//!
//! Pure and total: a view and a command go in; the next record, or the reason for a refusal, comes out.

use super::{Exhausted, Impossible, Moment, Record, Refusal, Standing, Tenure, Ttl, Version, View};
use crate::{Epoch, GrantId, HolderId, RealmId};

/// By how much a recovery goes beyond everything known, so that epochs and versions which the lost part of the
/// past handed out are not handed out again.
pub const RECOVERY_STRIDE: u64 = 1 << 20;

/// What somebody wants of a record.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[expect(
    clippy::exhaustive_enums,
    reason = "these are the commands of the protocol; one more is another protocol"
)]
pub enum Command {
    /// Becomes the holder, if nobody is.
    Acquire {
        /// The attempt. Made for this one, and never used for another.
        grant: GrantId,
        /// Who wants it.
        holder: HolderId,
        /// For how long.
        ttl: Ttl,
    },
    /// Changes nothing but the version, so that no attempt at the old one can land.
    Burn,
    /// Moves the end of a live lease away. It never comes nearer: after an ambiguous renewal the holder goes on
    /// by the old end.
    Renew {
        /// Whose lease.
        grant: GrantId,
        /// For how long from now.
        ttl: Ttl,
    },
    /// Ends a live lease.
    Release {
        /// Whose lease.
        grant: GrantId,
    },
    /// Ends a live lease, and keeps the resource for one successor, who has to acquire it.
    HandOver {
        /// Whose lease.
        grant: GrantId,
        /// The successor.
        to: HolderId,
        /// For how long from now.
        keep: Ttl,
    },
    /// Ends somebody's lease, by an operator's hand.
    Evict {
        /// Whose lease.
        grant: GrantId,
    },
    /// Goes on under a new realm, after the store may have lost a part of its past.
    Recover {
        /// The new realm.
        realm: RealmId,
        /// The greatest epoch that anybody remembers.
        floor: Option<Epoch>,
    },
}

/// Takes one step: returns the record that the command makes of the one in view.
///
/// # Errors
///
/// The record stays as it is.
///
/// - [`Refusal::Held`], [`Refusal::Reserved`], [`Refusal::GrantUsed`]: of an acquire.
/// - [`Refusal::NotHolder`], [`Refusal::Lapsed`]: of a command that names a grant.
/// - [`Refusal::RealmUsed`]: of a recovery that was done already.
/// - [`Refusal::EndTooFar`]: of an acquire or a renewal, where the record cannot be true.
/// - [`Refusal::Exhausted`]: no version, epoch or moment is left.
pub fn step(view: &View, command: &Command) -> Result<Record, Refusal> {
    let record = *view.record();
    let next = match *command {
        Command::Acquire { grant, holder, ttl } => acquire(view, grant, holder, ttl)?,
        Command::Burn => record,
        Command::Renew { grant, ttl } => {
            view.plausible()?;
            let (holder, expiry) = own(view, grant)?;
            let later = end(view, ttl)?;
            record.with_tenure(Tenure::Held { grant, holder, expiry: expiry.max_of_era(later) })
        }
        Command::Release { grant } => {
            own(view, grant)?;
            record.with_tenure(Tenure::Free)
        }
        Command::HandOver { grant, to, keep } => {
            own(view, grant)?;
            record.with_tenure(Tenure::Reserved { to, until: end(view, keep)? })
        }
        Command::Evict { grant } => {
            if record.grant() != Some(grant) {
                return Err(Refusal::NotHolder);
            }
            record.with_tenure(Tenure::Free)
        }
        Command::Recover { realm, floor } => return recover(view, realm, floor),
    };
    Ok(next.with_version(later_version(&record, 1)?))
}

fn acquire(view: &View, grant: GrantId, holder: HolderId, ttl: Ttl) -> Result<Record, Refusal> {
    view.plausible()?;
    if view.record().grant() == Some(grant) {
        return Err(Refusal::GrantUsed);
    }
    match view.standing() {
        Standing::Live { holder, remaining, .. } => return Err(Refusal::Held { holder, remaining }),
        Standing::Reserved { to, remaining } if to != holder => {
            return Err(Refusal::Reserved { to, remaining });
        }
        Standing::Free | Standing::Reserved { .. } | Standing::Lapsed { .. } => {}
    }
    let tenure = Tenure::Held { grant, holder, expiry: end(view, ttl)? };
    Ok(view.record().with_epoch(later_epoch(view.epoch(), 1)?).with_tenure(tenure))
}

fn recover(view: &View, realm: RealmId, floor: Option<Epoch>) -> Result<Record, Refusal> {
    if view.record().realm() == realm {
        return Err(Refusal::RealmUsed);
    }
    let next = view.record().with_realm(realm).with_tenure(Tenure::Free);
    let next = next.with_epoch(later_epoch(view.epoch().max(floor), RECOVERY_STRIDE)?);
    Ok(next.with_version(later_version(view.record(), RECOVERY_STRIDE)?))
}

/// The holder and the end of the live lease of `grant`.
fn own(view: &View, grant: GrantId) -> Result<(HolderId, Moment), Refusal> {
    match (*view.record().tenure(), view.remaining(grant)) {
        (Tenure::Held { holder, expiry, .. }, Some(_)) => Ok((holder, expiry)),
        (Tenure::Held { grant: found, .. }, None) if found == grant => Err(Refusal::Lapsed),
        (Tenure::Free | Tenure::Reserved { .. } | Tenure::Held { .. }, _) => Err(Refusal::NotHolder),
    }
}

fn end(view: &View, ttl: Ttl) -> Result<Moment, Exhausted> {
    view.now().checked_add(ttl.get()).ok_or(Exhausted::Clock)
}

fn later_version(record: &Record, writes: u64) -> Result<Version, Exhausted> {
    record.version().checked_add(writes).ok_or(Exhausted::Version)
}

fn later_epoch(known: Option<Epoch>, tenures: u64) -> Result<Epoch, Exhausted> {
    match known {
        Some(known) => known.checked_add(tenures),
        None => Epoch::new(tenures),
    }
    .ok_or(Exhausted::Epoch)
}

/// What is true of every write from `before` to `after`, whatever the command: versions rise, epochs do not
/// fall, an epoch belongs to one grant, and a new realm begins above the old one with nobody in it.
#[must_use]
pub fn invariant(before: &Record, after: &Record) -> bool {
    let version_rises = before.version() < after.version();
    let epoch_rises = before.epoch() < after.epoch();
    let same_epoch = before.epoch() == after.epoch();
    let tenure = if before.realm() != after.realm() {
        epoch_rises && *after.tenure() == Tenure::Free
    } else {
        match (before.grant(), after.grant()) {
            // A tenure goes on within its epoch; another one begins with another epoch; without one, none does.
            (held, Some(grant)) if held == Some(grant) => same_epoch,
            (_, Some(_)) => epoch_rises,
            (_, None) => same_epoch,
        }
    };
    version_rises && tenure
}

/// Checks what a store says it wrote against what it was to write: it may give a greater version and, where the
/// epoch rises, a greater epoch, another end, and any bytes of its own.
pub(crate) fn as_asked(before: &Record, asked: &Record, stored: &Record) -> Result<(), Impossible> {
    let tenure = match (asked.tenure(), stored.tenure()) {
        (Tenure::Free, Tenure::Free) => true,
        (Tenure::Reserved { to: asked, .. }, Tenure::Reserved { to: stored, .. }) => asked == stored,
        (
            Tenure::Held { grant: asked, holder, .. },
            Tenure::Held { grant: stored, holder: stored_holder, .. },
        ) => asked == stored && holder == stored_holder,
        (Tenure::Free | Tenure::Reserved { .. } | Tenure::Held { .. }, _) => false,
    };
    let not_below = asked.version() <= stored.version() && asked.epoch() <= stored.epoch();
    if tenure && not_below && asked.realm() == stored.realm() && invariant(before, stored) {
        Ok(())
    } else {
        Err(Impossible::NotAsAsked)
    }
}
