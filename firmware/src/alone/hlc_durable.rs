//! `hlc::DurableClock` over a mark in flash.
#![no_std]
#![no_main]

use clock_firmware::{Chip, alone, given};
use cortex_m as _;
use high_water::{FlashMark, Identity};
use hlc::{DurableClock, Timestamp, source::ManualSource};

alone!(|| {
    let mark = FlashMark::open(given(Chip), 0..given(0x1000), given(Identity::from_bytes([1; 16])));
    mark.map(|mark| {
        let mut clock = DurableClock::new(given(ManualSource::at_millis(1)), mark);
        let heard = Timestamp::from_bytes(given([1; 8])).map(|remote| clock.observe(remote));
        (heard, clock.upkeep(), clock.tick())
    })
});
