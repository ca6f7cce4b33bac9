//! `World`: the state of a simulated machine.

use super::cut::{Cut, Fate};
use super::pages::Pages;
use super::{Change, Fault, Pending};
use crate::file_system::FileSystemName;
use crate::medium::FileSystem;
use alloc::collections::BTreeMap;
use alloc::sync::Arc;
use alloc::vec::Vec;
use std::io;

const EIO: i32 = 5;

/// The names in the directory.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Entry {
    /// The one that a medium is for.
    Name(u32),
    /// Those that files are created under.
    Temporary(u32),
}

#[derive(Clone, Debug, Default)]
pub(super) struct Inode {
    pub(super) cache: Pages,
    disk: Pages,
    /// The handle that has the lock.
    locked: Option<u64>,
}

#[derive(Clone, Debug)]
pub(super) struct World {
    inodes: Vec<Inode>,
    names: BTreeMap<Entry, usize>,
    names_on_disk: BTreeMap<Entry, usize>,
    pub(super) pending: Vec<Pending>,
    pub(super) file_system: FileSystem,
    pub(super) file_system_name: Option<FileSystemName>,
    pub(super) faults: BTreeMap<u64, Fault>,
    pub(super) fail_sync: Option<Fault>,
    pub(super) last_flush: Option<u64>,
    pub(super) calls: u64,
    pub(super) flushes: u64,
    pub(super) struck: u64,
    handles: u64,
    off: bool,
}

impl Default for World {
    fn default() -> Self {
        Self {
            inodes: Vec::new(),
            names: BTreeMap::new(),
            names_on_disk: BTreeMap::new(),
            pending: Vec::new(),
            file_system: FileSystem::Local,
            file_system_name: None,
            faults: BTreeMap::new(),
            fail_sync: None,
            last_flush: None,
            calls: 0,
            flushes: 0,
            struck: 0,
            handles: 0,
            off: false,
        }
    }
}

impl World {
    /// Counts a call, and tells the fault that was planned for it.
    fn arrive(&mut self) -> io::Result<Option<Fault>> {
        let fault = self.faults.remove(&self.calls);
        self.calls = self.calls.saturating_add(1);
        if let Some(fault) = fault {
            self.struck = self.struck.saturating_add(1);
            self.off |= fault == Fault::PowerCut;
        }
        if self.off {
            return Err(io::Error::from_raw_os_error(EIO));
        }
        Ok(fault)
    }

    /// For calls that can only fail or not.
    pub(super) fn enter(&mut self) -> io::Result<()> {
        self.enter_transfer().map(|_| ())
    }

    /// For reads: the most that may be transferred, if there is a limit.
    pub(super) fn enter_transfer(&mut self) -> io::Result<Option<usize>> {
        match self.arrive()? {
            None | Some(Fault::PowerCut) => Ok(None),
            Some(Fault::Short(limit)) => Ok(Some(limit)),
            Some(Fault::Errno(errno) | Fault::Torn { errno, .. } | Fault::SyncFails { errno, .. }) => {
                Err(io::Error::from_raw_os_error(errno))
            }
        }
    }

    pub(super) fn write(&mut self, inode: usize, offset: u64, bytes: &[u8]) -> io::Result<usize> {
        let (len, result) = match self.arrive()? {
            None | Some(Fault::PowerCut) => (bytes.len(), Ok(bytes.len())),
            Some(Fault::Short(limit)) => {
                let len = limit.min(bytes.len());
                (len, Ok(len))
            }
            Some(Fault::Torn { bytes: limit, errno }) => {
                (limit.min(bytes.len()), Err(io::Error::from_raw_os_error(errno)))
            }
            Some(Fault::Errno(errno) | Fault::SyncFails { errno, .. }) => {
                (0, Err(io::Error::from_raw_os_error(errno)))
            }
        };
        let bytes = bytes.get(..len).unwrap_or_default();
        let end = offset.saturating_add(len as u64);
        if !bytes.is_empty() {
            let file = self.inode_mut(inode)?;
            file.cache.write(offset, bytes);
            let grows = end > file.cache.len();
            if grows {
                file.cache.set_len(end);
                self.pending.push(Pending { inode: Some(inode), change: Change::Length(end) });
            }
            let change = Change::Write { offset, bytes: Arc::from(bytes) };
            self.pending.push(Pending { inode: Some(inode), change });
        }
        result
    }

