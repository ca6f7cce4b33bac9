//! One clock in a `static`, ticked by the main loop and by an interrupt that interrupts it.

use core::{
    num::NonZeroU32,
    sync::atomic::{AtomicBool, AtomicU32, Ordering},
};

use hlc::{
    AtomicClock, PhysicalTime,
    source::{Offset, Widening},
};
use portable_atomic::AtomicU64;

use crate::{
    outcome::{Failed, Outcome, hold, say},
    systick::{SysTick, interrupts},
};

/// Milliseconds: the interrupts, counted from shortly before the counter wraps.
fn millis() -> u32 {
    interrupts().wrapping_add(PRESET)
}
const PRESET: u32 = u32::MAX - 60;
const PER_SEC: NonZeroU32 = NonZeroU32::new(1_000).unwrap();

type Shared = AtomicClock<Offset<Widening<fn() -> u32>>>;
static CLOCK: Shared = AtomicClock::new(Offset::new(Widening::new(millis, PER_SEC)));
static LAMPORT: lamport::AtomicClock = lamport::AtomicClock::new();

/// How many stamps the main loop takes of each clock; the interrupt takes at most as many.
const STAMPS: usize = 250;
/// The fewest that the interrupt must have taken, and the fewest inside a call of the main loop: else nothing was
/// shown.
const LEAST_TAKEN: usize = 100;
const LEAST_INSIDE: u32 = 50;
/// What one side has taken of each clock, in order.
struct Taken {
    stamps: [AtomicU64; STAMPS],
    times: [AtomicU64; STAMPS],
}

impl Taken {
    const fn none() -> Self {
        Self { stamps: [const { AtomicU64::new(0) }; STAMPS], times: [const { AtomicU64::new(0) }; STAMPS] }
    }

    /// Takes the `nth` of each clock. A refusal leaves a zero, which no clock gives and is found later.
    fn take(&self, nth: usize) {
        if let (Some(stamp), Some(time)) = (self.stamps.get(nth), self.times.get(nth)) {
            stamp.store(CLOCK.tick().map_or(0, hlc::Timestamp::to_bits), Ordering::Relaxed);
            time.store(LAMPORT.tick().map_or(0, lamport::Time::get), Ordering::Relaxed);
        }
    }
}

static BY_MAIN: Taken = Taken::none();
static BY_INTERRUPT: Taken = Taken::none();
/// How many the interrupt has taken; only it writes this.
static COUNT: AtomicU32 = AtomicU32::new(0);
static RUNNING: AtomicBool = AtomicBool::new(false);
/// The main loop is inside a call of the clock.
static INSIDE: AtomicBool = AtomicBool::new(false);
static INTERRUPTED: AtomicU32 = AtomicU32::new(0);

/// What the timer's interrupt does while this section runs.
pub fn on_interrupt() {
    if !RUNNING.load(Ordering::Relaxed) {
        return;
    }
    let nth = COUNT.load(Ordering::Relaxed);
    BY_INTERRUPT.take(nth as usize);
    COUNT.store(nth.wrapping_add(1), Ordering::Relaxed);
    if INSIDE.load(Ordering::Relaxed) {
        INTERRUPTED.store(INTERRUPTED.load(Ordering::Relaxed).wrapping_add(1), Ordering::Relaxed);
    }
}

#[inline(never)] // or the frames of all sections are on the stack at once
pub fn report(timer: &mut SysTick) -> Outcome {
    CLOCK.source().set_from(PhysicalTime::from_millis(1_700_000_000_000))?;
    RUNNING.store(true, Ordering::Relaxed);
    // Often enough to meet every instruction of a call, and seldom enough to leave the main loop its turns.
    let ticks = timer.ticks_of(|| BY_MAIN.take(0));
    timer.interrupt_every(ticks.saturating_mul(7) / 2);
    for nth in 0..STAMPS {
        INSIDE.store(true, Ordering::Relaxed);
        BY_MAIN.take(nth);
        INSIDE.store(false, Ordering::Relaxed);
    }
    timer.stop();
    RUNNING.store(false, Ordering::Relaxed);

    let (taken, inside) = (COUNT.load(Ordering::Relaxed) as usize, INTERRUPTED.load(Ordering::Relaxed));
    hold!((LEAST_TAKEN..=STAMPS).contains(&taken), "{taken} interrupts during {STAMPS} calls");
    hold!(inside >= LEAST_INSIDE, "only {inside} of {taken} interrupts came inside a call");
    say!(
        "shared: {STAMPS} stamps by the main loop, {LEAST_TAKEN} or more by an interrupt, half of them inside a call"
    );
    no_repetition(&BY_MAIN.stamps, BY_INTERRUPT.stamps.get(..taken).unwrap_or_default())?;
    no_repetition(&BY_MAIN.times, BY_INTERRUPT.times.get(..taken).unwrap_or_default())?;
    say!("shared: each side's stamps rise, and none was taken twice");
    let counts = CLOCK.snapshot();
    let wrapped = millis() < PRESET;
    hold!(wrapped && counts.source_errors() == 0 && counts.exhausted_refusals() == 0, "{wrapped} {counts:?}");
    say!("shared: the 32-bit counter under it wrapped meanwhile");
    // Both clocks have given out one number a call and nothing in between.
    let times = LAMPORT.last().get();
    let calls = taken.saturating_add(STAMPS).saturating_add(1) as u64; // and one to measure
    hold!(times == calls, "{times} Lamport times for {calls} calls");
    say!("shared: the Lamport clock counted every call of both sides, and lost none");
    Ok(())
}

/// Merges two lists that must rise, and finds a number that is in both.
fn no_repetition(main: &[AtomicU64], interrupt: &[AtomicU64]) -> Outcome {
    let mut main = main.iter().map(load).peekable();
    let mut interrupt = interrupt.iter().map(load).peekable();
    let (mut last_of_main, mut last_of_interrupt) = (0, 0);
    loop {
        let (last, next) = match (main.peek(), interrupt.peek()) {
            (None, None) => return Ok(()),
            (Some(one), Some(other)) if one == other => {
                hold!(false, "{one:#x} was taken twice");
                return Err(Failed);
            }
            (Some(one), other) if other.is_none_or(|other| one < other) => (&mut last_of_main, main.next()),
            _ => (&mut last_of_interrupt, interrupt.next()),
        };
        let next = next.unwrap_or_default();
        hold!(next > *last, "{next:#x} after {last:#x} on one side");
        *last = next;
    }
}

fn load(word: &AtomicU64) -> u64 {
    word.load(Ordering::Relaxed)
}
