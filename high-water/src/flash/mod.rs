//! `FlashMark`: a mark in the sectors of a NOR flash.

mod cells;
mod error;
mod record;
mod rule;

pub use error::{FlashError, RegionError};
pub use record::FlashRecord;

use crate::error::{IoFault, NotRaised, Operation, RaiseError};
use crate::identity::Identity;
use crate::mark::Mark;
use crate::record::RecordError;
use cells::{Cells, MAX_CELL_LEN, Place};
use core::ops::Range;
use embedded_storage::nor_flash::NorFlash;
use record::Seal;
use rule::{Base, Entry, Field, Head, Proof, Survey};

/// A seal that was not begun, or eight bytes of anything else.
const ERASED: [u8; Seal::LEN] = [0xff; Seal::LEN];

/// A durable number that only rises, in a region of NOR flash.
///
/// Any [`NorFlash`] will do whose words have 1, 2, 4, 8, 16 or 32 bytes: no word is programmed twice between
/// erases, so that chips which check each word with an error-correcting code are among them. The region is two
/// sectors or more, and belongs to one mark. A flash that is needed for other things as well is lent, as
/// `&mut flash`.
///
/// ```
/// # #[cfg(feature = "fault")] {
/// use high_water::{FaultFlash, FlashMark, Identity, Mark};
///
/// const OURS: Identity = Identity::from_bytes(*b"pump 7, commands");
/// let mut flash = FaultFlash::<4, 4096>::new(2);
///
/// let mut mark = FlashMark::create(&mut flash, 0..8192, OURS, 0)?; // once, in the factory
/// mark.raise_to(41)?; // in the flash when this returns
/// drop(mark); // or a power cut
///
/// let mark = FlashMark::open(&mut flash, 0..8192, OURS)?;
/// assert_eq!(mark.get(), 41);
/// # }
/// # Ok::<(), Box<dyn core::error::Error>>(())
/// ```
///
/// Numbers from blocks, so that one in a thousand touches the flash:
///
/// ```
/// # #[cfg(all(feature = "fault", any(target_has_atomic = "64", feature = "portable-atomic")))] {
/// # use high_water::{FaultFlash, FlashMark, Identity, Reserver};
/// # use core::num::NonZeroU64;
/// # let mut flash = FaultFlash::<4, 4096>::new(2);
/// # let mark = FlashMark::create(&mut flash, 0..8192, Identity::from_bytes(*b"pump 7, commands"), 41)?;
/// # let block = NonZeroU64::new(1_000).ok_or("a block has numbers")?;
/// let mut commands = Reserver::new(mark, block);
/// commands.upkeep()?;
/// assert_eq!(commands.draw()?, 42);
/// # }
/// # Ok::<(), Box<dyn core::error::Error>>(())
/// ```
///
/// # What it costs
///
/// A raise programs 96 bytes (with words of 16 bytes 128, of 32 bytes 192) in four steps, each read back. A sector
/// takes [`RAISES_PER_ERASE`](Self::RAISES_PER_ERASE) raises; the next one erases the next sector, round and round,
/// so that no sector is erased twice before all others were erased once. The first raise after an opening erases
/// too: what an earlier life left in the sector cannot be trusted. *S* sectors whose makers promise *E* erases last
/// for *S E* lives that raise at least once, or *S E* `RAISES_PER_ERASE` raises in one life. With two
/// sectors of 4 KiB, 42 raises per erase and 10,000 erases that is 20,000 lives, or 840,000 raises; a
/// [`Reserver`](crate::Reserver) makes each of them worth a block of numbers.
///
/// Opening reads every record of the region, once: `96 * RAISES_PER_ERASE` bytes for each sector. It writes
/// only after a raise that was interrupted, or to repair.
///
/// # What survives
///
/// A power cut at any moment, also during the opening that follows, and one rotten or unreadable field of a record.
/// The loss of a whole sector does not survive.
///
/// An error of `NorFlash::read` has to mean that the cells cannot be read. A driver tries anything that passes, such as
/// a bus that was busy, again by itself: two reads that fail at one opening can hide the newest entry, where it is the
/// first of its sector, and what is then told is an older value. The assumptions about the medium, and what is found and what is not,
/// are in [FORMAT.md](crate::format#the-region-of-a-flash-mark-version-1).
#[derive(Debug)]
pub struct FlashMark<F> {
    flash: F,
    cells: Cells,
    identity: Identity,
    /// What was acknowledged.
    value: u64,
    /// The sector to erase when the open one is full: never the one that holds what was acknowledged.
    spare: u16,
    /// Where the next entry goes: into `sector`, unless it is full. Nothing from `entry` on was touched since the
    /// sector was erased, by this life.
    sector: u16,
    entry: u32,
    sequence: u32,
    poisoned: bool,
}

