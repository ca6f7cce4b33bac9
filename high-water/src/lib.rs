//! A small durable value under a number that only rises, correct at every crash point.
//!
#![cfg_attr(feature = "std", doc = "```")]
#![cfg_attr(not(feature = "std"), doc = "```ignore")]
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! # let path = std::env::temp_dir().join(format!("high-water-doc-crate-{}", std::process::id()));
//! use high_water::{Identity, Options};
//!
//! let options = Options::new(Identity::from_bytes(*b"orders/epoch/001"));
//! # let options = options.allow_volatile_file_system().allow_unknown_file_system();
//! let mut register = options.open_or_create(&path)?;
//! register.raise(41, b"granted to worker 3")?; // on the disk when this returns
//! drop(register); // or SIGKILL, or a power cut
//!
//! let mut register = options.open(&path)?;
//! assert!(register.get() >= 41);
//! assert!(register.raise(40, b"").is_err(), "it only rises");
//! # std::fs::remove_file(&path)?;
//! # Ok(())
//! # }
//! ```
//!
//! # When to use this
//!
//! When a number must not be used again after a restart: an epoch, a term, the upper bound of a clock, the next
//! block of identifiers. [`Register`] keeps a `u64` and up to 256 bytes that belong to it, in one file held by one
//! process. [`FileMark`] is the same without bytes, behind the [`Mark`] trait that flash and memory share. `FlashMark`
//! keeps it in the sectors of a NOR flash, where there is no operating system and no allocator.
//! [`Reserver`] hands out numbers from blocks, so that the disk is touched once in a block and not once a number; a
//! [`Keeper`] reserves them ahead of need, from a thread of its own.
//!
//! It is no database: one value, one writer, a sync for every raise. Several machines that have to agree on a number
//! need consensus, or the crate `epoch-fence` over a store that has it.
//!
//! # Guarantees
//!
//! - **Restart-safe**: after a crash at any point the value is at least everything acknowledged and at most everything
//!   asked for, with the payload that belongs to it. It holds for a killed process, a power cut, a sync that failed,
//!   and one rotten copy, under the assumptions about the disk that are listed in [FORMAT.md](format).
//!   In flash it holds for a power cut at any byte of any program and erase, however the words that it leaves read, for
//!   another one during what follows, and for one rotten field.
//! - **Monotonic**: [`Register::get`] never falls, within one life or across them.
//! - **Unique**: a [`Reserver`] never hands out a number twice, across restarts too; after a crash some are skipped.
//! - **Thread-safe**: [`Reserver::draw`] takes `&self`. A draw that returns a greater number sees what preceded the one
//!   that returned a smaller, and the raise of the mark that covers it.
//! - **Progress**: a draw is lock-free (some caller always finishes) and touches no disk. A raise waits for the disk.
//! - **Causal**: No. That is for the clocks above this crate.
//! - **Bounded skew**: No. There is no clock here.
//!
//! # What can go wrong
//!
//! - *A sync fails.* The raise is [`Indeterminate`](RaiseError::Indeterminate) and the register poisoned. The sync is not
//!   tried again, because the system may have dropped what it could not write and would report success. Opening the
//!   register again settles which value it is.
//! - *The disk lies about a flush.* After a power cut the value may be an older acknowledged one. It is still whole, and
//!   nothing reports it.
//! - *An older file is put back.* Found while the register is held, and when the file is a copy; see the table in
//!   [FORMAT.md](format#what-is-found-and-what-is-not). An older state written into the same file while nobody holds it,
//!   and a restored virtual machine, are found only if the caller remembers a value elsewhere:
//!   [`Options::at_least`]. A copy is refused as [`Regressed`] until an operator calls [`Options::recover`]. What was
//!   found while the register was held is known to its holder alone: the file that is there now may open, with an older
//!   value. Open it again with the last [`Register::get`] as the floor, and have no supervisor restart the process
//!   before somebody has looked.
//! - *The file system is not what it seems.* Only those pass that are listed as keeping what they sync; the others are
//!   refused with their name, and [allowed](Options::allow_file_system) by it. What lies below an overlay, below ZFS with
//!   `sync=disabled`, or below a virtual disk is not seen; nor is a mount option where `/proc` is missing. A file in a
//!   container's own layer goes with the container: give it a volume. Off Linux nothing can be told, and all are refused
//!   until [allowed](Options::allow_unknown_file_system).
//! - *The file is deleted.* [`Options::open`] refuses; [`Options::open_or_create`] begins again at zero.
//! - *A process is stopped and goes on later.* It still holds the lock, so nobody else could raise meanwhile; numbers it
//!   drew before are still its own.
//! - *A process forks.* The child shares lock and memory, and would repeat its parent's numbers. Do not use a register
//!   or a reserver in a forked child; `std::process::Command` is safe.
//! - *A flash loses power three times in a row*, each time before anything was written to its end, and words that were left
//!   half written read one way and then another: the value may be lost. Between two of these nothing is. A whole sector
//!   that is lost, or both copies of the first value in one, may bring an older value back. See
//!   [FORMAT.md](format#assumptions-about-the-flash).
//! - *A flash wears out.* A word that does not take what is programmed is found when it is read back: an error, and no
//!   acknowledgement.
//! - *The numbers end.* [`DrawError::Exhausted`] at `u64::MAX`; nothing wraps.
//!
//! # Crate features
//!
//! - `std` (default): [`Register`], [`FileMark`], [`SharedReserver`], [`Keeper`] and the [`Medium`] trait. Files are refused off Unix,
//!   with [`OpenError::UnsupportedPlatform`]. Without it the crate needs no allocator.
//! - `fault`: `FaultMedium`, a simulated disk for testing durable code.
//! - `flash`: `FlashMark`, over the traits of `embedded-storage`. Needs neither std nor an allocator. With `fault` also
//!   `FaultFlash`, a simulated flash that is cut off at any byte.
//! - `portable-atomic`: [`Reserver`] on targets without 64-bit atomics. It then makes atomics by
//!   a lock that spins, and an interrupt handler that meets it held waits for ever, *also on a Cortex-M3 or M4*: firmware
//!   on one core switches on its feature `unsafe-assume-single-core`, which shuts interrupts out instead.
//! - `defmt`: `Format` for an identity, the counts and the errors.
//!
//! # Format
//!
//! One file of 96 KiB, or two sectors of a flash or more, described to the byte in [FORMAT.md](format).
//!
//! # Sources
//!
//! Pillai et al. 2014, *All File Systems Are Not Created Equal*; Rebello et al. 2020, *Can Applications Recover from
//! fsync Failures?*; Gray and Reuter 1993, *Transaction Processing*, section 3.7, for what two copies and their order
//! are worth; Berger 1961, for records that cannot be mistaken for a part of themselves.
#![no_std]
#![forbid(unsafe_code)]
#![cfg_attr(docsrs, feature(doc_cfg))]

