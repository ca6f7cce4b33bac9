//! `Block`: how many times a durable clock makes available at once.

use core::error::Error;
use core::fmt;

use crate::MaxJump;

/// How many times one raise of the mark makes available: from one to 2^39, by default 65,536.
///
/// It costs one sync, and at most as many times are skipped at a crash. A restart begins above all of them. The clock's
/// own limit lets it, but its peers have only theirs: the block in force is therefore at most half of the clock's own
/// [`MaxJump`], taken to be theirs as well, so that they accept the first message after a restart also if they had not
/// heard of the last half of the limit before it. Where that is [`MaxJump::Unbounded`], half of the default limit holds
/// the block down.
///
/// ```
/// use lamport::Block;
///
/// assert!(Block::new(1_000_000).is_ok());
/// assert!(Block::new(0).is_err() && Block::new(u64::MAX).is_err());
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Block(u64);

impl Block {
    /// 65,536 times.
    pub const DEFAULT: Self = Self(1 << 16);

    /// The longest block, 2^39 times: half of [`MaxJump::DEFAULT`].
    pub const MAX: Self = Self(1 << 39);

    /// Makes a block.
    ///
    /// # Errors
    ///
    /// [`BlockOutOfRange`] for none, and above [`MAX`](Self::MAX).
    pub const fn new(times: u64) -> Result<Self, BlockOutOfRange> {
        if times == 0 || times > Self::MAX.0 {
            return Err(BlockOutOfRange { asked: times });
        }
        Ok(Self(times))
    }

    /// Returns how many times it has.
    #[must_use]
    pub const fn times(self) -> u64 {
        self.0
    }

    /// What is left of it under a limit on what peers accept.
    pub(super) const fn under(self, max_jump: MaxJump) -> Self {
        match max_jump {
            MaxJump::AtMost(limit) if limit / 2 < self.0 => match limit / 2 {
                0 => Self(1),
                half => Self(half),
            },
            MaxJump::AtMost(_) | MaxJump::Unbounded => self,
        }
    }
}

const _: () = assert!(
    matches!(MaxJump::DEFAULT, MaxJump::AtMost(limit) if limit / 2 == Block::MAX.0),
    "peers with the default limit accept the longest block"
);

impl Default for Block {
    fn default() -> Self {
        Self::DEFAULT
    }
}

/// A block has no times, or more than [`Block::MAX`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BlockOutOfRange {
    asked: u64,
}

impl BlockOutOfRange {
    /// Returns how many times were asked for.
    #[must_use]
    pub const fn asked(&self) -> u64 {
        self.asked
    }
}

impl fmt::Display for BlockOutOfRange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "a block of {} times is not between 1 and {}", self.asked, Block::MAX.0)
    }
}

impl Error for BlockOutOfRange {}
