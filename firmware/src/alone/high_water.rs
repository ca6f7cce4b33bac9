//! `high_water::FlashMark`: open, raise; and numbers from blocks above it.
#![no_std]
#![no_main]

use core::num::NonZeroU64;

use clock_firmware::{Chip, alone, given};
use cortex_m as _;
use high_water::{FlashMark, Identity, Mark, Reserver};

alone!(|| {
    let identity = given(Identity::from_bytes([1; 16]));
    let mark = FlashMark::open(given(Chip), 0..given(0x1000), identity);
    mark.map(|mut mark| {
        let raised = mark.raise_to(given(7));
        let mut numbers = Reserver::new(mark, given(NonZeroU64::MIN));
        (raised, numbers.upkeep(), numbers.draw())
    })
});
