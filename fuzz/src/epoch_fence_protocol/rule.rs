//! The rules of the protocol, written once more.

use core::time::Duration;

use epoch_fence::protocol::{Command, Exhausted, Moment, RECOVERY_STRIDE, Record, Refusal, Tenure, Ttl};
use epoch_fence::{Epoch, GrantId, RealmId};

/// A record, in numbers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Plain {
    realm: RealmId,
    version: u64,
    epoch: u64,
    tenure: Tenure,
}

impl Plain {
    pub(super) fn of(record: &Record) -> Self {
        Self {
            realm: record.realm(),
            version: record.version().get(),
            epoch: record.epoch().map_or(0, Epoch::get),
            tenure: *record.tenure(),
        }
    }
}

/// How long it is until `end`, which is of this era and has not come.
pub(super) fn left(now: Moment, end: Moment) -> Option<Duration> {
    let ahead = end.era() == now.era() && end.nanos() > now.nanos();
    ahead.then(|| Duration::from_nanos(end.nanos() - now.nanos()))
}

/// The rules, as the documentation has them.
pub(super) fn naive(record: &Record, now: Moment, dead: bool, command: &Command) -> Result<Plain, Refusal> {
    let mut next = Plain::of(record);
    let after = |length: Ttl| {
        let nanos = u128::from(now.nanos()) + length.get().as_nanos();
        u64::try_from(nanos).map(|nanos| Moment::new(now.era(), nanos)).map_err(|_| Exhausted::Clock)
    };
    // No end is further away than the longest lease, or the record is not true.
    let plausible = || match *record.tenure() {
        Tenure::Held { expiry: end, .. } | Tenure::Reserved { until: end, .. } => match left(now, end) {
            Some(remaining) if remaining > Ttl::MAX.get() => Err(Refusal::EndTooFar { remaining }),
            _ => Ok(()),
        },
        Tenure::Free => Ok(()),
    };
    let own =
        |asked: GrantId| match *record.tenure() {
            Tenure::Held { grant, holder, expiry } if grant == asked => {
                if !dead && left(now, expiry).is_some() { Ok((holder, expiry)) } else { Err(Refusal::Lapsed) }
            }
            _ => Err(Refusal::NotHolder),
        };
    let mut writes = 1;
    match *command {
        Command::Burn => {}
        Command::Acquire { grant: asked, holder: by, ttl } => {
            plausible()?;
            match *record.tenure() {
                Tenure::Held { grant, .. } if grant == asked => return Err(Refusal::GrantUsed),
                Tenure::Held { holder, expiry, .. } if !dead => {
                    if let Some(remaining) = left(now, expiry) {
                        return Err(Refusal::Held { holder, remaining });
                    }
                }
                Tenure::Reserved { to, until } if to != by => {
                    if let Some(remaining) = left(now, until) {
                        return Err(Refusal::Reserved { to, remaining });
                    }
                }
                _ => {}
            }
            next.tenure = Tenure::Held { grant: asked, holder: by, expiry: after(ttl)? };
            next.epoch = later(next.epoch, 1)?;
        }
        Command::Renew { grant, ttl } => {
            plausible()?;
            let (holder, expiry) = own(grant)?;
            let later = after(ttl)?;
            // An end does not come nearer.
            let expiry = if later.nanos() > expiry.nanos() { later } else { expiry };
            next.tenure = Tenure::Held { grant, holder, expiry };
        }
        Command::Release { grant } => {
            own(grant)?;
            next.tenure = Tenure::Free;
        }
        Command::HandOver { grant, to, keep } => {
            own(grant)?;
            next.tenure = Tenure::Reserved { to, until: after(keep)? };
        }
        Command::Evict { grant } => {
            if record.grant() != Some(grant) {
                return Err(Refusal::NotHolder);
            }
            next.tenure = Tenure::Free;
        }
        Command::Recover { realm, floor } => {
            if realm == next.realm {
                return Err(Refusal::RealmUsed);
            }
            next.epoch = later(next.epoch.max(floor.map_or(0, Epoch::get)), RECOVERY_STRIDE)?;
            (next.realm, next.tenure, writes) = (realm, Tenure::Free, RECOVERY_STRIDE);
        }
    }
    next.version = next.version.checked_add(writes).ok_or(Exhausted::Version)?;
    Ok(next)
}

fn later(epoch: u64, tenures: u64) -> Result<u64, Exhausted> {
    let later = epoch.checked_add(tenures);
    later.filter(|later| *later <= Epoch::MAX_ISSUED.get()).ok_or(Exhausted::Epoch)
}
