//! How far ahead of physical time a stamp may be: a peer's, and the clock's own.

use core::{num::NonZeroU32, time::Duration};

#[cfg(feature = "durable")]
use crate::BoundReached;
use crate::{
    Exhausted, LeadExceeded, ObserveError, Packed, PhysicalTime, SkewExceeded, TickError,
    layout::Layout,
    rule::{Event, Refusal},
};

/// How far ahead of the local physical clock a received stamp may be.
///
/// A clock only moves forward, so a stamp from the future moves it for good. The limit bounds how far one
/// faulty or hostile peer can push the clocks of all others. It is compared exactly, and inclusive; what is
/// compared is the stamp's successor, the least stamp that its receipt can get.
///
/// Choose it above the greatest error of the clocks you trust (NTP on a healthy network: a few milliseconds)
/// and below what a reader of the stamps could bear.
///
/// # Examples
///
/// ```
/// use core::time::Duration;
/// use hlc::{Clock, ObserveError, SkewPolicy, Timestamp, source::ManualSource};
///
/// let mut clock = Clock::new(ManualSource::at_millis(1_000))
///     .with_skew_policy(SkewPolicy::AtMost(Duration::from_millis(20)));
/// assert!(clock.observe(Timestamp::from_parts(1_019, 0)?).is_ok());
/// assert!(matches!(clock.observe(Timestamp::from_parts(1_021, 0)?), Err(ObserveError::Skew(_))));
/// # Ok::<(), hlc::PartsOutOfRange>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[non_exhaustive]
pub enum SkewPolicy {
    /// Refuse a stamp further ahead than this.
    AtMost(Duration),
    /// Accept every stamp. One faulty peer can then push every clock to the end of time.
    Unbounded,
}

impl SkewPolicy {
    /// At most 500 ms ahead.
    pub const DEFAULT: Self = Self::AtMost(Duration::from_millis(500));
}

impl Default for SkewPolicy {
    fn default() -> Self {
        Self::DEFAULT
    }
}

/// How far ahead of its own physical clock a clock may issue stamps.
///
/// It runs ahead when the physical clock steps back, when more stamps are asked for than one unit's counter
/// holds, and by what it accepted from peers.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[non_exhaustive]
pub enum LeadPolicy {
    /// Issue, and show the lead in [`Snapshot`](crate::Snapshot): `tick` and `observe` are available whatever the
    /// physical clock does. `reserve` is held to the [`SkewPolicy`] all the same: peers would refuse its stamps.
    #[default]
    Report,
    /// Refuse to issue a stamp further ahead than this: fail closed until physical time has caught up. A stamp
    /// of a peer that would bring the clock there is refused too, whatever the [`SkewPolicy`].
    AtMost(Duration),
}

/// Both limits, and the translation of readings and limits into the words of the rule.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Limits {
    pub(crate) skew: SkewPolicy,
    pub(crate) lead: LeadPolicy,
}

impl Limits {
    pub(crate) const DEFAULT: Self = Self { skew: SkewPolicy::DEFAULT, lead: LeadPolicy::Report };

    /// [`tick`](Self::tick), where the clock has no limit of its own and physical time is in the layout.
    #[inline]
    pub(crate) fn tick_unlimited<L: Layout>(&self, now: PhysicalTime) -> Option<Event> {
        match self.lead {
            LeadPolicy::Report => self.tick::<L>(now).ok(),
            LeadPolicy::AtMost(_) => None,
        }
    }

    /// The event of one local stamp.
    #[inline]
    pub(crate) fn tick<L: Layout>(&self, now: PhysicalTime) -> Result<Event, Exhausted> {
        let floor = floor::<L>(now)?;
        Ok(Event::Tick {
            floor,
            count: NonZeroU32::MIN,
            lead_ceiling: lead_ceiling::<L>(self.lead, now, floor),
        })
    }

    /// The event of `count` local stamps: a block may not reach further ahead than peers accept.
    #[inline]
    pub(crate) fn reserve<L: Layout>(
        &self,
        now: PhysicalTime,
        count: NonZeroU32,
    ) -> Result<Event, Exhausted> {
        let floor = floor::<L>(now)?;
        let lead_ceiling = lead_ceiling::<L>(self.strictest(), now, floor);
        Ok(Event::Tick { floor, count, lead_ceiling })
    }

    /// The stricter of the clock's own limit and the one that peers apply.
    fn strictest(&self) -> LeadPolicy {
        match (self.skew, self.lead) {
            (SkewPolicy::Unbounded, lead) => lead,
            (SkewPolicy::AtMost(skew), LeadPolicy::Report) => LeadPolicy::AtMost(skew),
            (SkewPolicy::AtMost(skew), LeadPolicy::AtMost(lead)) => LeadPolicy::AtMost(skew.min(lead)),
        }
    }

