//! `Human`: a timestamp as people read it.

use core::fmt;

use crate::{Packed, layout::Layout, physical_time::NANOS_PER_SEC};

/// Shows a timestamp as date, time and counter: `2023-11-14T22:13:20.000Z+7`.
///
/// The date and time are RFC 3339 in UTC, with as many decimals as the layout's unit needs (none, 3, 6 or
/// 9, rounded down); the counter follows a `+`. Years after 9999 have five digits and a `+` before them, as
/// in ISO 8601. The form is for people and logs: it is not parsed back, and texts of different layouts do
/// not sort together. Made by [`Packed::human`].
#[derive(Clone, Copy, Debug)]
pub struct Human<L: Layout>(Packed<L>);

impl<L: Layout> Packed<L> {
    /// Returns the timestamp as people read it: date, time, counter.
    #[must_use]
    pub const fn human(self) -> Human<L> {
        Human(self)
    }
}

impl<L: Layout> fmt::Display for Human<L> {
    #[expect(clippy::arithmetic_side_effects, reason = "divisors are constants; the day is in u64 seconds")]
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let time = self.0.physical_time();
        let (year, month, day) = civil(time.secs() / 86_400);
        let second = time.secs() % 86_400;
        if year > 9999 {
            f.write_str("+")?;
        }
        write!(f, "{year:04}-{month:02}-{day:02}")?;
        write!(f, "T{:02}:{:02}:{:02}", second / 3600, second / 60 % 60, second % 60)?;
        let decimals = match L::UNITS_PER_SECOND {
            1 => 0,
            2..=1_000 => 3,
            1_001..=1_000_000 => 6,
            _ => 9,
        };
        if decimals > 0 {
            let part = time.subsec_nanos() / (NANOS_PER_SEC / 10_u32.pow(decimals));
            write!(f, ".{part:0width$}", width = decimals as usize)?;
        }
        write!(f, "Z+{}", self.0.counter())
    }
}

/// Year, month and day of a day counted from 1970-01-01, in the proleptic Gregorian calendar.
///
/// Counted from the first of March, the leap day is the year's last, and the months repeat 31, 30, 31, 30,
/// 31 days: month `m` then begins on day `(153 m + 2) / 5`.
#[expect(clippy::arithmetic_side_effects, reason = "days are at most 2^64 / 86,400: all sums stay far below")]
const fn civil(day: u64) -> (u64, u64, u64) {
    const DAYS_BEFORE_1970: u64 = 719_468; // from 0000-03-01
    const DAYS_IN_400_YEARS: u64 = 146_097;
    let day = day + DAYS_BEFORE_1970;
    let era = day / DAYS_IN_400_YEARS;
    let day_of_era = day % DAYS_IN_400_YEARS;
    // Every 1,460 days a leap day is missing from a 365-day year, but not every 36,524, but every 146,096.
    let year_of_era = (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let from_march = (5 * day_of_year + 2) / 153;
    let day_of_month = day_of_year - (153 * from_march + 2) / 5 + 1;
    let month = if from_march < 10 { from_march + 3 } else { from_march - 9 };
    let year = 400 * era + year_of_era + if month <= 2 { 1 } else { 0 };
    (year, month, day_of_month)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        PhysicalTime, Timestamp,
        layout::{Micros52, Ntp60, Secs32},
    };
    use alloc::string::ToString;

    #[test]
    fn every_day_of_a_thousand_years_follows_the_one_before() {
        let mut before = (1969, 12, 31);
        for day in 0..366_000 {
            let (year, month, date) = civil(day);
            let leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
            let next_month = if before.1 == 12 { (before.0 + 1, 1, 1) } else { (before.0, before.1 + 1, 1) };
            let length = match before.1 {
                4 | 6 | 9 | 11 => 30,
                2 if before.0 == year && leap => 29,
                2 => 28,
                _ => 31,
            };
            let next = if before.2 == length { next_month } else { (before.0, before.1, before.2 + 1) };
            assert_eq!((year, month, date), next, "day {day}");
            before = next;
        }
    }

    #[test]
    fn decimals_follow_the_unit_and_the_counter_stands_last() {
        let time = PhysicalTime::new(1_708_992_000, 123_456_789).unwrap();
        assert_eq!(Timestamp::first_at(time).unwrap().human().to_string(), "2024-02-27T00:00:00.123Z+0");
        assert_eq!(
            Packed::<Micros52>::last_at(time).unwrap().human().to_string(),
            "2024-02-27T00:00:00.123456Z+4095"
        );
        assert_eq!(
            Packed::<Ntp60>::first_at(time).unwrap().human().to_string(),
            "2024-02-27T00:00:00.123456788Z+0"
        );
        assert_eq!(Packed::<Secs32>::first_at(time).unwrap().human().to_string(), "2024-02-27T00:00:00Z+0");
        assert_eq!(Timestamp::MAX.human().to_string(), "+10889-08-02T05:31:50.655Z+65535");
        assert_eq!(Timestamp::MIN.human().to_string(), "1970-01-01T00:00:00.000Z+1");
        let year_10000 = PhysicalTime::from_secs(253_402_300_800);
        let first = Timestamp::first_at(year_10000).unwrap();
        assert_eq!(first.human().to_string(), "+10000-01-01T00:00:00.000Z+0");
        let last = first.checked_prev().unwrap();
        assert_eq!(last.human().to_string(), "9999-12-31T23:59:59.999Z+65535", "no plus before four digits");
    }
}
