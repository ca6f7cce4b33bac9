//! The counterproof of the other check: an image in which a float is multiplied.
#![no_std]
#![no_main]

use clock_firmware::{alone, given};
use cortex_m as _;

alone!(|| given(1.5_f32) * given(2.5_f32));
