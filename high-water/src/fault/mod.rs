//! `FaultMedium`: a simulated disk under a simulated page cache, both of which fail on request.

mod cut;
#[cfg(feature = "flash")]
mod flash;
mod pages;
mod world;

pub use cut::{Cut, Fate, Unflushed};
#[cfg(feature = "flash")]
pub use flash::{FaultFlash, FlashFault, FlashOperation, Reading, Torn};

use crate::file_system::FileSystemName;
use crate::identity::Origin;
use crate::medium::{Access, Facts, FileId, FileKind, FileSystem, Medium};
use alloc::sync::Arc;
use alloc::vec::Vec;
use core::time::Duration;
use pages::Pages;
use std::io;
use std::sync::{Mutex, MutexGuard, PoisonError};
use world::{Entry, World};

/// A directory on a simulated disk, for testing code that has to survive crashes.
///
/// It keeps, for each file and for the names in the directory, what the cache shows and what the disk holds, and
/// the changes between them that no successful sync has covered. A handle can be cloned: all clones are one
/// machine. [`power_cut`](Self::power_cut) and [`process_crash`](Self::process_crash) return *another*
/// machine, as it is after the crash, and leave this one as it is, so that one history can end in many ways.
///
/// ```
/// use high_water::{Cut, Fate, Fault, FaultMedium, Identity, Options};
///
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let machine = FaultMedium::new();
/// let options = Options::new(Identity::from_bytes(*b"an example of it"));
/// let mut register = options.create_on(machine.clone(), 1, b"")?;
/// machine.fail_next_sync(5, Fate::Lost); // EIO; the cache keeps what the disk does not have
/// assert!(register.raise(2, b"").is_err());
/// drop(register);
///
/// let images = machine.cuts().into_iter().map(|cut| machine.power_cut(&cut));
/// for after in images {
///     assert_eq!(options.open_on(after)?.get(), 1);
/// }
/// assert_eq!(options.open_on(machine.clone())?.get(), 2, "the cache survives a killed process");
/// # Ok(())
/// # }
/// ```
///
/// # What it models, and what not
///
/// A successful sync makes durable all that was written to the file before it, length included; names become
/// durable by a sync of the directory. Between syncs anything may reach the disk, in any order, torn at any
/// byte. After a failed sync the cache calls clean what the disk may not have. Files of other processes, full
/// disks that recover, and sectors that become unreadable for ever are for the caller to build from
/// [`Fault`]s.
#[derive(Clone, Debug)]
pub struct FaultMedium {
    world: Arc<Mutex<World>>,
    name: u32,
}

/// What goes wrong at one call to the medium.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Fault {
    /// The call fails with this `errno` and has no effect.
    Errno(i32),
    /// A write or read transfers so many bytes and reports them.
    Short(usize),
    /// A write transfers so many bytes to the cache, and fails with this `errno`.
    Torn {
        /// How many bytes the cache gets.
        bytes: usize,
        /// What is reported.
        errno: i32,
    },
    /// A sync fails with this `errno`. Every unflushed change of the file meets this fate; the cache keeps what
    /// was written, and holds it for clean.
    SyncFails {
        /// What is reported.
        errno: i32,
        /// What reaches the disk.
        fate: Fate,
    },
    /// The power is cut before the call: it and all later ones fail with `EIO`.
    PowerCut,
}

/// An open file of a [`FaultMedium`].
#[derive(Debug)]
pub struct FaultFile {
    world: Arc<Mutex<World>>,
    inode: usize,
    handle: u64,
    writable: bool,
    temporary: Option<u32>,
}

impl Drop for FaultFile {
    fn drop(&mut self) {
        lock(&self.world).unlock(self.inode, self.handle);
    }
}

#[derive(Clone, Debug)]
struct Pending {
    /// `None` is the directory.
    inode: Option<usize>,
    change: Change,
}

#[derive(Clone, Debug)]
enum Change {
    Write { offset: u64, bytes: Arc<[u8]> },
    Length(u64),
    Link(Entry, usize),
    Unlink(Entry),
}

impl Change {
    fn len(&self) -> usize {
        match self {
            Self::Write { bytes, .. } => bytes.len(),
            Self::Length(_) | Self::Link(..) | Self::Unlink(_) => 0,
        }
    }

    fn overlaps(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Write { offset: left, bytes: l }, Self::Write { offset: right, bytes: r }) => {
                *left < right.saturating_add(r.len() as u64) && *right < left.saturating_add(l.len() as u64)
            }
            (Self::Length(_), Self::Length(_)) => true,
            (Self::Link(left, _) | Self::Unlink(left), Self::Link(right, _) | Self::Unlink(right)) => {
                left == right
            }
            _ => false,
        }
    }
}

