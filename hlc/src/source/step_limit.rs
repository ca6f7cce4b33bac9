//! `StepLimit`: a source that does not jump ahead.

use core::{fmt, time::Duration};

use super::{
    Source,
    word::{Owned, Shared, Word},
};
use crate::{PhysicalTime, SourceError, Stepped};

/// Refuses a wall clock that goes forward by more than the time that passed and a limit.
///
/// A hybrid clock never goes back, and hands its time on to its peers: a host whose wall clock jumps to the year
/// 2036 would take the fleet there, for good. How much time passed is told by a second source, the
/// reference: a [`MonotonicSource`](super::MonotonicSource), or one that stands still, where any two
/// readings may be no further apart than the limit.
///
/// What is compared is always one reading with the last one that was accepted, so a wall clock that is slewed
/// is followed wherever it goes. A refused reading changes nothing: the refusals last until the wall clock
/// comes back within the limit, or someone who knows better calls [`accept_step`](Self::accept_step). A step
/// back passes; the hybrid clock above waits it out.
///
/// # What can go wrong
///
/// - **The first reading is wrong.** It is compared with nothing, and accepted.
/// - **A step back is put right again**: that is a step forward, and is refused if it is above the limit.
/// - **The machine is suspended** and the reference stands still meanwhile (that of Linux does): waking up is a
///   step forward by the length of the suspension. A reference that counts on (`CLOCK_BOOTTIME`) avoids it.
/// - **The thread is stopped between reading the reference and the wall clock** for longer than the limit: that
///   one call is refused; the next is not.
/// - **Many steps below the limit** pass, one by one.
///
/// Reading the reference costs about what reading the wall clock does. Under an
/// [`AnchoredSource`](super::AnchoredSource) both are read once in an interval.
///
/// # Units
///
/// The difference between wall clock and reference is kept in nanoseconds, up to 292 years either way: a
/// wall clock after the year 2262 is refused.
///
/// # Memory ordering
///
/// A reading promises the time alone, in both forms; nothing is published.
///
/// ```
/// use core::time::Duration;
/// use hlc::{Clock, TickError, SourceError, source::{ManualSource, StepLimit}};
///
/// let (wall, passed) = (ManualSource::at_millis(1_000), ManualSource::at_millis(0));
/// let mut clock = Clock::new(StepLimit::new(&wall, &passed, Duration::from_secs(60)));
/// let before = clock.tick()?;
///
/// wall.set_millis(3_600_000);
/// assert!(matches!(clock.tick(), Err(TickError::Source(SourceError::Stepped(_)))));
/// assert_eq!(clock.last(), Some(before));
///
/// passed.set_millis(3_599_000);
/// assert!(clock.tick()? > before, "that much time did pass");
/// # Ok::<(), TickError>(())
/// ```
pub struct StepLimit<S, R, W = Shared> {
    source: S,
    reference: R,
    max_step: Duration,
    /// The bits of a signed number of nanoseconds, by which the wall clock was ahead of the reference at the
    /// last accepted reading; or `UNSET`.
    lead: W,
}

/// The one lead that has no opposite.
const UNSET: i64 = i64::MIN;

#[cfg(any(target_has_atomic = "64", feature = "portable-atomic"))]
impl<S, R> StepLimit<S, R> {
    crate::sync::const_fn! {
        /// Makes a source that reads `source`, for many threads, and refuses what is more than `max_step` ahead
        /// of what `reference` says has passed. Exactly `max_step` is accepted.
        #[must_use]
        pub const fn new(source: S, reference: R, max_step: Duration) -> Self {
            Self { source, reference, max_step, lead: Shared::new(UNSET.cast_unsigned()) }
        }
    }
}

impl<S, R> StepLimit<S, R, Owned> {
    /// Makes the same for one owner; no atomics are needed.
    #[must_use]
    pub const fn owned(source: S, reference: R, max_step: Duration) -> Self {
        Self { source, reference, max_step, lead: Owned::new(UNSET.cast_unsigned()) }
    }
}

impl<S, R, W> StepLimit<S, R, W> {
    /// Returns the greatest step that is accepted.
    #[must_use]
    pub const fn max_step(&self) -> Duration {
        self.max_step
    }

    /// Returns the wall clock.
    #[must_use]
    pub const fn source(&self) -> &S {
        &self.source
    }
}

