//! `hlc::AtomicClock` in a `static`, shared with interrupts: tick, observe, merge, and the bytes of a stamp.
#![no_std]
#![no_main]

use core::num::NonZeroU32;

use clock_firmware::{alone, given};
use cortex_m as _;
use hlc::{
    AtomicClock, PhysicalTime, Timestamp,
    source::{Offset, Widening},
};

fn timer() -> u32 {
    given(7)
}

type Timer = Widening<fn() -> u32>;
static CLOCK: AtomicClock<Offset<Timer>> =
    AtomicClock::new(Offset::new(Widening::new(timer, NonZeroU32::MIN)));

alone!(|| {
    let set = CLOCK.source().set_from(given(PhysicalTime::UNIX_EPOCH));
    let heard = Timestamp::from_bytes(given([1; 8]));
    let received = heard.map(|remote| (CLOCK.merge(remote), CLOCK.observe(remote)));
    (set, received, CLOCK.tick().map(Timestamp::to_bytes))
});