fn lock(world: &Mutex<World>) -> MutexGuard<'_, World> {
    world.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Default for FaultMedium {
    fn default() -> Self {
        Self::new()
    }
}

impl FaultMedium {
    /// An empty directory.
    #[must_use]
    pub fn new() -> Self {
        Self::of(World::default(), 0)
    }

    /// A directory in which the name leads to a file of these bytes, all of it durable.
    #[must_use]
    pub fn with_file(bytes: &[u8]) -> Self {
        let mut world = World::default();
        world.put(0, Pages::from_slice(bytes));
        Self::of(world, 0)
    }

    fn of(world: World, name: u32) -> Self {
        Self { world: Arc::new(Mutex::new(world)), name }
    }

    /// Another name in the same directory of the same machine: for code that keeps more than one file. A machine that
    /// was made anew is at name 0.
    ///
    /// What counts or fails calls, cuts the power or evicts is about the machine; what looks at, rots or replaces a
    /// file is about the one under this name.
    #[must_use]
    pub fn named_file(&self, name: u32) -> Self {
        Self { world: Arc::clone(&self.world), name }
    }

    fn world(&self) -> MutexGuard<'_, World> {
        lock(&self.world)
    }

    /// Plans a fault for the call with this number, counted from zero over all calls to the medium.
    pub fn fail(&self, call: u64, fault: Fault) {
        self.world().faults.insert(call, fault);
    }

    /// Plans the failure of the next sync of a file.
    pub fn fail_next_sync(&self, errno: i32, fate: Fate) {
        self.world().fail_sync = Some(Fault::SyncFails { errno, fate });
    }

    /// From the flush with this number on, counted from zero, flushes report success and make nothing durable.
    pub fn stop_at_flush(&self, flush: u64) {
        self.world().last_flush = Some(flush);
    }

    /// How many calls were made.
    #[must_use]
    pub fn calls(&self) -> u64 {
        self.world().calls
    }

    /// How many flushes were asked for, of the file and of the directory.
    #[must_use]
    pub fn flushes(&self) -> u64 {
        self.world().flushes
    }

    /// How many planned faults have struck.
    #[must_use]
    pub fn struck(&self) -> u64 {
        self.world().struck
    }

    /// The changes that no successful flush has covered, in the order in which they were made.
    #[must_use]
    pub fn unflushed(&self) -> Vec<Unflushed> {
        let describe = |pending: &Pending| match &pending.change {
            Change::Write { bytes, .. } => Unflushed::Write(bytes.len()),
            Change::Length(_) => Unflushed::Length,
            Change::Link(..) | Change::Unlink(_) => Unflushed::Name,
        };
        self.world().pending.iter().map(describe).collect()
    }

    /// Every power cut worth trying now: each subset of the unflushed changes; each write torn at each byte, from
    /// the front and from the back, with each subset of the others; all torn at the same length; and where
    /// changes overlap, all of this in every order.
    ///
    /// With more than six changes at once it is the subsets that have all, none, all but one or only one; beside a
    /// torn write all, none or one of the others; and the orders forwards and backwards. Writes above 1 KiB are torn at
    /// about a thousand places.
    #[must_use]
    pub fn cuts(&self) -> Vec<Cut> {
        cut::all(&self.world().pending)
    }

    /// The machine after a power cut: the cache is gone, the disk is what the cut makes of it.
    #[must_use]
    pub fn power_cut(&self, cut: &Cut) -> Self {
        Self::of(self.world().after_power_cut(cut), self.name)
    }

    /// The machine after the process was killed: cache and disk are as they were, locks are gone.
    #[must_use]
    pub fn process_crash(&self) -> Self {
        Self::of(self.world().after_process_crash(), self.name)
    }

    /// Drops what the cache holds for clean: it is read from the disk again, and may be older than it was.
    pub fn evict(&self) {
        self.world().evict();
    }

    /// Inverts these bits of one byte of the file, on the disk and in the cache.
    pub fn rot(&self, offset: u64, bits: u8) {
        self.world().rot(self.name, offset, bits);
    }

    /// The file, as a read would show it now. `None` if there is none.
    #[must_use]
    pub fn cached(&self) -> Option<Vec<u8>> {
        let world = self.world();
        world.named(self.name).map(|inode| inode.cache.to_vec())
    }

    /// Writes the file anew, in place, as another program would that ignores locks; durable.
    pub fn overwrite(&self, bytes: &[u8]) {
        self.world().overwrite(self.name, Pages::from_slice(bytes));
    }

    /// Lets the name lead to a new file of these bytes, as a restored backup does; durable.
    pub fn replace(&self, bytes: &[u8]) {
        self.world().put(self.name, Pages::from_slice(bytes));
    }

    /// Takes the name away, as an operator does who deletes the file; durable.
    pub fn delete(&self) {
        self.world().remove(self.name);
    }

    /// Says that the directory is on another kind of file system.
    pub fn set_file_system(&self, file_system: FileSystem) {
        self.world().file_system = file_system;
    }

    /// Gives that kind a name.
    pub fn set_file_system_name(&self, name: FileSystemName) {
        self.world().file_system_name = Some(name);
    }
}

