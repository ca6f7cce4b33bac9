//! Audit logs of `epoch-fence`, and what somebody makes of them: bytes changed, cut, exchanged, inserted, and whole pasts
//! that were sealed again. A log is written here by the words of AUDIT.md; the crate reads all of it, up to the first
//! thing that is wrong, and nothing that was changed is left unsaid. The same is asked of a directory's log on disk.

use core::time::Duration;
use std::fs;
use std::path::PathBuf;

use arbitrary::{Arbitrary, Unstructured};
use epoch_fence::audit::{Broken, Chain, Entry, EntryError, LogHead};
use epoch_fence::engine::file::{Directory, FileOptions, Finding, NotVerified};
use epoch_fence::protocol::{Claim, Command, Info, Moment, Record, Ttl, View, step};
use epoch_fence::{GrantId, HolderId, Issuer, RealmId, ResourceId, SystemClock, Wait};
use sha2::{Digest, Sha256};

use crate::bounds::{Bound, bounded};

#[derive(Arbitrary, Debug)]
struct Script {
    writes: Vec<Write>,
    forgery: Option<(u8, Forgery)>,
    tampering: Tampering,
}

#[derive(Arbitrary, Clone, Copy, Debug)]
enum Write {
    Acquire { holder: u8 },
    Renew,
    Burn,
    Release,
    HandOver { to: u8 },
    Evict,
    Recover,
}

/// What somebody writes who can seal entries, and all that come after.
#[derive(Arbitrary, Clone, Copy, Debug, PartialEq, Eq)]
enum Forgery {
    /// A stamp that is not above the one before.
    Stamp,
    /// A record to which no step leads.
    Step,
    Index,
    Offset,
    Before,
    NoAnchor,
}

#[derive(Arbitrary, Clone, Copy, Debug)]
enum Tampering {
    None,
    Change {
        at: u16,
        with: u8,
    },
    Cut {
        at: u16,
    },
    /// Two entries change places, or one is written over the other.
    Move {
        from: u8,
        to: u8,
        exchange: bool,
    },
    Remove {
        entry: u8,
    },
    Insert {
        entry: u8,
        before: u8,
    },
}

const MAX_WRITES: usize = 24;
const HEADER: usize = 88;
/// That one entry follows another is found with the bytes of it, once; reading it takes none.
const FOLLOWING: Bound = Bound::total(432, 0);

pub fn run(data: &[u8]) {
    let Ok(script) = Script::arbitrary(&mut Unstructured::new(data)) else { return };
    // A file is slow: it is an input of its own.
    if script.writes.is_empty() {
        return DISK.with(|disk| disk.tampered(script.tampering));
    }
    let (entries, broken) = log(&script);
    let (first, bytes) = tampered(&entries, script.tampering);
    let (read, why) = read(&bytes);
    // What comes before the first thing that is wrong is read as it was written.
    let forged = broken.map_or(usize::MAX, |(at, _)| at);
    let sound = first.unwrap_or(usize::MAX).min(forged).min(entries.len());
    let whole = first.is_none() && broken.is_none();
    assert!(read.len() >= sound, "{} of {sound} sound entries, {why:?}", read.len());
    for (read, entry) in read.iter().zip(&entries).take(sound) {
        assert_eq!(&read.to_bytes(), entry);
    }
    if whole {
        assert_eq!((why, read.len()), (EntryError::Blank.into(), entries.len()));
    } else if let (None, Some((at, expected))) = (first, broken) {
        assert_eq!((read.len(), why), (at, expected));
    } else {
        assert_eq!(read.len(), sound, "{:?} was read as sound", script.tampering);
    }
}

fn resource() -> ResourceId {
    ResourceId::of("fuzz", "audit")
}

fn grant(number: u128) -> GrantId {
    GrantId::from_random_bits(number).expect("not zero")
}

fn holder(number: u8) -> HolderId {
    HolderId::try_new(["a", "bb", "ccc"][usize::from(number % 3)]).expect("a name")
}

/// Reads entries up to the first that is none, or does not follow.
fn read(log: &[u8]) -> (Vec<Entry>, Broken) {
    let (mut chain, mut at, mut entries) = (Chain::default(), 0, Vec::with_capacity(2 * MAX_WRITES));
    loop {
        let left = &log[at..];
        let entry = match bounded(Bound::NOTHING, left.len(), || Entry::from_bytes(resource(), left)) {
            Ok(entry) => entry,
            Err(why) => return (entries, why.into()),
        };
        chain = match bounded(FOLLOWING, left.len(), || chain.followed_by(entry)) {
            Ok(chain) => chain,
            Err(why) => return (entries, why),
        };
        at += entry.to_bytes().len();
        entries.push(entry);
        assert_eq!((chain.entries(), chain.head()), (entries.len() as u64, entry.head()));
        assert_eq!(chain.place().map(|place| place.offset() as usize), Some(HEADER + at));
    }
}

