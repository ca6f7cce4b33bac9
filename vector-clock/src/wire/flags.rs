//! The second byte of an envelope.
//!
//! ```text
//!    7       6       5       4       3     2     1     0
//! +-------+-------+-------+-------+-----+-----+-----+-----+
//! | DENSE | STAMP | DELTA |   -   |  -  |  -  |  -  |  -  |
//! +-------+-------+-------+-------+-----+-----+-----+-----+
//!  critical: unknown is refused    ignorable: unknown is kept
//! ```

use super::error::DecodeError;

/// The ids are consecutive, and only the first is written.
const DENSE: u8 = 0x80;
/// An event: the place of its entry follows the counters.
const STAMP: u8 = 0x40;
/// A difference: the digest of its base goes before the count, and rises stand where counters do.
const DELTA: u8 = 0x20;
/// The bits that a decoder passes on without knowing them.
const IGNORABLE: u8 = 0x0f;

const _: () = assert!((DENSE | STAMP | DELTA) & IGNORABLE == 0, "what changes the layout is critical");

/// What an envelope holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Clock,
    Stamp,
    Delta,
}

/// The bits of an envelope that a decoder keeps although it does not know them, to pass them on.
///
/// A later version may give one a meaning that leaves the layout alone. The default is none of them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct Ignorable(u8);

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Flags {
    pub(crate) kind: Kind,
    pub(crate) dense: bool,
    pub(crate) ignorable: Ignorable,
}

impl Flags {
    pub(crate) const fn to_byte(self) -> u8 {
        let kind = match self.kind {
            Kind::Clock => 0,
            Kind::Stamp => STAMP,
            Kind::Delta => DELTA,
        };
        let dense = if self.dense { DENSE } else { 0 };
        kind | dense | self.ignorable.0
    }

    pub(crate) const fn from_byte(byte: u8) -> Result<Self, DecodeError> {
        let kind = match byte & !IGNORABLE & !DENSE {
            0 => Kind::Clock,
            STAMP => Kind::Stamp,
            DELTA => Kind::Delta,
            _ => return Err(DecodeError::Flags { found: byte }),
        };
        Ok(Self { kind, dense: byte & DENSE != 0, ignorable: Ignorable(byte & IGNORABLE) })
    }
}
