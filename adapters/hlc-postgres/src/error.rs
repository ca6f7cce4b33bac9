//! What can be refused, and the numbers that say why.

use core::{error::Error, fmt};

/// A timestamp that no `bigint` holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AboveBigint {
    bits: u64,
}

impl AboveBigint {
    pub(crate) const fn new(bits: u64) -> Self {
        Self { bits }
    }

    /// Returns the bits of the timestamp.
    #[must_use]
    pub const fn bits(&self) -> u64 {
        self.bits
    }
}

impl fmt::Display for AboveBigint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "timestamp {:016x} is above 2^63-1, the greatest bigint", self.bits)
    }
}

/// A `bigint` that is no timestamp: zero, or negative.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NotPositive {
    value: i64,
}

impl NotPositive {
    pub(crate) const fn new(value: i64) -> Self {
        Self { value }
    }

    /// Returns the number that was read.
    #[must_use]
    pub const fn value(&self) -> i64 {
        self.value
    }
}

impl fmt::Display for NotPositive {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "bigint {} is no timestamp: those begin at 1", self.value)
    }
}

/// A value in PostgreSQL's binary format of another length than its type has. No server sends one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct WrongLength {
    actual: usize,
    expected: usize,
}

impl WrongLength {
    pub(crate) const fn new(actual: usize, expected: usize) -> Self {
        Self { actual, expected }
    }

    /// Returns the number of bytes that came.
    #[must_use]
    pub const fn actual(&self) -> usize {
        self.actual
    }

    /// Returns the number of bytes that the type has.
    #[must_use]
    pub const fn expected(&self) -> usize {
        self.expected
    }
}

impl fmt::Display for WrongLength {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} bytes where the type has {}", self.actual, self.expected)
    }
}

impl Error for AboveBigint {}
impl Error for NotPositive {}
impl Error for WrongLength {}