/// The entries of a log, and which one is the first that was forged, with what has to be said of it.
fn log(script: &Script) -> (Vec<Vec<u8>>, Option<(usize, Broken)>) {
    let mut record = Record::vacant(RealmId::from_random_bits(1).expect("not zero"));
    let (mut entries, mut broken) = (Vec::new(), None);
    let (mut offset, mut head) = (HEADER, [0; 32]);
    let ttl = Ttl::new(Duration::from_secs(10)).expect("in range");
    for write in script.writes.iter().take(MAX_WRITES) {
        let number = entries.len() as u128 + 1;
        let now = Moment::new(1, 1_000_000_000 * entries.len() as u64);
        let own = record.grant().unwrap_or(grant(1 << 64));
        let command = match *write {
            Write::Acquire { holder: by } => {
                Command::Acquire { grant: grant(number), holder: holder(by), ttl }
            }
            Write::Renew => Command::Renew { grant: own, ttl },
            Write::Burn => Command::Burn,
            Write::Release => Command::Release { grant: own },
            Write::HandOver { to } => Command::HandOver { grant: own, to: holder(to), keep: ttl },
            Write::Evict => Command::Evict { grant: own },
            Write::Recover => Command::Recover {
                realm: RealmId::from_random_bits(1 + number).expect("not zero"),
                floor: None,
            },
        };
        let Ok(next) = step(&View::new(record, now), &command) else { continue };
        let index = entries.len();
        let forgery = script.forgery.filter(|(at, _)| usize::from(*at) % MAX_WRITES == index);
        let forgery = forgery.map(|(_, forgery)| forgery).filter(|_| index > 0);
        // A stamp of the default layout, a millisecond after the one before; then the node.
        let millis = 1_800_000_000_000 + index as u64 - u64::from(forgery == Some(Forgery::Stamp));
        let mut info = vec![1, code(&command)];
        info.extend((millis << 16).to_be_bytes());
        info.extend(7_u64.to_be_bytes());
        info.extend(1_u32.to_be_bytes());
        info.extend((offset as u32 + u32::from(forgery == Some(Forgery::Offset))).to_be_bytes());
        info.extend((index as u64 + u64::from(forgery == Some(Forgery::Index))).to_be_bytes());
        info.extend(head);
        match forgery {
            Some(Forgery::Before) => *info.last_mut().expect("it has bytes") ^= 1,
            Some(Forgery::NoAnchor) => info.truncate(65),
            _ => {}
        }
        // A record that goes back to the version before.
        let next = if forgery == Some(Forgery::Step) { record } else { next };
        record = next.with_info(Info::try_new(&info).expect("short enough"));
        if let (Some(forgery), None) = (forgery, broken) {
            broken = Some((index, said(forgery)));
        }
        let bytes = record.to_bytes();
        let hash =
            Sha256::new().chain_update(b"epoch-fence audit entry\n").chain_update(resource().to_bytes());
        head = hash.chain_update(bytes.as_bytes()).finalize().into();
        let mut entry = (bytes.as_bytes().len() as u16 + 34).to_be_bytes().to_vec();
        entry.extend(bytes.as_bytes());
        entry.extend(head);
        offset += entry.len();
        entries.push(entry);
    }
    (entries, broken)
}

fn code(command: &Command) -> u8 {
    match command {
        Command::Acquire { .. } => 1,
        Command::Burn => 2,
        Command::Renew { .. } => 3,
        Command::Release { .. } => 4,
        Command::HandOver { .. } => 5,
        Command::Evict { .. } => 6,
        Command::Recover { .. } => 7,
    }
}

fn said(forgery: Forgery) -> Broken {
    match forgery {
        Forgery::Stamp => Broken::Stamp,
        Forgery::Step => Broken::Step,
        Forgery::Index | Forgery::Offset => Broken::Misplaced,
        Forgery::Before => Broken::OtherPast,
        Forgery::NoAnchor => EntryError::Anchor.into(),
    }
}

/// The bytes of a log that somebody has changed, and the first entry that is no longer the one that was written.
fn tampered(entries: &[Vec<u8>], how: Tampering) -> (Option<usize>, Vec<u8>) {
    let mut changed: Vec<&[u8]> = entries.iter().map(Vec::as_slice).collect();
    let pick = |number: u8| usize::from(number) % entries.len().max(1);
    match how {
        _ if entries.is_empty() => {}
        Tampering::Move { from, to, exchange: true } => changed.swap(pick(from), pick(to)),
        Tampering::Move { from, to, exchange: false } => changed[pick(to)] = &entries[pick(from)],
        Tampering::Remove { entry } => drop(changed.remove(pick(entry))),
        Tampering::Insert { entry, before } => changed.insert(pick(before), &entries[pick(entry)]),
        Tampering::None | Tampering::Change { .. } | Tampering::Cut { .. } => {}
    }
    let whole = entries.concat();
    let mut bytes = changed.concat();
    match how {
        Tampering::Change { at, with } if !bytes.is_empty() => {
            let at = usize::from(at) % bytes.len();
            bytes[at] ^= with;
        }
        Tampering::Cut { at } => bytes.truncate(usize::from(at) % (bytes.len() + 1)),
        _ => {}
    }
    (first_changed(entries, &whole, &bytes), bytes)
}

