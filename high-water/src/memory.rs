//! `MemoryMark`: a mark without a medium, with faults by script.

use crate::error::{IoFault, NotRaised, Operation, RaiseError};
use crate::mark::Mark;

/// What becomes of a raise of a [`MemoryMark`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Outcome {
    /// It is made durable and acknowledged.
    Acknowledged,
    /// It definitely does not happen.
    NotRaised,
    /// It ends indeterminate, and [`MemoryMark::restart`] finds the new value.
    IndeterminateAndRaised,
    /// It ends indeterminate, and [`MemoryMark::restart`] finds the old value.
    IndeterminateAndNotRaised,
}

/// A mark in memory for tests: durable as far as [`restart`](Self::restart) is concerned.
///
/// The script is asked before each raise that has something to do, with the number of such raises before it.
///
/// ```
/// use high_water::{Mark, MemoryMark, Outcome, RaiseError};
///
/// let mut mark = MemoryMark::scripted(0, |nth| match nth {
///     1 => Outcome::IndeterminateAndRaised,
///     _ => Outcome::Acknowledged,
/// });
/// mark.raise_to(10)?;
/// assert!(matches!(mark.raise_to(20), Err(RaiseError::Indeterminate(_))));
/// assert!(mark.raise_to(30).is_err(), "poisoned");
/// assert_eq!(mark.get(), 10, "what was acknowledged");
/// assert_eq!(mark.restart().get(), 20, "what there is");
/// # Ok::<(), RaiseError>(())
/// ```
#[derive(Clone, Debug)]
pub struct MemoryMark<S = fn(u64) -> Outcome> {
    durable: u64,
    acknowledged: u64,
    poisoned: bool,
    raises: u64,
    script: S,
}

impl MemoryMark {
    /// A mark at a value, of which every raise succeeds.
    #[must_use]
    pub fn new(value: u64) -> Self {
        Self::scripted(value, |_| Outcome::Acknowledged)
    }
}

impl<S: FnMut(u64) -> Outcome> MemoryMark<S> {
    /// A mark at a value, whose raises end as the script says.
    #[must_use]
    pub const fn scripted(value: u64, script: S) -> Self {
        Self { durable: value, acknowledged: value, poisoned: false, raises: 0, script }
    }

    /// What is found after a crash, or when the mark is opened again. The script goes on.
    #[must_use]
    pub fn restart(self) -> Self {
        Self { acknowledged: self.durable, poisoned: false, ..self }
    }
}

impl<S: FnMut(u64) -> Outcome> Mark for MemoryMark<S> {
    fn get(&self) -> u64 {
        self.acknowledged
    }

    fn raise_to(&mut self, value: u64) -> Result<(), RaiseError> {
        if self.poisoned {
            return Err(NotRaised::Poisoned.into());
        }
        if value <= self.acknowledged {
            return Ok(());
        }
        let outcome = (self.script)(self.raises);
        self.raises = self.raises.saturating_add(1);
        match outcome {
            Outcome::Acknowledged => {
                self.durable = value;
                self.acknowledged = value;
                Ok(())
            }
            Outcome::NotRaised => Err(NotRaised::Io(IoFault::new(Operation::Read, None)).into()),
            Outcome::IndeterminateAndRaised | Outcome::IndeterminateAndNotRaised => {
                if outcome == Outcome::IndeterminateAndRaised {
                    self.durable = value;
                }
                self.poisoned = true;
                Err(RaiseError::Indeterminate(IoFault::new(Operation::Sync, None)))
            }
        }
    }
}
