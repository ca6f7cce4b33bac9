//! `Shelf`: where the files of one resource are.

use alloc::format;
use alloc::vec::Vec;
use std::ffi::OsStr;
use std::fs::{self, DirBuilder};
use std::io;
use std::os::unix::fs::DirBuilderExt as _;
use std::path::{Path, PathBuf};

use high_water::{FileMedium, Medium};

use super::{During, FileError};

/// The files of one resource. The real one is a [`Folder`]; tests have one on a simulated disk.
pub(super) trait Shelf {
    type Medium: Medium;

    /// Makes the place where the files go, durably, before the first of them.
    fn prepare(&self) -> Result<(), FileError>;

    /// The file of the record.
    fn record(&self) -> Result<Self::Medium, FileError>;

    /// A file of the log.
    fn segment(&self, number: u32) -> Result<Self::Medium, FileError>;

    /// The files of the log that are there, in order.
    fn segments(&self) -> Result<Vec<u32>, FileError>;
}

/// A folder of the real file system.
#[derive(Clone, Debug)]
pub(super) struct Folder(PathBuf);

const SEGMENT: &str = "log.";

impl Folder {
    pub(super) const fn at(path: PathBuf) -> Self {
        Self(path)
    }

    pub(super) fn path(&self) -> &Path {
        &self.0
    }

    fn medium(&self, name: &str) -> Result<FileMedium, FileError> {
        FileMedium::at(&self.0.join(name)).map_err(FileError::from)
    }
}

/// Who may look into a folder that is made: whom the process's own mask lets.
pub(super) const ANYBODY: u32 = 0o777;
/// The owner and its group. Who may read a file may lock it, and a lock on the record or on the permits keeps everybody
/// out.
const NO_STRANGER: u32 = 0o770;

/// Makes a folder, and those above it that are missing, and the names of all of them durable.
pub(super) fn create_durably(path: &Path, mode: u32) -> io::Result<()> {
    let create = || DirBuilder::new().mode(mode).create(path);
    match create() {
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            create_durably(path.parent().ok_or(error)?, ANYBODY)?;
            create().or_else(exists)?;
        }
        made => made.or_else(exists)?,
    }
    match path.parent() {
        // A relative name of one part is in the directory that is current.
        Some(parent) if parent == Path::new("") => fs::File::open(".")?.sync_all(),
        Some(parent) => fs::File::open(parent)?.sync_all(),
        None => Ok(()),
    }
}

fn exists(error: io::Error) -> io::Result<()> {
    if error.kind() == io::ErrorKind::AlreadyExists { Ok(()) } else { Err(error) }
}

impl Shelf for Folder {
    type Medium = FileMedium;

    fn prepare(&self) -> Result<(), FileError> {
        create_durably(&self.0, NO_STRANGER).map_err(FileError::io(During::Directory))
    }

    fn record(&self) -> Result<FileMedium, FileError> {
        self.medium("record")
    }

    fn segment(&self, number: u32) -> Result<FileMedium, FileError> {
        self.medium(&format!("{SEGMENT}{number:08}"))
    }

    fn segments(&self) -> Result<Vec<u32>, FileError> {
        let fault = FileError::io(During::Reading);
        let names = match fs::read_dir(&self.0) {
            Ok(names) => names,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
            Err(error) => return Err(fault(error)),
        };
        let mut numbers = Vec::new();
        for name in names {
            numbers.extend(number(&name.map_err(&fault)?.file_name()));
        }
        numbers.sort_unstable();
        Ok(numbers)
    }
}

/// The number in the name of a log's file; `None` for any other name.
fn number(name: &OsStr) -> Option<u32> {
    let number = name.to_str()?.strip_prefix(SEGMENT)?;
    let number = number.parse().ok().filter(|parsed: &u32| format!("{parsed:08}") == number);
    number.filter(|number| *number > 0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_of_a_log_is_named_by_a_number_above_zero_and_eight_digits_or_more() {
        let rows = [
            ("log.00000001", Some(1)),
            ("log.99999999", Some(99_999_999)),
            ("log.4294967295", Some(u32::MAX)),
            ("log.4294967296", None),
            ("log.00000000", None),
            ("log.0000001", None),
            ("log.000000001", None),
            ("log.+0000001", None),
            ("log.00000001~", None),
            ("log.", None),
            ("00000001", None),
            ("record", None),
        ];
        for (name, wanted) in rows {
            assert_eq!(number(OsStr::new(name)), wanted, "{name}");
        }
    }

    #[test]
    fn the_root_is_there_and_a_file_is_no_folder() {
        create_durably(Path::new("/"), ANYBODY).unwrap();
        let file = Folder::at(PathBuf::from("/dev/null"));
        // Not a directory.
        assert_eq!(file.segments(), Err(FileError::Io { during: During::Reading, code: Some(20) }));
        let beneath = create_durably(Path::new("/dev/null/folder"), ANYBODY).unwrap_err();
        assert_eq!(beneath.raw_os_error(), Some(20));
        assert_eq!(Folder::at(PathBuf::from("/dev/null.d")).segments(), Ok(Vec::new()));
    }

    #[test]
    fn a_folder_is_made_with_all_that_are_missing_above_it_and_one_that_is_there_is_left() {
        let folder = crate::engine::file::scratch::Scratch::new("shelf-made");
        let path = folder.path().join("a").join("b").join("c");
        for _ in 0..2 {
            create_durably(&path, NO_STRANGER).unwrap();
            assert!(path.is_dir());
        }
        // Of one part, in the current directory: that of the package, where tests run.
        create_durably(Path::new("src"), ANYBODY).unwrap();
    }
}
