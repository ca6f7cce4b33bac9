//! The timer that every Cortex-M has: 24 bits, counting down, with an interrupt when it starts again.

use core::sync::atomic::{AtomicU32, Ordering};

use cortex_m::peripheral::{Peripherals, SYST, syst::SystClkSource};

/// Its frequency as the two machines have it: the nRF51822's clock, and what the LM3S6965 starts with.
pub const TICKS_PER_SEC: u32 = if cfg!(target_has_atomic = "ptr") { 12_500_000 } else { 16_000_000 };

/// What it starts from where the whole of it is used.
const TOP: u32 = 0x00ff_ffff;

/// How many ticks are left for the upper bits of a 32-bit counter.
const UNUSED_BITS: u32 = 8;

/// The interrupts since the start. Only the handler writes it.
static INTERRUPTS: AtomicU32 = AtomicU32::new(0);

/// The timer, owned.
pub struct SysTick {
    syst: SYST,
}

impl SysTick {
    /// Takes the timer, once.
    pub fn take() -> Option<Self> {
        let mut syst = Peripherals::take()?.SYST;
        syst.set_clock_source(SystClkSource::Core);
        Some(Self { syst })
    }

    /// Starts it anew with an interrupt every `ticks`.
    pub fn interrupt_every(&mut self, ticks: u32) {
        self.syst.disable_counter();
        self.syst.set_reload(ticks.saturating_sub(1) & TOP);
        self.syst.clear_current();
        self.syst.enable_interrupt();
        self.syst.enable_counter();
    }

    /// Starts it anew as a counter of 24 bits, with an interrupt at each wrap.
    pub fn count_freely(&mut self) {
        self.interrupt_every(TOP.wrapping_add(1));
    }

    /// Starts it anew, and counts the ticks that `what` takes.
    pub fn ticks_of(&mut self, what: impl FnOnce()) -> u32 {
        self.count_freely();
        let before = SYST::get_current();
        what();
        before.wrapping_sub(SYST::get_current()) & TOP
    }

    /// Stops it.
    pub fn stop(&mut self) {
        self.syst.disable_interrupt();
        self.syst.disable_counter();
    }
}

/// The counter as one of 32 bits that counts up, as `Widening` wants it: shifted to the left. It wraps when the
/// hardware does, once in 2^24 ticks, and its frequency is [`COUNTS_PER_SEC`].
pub fn counts() -> u32 {
    TOP.wrapping_sub(SYST::get_current()) << UNUSED_BITS
}

/// The frequency of [`counts`].
pub const COUNTS_PER_SEC: u32 = match TICKS_PER_SEC.checked_mul(1 << UNUSED_BITS) {
    Some(product) => product,
    None => panic!("a timer this fast has to be divided first"),
};

/// How many interrupts there were.
pub fn interrupts() -> u32 {
    INTERRUPTS.load(Ordering::Relaxed)
}

#[cortex_m_rt::exception]
fn SysTick() {
    // A load and a store: the handler does not interrupt itself, and a Cortex-M0 has nothing better.
    INTERRUPTS.store(interrupts().wrapping_add(1), Ordering::Relaxed);
    crate::shared::on_interrupt();
}
