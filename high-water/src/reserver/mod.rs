//! `Reserver`: numbers that are never handed out twice, across restarts, without a disk in the way.

mod block;
#[cfg(feature = "std")]
mod shared;

#[cfg(feature = "std")]
pub use shared::SharedReserver;

use crate::error::RaiseError;
use crate::mark::Mark;
use block::Block;
use core::fmt;
use core::num::{NonZeroU32, NonZeroU64};

/// Hands out numbers from a block that a [`Mark`] has reserved.
///
/// A draw is one atomic step in memory. [`upkeep`](Self::upkeep) reserves the next block when half of this
/// one is gone; call it off the hot path. After a restart the first number is above everything ever reserved,
/// so numbers are skipped at a crash and never repeated.
///
/// ```
/// use high_water::{MemoryMark, Reserver};
/// use core::num::NonZeroU64;
///
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let block = NonZeroU64::new(100).ok_or("zero")?;
/// let mut ids = Reserver::new(MemoryMark::new(0), block);
/// assert!(ids.draw().is_err(), "nothing is reserved yet");
/// ids.upkeep()?;
/// assert_eq!(ids.draw()?, 1);
///
/// let mut ids = Reserver::new(ids.into_mark().restart(), block);
/// ids.upkeep()?;
/// assert_eq!(ids.draw()?, 101, "above all that the first life could have handed out");
/// # Ok(())
/// # }
/// ```
///
/// # Memory ordering
///
/// A draw that returns a greater number sees what preceded the draw that returned a smaller one, and the raise
/// of the mark that covers it.
///
/// # Overflow
///
/// The last number is `u64::MAX`. After it, a draw is [`DrawError::Exhausted`]; nothing wraps.
#[derive(Debug)]
pub struct Reserver<M> {
    block: Block,
    extender: State<M>,
}

/// What the one who extends needs.
#[derive(Debug)]
struct State<M> {
    mark: M,
    size: NonZeroU64,
    /// The bound of the block. Kept here as well, because nobody else moves it; and an extender that loaded the
    /// word before it stores to it would hide from loom that the store races with the draws.
    bound: u64,
    extensions: u64,
}

impl<M: Mark> State<M> {
    /// Reserves a whole block above what is drawn, if half of the present one is gone or a draw was refused. What is
    /// left is kept. A draw that was refused is covered with half of a block to spare, for those that come before it.
    fn upkeep(&mut self, block: &Block) -> Result<bool, RaiseError> {
        let (left, wanted, half) = (self.left(block), block.wanted(), self.size.get() / 2);
        if (left > half && wanted <= self.bound) || self.bound == u64::MAX {
            return Ok(false);
        }
        let drawn = self.bound.saturating_sub(left);
        let target = drawn.saturating_add(self.size.get()).max(wanted.saturating_add(half));
        // Durable first, drawable after: the other way round a crash would repeat numbers.
        self.mark.raise_to(target)?;
        block.extend_to(target);
        self.bound = target;
        self.extensions = self.extensions.saturating_add(1);
        Ok(true)
    }

    fn left(&self, block: &Block) -> u64 {
        self.bound.saturating_sub(block.drawn())
    }

    fn snapshot(&self, block: &Block) -> ReserverSnapshot {
        let (left, stalls) = (self.left(block), block.stalls());
        ReserverSnapshot { left, mark: self.mark.get(), extensions: self.extensions, stalls }
    }
}

/// What a reserver has done since it was made, and what it has left.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[non_exhaustive]
pub struct ReserverSnapshot {
    /// Numbers that can be drawn before the next extension.
    pub left: u64,
    /// The durable mark: no number above it was ever handed out.
    pub mark: u64,
    /// Blocks reserved.
    pub extensions: u64,
    /// Draws that found fewer numbers than they asked for.
    pub stalls: u64,
}

impl<M: Mark> Reserver<M> {
    /// Begins above the mark, with nothing reserved; `block` is how many numbers an extension makes available.
    ///
    /// The mark belongs to this reserver from now on: nobody else may raise it or draw from it.
    #[must_use]
    pub fn new(mark: M, block: NonZeroU64) -> Self {
        let above = mark.get();
        Self {
            block: Block::above(above),
            extender: State { mark, size: block, bound: above, extensions: 0 },
        }
    }