/// The entry in which the first difference is.
fn first_changed(entries: &[Vec<u8>], whole: &[u8], bytes: &[u8]) -> Option<usize> {
    if whole == bytes {
        return None;
    }
    let at = whole.iter().zip(bytes).take_while(|(old, new)| old == new).count();
    let mut end = 0;
    Some(
        entries
            .iter()
            .take_while(|entry| {
                end += entry.len();
                end <= at
            })
            .count(),
    )
}

thread_local! {
    static DISK: Disk = Disk::new();
}

/// A directory with one resource, whose log was written by the engine, once a thread.
struct Disk {
    path: PathBuf,
    directory: Directory,
    log: PathBuf,
    bytes: Vec<u8>,
    entries: Vec<Vec<u8>>,
    head: LogHead,
}

impl Disk {
    fn new() -> Self {
        let thread = format!("{:?}", std::thread::current().id());
        let thread: String = thread.chars().filter(char::is_ascii_digit).collect();
        let path = std::env::temp_dir().join(format!("clock-fuzz-audit-{}-{thread}", std::process::id()));
        fs::create_dir_all(&path).expect("there is room for temporary files");
        let options = FileOptions::new().allow_volatile_file_system().allow_unknown_file_system();
        let open = || options.open(&path).expect("a directory that is there");
        let issuer = Issuer::new(open(), SystemClock::new());
        let ttl = Ttl::new(Duration::from_secs(60)).expect("in range");
        for number in 0..6 {
            let claim = Claim::new(resource(), holder(number), ttl);
            let lease = issuer.acquire_with(&claim, Wait::AtOnce, || grant(u128::from(number) + 1));
            lease.expect("nobody holds it").release().expect("a disk that works");
        }
        drop(issuer);
        let directory = open();
        let log = directory.folder(resource()).join("log.00000001");
        let bytes = fs::read(&log).expect("the engine wrote a log");
        let entries: Vec<_> = directory
            .history(resource())
            .expect("a log that is as it was written")
            .map(|entry| entry.expect("sound").to_bytes())
            .collect();
        let head = directory.verify(resource(), None).expect("a log that is as it was written").head();
        Self { path, directory, log, bytes, entries, head }
    }

    fn tampered(&self, how: Tampering) {
        let (_, mut bytes) = tampered(&self.entries, how);
        // The header can be changed as well, and what is behind the last entry.
        match how {
            Tampering::Change { at, with } => {
                bytes.clone_from(&self.bytes);
                let place = usize::from(at) % (HEADER + 4 * self.entries.concat().len() / 3);
                bytes[place] ^= with;
            }
            _ => {
                let room = self.bytes.len() - HEADER - self.entries.concat().len();
                bytes.splice(..0, self.bytes[..HEADER].iter().copied());
                bytes.resize(bytes.len() + room, 0);
            }
        }
        fs::write(&self.log, &bytes).expect("the log can be written");
        let verified = self.directory.verify(resource(), Some(self.head));
        let plain = self.directory.verify(resource(), None);
        fs::write(&self.log, &self.bytes).expect("the log can be written");

        let whole = &self.bytes[HEADER..];
        let first = first_changed(&self.entries, whole, &bytes[HEADER..]);
        let last = self.entries.len() - 1;
        let behind = HEADER + self.entries.concat().len();
        let header = bytes[..HEADER] == self.bytes[..HEADER];
        let torn_only = first == Some(last) && header && bytes.iter().skip(behind).all(|byte| *byte == 0);
        match plain {
            Ok(log) if log.missing().is_none() => {
                assert!(first.is_none() && header, "{how:?} was not found");
                assert_eq!(log.entries(), self.entries.len() as u64);
                assert_eq!(verified.map(|log| log.head()), Ok(self.head));
            }
            // Only of its last entry a crash may leave less, and the record has it.
            Ok(log) => {
                assert!(torn_only, "{how:?} was taken for a crash");
                assert_eq!(
                    (log.entries(), log.missing().map(Entry::to_bytes)),
                    (last as u64, self.entries.last().cloned())
                );
                assert!(
                    matches!(verified, Err(NotVerified::Damaged(why)) if why.what() == Finding::HeadNotFound)
                );
            }
            Err(NotVerified::Damaged(why)) if !header => {
                assert_eq!((why.what(), why.index()), (Finding::Header, 0));
            }
            Err(NotVerified::Damaged(why)) => {
                let first = first.expect("a log that is as it was written was refused");
                assert_eq!(why.index(), first.min(self.entries.len()) as u64, "{how:?}: {why}");
            }
            Err(why) => panic!("{why}"),
        }
    }
}

impl Drop for Disk {
    fn drop(&mut self) {
        let _gone_or_left = fs::remove_dir_all(&self.path);
    }
}