impl<S: Source, R: Source, W: Word> StepLimit<S, R, W> {
    /// Accepts what the wall clock reads now, however far it has stepped, and returns it. For an operator who
    /// has looked at it.
    ///
    /// # Errors
    ///
    /// [`SourceError`] of either source, or `Unavailable` where the wall clock is more than 292 years from the
    /// reference. What was accepted before still is.
    pub fn accept_step(&self) -> Result<PhysicalTime, SourceError> {
        let (time, lead) = self.read()?;
        self.lead.store(keep(lead)?);
        Ok(time)
    }

    /// Reads the wall clock, and by how many nanoseconds it is ahead of the reference.
    fn read(&self) -> Result<(PhysicalTime, i128), SourceError> {
        // The reference first: a pause between the two then adds to the step. In the other order it would
        // lower what is kept, and every later reading would be refused.
        let passed = self.reference.now()?;
        let time = self.source.now()?;
        Ok((time, nanos(time).saturating_sub(nanos(passed))))
    }
}

/// Nanoseconds since the Unix epoch: below 2^94.
fn nanos(time: PhysicalTime) -> i128 {
    i128::try_from(time.to_duration().as_nanos()).unwrap_or(i128::MAX)
}

/// The word that keeps `lead`.
fn keep(lead: i128) -> Result<u64, SourceError> {
    match i64::try_from(lead) {
        Ok(lead) if lead != UNSET => Ok(lead.cast_unsigned()),
        _ => Err(SourceError::Unavailable("the wall clock is over 292 years from its reference")),
    }
}

/// The word after a reading that is `lead` ahead of the reference: the rule of [`StepLimit`].
fn step(word: u64, lead: i128, max_step: Duration) -> Result<u64, SourceError> {
    let accepted = word.cast_signed();
    if accepted != UNSET {
        let step = u128::try_from(lead.saturating_sub(i128::from(accepted))).unwrap_or(0);
        if step > max_step.as_nanos() {
            return Err(SourceError::Stepped(Stepped::new(duration(step), max_step)));
        }
    }
    keep(lead)
}

/// A length of `nanos`, which are below 2^95.
fn duration(nanos: u128) -> Duration {
    const PER_SEC: u128 = 1_000_000_000;
    let secs = u64::try_from(nanos.wrapping_div(PER_SEC)).unwrap_or(u64::MAX);
    let rest = u32::try_from(nanos.wrapping_rem(PER_SEC)).unwrap_or_default();
    Duration::from_secs(secs).saturating_add(Duration::from_nanos(u64::from(rest)))
}

impl<S: Source, R: Source, W: Word> Source for StepLimit<S, R, W> {
    /// # Errors
    ///
    /// What was accepted before still is.
    /// - `Stepped` where the wall clock went forward by more than the limit and the time that passed.
    /// - `Unavailable` where the wall clock is more than 292 years from the reference.
    /// - Those of either source.
    #[inline]
    fn now(&self) -> Result<PhysicalTime, SourceError> {
        let seen = self.lead.load();
        let (time, lead) = self.read()?;
        // A reading that took long must not undo what was accepted meanwhile: it is judged, and not kept.
        self.lead.try_update(|word| {
            let next = step(word, lead, self.max_step)?;
            Ok(if word == seen { next } else { word })
        })?;
        Ok(time)
    }
}

impl<S: fmt::Debug, R: fmt::Debug, W> fmt::Debug for StepLimit<S, R, W> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("StepLimit")
            .field("max_step", &self.max_step)
            .field("source", &self.source)
            .field("reference", &self.reference)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_length_of_any_step_between_two_times_is_exact() {
        let longest = PhysicalTime::MAX.to_duration();
        assert_eq!(duration(longest.as_nanos()), longest);
        assert_eq!(duration(1_999_999_999), Duration::new(1, 999_999_999));
    }

    #[test]
    fn a_lead_that_does_not_fit_is_refused_and_never_kept_as_another() {
        let limit = Duration::MAX;
        for lead in [i128::from(i64::MIN), i128::from(i64::MAX) + 1, i128::from(i64::MIN) - 1] {
            assert!(matches!(step(UNSET.cast_unsigned(), lead, limit), Err(SourceError::Unavailable(_))));
        }
        for lead in [i64::MIN + 1, -1, 0, i64::MAX] {
            assert_eq!(step(UNSET.cast_unsigned(), lead.into(), limit), Ok(lead.cast_unsigned()));
        }
        let whole = i128::from(i64::MAX) - i128::from(i64::MIN + 1);
        let from_end_to_end = step((i64::MIN + 1).cast_unsigned(), i64::MAX.into(), Duration::ZERO);
        assert_eq!(
            from_end_to_end,
            Err(SourceError::Stepped(Stepped::new(duration(whole.unsigned_abs()), Duration::ZERO)))
        );
    }
}
