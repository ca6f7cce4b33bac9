//! What kind of file system a file is on.

use crate::medium::FileSystem;
use std::fs::File;
use std::io;

/// As the kernel names it in `statfs`.
#[cfg(any(target_os = "linux", target_os = "android"))]
pub(super) fn file_system(file: &File) -> io::Result<FileSystem> {
    let magic = rustix::fs::fstatfs(file)?.f_type;
    // The field is signed, and of the width of a word; the numbers are unsigned, of 32 bits.
    Ok(classify(u32::try_from(i128::from(magic) & 0xffff_ffff).unwrap_or(0)))
}

/// Elsewhere it cannot be told in a way that was tried.
#[cfg(not(any(target_os = "linux", target_os = "android")))]
pub(super) fn file_system(_file: &File) -> io::Result<FileSystem> {
    Ok(FileSystem::Unknown)
}

/// By the numbers of `linux/magic.h`, and of file systems outside the kernel's tree.
#[cfg(any(target_os = "linux", target_os = "android", test))]
const fn classify(magic: u32) -> FileSystem {
    match magic {
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
        0x0102_1994 // tmpfs
        | 0x8584_58f6 // ramfs
        | 0x9584_58f6 // hugetlbfs
        => FileSystem::Volatile,
        _ => FileSystem::Local,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn disks_are_local_shares_are_not_and_memory_is_neither() {
        let disks = [0xef53_u32, 0x5846_5342, 0x9123_683e, 0x2fc1_2fc1, 0xf2f5_2010];
        assert!(disks.iter().all(|disk| classify(*disk) == FileSystem::Local));
        assert_eq!(classify(0x6969), FileSystem::Network);
        assert_eq!(classify(0xff53_4d42), FileSystem::Network, "a number that is negative in 32 bits");
        assert_eq!(classify(0x6573_5546), FileSystem::Network);
        assert_eq!(classify(0x0102_1994), FileSystem::Volatile);
    }
}