impl<F: NorFlash> FlashMark<F> {
    const LAYOUT: Result<Cells, RegionError> = Cells::of(F::READ_SIZE, F::WRITE_SIZE, F::ERASE_SIZE);

    /// How many raises a sector takes between two erases: `ERASE_SIZE / 96`, rounded down, with words of up to 8
    /// bytes; `/ 128` with 16, `/ 192` with 32. Zero where the flash is refused.
    pub const RAISES_PER_ERASE: u32 = match Self::LAYOUT {
        Ok(cells) => cells.entries,
        Err(_) => 0,
    };

    /// Opens the mark that is in the region.
    ///
    /// The region is in bytes from the beginning of the flash, and must be the one that it was created in.
    ///
    /// # Errors
    ///
    /// Nothing is written, and nothing was told, except that a repair may have been begun before
    /// [`FlashError::Io`]; opening again is always safe.
    ///
    /// - [`FlashError::Region`]: the region or the flash is of no use.
    /// - [`FlashError::Blank`]: all of it is erased; there never was a mark, or all of it is lost.
    /// - [`FlashError::NoValidRecord`]: it holds something else, a creation that was interrupted, or a mark that is
    ///   lost. Only someone who knows which may [`format`](Self::format) it.
    /// - [`FlashError::Lost`]: an acknowledged value was rotten beyond repair.
    /// - [`FlashError::WrongIdentity`], [`FlashError::OtherRegion`], [`FlashError::UnknownVersion`],
    ///   [`FlashError::Malformed`]: a whole record says that this is not the mark.
    /// - [`FlashError::Exhausted`].
    /// - [`FlashError::Io`]: the repair failed; or there is no valid record, and something cannot be read.
    pub fn open(flash: F, region: Range<u32>, identity: Identity) -> Result<Self, FlashError> {
        let mut mark = Self::unopened(flash, region, identity)?;
        let survey = mark.survey()?;
        if survey.is_lost() {
            return Err(FlashError::Lost);
        }
        let Some(base) = survey.base(mark.cells.sectors) else {
            return Err(if mark.is_blank()? { FlashError::Blank } else { FlashError::NoValidRecord });
        };
        mark.resume(base);
        if base.newest.proof != Proof::Whole {
            // It rests on a field that may read otherwise the next time.
            mark.write(mark.value).map_err(FlashError::of)?;
        }
        Ok(mark)
    }

    /// Creates a mark in a region that is erased, at a value.
    ///
    /// # Errors
    ///
    /// [`FlashError::Region`]; [`FlashError::NotBlank`] where the region holds anything, which was not touched;
    /// [`FlashError::Io`]. After a power cut or [`FlashError::Io`] the mark is there, or else the region is
    /// [`Blank`](FlashError::Blank) or has [`NoValidRecord`](FlashError::NoValidRecord): then nobody was told of it.
    pub fn create(flash: F, region: Range<u32>, identity: Identity, value: u64) -> Result<Self, FlashError> {
        let mut mark = Self::unopened(flash, region, identity)?;
        if !mark.is_blank()? {
            return Err(FlashError::NotBlank);
        }
        mark.begin(value)
    }

