//! `lamport::Clock`: tick, observe, reserve, and the bytes of a stamp.
#![no_std]
#![no_main]

use core::num::NonZeroU32;

use clock_firmware::{alone, given};
use cortex_m as _;
use lamport::{Clock, Stamp, Time};

alone!(|| {
    let mut clock = Clock::new();
    let clock = given(&mut clock);
    let heard = Stamp::<u64>::from_envelope(given(&[1; 17])).map(|stamp| clock.observe(stamp.time()));
    let sent = clock.tick().map(|time| time.at_node(given(1)).to_envelope());
    (heard, sent, clock.reserve(given(NonZeroU32::MIN)), clock.merge(given(Time::MAX)))
});
