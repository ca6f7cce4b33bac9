//! `FaultFlash`: a simulated NOR flash that fails on request.

use alloc::collections::BTreeSet;
use alloc::vec::Vec;
use core::fmt;
use core::ops::Range;
use embedded_storage::nor_flash::{ErrorType, NorFlash, NorFlashError, NorFlashErrorKind, ReadNorFlash};

/// A simulated NOR flash, for testing code that has to survive power cuts.
///
/// It counts the bytes that are programmed and erased, and cuts the power before any one of them. What was under way
/// is then left as a [`Torn`] says: cut off, partly done, undefined, unreadable, or *unstable*, so that it reads as a
/// [`Reading`] says, another time otherwise. [`restarted`](Self::restarted) is the chip under power again.
///
/// It holds whoever uses it to the rules: programming clears bits and does not set them; no word is programmed twice
/// between erases, nor in a sector whose erase was interrupted, whatever it reads as. What breaks them is refused and
/// [counted](Self::violations).
///
/// ```
/// use high_water::{FaultFlash, FlashMark, Identity, Mark, Torn};
///
/// const OURS: Identity = Identity::from_bytes(*b"an example of it");
/// let mut flash = FaultFlash::<4, 512>::new(2);
/// let mut mark = FlashMark::create(&mut flash, 0..1024, OURS, 1)?;
/// mark.raise_to(2)?;
/// drop(mark);
///
/// flash.cut_at(flash.steps() + 90, Torn::Unstable); // in the middle of the next raise
/// let mut mark = FlashMark::open(&mut flash, 0..1024, OURS)?;
/// assert!(mark.raise_to(3).is_err());
/// drop(mark);
///
/// let mark = FlashMark::open(flash.restarted(), 0..1024, OURS)?;
/// assert!((2..=3).contains(&mark.get()));
/// # Ok::<(), Box<dyn core::error::Error>>(())
/// ```
///
/// # What it models, and what not
///
/// A program or an erase that has returned is complete and stays. One that was interrupted leaves the rest of the flash
/// as it was. An erase that was interrupted weakens what it has not erased, and completes nothing: bits that an earlier
/// interrupted program had left unstable read as erased from then on, unless it did not reach them at all. Wear is
/// counted ([`erases`](Self::erases)) and has no effect; rot is up to the caller ([`rot`](Self::rot)).
#[derive(Clone, Debug)]
pub struct FaultFlash<const WRITE_SIZE: usize, const ERASE_SIZE: usize> {
    cells: Vec<Cell>,
    sectors: Vec<Sector>,
    steps: u64,
    cut: Option<(u64, Torn)>,
    off: bool,
    reading: Reading,
    reads: u64,
    operations: Vec<FlashOperation>,
    failing_operations: BTreeSet<usize>,
    failing_reads: Vec<Range<u32>>,
    violations: u64,
}

/// A byte of the flash.
#[derive(Clone, Copy, Debug)]
struct Cell {
    value: u8,
    /// Bits that are zero in `value` and may read as one.
    unstable: u8,
    unreadable: bool,
    /// Since the last erase that was completed, perhaps not to its end.
    programmed: bool,
    worn: bool,
}

impl Cell {
    const ERASED: Self = Self { value: 0xff, unstable: 0, unreadable: false, programmed: false, worn: false };
}

#[derive(Clone, Copy, Debug, Default)]
struct Sector {
    erases: u64,
    /// Its last erase was interrupted.
    erasing: bool,
}

/// What is left of a program or an erase when the power is cut within it. The bytes before the cut are done.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Torn {
    /// The rest is as it was.
    Clean,
    /// Of the bits of the next byte that were to change, these have; the rest is as it was.
    Bits(u8),
    /// Of all bits of the rest that were to change, some have, by this seed; of an erase, of those of the whole sector.
    Some(u64),
    /// All bits of the rest that were to change are unstable. An erase weakens the whole sector.
    Unstable,
    /// The rest is anything, by this seed; of an erase, the whole sector.
    Undefined(u64),
    /// The rest is done, and yet does not hold: a sector that reads erased and is not.
    Done,
    /// The rest cannot be read until it is erased; of an erase, the whole sector.
    Unreadable,
}

/// How unstable bits read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Reading {
    /// As zeros: as if the interrupted program were complete, or the interrupted erase had not begun.
    Programmed,
    /// As ones.
    Erased,
    /// One way and the other from read to read, beginning with zeros.
    Alternating,
    /// Each bit by itself, at each read anew, by this seed.
    Random(u64),
}

