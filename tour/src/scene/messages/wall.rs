//! `Wall`: a wall clock that lies.

use core::{cell::Cell, fmt, time::Duration};

use hlc::{PhysicalTime, Source, SourceError, source::SystemSource};
use serde::{Deserialize, Serialize};

/// What is wrong with a wall clock.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Fault {
    /// Nothing.
    None,
    /// It runs ahead.
    Ahead { millis: u64 },
    /// It runs behind.
    Behind { millis: u64 },
    /// It is right at first, and is set back half way.
    StepsBack { millis: u64 },
}

impl Fault {
    /// What is wrong with the clock of node `number`: the first three lie, the rest are right.
    pub(crate) const fn of_node(number: u32) -> Self {
        match number {
            0 => Self::Ahead { millis: 300 },
            1 => Self::Behind { millis: 2_000 },
            2 => Self::StepsBack { millis: 5_000 },
            _ => Self::None,
        }
    }

    /// How far ahead of the right time this clock is in the end, and how far behind.
    const fn millis(self) -> (u64, u64) {
        match self {
            Self::None => (0, 0),
            Self::Ahead { millis } => (millis, 0),
            Self::Behind { millis } | Self::StepsBack { millis } => (0, millis),
        }
    }

    /// How far apart clocks with these faults are in the end: so far ahead of a node's own wall clock can an
    /// honest stamp be.
    pub(crate) fn spread(faults: &[Self]) -> Duration {
        let ahead = faults.iter().map(|fault| fault.millis().0).max().unwrap_or_default();
        let behind = faults.iter().map(|fault| fault.millis().1).max().unwrap_or_default();
        Duration::from_millis(ahead.saturating_add(behind))
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::None => f.write_str("right"),
            Self::Ahead { millis } => write!(f, "{millis} ms ahead"),
            Self::Behind { millis } => write!(f, "{millis} ms behind"),
            Self::StepsBack { millis } => write!(f, "steps back {millis} ms"),
        }
    }
}

/// The wall clock of a node: the system's, falsified. The clock above it and the log read the same one.
#[derive(Debug)]
pub(crate) struct Wall {
    fault: Fault,
    is_past_half: Cell<bool>,
}

impl Wall {
    pub(crate) const fn new(fault: Fault) -> Self {
        Self { fault, is_past_half: Cell::new(false) }
    }

    /// Takes note that half of the scene is over: the moment of a step.
    pub(crate) fn half_way(&self) {
        self.is_past_half.set(true);
    }

    /// Returns what the wall clock shows when the right time is `right`.
    fn falsify(&self, right: PhysicalTime) -> Option<PhysicalTime> {
        match self.fault {
            Fault::None => Some(right),
            Fault::Ahead { millis } => right.checked_add(Duration::from_millis(millis)),
            Fault::Behind { millis } => right.checked_sub(Duration::from_millis(millis)),
            Fault::StepsBack { millis } if self.is_past_half.get() => {
                right.checked_sub(Duration::from_millis(millis))
            }
            Fault::StepsBack { .. } => Some(right),
        }
    }
}

impl Source for Wall {
    fn now(&self) -> Result<PhysicalTime, SourceError> {
        self.falsify(SystemSource::new().now()?).ok_or(SourceError::BeforeUnixEpoch)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn clocks_are_as_far_apart_as_the_one_ahead_and_the_one_behind() {
        let faults: Vec<_> = (0..4).map(Fault::of_node).collect();
        assert_eq!(Fault::spread(&faults), Duration::from_millis(5_300));
        assert_eq!(Fault::spread(&[Fault::None]), Duration::ZERO);
        assert_eq!(Fault::spread(&[]), Duration::ZERO);
    }

    #[test]
    fn each_fault_moves_the_reading_by_what_it_says_and_a_step_waits_for_half_way() {
        let right = PhysicalTime::from_millis(100_000);
        for (fault, before, after) in [
            (Fault::None, 100_000, 100_000),
            (Fault::Ahead { millis: 300 }, 100_300, 100_300),
            (Fault::Behind { millis: 2_000 }, 98_000, 98_000),
            (Fault::StepsBack { millis: 5_000 }, 100_000, 95_000),
        ] {
            let wall = Wall::new(fault);
            assert_eq!(wall.falsify(right), Some(PhysicalTime::from_millis(before)), "{fault}");
            wall.half_way();
            assert_eq!(wall.falsify(right), Some(PhysicalTime::from_millis(after)), "{fault}");
        }
    }
}
