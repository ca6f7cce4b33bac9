//! `Moment`: a wall time of a log, where it is one of those that can be compared.

/// What a wall clock said: a number in whatever unit, or a date.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Moment {
    /// In billionths of the unit, which is the same in the whole log.
    Number(i128),
    /// In nanoseconds since the Unix epoch.
    Date(i128),
}

/// The most digits of a number before its point, and of its fraction.
const MAX_DIGITS: usize = 20;
const FRACTION_DIGITS: usize = 9;

impl Moment {
    /// Reads `1700000000123`, `12.5`, `2025-06-01T12:00:00.250Z`, `2025-06-01 12:00:00,250` or `...+02:00`; without an
    /// offset it is taken for UTC. Anything else is no wall time that can be compared.
    pub(super) fn read(text: &str) -> Option<Self> {
        let text = text.trim();
        if text.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.') {
            let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
            return Some(Self::Number(scaled(whole, fraction)?));
        }
        let (date, time) = text.split_once(['T', ' '])?;
        let mut date = date.splitn(3, '-');
        let year = digits(date.next()?, 4)?;
        let month = digits(date.next()?, 2).filter(|month| (1..=12).contains(month))?;
        let day = digits(date.next()?, 2).filter(|day| (1..=31).contains(day))?;
        let (time, offset) = match time.find(['Z', '+', '-']) {
            Some(at) => (time.get(..at)?, offset(time.get(at..)?)?),
            None => (time, 0),
        };
        let (clock, fraction) = time.split_once(['.', ',']).unwrap_or((time, ""));
        let mut clock = clock.splitn(3, ':');
        let hour = digits(clock.next()?, 2).filter(|hour| *hour < 24)?;
        let minute = digits(clock.next()?, 2).filter(|minute| *minute < 60)?;
        let second = digits(clock.next()?, 2).filter(|second| *second <= 60)?;
        let days = days_since_epoch(year, month, day);
        let seconds = days.checked_mul(86_400)?.checked_add(hour.checked_mul(3_600)?)?;
        let seconds =
            seconds.checked_add(minute.checked_mul(60)?)?.checked_add(second)?.checked_sub(offset)?;
        let nanos = scaled("0", fraction)?;
        Some(Self::Date(i128::from(seconds).checked_mul(1_000_000_000)?.checked_add(nanos)?))
    }

    /// Returns whether this one is before the other, which is of the same kind.
    pub(super) const fn is_before(self, other: Self) -> bool {
        match (self, other) {
            (Self::Number(one), Self::Number(other)) | (Self::Date(one), Self::Date(other)) => one < other,
            (Self::Number(_), Self::Date(_)) | (Self::Date(_), Self::Number(_)) => false,
        }
    }
}

/// A number of exactly so many digits.
fn digits(text: &str, count: usize) -> Option<i64> {
    (text.len() == count && text.bytes().all(|byte| byte.is_ascii_digit())).then(|| text.parse().ok())?
}

/// A decimal number, in billionths; what is finer is cut off.
fn scaled(whole: &str, fraction: &str) -> Option<i128> {
    let is_number = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    if whole.is_empty() || whole.len() > MAX_DIGITS || !is_number(whole) || !is_number(fraction) {
        return None;
    }
    let fraction: String = fraction.chars().chain("000000000".chars()).take(FRACTION_DIGITS).collect();
    let whole: i128 = whole.parse().ok()?;
    whole.checked_mul(1_000_000_000)?.checked_add(fraction.parse().ok()?)
}

/// An offset from UTC, in seconds: `Z`, `+02:00` or `+0200`.
fn offset(text: &str) -> Option<i64> {
    let (sign, rest) = match text.split_at_checked(1)? {
        ("Z", "") => return Some(0),
        ("+", rest) => (1, rest),
        ("-", rest) => (-1, rest),
        _ => return None,
    };
    let (hours, minutes) = rest.split_once(':').or_else(|| rest.split_at_checked(2))?;
    let minutes = digits(hours, 2)?.checked_mul(60)?.checked_add(digits(minutes, 2)?)?;
    minutes.checked_mul(60)?.checked_mul(sign)
}

/// Days from 1970-01-01, in the Gregorian calendar. The year has four digits, so nothing overflows.
fn days_since_epoch(year: i64, month: i64, day: i64) -> i64 {
    // A year that begins in March has its leap day at its end.
    let year = if month <= 2 { year.saturating_sub(1) } else { year };
    let era = year.div_euclid(400);
    let year_of_era = year.rem_euclid(400);
    let month = month.saturating_add(9).rem_euclid(12);
    let day_of_year =
        month.saturating_mul(153).saturating_add(2).div_euclid(5).saturating_add(day).saturating_sub(1);
    let leap_days = year_of_era.div_euclid(4).saturating_sub(year_of_era.div_euclid(100));
    let day_of_era = year_of_era.saturating_mul(365).saturating_add(leap_days).saturating_add(day_of_year);
    era.saturating_mul(146_097).saturating_add(day_of_era).saturating_sub(719_468)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_usual_forms_are_read() {
        let second = 1_000_000_000_i128;
        for (text, moment) in [
            ("0", Moment::Number(0)),
            ("1700000000123", Moment::Number(1_700_000_000_123 * second)),
            ("12.5", Moment::Number(12_500_000_000)),
            ("1970-01-01T00:00:00Z", Moment::Date(0)),
            ("1970-01-02 00:00:01,5", Moment::Date(86_401 * second + 500_000_000)),
            ("2000-02-29T12:00:00.000000001+02:00", Moment::Date(951_818_400 * second + 1)),
            ("2024-12-31T23:59:60-0130", Moment::Date(1_735_694_999 * second + second)),
        ] {
            assert_eq!(Moment::read(text), Some(moment), "{text}");
        }
    }

    #[test]
    fn what_is_none_is_not_guessed() {
        for text in [
            "",
            ".",
            "-5",
            "1.2.3",
            "noon",
            "2024-13-01T00:00:00",
            "2024-01-01",
            "2024-1-1T00:00:00",
            "24-01-01 00:00:00",
            "2024-01-01T24:00:00",
            "2024-01-01T00:00:00.x",
            "2024-01-01T00:00:00+2",
            "2024-01-01T00:00",
            "999999999999999999999",
        ] {
            assert_eq!(Moment::read(text), None, "{text}");
        }
        assert!(!Moment::Number(1).is_before(Moment::Date(2)), "units that differ are not compared");
        assert!(Moment::Number(1).is_before(Moment::Number(2)));
    }
}
