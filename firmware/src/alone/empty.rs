//! Nothing: the vector table and the start-up code that every image has.
#![no_std]
#![no_main]

use cortex_m as _;

clock_firmware::alone!(|| ());
