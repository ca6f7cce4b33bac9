//! What kind of file system a file is on, and what that is worth.

#[cfg(any(target_os = "linux", target_os = "android"))]
use super::mount::Mount;
use crate::file_system::FileSystemName;
use crate::medium::FileSystem;
use std::fs::File;
use std::io;

/// As the kernel numbers it in `statfs`, and describes it in the list of mounts.
#[cfg(any(target_os = "linux", target_os = "android"))]
pub(super) fn file_system(file: &File) -> io::Result<FileSystem> {
    Ok(classify(magic(file)?, Mount::of(file).as_ref().map(Mount::skips_syncs)))
}

/// As the list of mounts names it; else its number.
#[cfg(any(target_os = "linux", target_os = "android"))]
pub(super) fn name(file: &File) -> Option<FileSystemName> {
    let listed = Mount::of(file).and_then(|mount| FileSystemName::new(&mount.kind));
    listed.or_else(|| FileSystemName::new(&std::format!("{:#x}", magic(file).ok()?)))
}

#[cfg(any(target_os = "linux", target_os = "android"))]
fn magic(file: &File) -> io::Result<u32> {
    let magic = rustix::fs::fstatfs(file)?.f_type;
    // The field is signed, and of the width of a word; the numbers are unsigned, of 32 bits.
    Ok(u32::try_from(i128::from(magic) & 0xffff_ffff).unwrap_or(0))
}

/// Elsewhere it cannot be told in a way that was tried.
#[cfg(not(any(target_os = "linux", target_os = "android")))]
pub(super) fn file_system(_file: &File) -> io::Result<FileSystem> {
    Ok(FileSystem::Unknown)
}

#[cfg(not(any(target_os = "linux", target_os = "android")))]
pub(super) const fn name(_file: &File) -> Option<FileSystemName> {
    None
}

/// By the numbers of `linux/magic.h`, and of file systems outside the kernel's tree. What is not listed is not known:
/// a list of what is refused would let everything through that it has never heard of.
///
/// `skips_syncs` is what the mount says; `None` where the mount cannot be seen.
#[cfg(any(target_os = "linux", target_os = "android", test))]
const fn classify(magic: u32, skips_syncs: Option<bool>) -> FileSystem {
    match magic {
        0x0000_ef53 // ext2, ext3, ext4
        | 0x5846_5342 // XFS
        | 0x9123_683e // Btrfs
        | 0xf2f5_2010 // F2FS
        | 0x2fc1_2fc1 // ZFS
        | 0xca45_1a4e // bcachefs
        | 0x3153_464a // JFS
        | 0x5265_4973 // ReiserFS
        | 0x0000_3434 // NILFS2
        | 0x2405_1905 // UBIFS
        => match skips_syncs {
            Some(true) => FileSystem::Volatile,
            Some(false) | None => FileSystem::Local,
        },
        // An overlay, as containers have it above a disk. One that may have been told to skip syncs is not known.
        0x794c_7630 => match skips_syncs {
            Some(true) => FileSystem::Volatile,
            Some(false) => FileSystem::Local,
            None => FileSystem::Unknown,
        },
        0x0102_1994 // tmpfs
        | 0x8584_58f6 // ramfs
        | 0x9584_58f6 // hugetlbfs
        => FileSystem::Volatile,
        // Listed only for the words of the refusal.
        0x0000_6969 // NFS
        | 0x0000_517b // SMB
        | 0xfe53_4d42 // SMB 2
        | 0xff53_4d42 // CIFS
        | 0x0000_564c // NCP
        | 0x5346_414f // AFS
        | 0x6b41_4653 // kAFS
        | 0x7375_7245 // Coda
        | 0x00c3_6400 // Ceph
        | 0x0102_1997 // 9P: a hypervisor's share
        | 0x786f_4256 // VirtualBox share
        | 0xbacb_acbc // VMware share
        | 0x0bd0_0bd0 // Lustre
        | 0x4750_4653 // GPFS
        | 0x1983_0326 // BeeGFS
        | 0x2003_0528 // OrangeFS
        | 0x0116_1970 // GFS2
        | 0x7461_636f // OCFS2
        | 0x6573_5546 // FUSE: sshfs, GlusterFS, virtiofs, and local ones that cannot be told from them
        => FileSystem::Network,
        // Among them FAT and exFAT, which have no hard links and no lasting inodes.
        _ => FileSystem::Unknown,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const DISKS: [u32; 10] = [
        0xef53,
        0x5846_5342,
        0x9123_683e,
        0xf2f5_2010,
        0x2fc1_2fc1,
        0xca45_1a4e,
        0x3153_464a,
        0x5265_4973,
        0x3434,
        0x2405_1905,
    ];
    const OVERLAY: u32 = 0x794c_7630;

    #[test]
    fn known_disks_are_local_shares_are_not_memory_is_neither_and_nothing_else_passes() {
        for disk in DISKS {
            assert_eq!(classify(disk, Some(false)), FileSystem::Local, "{disk:#x}");
            assert_eq!(classify(disk, None), FileSystem::Local, "{disk:#x}");
        }
        assert_eq!(classify(0x6969, Some(false)), FileSystem::Network);
        assert_eq!(classify(0xff53_4d42, None), FileSystem::Network, "a number that is negative in 32 bits");
        assert_eq!(classify(0x6573_5546, Some(false)), FileSystem::Network);
        assert_eq!(classify(0x0102_1994, Some(false)), FileSystem::Volatile);
        // FAT, exFAT, NTFS, eCryptfs, a pseudo file system, and numbers that nobody has taken.
        for unknown in [0x4d44, 0x2011_bab0, 0x7366_746e, 0xf15f, 0x9fa0, 0, u32::MAX] {
            assert_eq!(classify(unknown, Some(false)), FileSystem::Unknown, "{unknown:#x}");
        }
    }

    #[test]
    fn what_is_mounted_to_skip_syncs_is_worth_no_more_than_memory() {
        for disk in DISKS.into_iter().chain([OVERLAY]) {
            assert_eq!(classify(disk, Some(true)), FileSystem::Volatile, "{disk:#x}");
        }
        assert_eq!(classify(OVERLAY, Some(false)), FileSystem::Local);
        assert_eq!(classify(OVERLAY, None), FileSystem::Unknown, "it may be a volatile one");
    }
}
