//! `Resume` and `Policy`: how a durable clock goes on after a restart, and how far ahead its bound is kept.

use core::time::Duration;

use crate::{
    LeadPolicy, Packed, PhysicalTime, SkewPolicy, UpkeepError,
    durable::{reach::Reach, window::Window},
    layout::Layout,
    limits::Limits,
};

/// How a durable clock goes on after a restart, when its bound is ahead of physical time.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[non_exhaustive]
pub enum Resume {
    /// At once, from the bound. So that peers accept the first stamp, the window is then at most half of the
    /// skew limit, which leaves the other half to the clocks' own error; and at most the clock's own limit.
    #[default]
    AtOnce,
    /// When physical time has reached the bound: until then stamps are refused as
    /// [`Lead`](crate::TickError::Lead), nothing further ahead is merged, and the bound is not extended, or a node
    /// that restarts often would wait for ever. The window is as large as asked for.
    WaitForPhysical,
}

/// The window is this many times what is kept at most ahead of a clock that runs ahead of physical time: few
/// enough syncs for it, and a restart that goes little further.
const STEPS_IN_A_WINDOW: u32 = 8;

/// The least number of stamps between two extensions. In the default layout it is one millisecond.
const LEAST_STEP: u64 = 1 << 16;

#[derive(Clone, Copy, Debug)]
pub(super) struct Policy {
    limits: Limits,
    /// The same while the clock waits: it may not be ahead of physical time at all. Kept beside them, because a
    /// choice made anew for each stamp would be copied for each stamp.
    limits_while_waiting: Limits,
    pub(super) resume: Resume,
    pub(super) asked_window: Window,
}

impl Policy {
    pub(super) const DEFAULT: Self = Self {
        limits: Limits::DEFAULT,
        limits_while_waiting: Limits { lead: LeadPolicy::AtMost(Duration::ZERO), ..Limits::DEFAULT },
        resume: Resume::AtOnce,
        asked_window: Window::DEFAULT,
    };

    pub(super) const fn set_skew(&mut self, skew: SkewPolicy) {
        self.limits.skew = skew;
        self.limits_while_waiting.skew = skew;
    }

    pub(super) const fn set_lead(&mut self, lead: LeadPolicy) {
        self.limits.lead = lead;
    }

    /// The limits in force once the clock has begun to issue.
    pub(super) const fn limits(&self) -> &Limits {
        &self.limits
    }

    /// The window in force.
    pub(super) fn window(&self) -> Duration {
        if self.resume == Resume::WaitForPhysical {
            return self.asked_window.as_duration();
        }
        let skew = match self.limits.skew {
            SkewPolicy::AtMost(limit) => part(limit, 2),
            SkewPolicy::Unbounded => Duration::MAX,
        };
        let lead = match self.limits.lead {
            LeadPolicy::AtMost(limit) => limit,
            LeadPolicy::Report => Duration::MAX,
        };
        self.asked_window.as_duration().min(skew).min(lead)
    }

    /// The window in force, in words.
    pub(super) fn reach<L: Layout>(&self, resumed: u64) -> Reach {
        let window = self.window();
        let most_step = Packed::<L>::span(part(window, STEPS_IN_A_WINDOW));
        Reach { span: Packed::<L>::span(window), least_step: LEAST_STEP, most_step, resumed }
    }

    /// Whether a clock that stands at `last`, and was resumed at `resumed`, has not begun to issue.
    #[inline]
    pub(super) const fn waits(&self, last: u64, resumed: u64) -> bool {
        matches!(self.resume, Resume::WaitForPhysical) && last <= resumed
    }

    /// The limits in force on a clock that stands at `last`, and was resumed at `resumed`.
    #[inline]
    pub(super) const fn limits_at(&self, last: u64, resumed: u64) -> &Limits {
        if self.waits(last, resumed) { self.limits_while_waiting() } else { &self.limits }
    }

    /// Out of line, so that the common case is a branch: a choice between two addresses would have each stamp wait for it.
    #[cold]
    #[inline(never)]
    const fn limits_while_waiting(&self) -> &Limits {
        &self.limits_while_waiting
    }
}

/// One of so many equal parts.
fn part(whole: Duration, parts: u32) -> Duration {
    whole.checked_div(parts).unwrap_or(whole)
}

/// The word of a reading with counter zero.
pub(super) fn floor<L: Layout>(now: PhysicalTime) -> Result<u64, UpkeepError> {
    Packed::<L>::floor(now).ok_or(UpkeepError::Exhausted(crate::Exhausted::new()))
}
