//! `Register`: the driver. It does what the rule says, on a medium, and says what came of it.

mod inspection;
mod options;
mod refusal;

pub use inspection::{Inspection, inspect, inspect_on};
pub use options::{Options, WhenHeld};

use crate::error::{Evidence, IoFault, NotRaised, Operation, RaiseError, Regressed};
use crate::file::FileMedium;
use crate::identity::{Identity, Payload};
use crate::mark::Mark;
use crate::medium::{FileId, Medium, write_all};
use crate::record::{FILE_LEN, Record};
use crate::rule::{self, Batch, NotCurrent};
use crate::scan::Scan;
use core::fmt;
use refusal::Failure;

/// A durable `u64` that only rises, and up to 256 bytes that belong to it.
///
/// One register is one file, held by one process at a time: [`Options`] opens, creates and recovers it.
///
/// ```
/// # use high_water::{Identity, Options};
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let dir = std::env::temp_dir().join(format!("high-water-doc-register-{}", std::process::id()));
/// # std::fs::create_dir_all(&dir)?;
/// # let path = dir.join("epoch");
/// let options = Options::new(Identity::from_bytes(*b"orders/epoch/001")).allow_volatile_file_system();
/// let mut register = options.open_or_create(&path)?;
/// register.raise(7, b"granted to worker 3")?;
/// drop(register); // or a crash
///
/// let register = options.open(&path)?;
/// assert_eq!((register.get(), register.payload()), (7, &b"granted to worker 3"[..]));
/// # std::fs::remove_dir_all(&dir)?;
/// # Ok(())
/// # }
/// ```
///
/// A forked child shares the lock of its parent. It must not use the register, nor anything drawn from it.
pub struct Register<M: Medium = FileMedium> {
    medium: M,
    file: M::File,
    id: FileId,
    /// The last record that was made durable.
    current: Record,
    /// Why nothing can be raised any more.
    stuck: Option<NotRaised>,
    counts: Snapshot,
}

/// What a register has done since it was opened.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub struct Snapshot {
    /// Raises that were made durable.
    pub raises: u64,
    /// Raises that had nothing to do: the value was there already.
    pub unchanged: u64,
    /// Raises that definitely did not happen, for whatever reason.
    pub not_raised: u64,
    /// Raises of which it is not known whether they happened. At most 1: it poisons.
    pub indeterminate: u64,
    /// Syncs, those of the opening included.
    pub syncs: u64,
    /// Copies found torn, rotten or unreadable, at the opening or before a raise.
    pub damaged_copies: u64,
}

impl<M: Medium> Register<M> {
    /// The last acknowledged value. Touches no file.
    #[must_use]
    pub const fn get(&self) -> u64 {
        self.current.value
    }

    /// What belongs to the last acknowledged value.
    #[must_use]
    pub fn payload(&self) -> &[u8] {
        self.current.payload()
    }

    /// Whose register it is.
    #[must_use]
    pub const fn identity(&self) -> Identity {
        self.current.identity
    }

    /// What was done since the register was opened.
    #[must_use]
    pub const fn snapshot(&self) -> Snapshot {
        self.counts
    }

    /// Makes the value and its payload durable, together.
    ///
    /// The same value with the same payload is done already: a call that ended without an answer can be repeated
    /// after the register was opened again.
    ///
    /// # Errors
    ///
    /// [`RaiseError::NotRaised`], and the register is as it was:
    ///
    /// - [`NotRaised::Below`], [`NotRaised::OtherPayload`], [`NotRaised::PayloadTooLong`]: the request is at
    ///   fault, and the next one may succeed. So it may after [`NotRaised::Io`].
    /// - [`NotRaised::Regressed`], [`NotRaised::Replaced`]: the file is at fault. Every later raise is refused in
    ///   the same way.
    /// - [`NotRaised::Poisoned`]: an earlier raise was indeterminate.
    ///
    /// [`RaiseError::Indeterminate`]: a write or the sync failed. The register is poisoned; a crash, or opening
    /// it again, finds the old value or the new one. The sync is not tried again, because the system may have
    /// dropped what it could not write, and would then report success.
    pub fn raise(&mut self, value: u64, payload: &[u8]) -> Result<(), RaiseError> {
        let result = self.try_raise(value, payload);
        match result {
            Ok(done) => {
                let count = if done { &mut self.counts.raises } else { &mut self.counts.unchanged };
                *count = count.saturating_add(1);
                Ok(())
            }
            Err(error) => {
                let count = match error {
                    RaiseError::NotRaised(_) => &mut self.counts.not_raised,
                    RaiseError::Indeterminate(_) => &mut self.counts.indeterminate,
                };
                *count = count.saturating_add(1);
                Err(error)
            }
        }
    }