/// What was done to the flash.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum FlashOperation {
    /// Bytes were programmed.
    Program {
        /// The step of its first byte.
        step: u64,
        /// Where it began.
        offset: u32,
        /// How many bytes.
        len: u32,
    },
    /// A sector was erased.
    Erase {
        /// The step of its first byte.
        step: u64,
        /// Where it began.
        offset: u32,
    },
}

/// What a [`FaultFlash`] reports.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum FlashFault {
    /// The power is off.
    PowerCut,
    /// It was made to fail here.
    Failed,
    /// These bytes cannot be read.
    Unreadable,
    /// A rule of the flash was broken: a word programmed twice, or in a sector whose erase was interrupted.
    Violation,
    /// The arguments were wrong.
    Arguments(NorFlashErrorKind),
}

impl NorFlashError for FlashFault {
    fn kind(&self) -> NorFlashErrorKind {
        match self {
            Self::Arguments(kind) => *kind,
            Self::PowerCut | Self::Failed | Self::Unreadable | Self::Violation => NorFlashErrorKind::Other,
        }
    }
}

impl fmt::Display for FlashFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::PowerCut => f.write_str("the power is off"),
            Self::Failed => f.write_str("the flash was made to fail"),
            Self::Unreadable => f.write_str("the bytes cannot be read"),
            Self::Violation => f.write_str("a word was programmed that was not erased before"),
            Self::Arguments(kind) => write!(f, "{kind}"),
        }
    }
}

impl core::error::Error for FlashFault {}