impl Medium for FaultMedium {
    type File = FaultFile;

    fn open(&self, access: Access) -> io::Result<FaultFile> {
        let mut world = self.world();
        world.enter()?;
        let inode = world.find(Entry::Name(self.name)).ok_or(io::ErrorKind::NotFound)?;
        let (handle, writable) = (world.handle(), access == Access::ReadWrite);
        Ok(FaultFile { world: Arc::clone(&self.world), inode, handle, writable, temporary: None })
    }

    fn create(&self) -> io::Result<FaultFile> {
        let mut world = self.world();
        world.enter()?;
        let (temporary, inode) = world.create();
        let handle = world.handle();
        let world = Arc::clone(&self.world);
        Ok(FaultFile { world, inode, handle, writable: true, temporary: Some(temporary) })
    }

    fn publish(&self, file: &FaultFile) -> io::Result<()> {
        let mut world = self.world();
        world.enter()?;
        if world.find(Entry::Name(self.name)).is_some() {
            return Err(io::ErrorKind::AlreadyExists.into());
        }
        world.link(Entry::Name(self.name), file.inode);
        Ok(())
    }

    fn retract(&self, file: &FaultFile) -> io::Result<()> {
        let mut world = self.world();
        world.enter()?;
        let temporary = file.temporary.ok_or(io::ErrorKind::InvalidInput)?;
        world.unlink(Entry::Temporary(temporary));
        Ok(())
    }

    fn unpublish(&self) -> io::Result<()> {
        let mut world = self.world();
        world.enter()?;
        world.find(Entry::Name(self.name)).ok_or(io::ErrorKind::NotFound)?;
        world.unlink(Entry::Name(self.name));
        Ok(())
    }

    fn sync_directory(&self) -> io::Result<()> {
        self.world().sync(None)
    }

    fn named(&self) -> io::Result<FileId> {
        let mut world = self.world();
        world.enter()?;
        let inode = world.find(Entry::Name(self.name)).ok_or(io::ErrorKind::NotFound)?;
        Ok(FileId::new(0, inode as u64))
    }

    fn facts(&self, file: &FaultFile) -> io::Result<Facts> {
        let mut world = self.world();
        world.enter()?;
        let inode = world.inode(file.inode)?;
        Ok(Facts {
            id: FileId::new(0, file.inode as u64),
            kind: FileKind::Regular,
            len: inode.cache.len(),
            origin: Some(Origin::new(file.inode as u64, Some(0))),
        })
    }

    /// Not counted among the calls, and never fails: of this disk it is known.
    fn file_system(&self, _file: &FaultFile) -> io::Result<FileSystem> {
        Ok(self.world().file_system)
    }

    fn file_system_name(&self, _file: &FaultFile) -> Option<FileSystemName> {
        self.world().file_system_name
    }

    fn try_lock(&self, file: &FaultFile) -> io::Result<bool> {
        let mut world = self.world();
        world.enter()?;
        Ok(world.lock(file.inode, file.handle))
    }

    fn holder(&self, _file: &FaultFile) -> Option<u32> {
        None
    }

    /// Returns at once: whether a wait ends must not depend on how fast the machine is.
    fn pause(&self, _pause: Duration) {}

    fn read_at(&self, file: &FaultFile, offset: u64, buffer: &mut [u8]) -> io::Result<usize> {
        let mut world = self.world();
        let limit = world.enter_transfer()?.unwrap_or(buffer.len());
        let buffer = buffer.get_mut(..limit).unwrap_or_default();
        Ok(world.inode(file.inode)?.cache.read(offset, buffer))
    }

    fn write_at(&self, file: &FaultFile, offset: u64, bytes: &[u8]) -> io::Result<usize> {
        if !file.writable {
            return Err(io::ErrorKind::PermissionDenied.into());
        }
        self.world().write(file.inode, offset, bytes)
    }

    fn set_len(&self, file: &FaultFile, len: u64) -> io::Result<()> {
        let mut world = self.world();
        world.enter()?;
        world.set_len(file.inode, len);
        Ok(())
    }

    fn sync(&self, file: &FaultFile) -> io::Result<()> {
        self.world().sync(Some(file.inode))
    }
}
