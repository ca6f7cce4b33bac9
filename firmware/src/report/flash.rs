//! What must survive a reset: a mark in flash, and the clocks above it, over lives that end at any byte.

use core::num::NonZeroU64;

use high_water::{FlashError, FlashMark, Identity, Mark, RaiseError, Reserver};
use hlc::{
    DurableClock, PhysicalTime,
    source::{ManualSource, Offset},
};

use crate::{
    outcome::{Failed, Outcome, hold, say},
    ram_flash::{BYTES, RamFlash},
};

const OURS: Identity = Identity::from_bytes(*b"report, commands");
const REGION: core::ops::Range<u32> = 0..BYTES as u32;

/// How many bytes a raise programs and erases at most, and its opening before it.
const WORK: u32 = 1_200;
/// Raises of one life, for the wear.
const RAISES: u64 = 600;
/// Lives of the clocks.
const LIVES: u32 = 200;

#[inline(never)] // or the frames of all sections are on the stack at once
pub fn report() -> Outcome {
    mark()?;
    clock()?;
    numbers()
}

/// A cut at every byte of an opening and three raises, and another at every byte of the opening after it.
#[inline(never)]
fn mark() -> Outcome {
    let mut chip = RamFlash::new();
    hold!(
        matches!(FlashMark::open(&mut chip, REGION, OURS), Err(FlashError::Blank)),
        "a blank chip has a mark"
    );
    FlashMark::create(&mut chip, REGION, OURS, 1_000)?;
    let (mut cuts, mut kept, mut asked_for) = (0_u32, 0_u32, 0_u32);
    for power in 1..WORK {
        chip.restart(u32::MAX);
        let found = FlashMark::open(&mut chip, REGION, OURS)?.get();
        chip.restart(power);
        let (mut acknowledged, mut asked) = (found, found);
        if let Ok(mut mark) = FlashMark::open(&mut chip, REGION, OURS) {
            for step in 1..=3 {
                asked = found.saturating_add(step);
                match mark.raise_to(asked) {
                    Ok(()) => acknowledged = asked,
                    Err(RaiseError::NotRaised(_)) => asked = acknowledged,
                    Err(_) => break,
                }
            }
        }
        cuts = cuts.saturating_add(u32::from(chip.is_off()));
        // The next opening may be cut as well, and must settle nothing that is wrong.
        chip.restart(power % 97);
        drop(FlashMark::open(&mut chip, REGION, OURS));
        chip.restart(u32::MAX);
        let after = FlashMark::open(&mut chip, REGION, OURS)?.get();
        hold!(
            after >= acknowledged && after <= asked,
            "{after} after a cut at {power}; acknowledged {acknowledged}, asked for {asked}"
        );
        kept = kept.saturating_add(u32::from(after == acknowledged));
        asked_for = asked_for.saturating_add(u32::from(after != acknowledged));
    }
    hold!(cuts > 500 && kept > 0 && asked_for > 0, "{cuts} cuts, {kept} kept, {asked_for} asked for");
    say!(
        "flash: a power cut at every byte of an opening and three raises loses nothing that was acknowledged"
    );

    // Without cuts: an erase that was cut is done again, on the same sector.
    let mut chip = RamFlash::new();
    let mut mark = FlashMark::create(&mut chip, REGION, OURS, 0)?;
    for value in 1..=RAISES {
        mark.raise_to(value)?;
    }
    let (most, least) = (chip.erases.iter().max(), chip.erases.iter().min());
    let (most, least) = (most.copied().ok_or(Failed)?, least.copied().ok_or(Failed)?);
    hold!(least > 0 && most <= least.saturating_add(1), "sectors were erased {:?} times", chip.erases);
    say!("flash: over {RAISES} raises no sector was erased twice more often than another");
    Ok(())
}

/// A device whose timer starts again with each life, whose peer sets it an hour back every other time, and whose power
/// goes away somewhere.
#[inline(never)]
fn clock() -> Outcome {
    let mut chip = RamFlash::new();
    FlashMark::create(&mut chip, REGION, OURS, 0)?;
    let (mut last, mut stamps, mut cut) = (None, 0_u32, 0_u32);
    for life in 0..LIVES {
        // A prime, so that the cuts spread over everything that a life writes.
        chip.restart(life.wrapping_mul(211) % WORK);
        let source = Offset::owned(ManualSource::at_millis(u64::from(life)));
        let hours = u64::from(life % 2).saturating_mul(3_600);
        source.set_from(PhysicalTime::from_secs(1_700_000_000_u64.saturating_sub(hours)))?;
        if let Ok(mark) = FlashMark::open(&mut chip, REGION, OURS) {
            let mut clock = DurableClock::new(source, mark);
            while let Ok(stamp) = clock.tick() {
                hold!(Some(stamp) > last, "{stamp:?} after {last:?} in life {life}");
                last = Some(stamp);
                stamps = stamps.saturating_add(1);
                let timer = clock.source().source();
                timer.advance(core::time::Duration::from_millis(40));
                if stamps % 64 == 0 {
                    break; // a reset with the power on
                }
            }
        }
        cut = cut.saturating_add(u32::from(chip.is_off()));
    }
    hold!(stamps > LIVES && cut > 20, "{stamps} stamps, {cut} cuts");
    say!(
        "flash: a clock over it issued no stamp twice in {LIVES} lives, with its calendar an hour back in every other"
    );
    Ok(())
}

/// Numbers from blocks, and Lamport times, of which none may come twice.
#[inline(never)]
fn numbers() -> Outcome {
    let mut chip = RamFlash::new();
    FlashMark::create(&mut chip, REGION, OURS, 0)?;
    let block = NonZeroU64::new(16).ok_or(Failed)?;
    let mut last = 0;
    for _ in 0..4 {
        let reserver = &mut Reserver::new(FlashMark::open(&mut chip, REGION, OURS)?, block);
        reserver.upkeep()?;
        let number = reserver.draw()?;
        hold!(number > last, "{number} after {last}");
        last = number;
    }
    let mut clock = lamport::DurableClock::new(FlashMark::open(&mut chip, REGION, OURS)?);
    let time = clock.tick()?.get();
    hold!(time > last, "the time {time} after the number {last}");
    say!("flash: numbers and Lamport times go on above the last life's block");
    Ok(())
}