    /// Draws a number above all those drawn before, in this life and in earlier ones. Touches no medium.
    ///
    /// # Errors
    ///
    /// - [`DrawError::Spent`]: nothing is left until the next [`upkeep`](Self::upkeep). Nothing was drawn.
    /// - [`DrawError::Exhausted`]: nothing is left at all.
    ///
    /// # Memory ordering
    ///
    /// As promised for the [type](Self#memory-ordering).
    pub fn draw(&self) -> Result<u64, DrawError> {
        self.drawer().draw()
    }

    /// Draws `count` consecutive numbers in one step, and returns the first. They may be more than a block has.
    ///
    /// # Errors
    ///
    /// As [`draw`](Self::draw); if fewer are left, none is drawn, and the next [`upkeep`](Self::upkeep) reserves as many
    /// as were asked for.
    ///
    /// # Memory ordering
    ///
    /// As promised for the [type](Self#memory-ordering).
    pub fn draw_many(&self, count: NonZeroU32) -> Result<u64, DrawError> {
        self.drawer().draw_many(count)
    }

    /// Reserves the next block if half of this one is gone, or if a draw was refused. Returns whether it did.
    ///
    /// # Errors
    ///
    /// That of the mark. What was reserved before can still be drawn.
    pub fn upkeep(&mut self) -> Result<bool, RaiseError> {
        self.extender.upkeep(&self.block)
    }

    /// Takes it apart, so that many can draw while one extends: no allocator and no lock needed.
    pub const fn split(&mut self) -> (Drawer<'_>, Extender<'_, M>) {
        (Drawer { block: &self.block }, Extender { block: &self.block, state: &mut self.extender })
    }

    /// What was done so far.
    #[must_use]
    pub fn snapshot(&self) -> ReserverSnapshot {
        self.extender.snapshot(&self.block)
    }

    /// The mark back. What was reserved and not drawn is lost.
    #[must_use]
    pub fn into_mark(self) -> M {
        self.extender.mark
    }

    const fn drawer(&self) -> Drawer<'_> {
        Drawer { block: &self.block }
    }
}

/// The half of a split [`Reserver`] that draws. Copies can go to as many threads as wanted.
#[derive(Clone, Copy, Debug)]
pub struct Drawer<'a> {
    block: &'a Block,
}

impl Drawer<'_> {
    /// As [`Reserver::draw`].
    ///
    /// # Errors
    ///
    /// As there.
    ///
    /// # Memory ordering
    ///
    /// As there.
    #[inline]
    pub fn draw(self) -> Result<u64, DrawError> {
        self.draw_many(NonZeroU32::MIN)
    }

    /// As [`Reserver::draw_many`].
    ///
    /// # Errors
    ///
    /// As there.
    ///
    /// # Memory ordering
    ///
    /// As there.
    #[inline]
    pub fn draw_many(self, count: NonZeroU32) -> Result<u64, DrawError> {
        self.block.draw(count.into()).ok_or_else(|| match self.block.left() {
            (left, true) => DrawError::Exhausted { left },
            (left, false) => DrawError::Spent { left },
        })
    }
}

/// The half of a split [`Reserver`] that extends. There is one.
#[derive(Debug)]
pub struct Extender<'a, M> {
    block: &'a Block,
    state: &'a mut State<M>,
}

impl<M: Mark> Extender<'_, M> {
    /// As [`Reserver::upkeep`].
    ///
    /// # Errors
    ///
    /// As there.
    pub fn upkeep(&mut self) -> Result<bool, RaiseError> {
        self.state.upkeep(self.block)
    }
}

/// There were not as many numbers as asked for. None was drawn.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[non_exhaustive]
pub enum DrawError {
    /// As many as were asked for come with the next upkeep.
    Spent {
        /// How many are left.
        left: u64,
    },
    /// The numbers end at `u64::MAX`: no more will ever come.
    Exhausted {
        /// How many are left.
        left: u64,
    },
}

impl fmt::Display for DrawError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Spent { left } => write!(f, "{left} reserved numbers are left; call upkeep"),
            Self::Exhausted { left } => write!(f, "{left} numbers are left before the end of them all"),
        }
    }
}

impl core::error::Error for DrawError {}