    /// Erases the region, whatever it holds, and begins at `floor`, or at the value of the mark of this identity
    /// that can still be read there, if that is higher.
    ///
    /// For the factory, and for an operator who has a floor observed elsewhere: every value that was acknowledged
    /// and cannot be read any more has to be below it.
    ///
    /// # Errors
    ///
    /// [`FlashError::Region`], [`FlashError::Io`]. After a power cut or [`FlashError::Io`] the region holds what it
    /// held or the new mark, or it is refused; of something that is not this mark, parts may be left. Formatting
    /// again is always safe.
    pub fn format(flash: F, region: Range<u32>, identity: Identity, floor: u64) -> Result<Self, FlashError> {
        Self::unopened(flash, region, identity)?.begin(floor)
    }

    /// The flash back.
    #[must_use]
    pub fn into_flash(self) -> F {
        self.flash
    }

    /// A mark that knows nothing yet.
    fn unopened(flash: F, region: Range<u32>, identity: Identity) -> Result<Self, FlashError> {
        let cells = Self::LAYOUT?.in_region(region, flash.capacity())?;
        Ok(Self {
            flash,
            cells,
            identity,
            value: 0,
            spare: 0,
            sector: 0,
            entry: cells.entries,
            sequence: 0,
            poisoned: false,
        })
    }

    fn resume(&mut self, base: Base) {
        self.value = base.newest.head.value;
        self.sequence = base.newest.head.sequence;
        self.spare = base.spare;
    }

    /// Erases all but two sectors, begins the new mark in one of these, and erases the last one, which holds the old
    /// mark: at no moment is an older value than the old mark's the newest.
    fn begin(mut self, floor: u64) -> Result<Self, FlashError> {
        let sectors = self.cells.sectors;
        let base = self.survey().ok().and_then(|survey| survey.base(sectors));
        let mut old = sectors.saturating_sub(1);
        if let Some(base) = base {
            self.resume(base);
            old = base.newest.sector;
        }
        let first = rule::after(old, sectors);
        self.spare = first;
        let mut sector = rule::after(first, sectors);
        while sector != old {
            self.erase(sector)?;
            sector = rule::after(sector, sectors);
        }
        self.write(self.value.max(floor)).map_err(FlashError::of)?;
        self.erase(old)?;
        Ok(self)
    }

    fn erase(&mut self, sector: u16) -> Result<(), IoFault> {
        let Range { start, end } = self.cells.sector(sector);
        self.flash.erase(start, end).map_err(|_| IoFault::new(Operation::Erase, None))
    }

    /// Whether all of the region reads as erased.
    fn is_blank(&mut self) -> Result<bool, IoFault> {
        let mut blank = true;
        for offset in self.cells.words() {
            blank &= self.read(offset)? == ERASED;
        }
        Ok(blank)
    }

    /// Reads all entries of the region.
    fn survey(&mut self) -> Result<Survey, FlashError> {
        let mut survey = Survey::new();
        for sector in 0..self.cells.sectors {
            for entry in 0..self.cells.entries {
                let at = |place| self.cells.offset(sector, entry, place);
                let (first, second) = (at(Place::First), at(Place::Second));
                let (seal, second_seal) = (at(Place::Seal), at(Place::SecondSeal));
                let records = [self.head(sector, first)?, self.head(sector, second)?];
                let seals = [self.seal(seal), self.seal(second_seal)];
                survey.add(sector, rule::judge(Entry { records, seals }));
            }
        }
        Ok(survey)
    }

    /// The tag of the seal at an offset.
    fn seal(&mut self, offset: u32) -> Field<u32> {
        match self.read(offset) {
            Ok(ERASED) => Field::Erased,
            Ok(bytes) => Seal::from_bytes(&bytes).map_or(Field::Invalid, |seal| Field::Valid(seal.tag())),
            Err(_) => Field::Unreadable,
        }
    }

