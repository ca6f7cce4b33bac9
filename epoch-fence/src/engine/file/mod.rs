//! A store for the processes of one host: a directory.
//!
//! ```
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! # let path = std::env::temp_dir().join(format!("epoch-fence-doc-file-{}", std::process::id()));
//! # let options = epoch_fence::engine::file::FileOptions::new().allow_volatile_file_system().allow_unknown_file_system();
//! use core::time::Duration;
//! use epoch_fence::engine::file::SystemHost;
//! use epoch_fence::protocol::{Claim, Ttl};
//! use epoch_fence::{Issuer, NotAcquired, ResourceId, Wait};
//!
//! let ttl = Ttl::new(Duration::from_secs(10)).ok_or("not a time to live")?;
//! let ledger = ResourceId::of("billing", "ledger");
//! let issuer = Issuer::new(options.open_or_create(&path)?, SystemHost::new()?);
//!
//! let first = issuer.acquire(&Claim::new(ledger, "worker 1".parse()?, ttl), Wait::AtOnce)?;
//! let second = Claim::new(ledger, "worker 2".parse()?, ttl);
//! assert!(matches!(issuer.acquire(&second, Wait::AtOnce), Err(NotAcquired::Held { .. })));
//!
//! let before = first.token().epoch();
//! drop(first); // or its process dies, or its time is over
//! let next = issuer.acquire(&second, Wait::AtOnce)?;
//! assert!(next.token().epoch() > before);
//! # drop(next);
//! # std::fs::remove_dir_all(&path)?;
//! # Ok(())
//! # }
//! ```
//!
//! # What it promises
//!
//! - A grant, a release and every other write is on the disk, with its entry in the [audit log](crate::audit), before
//!   it is acknowledged. A crash at any moment leaves the record before or after, and the log that belongs to it.
//! - One process at a time is within a write. One that is stopped there keeps the others out for as long:
//!   [`FileError::Busy`] names it. Nobody waits longer than the [patience](FileOptions::patience).
//! - A lease is over when its time is, on `CLOCK_BOOTTIME`; when its host has booted again; and when its holder's
//!   process is dead and no child of it has [inherited](Directory::lifeline) its life. Whoever comes next judges it.
//! - A resource that is written for the first time, or again after its folder was deleted, begins a new, random
//!   realm. So epochs of a past that is gone never compare with new ones: a gate says
//!   [`WrongRealm`](crate::Rejected::WrongRealm).
//!
//! # What can go wrong
//!
//! - *A holder is stopped* (SIGSTOP, a debugger, swapping). It is alive, so that its expiry decides; when it wakes it
//!   does not know. The gate is the guarantee.
//! - *The directory is a copy, or was put back.* A copied record is found by its inode and time of birth, one that was
//!   rewritten in place by its log, which is ahead of it. Both are refused until [`Directory::recover`]. A directory
//!   that was put back whole and in place (a restored virtual machine, a snapshot of the disk) is not found from
//!   within; a claim that [remembers an epoch](crate::protocol::Claim::with_known_epoch) finds it, and so does a gate
//!   that has admitted a later one.
//! - *The disk is full.* Room in the log is made before the record is written: nothing was granted, and
//!   [`Failure::Definite`](crate::engine::Failure::Definite) says so.
//! - *The log is cut, edited or gone.* Where the place of the last entry is gone, or holds another one, every write is
//!   refused; else [`Directory::verify`] finds it. Only what is no entry at all in that place is not told from what a
//!   crash leaves there: it is written again, from the record.
//! - *Somebody else locks the files.* Whoever may read them can, and so keep everybody out. The folder of a resource is
//!   made for its owner and the owner's group alone; to share a directory, give it a group (setgid, and a umask of 002).
//! - *The folder is deleted while it is in use.* Whoever comes next begins anew, with another gate, which knows nothing of
//!   the permits of the old one. End every process that may hold or be guarded first.
//! - *Processes in several time namespaces*, each with a `CLOCK_BOOTTIME` of its own, or on several hosts: they judge
//!   expiry by different clocks. Network file systems are refused for this reason too.
//!
//! # Format
//!
//! `DIR/<resource>/record` is a `high-water` register whose number is the version and whose payload is the
//! [record](crate::protocol::record_format); `log.00000001` and on are the [log](crate::audit::format);
//! `alive.<grant>` is locked by the holder. `gate` is the register of the [gate](crate::FileGate), as [`mod@crate::format`]
//! says, and its permits are locks on `gate.permits`.

mod alive;
mod directory;
mod error;
mod host;
mod ledger;
#[cfg(test)]
mod ledger_crash;
#[cfg(test)]
mod ledger_race;
#[cfg(test)]
mod ledger_twice;
#[cfg(test)]
mod ledger_upgrade;
mod recover;
#[cfg(test)]
pub(crate) mod scratch;
mod segment;
mod shelf;
mod verify;

pub use directory::{Directory, FileOptions};
pub use error::{Damage, During, FileError, Finding, LogFault};
pub use host::{Host, SystemHost};
pub use verify::{History, NotVerified, Verified};