/// The generator `SplitMix64`.
const fn mix(seed: u64, counter: u64) -> u64 {
    let seed = seed.wrapping_add(counter.wrapping_add(1).wrapping_mul(0x9e37_79b9_7f4a_7c15));
    let seed = (seed ^ (seed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let seed = (seed ^ (seed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    seed ^ (seed >> 31)
}

fn byte_of(seed: u64, counter: u64) -> u8 {
    let [byte, ..] = mix(seed, counter).to_be_bytes();
    byte
}

fn span(offset: u32, len: usize) -> Option<Range<usize>> {
    let start = usize::try_from(offset).ok()?;
    Some(start..start.checked_add(len)?)
}

impl<const WRITE_SIZE: usize, const ERASE_SIZE: usize> FaultFlash<WRITE_SIZE, ERASE_SIZE> {
    /// A flash of so many sectors, erased.
    #[must_use]
    pub fn new(sectors: usize) -> Self {
        Self {
            cells: alloc::vec![Cell::ERASED; sectors.saturating_mul(ERASE_SIZE)],
            sectors: alloc::vec![Sector::default(); sectors],
            steps: 0,
            cut: None,
            off: false,
            reading: Reading::Programmed,
            reads: 0,
            operations: Vec::new(),
            failing_operations: BTreeSet::new(),
            failing_reads: Vec::new(),
            violations: 0,
        }
    }

    /// A flash of so many sectors in which somebody has programmed these bytes, from its beginning.
    #[must_use]
    pub fn with_bytes(sectors: usize, bytes: &[u8]) -> Self {
        let mut flash = Self::new(sectors);
        for (cell, byte) in flash.cells.iter_mut().zip(bytes) {
            *cell = Cell { value: *byte, programmed: true, ..Cell::ERASED };
        }
        flash
    }

    /// What was programmed, unstable bits as zeros.
    #[must_use]
    pub fn bytes(&self) -> Vec<u8> {
        self.cells.iter().map(|cell| cell.value).collect()
    }

    /// The bytes that were programmed and erased so far.
    #[must_use]
    pub const fn steps(&self) -> u64 {
        self.steps
    }

    /// Cuts the power before this step: everything fails from then on.
    pub const fn cut_at(&mut self, step: u64, torn: Torn) {
        self.cut = Some((step, torn));
    }

    /// Whether the power was cut.
    #[must_use]
    pub const fn is_off(&self) -> bool {
        self.off
    }

    /// Makes the program or erase with this number fail, counted from zero and in the order of
    /// [`operations`](Self::operations). It has no effect; a word it would have programmed counts as programmed.
    pub fn fail_operation(&mut self, number: usize) {
        self.failing_operations.insert(number);
    }

    /// Makes all reads fail that touch these bytes.
    pub fn fail_reads(&mut self, bytes: Range<u32>) {
        self.failing_reads.push(bytes);
    }

    /// Sets how unstable bits read from now on.
    pub const fn set_reading(&mut self, reading: Reading) {
        self.reading = reading;
    }

    /// Flips bits of a byte.
    pub fn rot(&mut self, offset: usize, bits: u8) {
        if let Some(cell) = self.cells.get_mut(offset) {
            cell.value ^= bits;
            cell.unstable &= !cell.value;
        }
    }

    /// Wears a byte out: programs leave it as it is, and report success.
    pub fn wear_out(&mut self, offset: usize) {
        if let Some(cell) = self.cells.get_mut(offset) {
            cell.worn = true;
        }
    }

    /// The same chip under power, with no faults planned but those of its bytes.
    #[must_use]
    pub fn restarted(&self) -> Self {
        Self {
            cut: None,
            off: false,
            failing_operations: BTreeSet::new(),
            failing_reads: Vec::new(),
            ..self.clone()
        }
    }

    /// What was done, in order; the last may have been interrupted.
    #[must_use]
    pub fn operations(&self) -> &[FlashOperation] {
        &self.operations
    }

    /// How often each sector was erased, or begun to be.
    pub fn erases(&self) -> impl Iterator<Item = u64> {
        self.sectors.iter().map(|sector| sector.erases)
    }

    /// How often a rule was broken.
    #[must_use]
    pub const fn violations(&self) -> u64 {
        self.violations
    }

    /// Counts an operation of so many bytes; the number of those that are done before the power is cut, if it is.
    fn begin(&mut self, operation: FlashOperation, len: usize) -> Result<Option<(usize, Torn)>, FlashFault> {
        if self.off {
            return Err(FlashFault::PowerCut);
        }
        let begin = self.steps;
        self.steps = begin.saturating_add(len as u64);
        self.operations.push(operation);
        match self.cut {
            Some((step, torn)) if step < self.steps => {
                self.off = true;
                Ok(Some((usize::try_from(step.saturating_sub(begin)).unwrap_or(0), torn)))
            }
            _ => Ok(None),
        }
    }

    fn sector_of(&self, offset: usize) -> Option<&Sector> {
        self.sectors.get(offset.checked_div(ERASE_SIZE)?)
    }

    fn is_failing(&self) -> bool {
        self.operations.len().checked_sub(1).is_some_and(|number| self.failing_operations.contains(&number))
    }

    fn program(&mut self, offset: u32, bytes: &[u8]) -> Result<(), FlashFault> {
        let operation = FlashOperation::Program {
            step: self.steps,
            offset,
            len: u32::try_from(bytes.len()).unwrap_or(u32::MAX),
        };
        let cut = self.begin(operation, bytes.len())?;
        let failing = self.is_failing();
        let span = span(offset, bytes.len()).unwrap_or(0..0);
        let erasing = self.sector_of(span.start).is_some_and(|sector| sector.erasing);
        let cells = self.cells.get_mut(span).unwrap_or_default();
        if erasing || cells.iter().any(|cell| cell.programmed) {
            self.violations = self.violations.saturating_add(1);
            return Err(FlashFault::Violation);
        }
        for (at, (cell, byte)) in cells.iter_mut().zip(bytes).enumerate() {
            cell.programmed = true;
            let done = cell.value & byte;
            let Some((until, torn)) = cut.filter(|(until, _)| at >= *until) else {
                cell.value = if failing || cell.worn { cell.value } else { done };
                continue;
            };
            match torn {
                Torn::Clean => {}
                Torn::Bits(bits) if at == until => cell.value = done | (cell.value & !bits),
                Torn::Bits(_) => {}
                Torn::Some(seed) => cell.value = done | (cell.value & byte_of(seed, at as u64)),
                Torn::Unstable => *cell = Cell { value: done, unstable: cell.value & !done, ..*cell },
                Torn::Undefined(seed) => cell.value = byte_of(seed, at as u64),
                Torn::Done => cell.value = done,
                Torn::Unreadable => cell.unreadable = true,
            }
        }
        match cut {
            Some(_) => Err(FlashFault::PowerCut),
            None if failing => Err(FlashFault::Failed),
            None => Ok(()),
        }
    }

    fn erase_sector(&mut self, start: usize) -> Result<(), FlashFault> {
        let offset = u32::try_from(start).unwrap_or(u32::MAX);
        let cut = self.begin(FlashOperation::Erase { step: self.steps, offset }, ERASE_SIZE)?;
        if self.is_failing() {
            return Err(FlashFault::Failed);
        }
        let cells = self.cells.get_mut(start..start.saturating_add(ERASE_SIZE)).unwrap_or_default();
        if let Some(sector) = start.checked_div(ERASE_SIZE).and_then(|number| self.sectors.get_mut(number)) {
            sector.erases = sector.erases.saturating_add(1);
            sector.erasing = cut.is_some();
        }
        let Some((until, torn)) = cut else {
            cells.iter_mut().for_each(|cell| *cell = Cell { worn: cell.worn, ..Cell::ERASED });
            return Ok(());
        };
        for (at, cell) in cells.iter_mut().enumerate() {
            // What the erase has reached, it has weakened: no unstable bit reads as a zero again.
            let weakened = cell.value | cell.unstable;
            let value = match torn {
                Torn::Undefined(seed) => byte_of(seed, at as u64),
                Torn::Done => 0xff,
                Torn::Some(seed) => weakened | byte_of(seed, at as u64),
                Torn::Unstable => {
                    *cell = Cell { value: weakened, unstable: !weakened, ..*cell };
                    continue;
                }
                Torn::Unreadable => {
                    cell.unreadable = true;
                    continue;
                }
                Torn::Clean | Torn::Bits(_) if at < until => 0xff,
                Torn::Bits(bits) if at == until => weakened | bits,
                Torn::Clean | Torn::Bits(_) => continue,
            };
            *cell = Cell { value, unstable: 0, ..*cell };
        }
        Err(FlashFault::PowerCut)
    }
}

impl<const WRITE_SIZE: usize, const ERASE_SIZE: usize> ErrorType for FaultFlash<WRITE_SIZE, ERASE_SIZE> {
    type Error = FlashFault;
}

impl<const WRITE_SIZE: usize, const ERASE_SIZE: usize> ReadNorFlash for FaultFlash<WRITE_SIZE, ERASE_SIZE> {
    const READ_SIZE: usize = 1;

    fn read(&mut self, offset: u32, bytes: &mut [u8]) -> Result<(), FlashFault> {
        embedded_storage::nor_flash::check_read(self, offset, bytes.len()).map_err(FlashFault::Arguments)?;
        if self.off {
            return Err(FlashFault::PowerCut);
        }
        let span = span(offset, bytes.len()).unwrap_or(0..0);
        let touches = |range: &Range<u32>| {
            range.start < offset.saturating_add(u32::try_from(bytes.len()).unwrap_or(u32::MAX))
                && offset < range.end
        };
        let cells = self.cells.get(span).unwrap_or_default();
        if self.failing_reads.iter().any(touches) || cells.iter().any(|cell| cell.unreadable) {
            return Err(FlashFault::Unreadable);
        }
        let read = self.reads;
        self.reads = read.saturating_add(1);
        for (at, (byte, cell)) in bytes.iter_mut().zip(cells).enumerate() {
            let ones = match self.reading {
                Reading::Programmed => 0,
                Reading::Erased => 0xff,
                Reading::Alternating if read.is_multiple_of(2) => 0,
                Reading::Alternating => 0xff,
                Reading::Random(seed) => byte_of(mix(seed, read), at as u64),
            };
            *byte = cell.value | (cell.unstable & ones);
        }
        Ok(())
    }

    fn capacity(&self) -> usize {
        self.cells.len()
    }
}

impl<const WRITE_SIZE: usize, const ERASE_SIZE: usize> NorFlash for FaultFlash<WRITE_SIZE, ERASE_SIZE> {
    const WRITE_SIZE: usize = WRITE_SIZE;
    const ERASE_SIZE: usize = ERASE_SIZE;

    fn erase(&mut self, from: u32, to: u32) -> Result<(), FlashFault> {
        embedded_storage::nor_flash::check_erase(self, from, to).map_err(FlashFault::Arguments)?;
        let sectors = span(from, to.saturating_sub(from) as usize).unwrap_or(0..0);
        sectors.step_by(ERASE_SIZE.max(1)).try_for_each(|start| self.erase_sector(start))
    }

    fn write(&mut self, offset: u32, bytes: &[u8]) -> Result<(), FlashFault> {
        embedded_storage::nor_flash::check_write(self, offset, bytes.len()).map_err(FlashFault::Arguments)?;
        self.program(offset, bytes)
    }
}
