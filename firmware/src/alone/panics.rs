//! The counterproof: an image that can panic, and so must not link.
#![no_std]
#![no_main]

use clock_firmware::{alone, given};
use cortex_m as _;

alone!(|| given([1_u8, 2, 3])[given(1_usize)]);