    pub(super) fn set_len(&mut self, inode: usize, len: u64) {
        if let Ok(file) = self.inode_mut(inode) {
            file.cache.set_len(len);
            self.pending.push(Pending { inode: Some(inode), change: Change::Length(len) });
        }
    }

    /// Flushes a file, or the directory.
    pub(super) fn sync(&mut self, inode: Option<usize>) -> io::Result<()> {
        let planned = self.arrive()?;
        let flush = self.flushes;
        self.flushes = self.flushes.saturating_add(1);
        let fault = planned.or_else(|| inode.and_then(|_| self.fail_sync.take()));
        let (fate, result) = match fault {
            None | Some(Fault::PowerCut | Fault::Short(_)) => (Fate::Whole, Ok(())),
            Some(Fault::SyncFails { errno, fate }) => (fate, Err(io::Error::from_raw_os_error(errno))),
            Some(Fault::Errno(errno) | Fault::Torn { errno, .. }) => {
                (Fate::Lost, Err(io::Error::from_raw_os_error(errno)))
            }
        };
        if self.last_flush.is_some_and(|last| flush >= last) {
            return result;
        }
        let (now, later) = self.pending.drain(..).partition(|pending| pending.inode == inode);
        self.pending = later;
        let now: Vec<Pending> = now;
        now.iter().for_each(|pending| self.land(pending, fate));
        result
    }

    /// Brings a change to the disk, as far as its fate lets it.
    fn land(&mut self, pending: &Pending, fate: Fate) {
        let disk = pending.inode.and_then(|inode| self.inodes.get_mut(inode)).map(|inode| &mut inode.disk);
        match (&pending.change, fate, disk) {
            (_, Fate::Lost, _) => {}
            (Change::Write { offset, bytes }, _, Some(disk)) => {
                let (skipped, part) = match fate {
                    Fate::Prefix(len) => (0, bytes.get(..len.min(bytes.len()))),
                    Fate::Suffix(len) => {
                        let skipped = bytes.len().saturating_sub(len);
                        (skipped, bytes.get(skipped..))
                    }
                    Fate::Lost | Fate::Whole => (0, Some(&**bytes)),
                };
                disk.write(offset.saturating_add(skipped as u64), part.unwrap_or_default());
            }
            (Change::Length(len), _, Some(disk)) => disk.set_len(*len),
            (Change::Link(entry, inode), _, _) => {
                self.names_on_disk.insert(*entry, *inode);
            }
            (Change::Unlink(entry), _, _) => {
                self.names_on_disk.remove(entry);
            }
            (Change::Write { .. } | Change::Length(_), _, None) => {}
        }
    }

    pub(super) fn after_power_cut(&self, cut: &Cut) -> Self {
        let mut after = self.after_process_crash();
        after.pending.clear();
        for index in &cut.order {
            if let Some((pending, fate)) = self.pending.get(*index).zip(cut.fates.get(*index)) {
                after.land(pending, *fate);
            }
        }
        after.names.clone_from(&after.names_on_disk);
        for inode in &mut after.inodes {
            inode.cache = inode.disk.clone();
        }
        after
    }

    pub(super) fn after_process_crash(&self) -> Self {
        let mut inodes = self.inodes.clone();
        inodes.iter_mut().for_each(|inode| inode.locked = None);
        Self {
            inodes,
            names: self.names.clone(),
            names_on_disk: self.names_on_disk.clone(),
            pending: self.pending.clone(),
            file_system: self.file_system,
            file_system_name: self.file_system_name,
            ..Self::default()
        }
    }

