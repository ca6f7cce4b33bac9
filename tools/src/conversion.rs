//! `Conversion`: the same moment in another layout.

use core::num::NonZeroU64;
use core::{error::Error, fmt, time::Duration};

use hlc::layout::Rounding;

use crate::{AnyLayout, AnyStamp};

const NANOS_PER_SEC: i128 = 1_000_000_000;

/// What became of a stamp in another layout.
///
/// The counter stays as it is, and physical time goes to a unit of the other layout, by its rounding. Where no time is lost,
/// and the counters fit, the order of stamps stays what it was.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Conversion {
    stamp: AnyStamp,
    moved: Moved,
}

/// How far physical time moved, to the next nanosecond: where it moved, never zero.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(clippy::exhaustive_enums, reason = "there is no third way to move")]
pub enum Moved {
    /// It did not.
    Not,
    /// It is earlier than it was.
    Back(Duration),
    /// It is later than it was.
    Ahead(Duration),
}

impl Conversion {
    /// Returns the stamp.
    #[must_use]
    pub const fn stamp(&self) -> AnyStamp {
        self.stamp
    }

    /// Returns how far its time moved: of several stamps that had an order, those that moved may have none.
    #[must_use]
    pub const fn moved(&self) -> Moved {
        self.moved
    }
}

impl AnyStamp {
    /// Converts it to another layout.
    ///
    /// # Errors
    ///
    /// [`DoesNotFit`] where the other layout has no such time, or no room for the counter.
    ///
    /// # Examples
    ///
    /// ```
    /// use clock_tools::{AnyLayout, AnyStamp, Moved};
    /// use core::time::Duration;
    ///
    /// let (stamp, _) = AnyStamp::guess("2023-11-14T22:13:20.015Z+7", AnyLayout::Unix48)?;
    /// assert_eq!(stamp.convert(AnyLayout::Micros52)?.moved(), Moved::Not);
    /// let seconds = stamp.convert(AnyLayout::Secs32)?;
    /// assert_eq!(seconds.stamp().human(), "2023-11-14T22:13:20Z+7");
    /// assert_eq!(seconds.moved(), Moved::Back(Duration::from_millis(15)));
    /// # Ok::<(), Box<dyn core::error::Error>>(())
    /// ```
    #[expect(
        clippy::arithmetic_side_effects,
        reason = "units have 63 bits at most, a second 33, and i128 holds the product; divisors are not zero"
    )]
    pub fn convert(&self, to: AnyLayout) -> Result<Conversion, DoesNotFit> {
        let (old, new) = (self.layout().facts(), to.facts());
        let (old_second, new_second) = (i128::from(old.units_per_second), i128::from(new.units_per_second));
        // Old units since the new epoch.
        let between = i128::from(old.epoch_unix_secs) - i128::from(new.epoch_unix_secs);
        let units = i128::from(self.physical_units()) + between * old_second;
        if units < 0 {
            return Err(DoesNotFit::BeforeEpoch(to));
        }
        // In new units, as a fraction with the denominator `old_second`.
        let scaled = units * new_second;
        let (whole, rest) = (scaled / old_second, scaled % old_second);
        let nanos = |part: i128| {
            let nanos = (part * NANOS_PER_SEC + old_second * new_second - 1) / (old_second * new_second);
            Duration::from_nanos(u64::try_from(nanos).unwrap_or(u64::MAX))
        };
        let (whole, moved) = match (rest, new.rounding) {
            (0, _) => (whole, Moved::Not),
            (rest, Rounding::Down) => (whole, Moved::Back(nanos(rest))),
            (rest, Rounding::Up) => (whole + 1, Moved::Ahead(nanos(old_second - rest))),
        };
        let units = u64::try_from(whole).ok().filter(|units| *units <= new.max_physical_units());
        let units = units.ok_or(DoesNotFit::AfterEnd(to))?;
        let counter = self.counter();
        if counter > new.max_counter() {
            return Err(DoesNotFit::Counter { layout: to, counter, most: new.max_counter() });
        }
        let bits = NonZeroU64::new((units << new.counter_bits) | counter).ok_or(DoesNotFit::Zero(to))?;
        Ok(Conversion { stamp: Self::new(to, bits, self.node()), moved })
    }
}

/// Why a layout does not have a stamp. Nothing is rounded that far.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum DoesNotFit {
    /// Its time is before the epoch of the layout.
    BeforeEpoch(AnyLayout),
    /// Its time is after the end of the layout.
    AfterEnd(AnyLayout),
    /// Its counter has no room.
    #[non_exhaustive]
    Counter {
        /// The layout.
        layout: AnyLayout,
        /// The counter of the stamp.
        counter: u64,
        /// The greatest that the layout has.
        most: u64,
    },
    /// Time and counter would both be zero, which is no timestamp.
    Zero(AnyLayout),
}

impl fmt::Display for DoesNotFit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::BeforeEpoch(layout) => write!(f, "its time is before the epoch of {layout}"),
            Self::AfterEnd(layout) => write!(f, "its time is after the end of {layout}"),
            Self::Counter { layout, counter, most } => {
                write!(f, "its counter is {counter}, and that of {layout} ends at {most}")
            }
            Self::Zero(layout) => {
                write!(f, "in {layout} its time and its counter are zero, which is no timestamp")
            }
        }
    }
}

impl Error for DoesNotFit {}
