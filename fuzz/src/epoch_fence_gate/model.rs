//! What a gate does, by the words of the documentation; and the numbers that scripts are made of.

use arbitrary::Arbitrary;
use epoch_fence::{AdoptError, Epoch, FencingToken, GrantId, RealmId, Rejected, ResourceId, Snapshot};

#[derive(Arbitrary, Clone, Copy, Debug)]
pub(super) enum Number {
    /// So far from the floor.
    Near(i8),
    /// So far from the greatest one that the limit lets through.
    AtLimit(i8),
    Anywhere(u64),
    /// So far from the end of what an issuer hands out, or of all.
    Last(u8, bool),
}

pub(super) fn resource() -> ResourceId {
    ResourceId::of("fuzz", "gate")
}

pub(super) fn realm(number: u8) -> RealmId {
    RealmId::from_random_bits(u128::from(number % 3) + 1).expect("not zero")
}

pub(super) fn grant(number: u8) -> GrantId {
    GrantId::from_random_bits(u128::from(number % 4) + 1).expect("not zero")
}

pub(super) fn epoch(number: u64) -> Epoch {
    Epoch::new(number.max(1)).expect("not zero")
}

pub(super) fn number(model: &Model, number: Number) -> u64 {
    let from = |base: u64, away: i8| base.saturating_add_signed(away.into());
    let number = match number {
        Number::Near(away) => from(model.floor, away / 16),
        Number::AtLimit(away) => from(model.floor.saturating_add(model.limit()), away / 16),
        Number::Anywhere(number) => number,
        Number::Last(away, issued) => {
            let end = if issued { Epoch::MAX_ISSUED.get() } else { u64::MAX };
            end - u64::from(away % 8)
        }
    };
    number.max(1)
}

/// What a gate is, by the words of the documentation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Model {
    pub(super) realm: RealmId,
    pub(super) floor: u64,
    pub(super) admitted: Option<(u64, GrantId)>,
    pub(super) closed: bool,
    pub(super) sealed: bool,
    /// The permits that are alive and were not abandoned.
    pub(super) in_flight: u32,
    pub(super) max_permits: u32,
    pub(super) max_advance: Option<u64>,
    pub(super) counts: Counts,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Counts {
    pub(super) advances: u64,
    pub(super) stale: u64,
    pub(super) conflict: u64,
    pub(super) wrong_resource: u64,
    pub(super) wrong_realm: u64,
    pub(super) too_far_ahead: u64,
    pub(super) draining: u64,
    pub(super) sealed: u64,
    pub(super) too_many_permits: u64,
    pub(super) abandoned: u64,
}

impl Model {
    pub(super) fn limit(&self) -> u64 {
        self.max_advance
            .map_or(u64::MAX, |limit| limit.min(Epoch::MAX_ISSUED.get().saturating_sub(self.floor)))
    }

    /// Why a token is refused, or whether it is a newer one.
    pub(super) fn judge(&self, token: &FencingToken) -> Result<bool, Rejected> {
        let asked = token.epoch().get();
        if token.resource() != resource() {
            return Err(Rejected::WrongResource);
        }
        if token.realm() != self.realm {
            return Err(Rejected::WrongRealm);
        }
        if self.sealed {
            return Err(Rejected::Sealed);
        }
        if asked < self.floor {
            return Err(Rejected::Stale { floor: epoch(self.floor) });
        }
        match self.admitted {
            Some((admitted, grant)) if admitted == asked => {
                if grant != token.grant() {
                    Err(Rejected::Conflict)
                } else if self.in_flight >= self.max_permits {
                    Err(Rejected::TooManyPermits { limit: self.max_permits })
                } else {
                    Ok(false)
                }
            }
            _ if asked - self.floor > self.limit() => {
                Err(Rejected::TooFarAhead { ahead: asked - self.floor, limit: self.limit() })
            }
            _ => Ok(true),
        }
    }

