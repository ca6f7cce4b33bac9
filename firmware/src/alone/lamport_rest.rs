//! The rest of `lamport`: the shared clock, the durable one over a mark in flash, text.
#![no_std]
#![no_main]

use core::str::FromStr;

use clock_firmware::{Chip, alone, given};
use cortex_m as _;
use high_water::{FlashMark, Identity};
use lamport::{AtomicClock, DurableClock, Time};

static CLOCK: AtomicClock = AtomicClock::new();

alone!(|| {
    let shared =
        (CLOCK.tick(), CLOCK.observe(given(Time::MAX)), CLOCK.merge(given(Time::MAX)), CLOCK.snapshot());
    let mark = FlashMark::open(given(Chip), 0..given(0x1000), given(Identity::from_bytes([1; 16])));
    let durable = mark.map(|mark| {
        let mut clock = DurableClock::new(mark);
        (clock.observe(given(Time::MAX)), clock.upkeep(), clock.tick())
    });
    (shared, durable, Time::from_str(given("0000000000000001")))
});
