//! The errors of opening, creating and formatting a mark in flash.

use crate::error::{IoFault, NotRaised, RaiseError};
use crate::identity::Identity;
use core::fmt;

/// A region, or a flash, that cannot hold a mark. Nothing was read or written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[non_exhaustive]
pub enum RegionError {
    /// The region does not begin and end at the beginning of sectors.
    Misaligned {
        /// The length of a sector, in bytes.
        erase_size: u32,
    },
    /// The region ends outside of the flash, or before it begins.
    OutOfBounds {
        /// The length of the flash, in bytes.
        capacity: usize,
    },
    /// The region has fewer than 2 sectors, or more than 65,535.
    Sectors {
        /// How many it has.
        found: u32,
    },
    /// The flash is not of a supported kind: words of 1, 2, 4, 8, 16 or 32 bytes, readable in units of 1, 2, 4 or 8,
    /// and sectors that hold an entry and are a multiple of a word.
    Unsupported {
        /// The unit of reading, in bytes.
        read_size: usize,
        /// The unit of programming, in bytes.
        write_size: usize,
        /// The unit of erasing, in bytes.
        erase_size: usize,
    },
}

impl fmt::Display for RegionError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Misaligned { erase_size } => {
                write!(f, "the region is not made of whole sectors of {erase_size} bytes")
            }
            Self::OutOfBounds { capacity } => {
                write!(f, "the region is not within the {capacity} bytes of the flash")
            }
            Self::Sectors { found } => write!(f, "the region has {found} sectors; give it 2 to 65535"),
            Self::Unsupported { read_size, write_size, erase_size } => write!(
                f,
                "a flash with reads of {read_size}, words of {write_size} and sectors of {erase_size} bytes is not \
                 supported"
            ),
        }
    }
}

impl core::error::Error for RegionError {}

/// A mark in flash could not be opened, created or formatted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[non_exhaustive]
pub enum FlashError {
    /// The region, or the flash, cannot hold a mark.
    Region(RegionError),
    /// The region is erased: there never was a mark in it, or all of it is lost.
    Blank,
    /// The region to create a mark in is not erased. It was not touched.
    NotBlank,
    /// The region is not erased and holds no mark: something else, or one that is lost, or one whose creation was
    /// interrupted.
    NoValidRecord,
    /// An acknowledged value is damaged beyond repair: in both copies.
    Lost,
    /// A whole record belongs to another mark.
    WrongIdentity {
        /// The identity in the record.
        found: Identity,
    },
    /// A whole record was written to another region: it has another number of sectors, or begins elsewhere.
    OtherRegion {
        /// The sector that the record was written to.
        sector: u16,
        /// How many sectors its region had.
        sectors: u16,
    },
    /// A record has a version that this crate does not know.
    UnknownVersion {
        /// The version.
        found: u8,
    },
    /// A whole record breaks the format.
    Malformed,
    /// The mark's 2^32 sequence numbers are used up, one with every erase.
    Exhausted,
    /// The flash reported an error. What was acknowledged before is still there.
    Io(IoFault),
}

impl FlashError {
    /// What the failure of the writing that an opening does means to the one who opens.
    pub(super) const fn of(error: RaiseError) -> Self {
        match error {
            RaiseError::Indeterminate(fault) | RaiseError::NotRaised(NotRaised::Io(fault)) => Self::Io(fault),
            // The other reasons are those of files.
            RaiseError::NotRaised(_) => Self::Exhausted,
        }
    }
}

impl From<RegionError> for FlashError {
    fn from(error: RegionError) -> Self {
        Self::Region(error)
    }
}

impl From<IoFault> for FlashError {
    fn from(fault: IoFault) -> Self {
        Self::Io(fault)
    }
}

impl fmt::Display for FlashError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Region(error) => error.fmt(f),
            Self::Blank => f.write_str(
                "the region is erased; create a mark, above every value that an earlier one may have had",
            ),
            Self::NotBlank => {
                f.write_str("the region is not erased; open the mark in it, or format it with a floor observed elsewhere")
            }
            Self::NoValidRecord => f.write_str(
                "the region has not one valid record; format it with a floor observed elsewhere, or anew if no mark \
                 was ever in it",
            ),
            Self::Lost => f.write_str(
                "the newest acknowledged record is damaged; format the region with a floor observed elsewhere",
            ),
            Self::WrongIdentity { found } => {
                write!(f, "the mark is another one, its identity is {found}; use the right region")
            }
            Self::OtherRegion { sector, sectors } => write!(
                f,
                "a record is of sector {sector} in a region of {sectors} sectors; use the region that the mark was \
                 created in"
            ),
            Self::UnknownVersion { found } => {
                write!(f, "the mark has version {found}; open it with the software that wrote it")
            }
            Self::Malformed => f.write_str(
                "a record breaks the format; it was written by other software: format the region with a floor \
                 observed elsewhere",
            ),
            Self::Exhausted => f.write_str("the sequence numbers of the mark are used up"),
            Self::Io(fault) => fault.fmt(f),
        }
    }
}

impl core::error::Error for FlashError {}
