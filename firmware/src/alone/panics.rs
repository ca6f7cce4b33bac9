//! The counterproof: an image that can panic, and so must not link.
#![no_std]
#![no_main]

use clock_firmware::{alone, given};
use cortex_m as _;

#[expect(clippy::indexing_slicing, reason = "to panic is what it is for")]
fn third(bytes: [u8; 3]) -> u8 {
    bytes[given(2)]
}

alone!(|| third(given([1, 2, 3])));
