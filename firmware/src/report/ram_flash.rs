//! A NOR flash in RAM, with the rules of one: an erase sets bits, a program only clears them, and the power may go
//! away between any two bytes.

use embedded_storage::nor_flash::{
    ErrorType, NorFlash, NorFlashError, NorFlashErrorKind, ReadNorFlash, check_erase, check_read, check_write,
};

/// Bytes of a sector, and of the whole.
const SECTOR: usize = 256;
pub const BYTES: usize = 3 * SECTOR;
const WORD: usize = 4;
/// What a byte reads after an erase.
const ERASED: u8 = 0xff;

/// What a chip knows of itself, which survives a power cut; and how much longer the power lasts.
#[derive(Clone)]
pub struct RamFlash {
    bytes: [u8; BYTES],
    /// The bytes that may still be programmed or erased.
    power: u32,
    /// How often each sector was erased.
    pub erases: [u32; BYTES / SECTOR],
}

/// Why the chip did not do as asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// A driver's mistake, as the trait names it.
    Misuse(NorFlashErrorKind),
    /// A byte would have had to become one again without an erase.
    ProgrammedTwice,
    /// The power went away in the middle.
    PowerCut,
}

impl NorFlashError for Fault {
    fn kind(&self) -> NorFlashErrorKind {
        match self {
            Self::Misuse(kind) => *kind,
            Self::ProgrammedTwice | Self::PowerCut => NorFlashErrorKind::Other,
        }
    }
}

impl From<NorFlashErrorKind> for Fault {
    fn from(kind: NorFlashErrorKind) -> Self {
        Self::Misuse(kind)
    }
}

impl RamFlash {
    /// A chip as it comes from the factory, with power for ever.
    pub const fn new() -> Self {
        Self { bytes: [ERASED; BYTES], power: u32::MAX, erases: [0; BYTES / SECTOR] }
    }

    /// The power comes back, for so many bytes of writing.
    pub const fn restart(&mut self, power: u32) {
        self.power = power;
    }

    /// Whether the power is gone.
    pub const fn is_off(&self) -> bool {
        self.power == 0
    }

    /// Works on a range byte by byte, as long as the power lasts.
    fn work(&mut self, offset: u32, len: usize, byte: impl Fn(usize, u8) -> u8) -> Result<(), Fault> {
        let range = self.bytes.iter_mut().skip(offset as usize).take(len);
        for (nth, cell) in range.enumerate() {
            self.power = self.power.checked_sub(1).ok_or(Fault::PowerCut)?;
            *cell = byte(nth, *cell);
        }
        Ok(())
    }
}

impl ErrorType for RamFlash {
    type Error = Fault;
}

impl ReadNorFlash for RamFlash {
    const READ_SIZE: usize = 1;

    fn read(&mut self, offset: u32, bytes: &mut [u8]) -> Result<(), Fault> {
        check_read(self, offset, bytes.len())?;
        let from = self.bytes.iter().skip(offset as usize);
        for (place, byte) in bytes.iter_mut().zip(from) {
            *place = *byte;
        }
        Ok(())
    }

    fn capacity(&self) -> usize {
        BYTES
    }
}

impl NorFlash for RamFlash {
    const WRITE_SIZE: usize = WORD;
    const ERASE_SIZE: usize = SECTOR;

    fn erase(&mut self, from: u32, to: u32) -> Result<(), Fault> {
        check_erase(self, from, to)?;
        for sector in (from as usize / SECTOR)..(to as usize / SECTOR) {
            if let Some(erases) = self.erases.get_mut(sector) {
                *erases = erases.saturating_add(1);
            }
        }
        self.work(from, to.saturating_sub(from) as usize, |_, _| ERASED)
    }

    fn write(&mut self, offset: u32, bytes: &[u8]) -> Result<(), Fault> {
        check_write(self, offset, bytes.len())?;
        let there = self.bytes.iter().skip(offset as usize);
        if there.zip(bytes).any(|(cell, byte)| cell & byte != *byte) {
            return Err(Fault::ProgrammedTwice);
        }
        self.work(offset, bytes.len(), |nth, cell| cell & bytes.get(nth).copied().unwrap_or(ERASED))
    }
}