#[cfg(feature = "std")]
extern crate alloc;
#[cfg(any(feature = "std", test))]
extern crate std;

#[cfg(feature = "defmt")]
mod defmt;
mod error;
#[cfg(feature = "fault")]
mod fault;
#[cfg(feature = "std")]
mod file;
mod file_system;
#[cfg(feature = "flash")]
mod flash;
mod identity;
#[cfg(feature = "std")]
mod keeper;
#[cfg(all(test, loom, feature = "std"))]
mod loom_tests;
mod mark;
#[cfg(feature = "std")]
mod medium;
mod memory;
mod record;
#[cfg(feature = "std")]
mod register;
#[cfg(any(target_has_atomic = "64", feature = "portable-atomic"))]
mod reserver;
#[cfg(feature = "std")]
mod rule;
#[cfg(feature = "std")]
mod scan;
#[cfg(any(target_has_atomic = "64", feature = "portable-atomic"))]
mod sync;

pub use error::{Evidence, IoFault, NotRaised, OpenError, Operation, RaiseError, Regressed};
#[cfg(feature = "fault")]
pub use fault::{Cut, Fate, Fault, FaultFile, FaultMedium, Unflushed};
#[cfg(all(feature = "fault", feature = "flash"))]
pub use fault::{FaultFlash, FlashFault, FlashOperation, Reading, Torn};
#[cfg(feature = "std")]
pub use file::{FileMedium, OpenFile, lock_holders};
pub use file_system::FileSystemName;
#[cfg(feature = "flash")]
pub use flash::{FlashError, FlashMark, FlashRecord, RegionError};
pub use identity::{Identity, Origin, Payload, PayloadTooLong};
#[cfg(feature = "std")]
pub use keeper::{Keeper, Kept};
pub use mark::Mark;
#[cfg(feature = "std")]
pub use medium::{Access, Facts, FileId, FileKind, FileSystem, Medium};
pub use memory::{MemoryMark, Outcome};
pub use record::{Record, RecordError};
#[cfg(feature = "std")]
pub use register::{FileMark, Inspection, Options, Register, Snapshot, WhenHeld, inspect, inspect_on};
#[cfg(all(feature = "std", any(target_has_atomic = "64", feature = "portable-atomic")))]
pub use reserver::SharedReserver;
#[cfg(any(target_has_atomic = "64", feature = "portable-atomic"))]
pub use reserver::{DrawError, Drawer, Extender, Reserver, ReserverSnapshot};

#[doc = include_str!("../FORMAT.md")]
pub mod format {}

#[cfg(all(doctest, feature = "std"))]
#[doc = include_str!("../README.md")]
struct Readme;
