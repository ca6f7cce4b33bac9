//! The rest of `high_water`: making a mark, and the records of both media.
#![no_std]
#![no_main]

use clock_firmware::{Chip, alone, given};
use cortex_m as _;
use high_water::{FlashMark, Identity, Record};

alone!(|| {
    let identity = given(Identity::from_bytes([1; 16]));
    let created =
        FlashMark::create(given(Chip), 0..given(0x1000), identity, given(1)).map(|mark| mark.into_flash());
    let formatted =
        FlashMark::format(given(Chip), 0..given(0x1000), identity, given(1)).map(|mark| mark.into_flash());
    (created, formatted, Record::from_bytes(given(&[1; Record::LEN])).map(|record| record.to_bytes()))
});
