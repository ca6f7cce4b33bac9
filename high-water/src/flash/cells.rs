//! `Cells`: where in the region each field of each entry is.

use super::error::RegionError;
use super::record::{FlashRecord, Seal};
use core::ops::Range;

/// The longest cell, in bytes: a record in words of 32 bytes.
pub(super) const MAX_CELL_LEN: usize = 64;
const MAX_WORD_LEN: usize = 32;

/// The four fields of an entry, in the order in which they are programmed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Place {
    First,
    Second,
    Seal,
    SecondSeal,
}

//  A sector of n entries; what a word has left of a cell stays erased, and so does the rest of the sector.
//
//  +--------------+--------------+---------+---------+------+
//  | n records    | n records    | n seals | n seals | rest |
//  +--------------+--------------+---------+---------+------+
//
//  The copies are far apart, so that no disturbance of neighbours reaches both.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Cells {
    start: u32,
    erase_size: u32,
    /// At least two.
    pub(super) sectors: u16,
    /// Of one sector; at least one.
    pub(super) entries: u32,
    record: u8,
    seal: u8,
}

impl Cells {
    /// The cells of one sector; none are anywhere yet.
    #[expect(
        clippy::arithmetic_side_effects,
        clippy::cast_possible_truncation,
        reason = "bounded beside each"
    )]
    pub(super) const fn of(read: usize, word: usize, sector: usize) -> Result<Self, RegionError> {
        let unsupported =
            Err(RegionError::Unsupported { read_size: read, write_size: word, erase_size: sector });
        if !word.is_power_of_two() || word > MAX_WORD_LEN || read == 0 || sector > i32::MAX as usize {
            return unsupported;
        }
        // The word is at least 1 and at most 32: these are at most 64 and 32.
        let record = FlashRecord::LEN.next_multiple_of(word);
        let seal = Seal::LEN.next_multiple_of(word);
        // Records and seals are read without what pads them, and the region in pieces of a seal.
        let pieces = Seal::LEN.is_multiple_of(read) && sector.is_multiple_of(Seal::LEN);
        if !pieces || !sector.is_multiple_of(word) {
            return unsupported;
        }
        let entries = (sector / (2 * (record + seal))) as u32;
        if entries == 0 {
            return unsupported;
        }
        let (record, seal) = (record as u8, seal as u8);
        Ok(Self { start: 0, erase_size: sector as u32, sectors: 0, entries, record, seal })
    }

    /// Puts them into a region.
    pub(super) fn in_region(self, region: Range<u32>, capacity: usize) -> Result<Self, RegionError> {
        let Range { start, end } = region;
        let outside = RegionError::OutOfBounds { capacity };
        if usize::try_from(end).map_or(true, |end| end > capacity) {
            return Err(outside);
        }
        let len = end.checked_sub(start).ok_or(outside)?;
        let erase_size = self.erase_size;
        if start.checked_rem(erase_size) != Some(0) || len.checked_rem(erase_size) != Some(0) {
            return Err(RegionError::Misaligned { erase_size });
        }
        let found = len.checked_div(erase_size).unwrap_or(0);
        let sectors = u16::try_from(found).ok().filter(|sectors| *sectors >= 2);
        Ok(Self { start, sectors: sectors.ok_or(RegionError::Sectors { found })?, ..self })
    }

    /// How many bytes a record takes.
    pub(super) const fn record_len(&self) -> usize {
        self.record as usize
    }

    /// How many bytes a seal takes.
    pub(super) const fn seal_len(&self) -> usize {
        self.seal as usize
    }

    /// Where a sector is. `in_region` has seen that the last one ends within the flash, and so below 2^32.
    pub(super) fn sector(&self, sector: u16) -> Range<u32> {
        let start = self.start.wrapping_add(self.erase_size.wrapping_mul(sector.into()));
        start..start.wrapping_add(self.erase_size)
    }

    /// Where a cell begins; within its sector, because the entries of a sector fit it.
    pub(super) fn offset(&self, sector: u16, entry: u32, place: Place) -> u32 {
        let record = u32::from(self.record);
        let seal = u32::from(self.seal);
        let (records, seals) = (self.entries.wrapping_mul(record), self.entries.wrapping_mul(seal));
        let (base, step) = match place {
            Place::First => (0, record),
            Place::Second => (records, record),
            Place::Seal => (records.wrapping_mul(2), seal),
            Place::SecondSeal => (records.wrapping_mul(2).wrapping_add(seals), seal),
        };
        let within = base.wrapping_add(entry.wrapping_mul(step));
        self.sector(sector).start.wrapping_add(within)
    }

    /// The offset of every eight bytes of the region.
    pub(super) fn words(&self) -> impl Iterator<Item = u32> + use<> {
        let end = self.sector(self.sectors.saturating_sub(1)).end;
        (self.start..end).step_by(Seal::LEN)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_flash_is_supported_where_its_reads_words_and_sectors_fit_each_other() {
        // The units of reading, programming and erasing; how many entries a sector has, 0 where it is refused.
        for (read, word, sector, entries) in [
            (1, 1, 96, 1),
            (1, 1, 88, 0),
            (1, 1, 184, 1),
            (1, 1, 192, 2),
            (1, 8, 96, 1),
            (1, 16, 128, 1),
            (1, 16, 112, 0),
            (1, 16, 136, 0),
            (1, 32, 192, 1),
            (1, 32, 160, 0),
            (8, 4, 4_096, 42),
            (16, 4, 4_096, 0),
            (3, 4, 4_096, 0),
            (0, 4, 4_096, 0),
            (1, 0, 4_096, 0),
            (1, 3, 4_096, 0),
            (1, 64, 4_096, 0),
            (1, 1, 100, 0),
            (1, 1, 0, 0),
            (1, 8, (1 << 31) - 8, 22_369_621),
            (1, 8, 1 << 31, 0),
        ] {
            let cells = Cells::of(read, word, sector);
            let refusal = RegionError::Unsupported { read_size: read, write_size: word, erase_size: sector };
            let expected = if entries == 0 { Err(refusal) } else { Ok(entries) };
            assert_eq!(cells.map(|cells| cells.entries), expected, "{read} {word} {sector}");
        }
    }

    #[test]
    fn cells_are_as_long_as_the_words_that_they_take() {
        for (word, record, seal) in [(1, 40, 8), (4, 40, 8), (8, 40, 8), (16, 48, 16), (32, 64, 32)] {
            let cells = Cells::of(1, word, 4_096).unwrap();
            assert_eq!((cells.record_len(), cells.seal_len()), (record, seal), "{word}");
            assert!(cells.record_len() <= MAX_CELL_LEN, "{word}");
        }
    }
}
