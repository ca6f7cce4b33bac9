//! `Causality`: the four answers to "which was first?".

use core::cmp::Ordering;

/// How one clock, or one event, stands to another: the four answers that there are.
///
/// Exhaustive on purpose. A `match` on it names what happens to concurrent values, which is the decision that
/// a system of replicas has to make, and which an `Option<Ordering>` lets a caller forget.
///
/// # Examples
///
/// ```
/// use vector_clock::{Causality, Fixed, VersionVector};
///
/// # fn main() -> Result<(), vector_clock::TickError> {
/// let mut a = VersionVector::<u32, Fixed<4>>::new();
/// a.tick(1)?;
/// let mut b = a.clone();
/// b.tick(2)?;
/// assert_eq!(a.causality(&b), Causality::Before);
///
/// a.tick(1)?;
/// assert_eq!(a.causality(&b), Causality::Concurrent);
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[must_use]
#[expect(clippy::exhaustive_enums, reason = "a fifth answer does not exist")]
pub enum Causality {
    /// Both know the same events.
    Equal,
    /// The left one is in the past of the right one.
    Before,
    /// The right one is in the past of the left one.
    After,
    /// Each knows an event that the other does not.
    Concurrent,
}

impl Causality {
    /// Returns the answer to the same question asked from the other side.
    pub const fn reverse(self) -> Self {
        match self {
            Self::Equal => Self::Equal,
            Self::Before => Self::After,
            Self::After => Self::Before,
            Self::Concurrent => Self::Concurrent,
        }
    }

    /// Returns the same answer as [`PartialOrd::partial_cmp`] gives it: `None` is "concurrent".
    #[must_use]
    pub const fn to_ordering(self) -> Option<Ordering> {
        match self {
            Self::Equal => Some(Ordering::Equal),
            Self::Before => Some(Ordering::Less),
            Self::After => Some(Ordering::Greater),
            Self::Concurrent => None,
        }
    }

    /// Combines "the left one lacks something" and "the right one lacks something".
    pub(crate) const fn from_lacks(left_lacks: bool, right_lacks: bool) -> Self {
        match (left_lacks, right_lacks) {
            (false, false) => Self::Equal,
            (true, false) => Self::Before,
            (false, true) => Self::After,
            (true, true) => Self::Concurrent,
        }
    }
}