    /// The record at an offset; one that is whole and not of this mark is an error.
    fn head(&mut self, sector: u16, offset: u32) -> Result<Field<Head>, FlashError> {
        let Ok(bytes) = self.read(offset) else { return Ok(Field::Unreadable) };
        match FlashRecord::from_bytes(&bytes) {
            Ok(record) if record.identity != self.identity => {
                Err(FlashError::WrongIdentity { found: record.identity })
            }
            Ok(record) if (record.sector, record.sectors) != (sector, self.cells.sectors) => {
                Err(FlashError::OtherRegion { sector: record.sector, sectors: record.sectors })
            }
            Ok(record) => {
                let tag = Seal::of(&bytes).tag();
                Ok(Field::Valid(Head { value: record.value, sequence: record.sequence, tag }))
            }
            Err(RecordError::Damaged) => Ok(Field::Invalid),
            Err(RecordError::Version(found)) => Err(FlashError::UnknownVersion { found }),
            Err(RecordError::Malformed) => Err(FlashError::Malformed),
        }
    }

    /// Reads as many bytes as asked for, from the beginning of a cell.
    fn read<const N: usize>(&mut self, offset: u32) -> Result<[u8; N], IoFault> {
        let mut bytes = [0; N];
        let read = self.flash.read(offset, &mut bytes);
        read.map(|()| bytes).map_err(|_| IoFault::new(Operation::Read, None))
    }

    /// Programs a cell, which nobody has touched since its sector was erased, and reads it back.
    fn program(&mut self, offset: u32, field: &[u8], len: usize) -> Result<(), IoFault> {
        let mut cell = [0xff; MAX_CELL_LEN];
        cell.iter_mut().zip(field).for_each(|(to, from)| *to = *from);
        let cell = cell.get(..len).unwrap_or(&[]);
        self.flash.write(offset, cell).map_err(|_| IoFault::new(Operation::Write, None))?;
        let mut found = [0; MAX_CELL_LEN];
        let found = found.get_mut(..len).unwrap_or(&mut []);
        let read = self.flash.read(offset, found);
        // A worn cell keeps what it had, and many a driver does not look.
        if read.is_err() || found != cell {
            return Err(IoFault::new(Operation::Verify, None));
        }
        Ok(())
    }

    /// Writes an entry: into the open sector, or into the next one.
    fn write(&mut self, value: u64) -> Result<(), RaiseError> {
        if self.entry >= self.cells.entries {
            self.turn()?;
        }
        let (sector, entry) = (self.sector, self.entry);
        // Whatever becomes of it, these words are not programmed again.
        self.entry = entry.saturating_add(1);
        let (identity, sectors, sequence) = (self.identity, self.cells.sectors, self.sequence);
        let record = FlashRecord { identity, sector, sectors, sequence, value }.to_bytes();
        let seal = Seal::of(&record).to_bytes();
        let at = |place| self.cells.offset(sector, entry, place);
        let (first, second) = (at(Place::First), at(Place::Second));
        let seals = [at(Place::Seal), at(Place::SecondSeal)];
        let (record_len, seal_len) = (self.cells.record_len(), self.cells.seal_len());
        // One record alone proves nothing to any opening, so that this failure is definite.
        self.program(first, &record, record_len).map_err(NotRaised::Io)?;
        let copied = self.program(second, &record, record_len);
        let sealed =
            copied.and_then(|()| seals.into_iter().try_for_each(|at| self.program(at, &seal, seal_len)));
        if let Err(fault) = sealed {
            self.poisoned = true;
            return Err(RaiseError::Indeterminate(fault));
        }
        self.value = value;
        self.spare = rule::after(sector, self.cells.sectors);
        Ok(())
    }

    /// Erases the spare sector, and goes on there. The sequence number rises with it.
    fn turn(&mut self) -> Result<(), NotRaised> {
        let sequence = self.sequence.checked_add(1).ok_or(NotRaised::Exhausted)?;
        let sector = self.spare;
        self.erase(sector).map_err(NotRaised::Io)?;
        (self.sector, self.entry, self.sequence) = (sector, 0, sequence);
        Ok(())
    }
}

impl<F: NorFlash> Mark for FlashMark<F> {
    fn get(&self) -> u64 {
        self.value
    }

    fn raise_to(&mut self, value: u64) -> Result<(), RaiseError> {
        if self.poisoned {
            return Err(NotRaised::Poisoned.into());
        }
        if value <= self.value {
            return Ok(());
        }
        self.write(value)
    }
}