    /// Whether there was anything to do.
    fn try_raise(&mut self, value: u64, payload: &[u8]) -> Result<bool, RaiseError> {
        if let Some(reason) = self.stuck {
            return Err(reason.into());
        }
        let payload = Payload::new(payload).map_err(NotRaised::PayloadTooLong)?;
        if value < self.current.value {
            return Err(NotRaised::Below(self.current.value).into());
        }
        if value == self.current.value {
            return if payload == self.current.payload {
                Ok(false)
            } else {
                Err(NotRaised::OtherPayload.into())
            };
        }
        let batch = self.plan()?;
        let next = Record { value, payload, sequence: batch.sequence, kind: batch.kind, ..self.current };
        self.counts.syncs = self.counts.syncs.saturating_add(1);
        commit(&self.medium, &self.file, batch, &next).map_err(|failure| {
            self.stuck = Some(NotRaised::Poisoned);
            RaiseError::Indeterminate(failure.into())
        })?;
        self.current = next;
        Ok(true)
    }

    /// Reads everything again, to find out whether the file is still ours and as we left it.
    fn plan(&mut self) -> Result<Batch, NotRaised> {
        let known = Some(self.current.value);
        let overwritten =
            |found| NotRaised::Regressed(Regressed { evidence: Evidence::Overwritten, found, known });
        match self.medium.named() {
            Ok(id) if id == self.id => {}
            Ok(_) => return Err(self.stick(NotRaised::Replaced)),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
                return Err(self.stick(NotRaised::Replaced));
            }
            Err(error) => return Err(NotRaised::Io(IoFault::of(Operation::Examine)(error))),
        }
        // Cut short, it would take the raise and be refused by the next opening.
        let len =
            self.medium.len(&self.file).map_err(IoFault::of(Operation::Examine)).map_err(NotRaised::Io)?;
        if len != FILE_LEN {
            return Err(self.stick(overwritten(None)));
        }
        let scan = Scan::of(&self.medium, &self.file, Some(self.current.identity)).map_err(NotRaised::Io)?;
        self.note_damage(&scan);
        if scan.alien.is_some() {
            return Err(self.stick(overwritten(None)));
        }
        rule::raising(&scan.view, self.current.head()).map_err(|reason| match reason {
            NotCurrent::Found(value) => self.stick(overwritten(Some(value))),
            NotCurrent::Unusable(rule::Unusable::Exhausted) => NotRaised::Exhausted,
            NotCurrent::Unusable(rule::Unusable::NoValidRecord | rule::Unusable::Conflict) => {
                self.stick(overwritten(None))
            }
        })
    }

    const fn stick(&mut self, reason: NotRaised) -> NotRaised {
        self.stuck = Some(reason);
        reason
    }

    fn note_damage(&mut self, scan: &Scan) {
        let damaged = scan.damaged_copies();
        self.counts.damaged_copies = self.counts.damaged_copies.saturating_add(damaged);
    }

    /// The register as a [`Mark`]. Its next raise stores an empty payload.
    #[must_use]
    pub const fn into_mark(self) -> FileMark<M> {
        FileMark { register: self }
    }
}

/// Writes a batch and syncs it, once.
fn commit<M: Medium>(medium: &M, file: &M::File, batch: Batch, record: &Record) -> Result<(), Failure> {
    let bytes = record.to_bytes();
    for place in batch.places() {
        write_all(medium, file, place.offset(), &bytes).map_err(Failure::of(Operation::Write))?;
    }
    medium.sync(file).map_err(Failure::of(Operation::Sync))
}

impl<M: Medium> fmt::Debug for Register<M> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Register")
            .field("current", &self.current)
            .field("stuck", &self.stuck)
            .finish_non_exhaustive()
    }
}

/// A [`Register`] without payload: a durable number in a file.
///
/// # Examples
///
/// ```
/// # use high_water::{Identity, Mark, Options};
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let dir = std::env::temp_dir().join(format!("high-water-doc-mark-{}", std::process::id()));
/// # std::fs::create_dir_all(&dir)?;
/// # let path = dir.join("issued");
/// let options = Options::new(Identity::from_bytes(*b"orders/issued/01")).allow_volatile_file_system();
/// let mut mark = options.open_or_create(&path)?.into_mark();
/// mark.raise_to(7)?;
/// mark.raise_to(3)?; // is below already
/// drop(mark); // or a crash
///
/// assert_eq!(options.open(&path)?.into_mark().get(), 7);
/// # std::fs::remove_dir_all(&dir)?;
/// # Ok(())
/// # }
/// ```
#[derive(Debug)]
pub struct FileMark<M: Medium = FileMedium> {
    register: Register<M>,
}

impl<M: Medium> FileMark<M> {
    /// What was done since the register was opened.
    #[must_use]
    pub const fn snapshot(&self) -> Snapshot {
        self.register.snapshot()
    }
}

impl<M: Medium> Mark for FileMark<M> {
    fn get(&self) -> u64 {
        self.register.get()
    }

    fn raise_to(&mut self, value: u64) -> Result<(), RaiseError> {
        if value <= self.register.get() {
            let counts = &mut self.register.counts;
            return match self.register.stuck {
                Some(reason) => {
                    counts.not_raised = counts.not_raised.saturating_add(1);
                    Err(reason.into())
                }
                None => {
                    counts.unchanged = counts.unchanged.saturating_add(1);
                    Ok(())
                }
            };
        }
        self.register.raise(value, &[])
    }
}
