//! `Mount`: what the kernel lists about the mount that a file was opened through.

use alloc::string::String;
use std::fs::{self, File};
use std::os::fd::AsRawFd;

/// One line of `/proc/self/mountinfo`, as far as it matters here.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Mount {
    /// `ext4`, `nfs4`, `fuse.sshfs`.
    pub(super) kind: String,
    /// The options of the file system itself, separated by commas.
    options: String,
}

impl Mount {
    /// `None` where the kernel does not tell: no `/proc`, or a root directory that hides the mount.
    pub(super) fn of(file: &File) -> Option<Self> {
        // By the mount and not by the device: on an overlay or a subvolume, files show other numbers than the list.
        let about = fs::read_to_string(std::format!("/proc/self/fdinfo/{}", file.as_raw_fd())).ok()?;
        let id = about.lines().find_map(|line| line.strip_prefix("mnt_id:"))?.trim();
        let mounts = fs::read_to_string("/proc/self/mountinfo").ok()?;
        mounts.lines().find_map(|line| Self::parse(line, id))
    }

    /// `44 27 0:39 / /data rw,relatime shared:1 - overlay overlay rw,lowerdir=/l,upperdir=/u,workdir=/w`, if it is the
    /// mount of this id. Spaces within a field are escaped, and so are commas within an option.
    fn parse(line: &str, id: &str) -> Option<Self> {
        let (mount, file_system) = line.split_once(" - ")?;
        if mount.split(' ').next() != Some(id) {
            return None;
        }
        let mut fields = file_system.split(' ');
        let kind = fields.next()?.into();
        let options = fields.nth(1)?.into();
        Some(Self { kind, options })
    }

    /// Whether the file system was told to acknowledge a sync before the disk has the bytes.
    pub(super) fn skips_syncs(&self) -> bool {
        self.options.split(',').any(|option| {
            matches!(
                option,
                // Of an overlay; since Linux 6.18 it is shown in the second form.
                "volatile" | "fsync=volatile"
                // Of disks: the drive's own cache is not flushed.
                | "nobarrier" | "barrier=0" | "barrier=none" | "fsync_mode=nobarrier"
            )
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PLAIN: &str =
        "44 27 0:39 / /data rw,relatime shared:1 - overlay overlay rw,lowerdir=/l,upperdir=/u,workdir=/w";

    #[test]
    fn a_mount_is_found_by_its_id_and_told_by_its_kind() {
        let kind = |line, id| Mount::parse(line, id).map(|mount| mount.kind);
        assert_eq!(kind(PLAIN, "44").as_deref(), Some("overlay"));
        assert_eq!(kind(PLAIN, "4"), None);
        assert_eq!(kind(PLAIN, "27"), None, "the mount above it");
        let share = "50 1 0:44 / /far\\040away rw - fuse.sshfs me@there:/ rw,user_id=0";
        assert_eq!(kind(share, "50").as_deref(), Some("fuse.sshfs"));
        for torn in
            ["", "44", "44 27 0:39 / /data rw -", "44 27 0:39 / /data rw - overlay", "44 - overlay none"]
        {
            assert_eq!(kind(torn, "44"), None, "{torn:?}");
        }
    }

    #[test]
    fn a_file_system_that_was_told_to_skip_syncs_is_seen() {
        let skips = |options: &str| Mount { kind: "any".into(), options: options.into() }.skips_syncs();
        assert!(!Mount::parse(PLAIN, "44").unwrap().skips_syncs());
        for options in [
            "rw,volatile",
            "rw,uuid=on,fsync=volatile",
            "rw,nobarrier",
            "barrier=0",
            "rw,fsync_mode=nobarrier,x",
        ] {
            assert!(skips(options), "{options}");
        }
        for options in ["rw", "rw,barrier", "rw,barrier=1", "rw,upperdir=/volatile", "rw,fsync=ordered"] {
            assert!(!skips(options), "{options}");
        }
    }
}
