//! Which processes hold a lock, as the kernel lists them.

use alloc::vec::Vec;

/// Who took each `flock` on this file. A kernel that does not list locks, a file system that lists another device
/// number than it shows, or a process of another namespace: not known.
#[cfg(any(target_os = "linux", target_os = "android"))]
pub(super) fn of(device: u64, inode: u64) -> Vec<u32> {
    let (major, minor) = (rustix::fs::major(device), rustix::fs::minor(device));
    let look = || -> Vec<u32> {
        let locks = std::fs::read_to_string("/proc/locks").unwrap_or_default();
        locks.lines().filter_map(|line| parse(line, major, minor, inode)).collect()
    };
    settled(look)
}

/// What two looks in a row agree on, or the last of a few.
///
/// The list is read in pieces, each from where the last one ended *by number*: a lock that is taken or given back
/// anywhere in the system in between has others seen twice, or not at all.
#[cfg(any(target_os = "linux", target_os = "android", test))]
fn settled(mut look: impl FnMut() -> Vec<u32>) -> Vec<u32> {
    let mut last = look();
    for _ in 0..LOOKS {
        let next = look();
        if next == last {
            break;
        }
        last = next;
    }
    last
}

/// How often the list is read again while it changes.
#[cfg(any(target_os = "linux", target_os = "android", test))]
const LOOKS: usize = 8;

#[cfg(not(any(target_os = "linux", target_os = "android")))]
pub(super) const fn of(_device: u64, _inode: u64) -> Vec<u32> {
    Vec::new()
}

/// `1: FLOCK  ADVISORY  WRITE 4711 fe:00:131099 0 EOF`; one that waits has `->` after the number.
#[cfg(any(target_os = "linux", target_os = "android", test))]
fn parse(line: &str, major: u32, minor: u32, inode: u64) -> Option<u32> {
    let mut fields = line.split_ascii_whitespace().skip(1);
    if fields.next()? != "FLOCK" {
        return None;
    }
    let process = fields.nth(2)?.parse().ok().filter(|process| *process != 0)?;
    let mut file = fields.next()?.split(':');
    let same = u32::from_str_radix(file.next()?, 16).ok()? == major
        && u32::from_str_radix(file.next()?, 16).ok()? == minor
        && file.next()?.parse::<u64>().ok()? == inode;
    same.then_some(process)
}

#[cfg(test)]
mod tests {
    use super::{LOOKS, parse, settled};

    #[test]
    fn a_lock_that_one_look_sees_twice_is_counted_once_and_looking_ends() {
        let mut looks = [&[7, 7][..], &[7], &[7], &[8]].into_iter();
        assert_eq!(settled(|| looks.next().unwrap().to_vec()), [7]);
        let mut looks = 0;
        let restless = settled(|| {
            looks += 1;
            alloc::vec![looks]
        });
        assert_eq!((restless.len(), looks), (1, u32::try_from(LOOKS).unwrap() + 1));
    }

    #[test]
    fn the_holder_is_told_from_waiters_other_files_and_other_locks() {
        let line = "1: FLOCK  ADVISORY  WRITE 4711 fe:0a:131099 0 EOF";
        assert_eq!(parse(line, 0xfe, 0x0a, 131_099), Some(4711));
        assert_eq!(parse(line, 0xfe, 0x0b, 131_099), None);
        assert_eq!(parse(line, 0xfe, 0x0a, 131_098), None);
        assert_eq!(parse("1: -> FLOCK  ADVISORY  WRITE 4711 fe:0a:131099 0 EOF", 0xfe, 0x0a, 131_099), None);
        assert_eq!(parse("1: POSIX  ADVISORY  WRITE 4711 fe:0a:131099 0 EOF", 0xfe, 0x0a, 131_099), None);
        assert_eq!(parse("1: FLOCK  ADVISORY  WRITE 0 fe:0a:131099 0 EOF", 0xfe, 0x0a, 131_099), None);
        assert_eq!(parse("1: FLOCK", 0xfe, 0x0a, 131_099), None);
    }
}
