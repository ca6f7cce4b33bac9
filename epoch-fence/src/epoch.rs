//! `Epoch`: the number of a tenure over a resource.

use core::fmt;
use core::num::NonZeroU64;
use core::str::FromStr;

use crate::{DecodeError, Field};

/// The number of a tenure over a resource. A later tenure has a greater one; there is no epoch zero.
///
/// Epochs of one realm compare. Across realms they say nothing, which is why a
/// [`FencingToken`](crate::FencingToken) carries its realm and has no order.
///
/// Every non-zero 64-bit number is an epoch, because a peer may send any. An issuer hands out none above
/// [`MAX_ISSUED`](Self::MAX_ISSUED), half of the range: it fits the signed 64-bit column of a database, and
/// whatever is above it is a forgery or rot.
///
/// # Units
///
/// Tenures, perhaps with gaps. Not seconds.
///
/// # Examples
///
/// ```
/// use epoch_fence::Epoch;
///
/// assert_eq!(Epoch::FIRST.checked_next(), Epoch::new(2));
/// assert_eq!(Epoch::MAX_ISSUED.checked_next(), None);
/// assert_eq!(Epoch::new(0), None);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Epoch(NonZeroU64);

impl Epoch {
    /// The first epoch there is.
    pub const FIRST: Self = Self(NonZeroU64::MIN);

    /// The greatest epoch that an issuer hands out: 2^63 - 1, 292 years of a tenure each nanosecond.
    ///
    /// A gate admits nothing above it, unless by [`MaxAdvance::Unbounded`](crate::MaxAdvance::Unbounded).
    pub const MAX_ISSUED: Self = match Self::new(u64::MAX >> 1) {
        Some(epoch) => epoch,
        None => Self::FIRST,
    };

    /// The greatest epoch that can be written down. No issuer reaches it.
    pub const MAX: Self = Self(NonZeroU64::MAX);

    /// Makes an epoch of its number, or `None` of zero.
    #[must_use]
    pub const fn new(number: u64) -> Option<Self> {
        match NonZeroU64::new(number) {
            Some(number) => Some(Self(number)),
            None => None,
        }
    }

    /// Returns the number.
    #[must_use]
    pub const fn get(self) -> u64 {
        self.0.get()
    }

    /// Returns the next epoch that an issuer may hand out.
    ///
    /// # Overflow
    ///
    /// `None` from [`MAX_ISSUED`](Self::MAX_ISSUED) on.
    #[must_use]
    pub const fn checked_next(self) -> Option<Self> {
        self.checked_add(1)
    }

    /// Returns the epoch `tenures` later, if an issuer may hand it out.
    ///
    /// # Overflow
    ///
    /// `None` above [`MAX_ISSUED`](Self::MAX_ISSUED); nothing wraps.
    #[must_use]
    pub const fn checked_add(self, tenures: u64) -> Option<Self> {
        match self.0.checked_add(tenures) {
            Some(later) if later.get() <= Self::MAX_ISSUED.get() => Some(Self(later)),
            _ => None,
        }
    }
}

/// The number in decimal, as people and shells write it.
impl fmt::Display for Epoch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl FromStr for Epoch {
    type Err = DecodeError;

    /// Parses exactly what `Display` writes: decimal digits without sign or leading zero.
    fn from_str(text: &str) -> Result<Self, DecodeError> {
        let mut number: u64 = 0;
        for (at, byte) in text.bytes().enumerate() {
            if !byte.is_ascii_digit() || (at == 0 && byte == b'0' && text.len() > 1) {
                return Err(DecodeError::Digit { at });
            }
            number = number
                .checked_mul(10)
                .and_then(|tens| tens.checked_add(u64::from(byte.wrapping_sub(b'0'))))
                .ok_or(DecodeError::Range { field: Field::Epoch })?;
        }
        if text.is_empty() {
            return Err(DecodeError::Length { found: 0, expected: 1 });
        }
        Self::new(number).ok_or(DecodeError::Zero { field: Field::Epoch })
    }
}