    /// Whatever is clean is read from the disk again; what is not, is written over it.
    pub(super) fn evict(&mut self) {
        for (index, inode) in self.inodes.iter_mut().enumerate() {
            inode.cache = inode.disk.clone();
            for pending in self.pending.iter().filter(|pending| pending.inode == Some(index)) {
                match &pending.change {
                    Change::Write { offset, bytes } => inode.cache.write(*offset, bytes),
                    Change::Length(len) => inode.cache.set_len(*len),
                    Change::Link(..) | Change::Unlink(_) => {}
                }
            }
        }
    }

    pub(super) fn rot(&mut self, name: u32, offset: u64, bits: u8) {
        let Some(inode) = self.find(Entry::Name(name)).and_then(|inode| self.inodes.get_mut(inode)) else {
            return;
        };
        for pages in [&mut inode.disk, &mut inode.cache] {
            let mut byte = [0];
            if pages.read(offset, &mut byte) == 1 {
                pages.write(offset, &byte.map(|byte| byte ^ bits));
            }
        }
    }

    pub(super) fn named(&self, name: u32) -> Option<&Inode> {
        self.find(Entry::Name(name)).and_then(|inode| self.inodes.get(inode))
    }

    pub(super) fn find(&self, entry: Entry) -> Option<usize> {
        self.names.get(&entry).copied()
    }

    pub(super) fn inode(&self, inode: usize) -> io::Result<&Inode> {
        self.inodes.get(inode).ok_or_else(|| io::ErrorKind::NotFound.into())
    }

    fn inode_mut(&mut self, inode: usize) -> io::Result<&mut Inode> {
        self.inodes.get_mut(inode).ok_or_else(|| io::ErrorKind::NotFound.into())
    }

    pub(super) fn create(&mut self) -> (u32, usize) {
        let inode = self.inodes.len();
        self.inodes.push(Inode::default());
        let taken = |name: &u32| self.names.contains_key(&Entry::Temporary(*name));
        let temporary = (0..u32::MAX).find(|name| !taken(name)).unwrap_or(u32::MAX);
        self.link(Entry::Temporary(temporary), inode);
        (temporary, inode)
    }

    pub(super) fn link(&mut self, entry: Entry, inode: usize) {
        self.names.insert(entry, inode);
        self.pending.push(Pending { inode: None, change: Change::Link(entry, inode) });
    }

    pub(super) fn unlink(&mut self, entry: Entry) {
        self.names.remove(&entry);
        self.pending.push(Pending { inode: None, change: Change::Unlink(entry) });
    }

    /// Puts a durable file under the name.
    pub(super) fn put(&mut self, name: u32, pages: Pages) {
        let inode = self.inodes.len();
        self.inodes.push(Inode { cache: pages.clone(), disk: pages, locked: None });
        self.names.insert(Entry::Name(name), inode);
        self.names_on_disk.insert(Entry::Name(name), inode);
    }

    pub(super) fn overwrite(&mut self, name: u32, pages: Pages) {
        if let Some(inode) = self.find(Entry::Name(name)) {
            self.pending.retain(|pending| pending.inode != Some(inode));
            if let Some(inode) = self.inodes.get_mut(inode) {
                inode.disk = pages.clone();
                inode.cache = pages;
            }
        }
    }

    /// Takes a name away, durably.
    pub(super) fn remove(&mut self, name: u32) {
        self.names.remove(&Entry::Name(name));
        self.names_on_disk.remove(&Entry::Name(name));
    }

    pub(super) const fn handle(&mut self) -> u64 {
        self.handles = self.handles.saturating_add(1);
        self.handles
    }

    pub(super) fn lock(&mut self, inode: usize, handle: u64) -> bool {
        self.inodes.get_mut(inode).is_some_and(|inode| *inode.locked.get_or_insert(handle) == handle)
    }

    pub(super) fn unlock(&mut self, inode: usize, handle: u64) {
        if let Some(inode) = self.inodes.get_mut(inode).filter(|inode| inode.locked == Some(handle)) {
            inode.locked = None;
        }
    }
}
