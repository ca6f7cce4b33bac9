//! The rest of `high_water` for flash: making a mark, and its records.
#![no_std]
#![no_main]

use clock_firmware::{Chip, alone, given};
use cortex_m as _;
use high_water::{FlashMark, FlashRecord, Identity};

alone!(|| {
    let identity = given(Identity::from_bytes([1; 16]));
    let created =
        FlashMark::create(given(Chip), 0..given(0x1000), identity, given(1)).map(FlashMark::into_flash);
    let formatted =
        FlashMark::format(given(Chip), 0..given(0x1000), identity, given(1)).map(FlashMark::into_flash);
    let record = FlashRecord::from_bytes(given(&[1; FlashRecord::LEN]))
        .map(|record| (record.to_bytes(), record.seal()));
    (created, formatted, record)
});
