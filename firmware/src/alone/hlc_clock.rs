//! `hlc::Clock` with one owner, over a source of the firmware's own: tick, observe, and the bytes of a stamp.
#![no_std]
#![no_main]

use clock_firmware::{alone, given};
use cortex_m as _;
use hlc::{Clock, PhysicalTime, Timestamp, source};

alone!(|| {
    let rtc = source::from_fn(|| Ok(PhysicalTime::new(given(1), given(2)).unwrap_or_default()));
    let mut clock = Clock::new(rtc);
    let clock = given(&mut clock);
    // The clock counts what it refuses, by reason; the reason itself is kept in `hlc_timer`.
    let received = Timestamp::from_bytes(given([1; 8])).ok().and_then(|remote| clock.observe(remote).ok());
    (received, clock.tick().ok().map(Timestamp::to_bytes))
});
