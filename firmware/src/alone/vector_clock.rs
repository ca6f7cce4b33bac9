//! `vector_clock::VectorClock` for eight nodes: tick, observe, compare, and the bytes of a stamp.
#![no_std]
#![no_main]

use clock_firmware::{alone, given};
use cortex_m as _;
use vector_clock::{Fixed, Limits, Stamp, VectorClock};

const LIMITS: Limits = Limits::new().with_max_entries(8);

alone!(|| {
    let mut clock = VectorClock::<u32, Fixed<8>>::new(1);
    let clock = given(&mut clock);
    let heard = Stamp::<u32, Fixed<8>>::decode(given(&[1; 40]), &LIMITS);
    let received =
        heard.map(|stamp| (clock.observe(&stamp).is_ok(), clock.vector().causality(stamp.vector())));
    let mut bytes = [0; 40];
    let sent = clock.tick().map(|stamp| stamp.encode_into(&mut bytes));
    (received, sent, bytes)
});