    pub(super) fn check(&self, token: &FencingToken) -> Result<(), Rejected> {
        match self.judge(token)? {
            true if self.in_flight > 0 => Err(Rejected::Draining { in_flight: self.in_flight }),
            _ => Ok(()),
        }
    }

    /// What `enter` answers. A newer token is `saved` before it is admitted, and stays outside where that fails.
    pub(super) fn enter(&mut self, token: &FencingToken, saved: bool) -> Result<(), Option<Rejected>> {
        let entered = self.judge(token).and_then(|newer| {
            if newer {
                (self.floor, self.closed) = (token.epoch().get(), true);
                if self.in_flight > 0 {
                    return Err(Rejected::Draining { in_flight: self.in_flight });
                }
            }
            Ok(newer)
        });
        let newer = entered.map_err(|why| Some(self.refuse(why)))?;
        if newer {
            if !saved {
                return Err(None);
            }
            self.admitted = Some((token.epoch().get(), token.grant()));
            self.closed = false;
            self.counts.advances += 1;
        }
        self.in_flight += 1;
        Ok(())
    }

    pub(super) fn refuse(&mut self, why: Rejected) -> Rejected {
        let counts = &mut self.counts;
        *match why {
            Rejected::Stale { .. } => &mut counts.stale,
            Rejected::Conflict => &mut counts.conflict,
            Rejected::WrongResource => &mut counts.wrong_resource,
            Rejected::WrongRealm => &mut counts.wrong_realm,
            Rejected::TooFarAhead { .. } => &mut counts.too_far_ahead,
            Rejected::Draining { .. } => &mut counts.draining,
            Rejected::Sealed => &mut counts.sealed,
            Rejected::TooManyPermits { .. } => &mut counts.too_many_permits,
            other => panic!("{other:?}"),
        } += 1;
        why
    }

    /// Whether anything is left to do to adopt the realm, or why it is refused.
    pub(super) fn judge_adoption(&self, realm: RealmId, floor: u64) -> Result<bool, AdoptError> {
        if self.sealed {
            return Err(AdoptError::Sealed);
        }
        if self.realm == realm && floor <= self.floor {
            return Ok(false);
        }
        let above = self.admitted.map_or(Some(1), |(admitted, _)| admitted.checked_add(1));
        let least = above.ok_or(AdoptError::Exhausted)?.max(self.floor);
        if floor < least {
            return Err(AdoptError::FloorTooLow { least: epoch(least) });
        }
        Ok(true)
    }

    pub(super) fn adopt(
        &mut self,
        realm: RealmId,
        floor: u64,
        saved: bool,
    ) -> Result<(), Option<AdoptError>> {
        if !self.judge_adoption(realm, floor)? {
            return Ok(());
        }
        (self.floor, self.closed) = (floor, true);
        if self.in_flight > 0 {
            return Err(Some(AdoptError::Draining { in_flight: self.in_flight }));
        }
        if !saved {
            return Err(None);
        }
        (self.realm, self.admitted) = (realm, None);
        Ok(())
    }

    pub(super) fn is_as(&self, seen: &Snapshot) {
        let counts = Counts {
            advances: seen.advances,
            stale: seen.stale,
            conflict: seen.conflict,
            wrong_resource: seen.wrong_resource,
            wrong_realm: seen.wrong_realm,
            too_far_ahead: seen.too_far_ahead,
            draining: seen.draining,
            sealed: seen.refused_sealed,
            too_many_permits: seen.too_many_permits,
            abandoned: seen.abandoned,
        };
        assert_eq!(counts, self.counts);
        assert_eq!((seen.floor.get(), seen.in_flight), (self.floor, self.in_flight));
        assert_eq!(seen.admitted.map(Epoch::get), self.admitted.map(|(epoch, _)| epoch));
        assert_eq!((seen.closed, seen.sealed, seen.impossible), (self.closed, self.sealed, 0));
    }
}