    /// The event of a message with stamp `remote`.
    #[inline]
    pub(crate) fn observe<L: Layout>(
        &self,
        now: PhysicalTime,
        remote: Packed<L>,
    ) -> Result<Event, Exhausted> {
        let floor = floor::<L>(now)?;
        Ok(Event::Observe {
            floor,
            remote: remote.to_bits(),
            skew_ceiling: self.skew_ceiling::<L>(now),
            lead_ceiling: lead_ceiling::<L>(self.lead, now, floor),
        })
    }

    /// The event of knowledge of `remote`. No stamp is issued, but the next one would be above `remote`: a clock
    /// that fails closed must not be brought where it may not tick.
    #[inline]
    pub(crate) fn merge<L: Layout>(&self, now: PhysicalTime, remote: Packed<L>) -> Event {
        let skew_ceiling = match self.strictest() {
            LeadPolicy::AtMost(limit) => Packed::<L>::ceiling(later(now, limit)),
            LeadPolicy::Report => u64::MAX,
        };
        Event::Merge { remote: remote.to_bits(), skew_ceiling }
    }

    /// The greatest stamp that the receipt of a message may get now.
    #[inline]
    pub(crate) fn skew_ceiling<L: Layout>(&self, now: PhysicalTime) -> u64 {
        match self.skew {
            SkewPolicy::AtMost(limit) => Packed::<L>::ceiling(later(now, limit)),
            SkewPolicy::Unbounded => u64::MAX,
        }
    }

    /// Says in time what the rule said in words.
    #[cold]
    pub(crate) fn explain_tick<L: Layout>(
        &self,
        refusal: Refusal,
        now: PhysicalTime,
        block: bool,
    ) -> TickError {
        let policy = if block { self.strictest() } else { self.lead };
        match (refusal, policy) {
            (Refusal::Lead(word), LeadPolicy::AtMost(limit)) => {
                TickError::Lead(LeadExceeded::new(ahead::<L>(word, now), limit))
            }
            #[cfg(feature = "durable")]
            (Refusal::Bound { needed, bound }, _) => TickError::Bound(BoundReached::new(needed, bound)),
            (Refusal::Lead(_), LeadPolicy::Report) | (Refusal::Skew | Refusal::Exhausted, _) => {
                TickError::Exhausted(Exhausted::new())
            }
        }
    }

    /// Says in time what the rule said in words.
    #[cold]
    pub(crate) fn explain_observe<L: Layout>(
        &self,
        refusal: Refusal,
        now: PhysicalTime,
        remote: Packed<L>,
    ) -> ObserveError {
        let ahead_of_now = ahead::<L>(remote.to_bits().saturating_add(1), now);
        match (refusal, self.skew, self.lead) {
            // A merge is held to the stricter of the two limits: name the one that was passed.
            (Refusal::Skew, SkewPolicy::AtMost(limit), _) if ahead_of_now > limit => {
                ObserveError::Skew(SkewExceeded::new(ahead_of_now, limit))
            }
            (Refusal::Skew, _, LeadPolicy::AtMost(limit)) => {
                ObserveError::Skew(SkewExceeded::new(ahead_of_now, limit))
            }
            (Refusal::Lead(word), _, LeadPolicy::AtMost(limit)) => {
                ObserveError::Lead(LeadExceeded::new(ahead::<L>(word, now), limit))
            }
            #[cfg(feature = "durable")]
            (Refusal::Bound { needed, bound }, ..) => ObserveError::Bound(BoundReached::new(needed, bound)),
            _ => ObserveError::Exhausted(Exhausted::new()),
        }
    }
}

/// How far the physical time of `word` is ahead of `now`.
pub(crate) fn ahead<L: Layout>(word: u64, now: PhysicalTime) -> Duration {
    Packed::<L>::from_bits(word).map_or(Duration::ZERO, |stamp| stamp.physical_time().saturating_since(now))
}

#[inline]
fn floor<L: Layout>(now: PhysicalTime) -> Result<u64, Exhausted> {
    Packed::<L>::floor(now).ok_or(Exhausted::new())
}

/// The greatest word that a clock may issue at `now`. A layout that rounds up puts even an idle clock ahead
/// by a part of a unit; that is no lead, so the unit of `floor` is always within the limit.
#[inline]
fn lead_ceiling<L: Layout>(policy: LeadPolicy, now: PhysicalTime, floor: u64) -> u64 {
    match policy {
        LeadPolicy::Report => u64::MAX,
        LeadPolicy::AtMost(limit) => {
            let of_this_unit = floor | u64::from(Packed::<L>::MAX_COUNTER);
            Packed::<L>::ceiling(later(now, limit)).max(of_this_unit)
        }
    }
}

/// `now + limit`, or the end of time.
#[inline]
fn later(now: PhysicalTime, limit: Duration) -> PhysicalTime {
    now.checked_add(limit).unwrap_or(PhysicalTime::MAX)
}
