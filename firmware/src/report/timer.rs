//! A device without a calendar: a timer that wraps, set from a peer's stamp.

use core::num::NonZeroU32;

use hlc::{
    Clock, ObserveError, PhysicalTime, Source, Timestamp,
    source::{Offset, Widening},
};

use crate::{
    outcome::{Failed, Outcome, hold, say},
    systick::{COUNTS_PER_SEC, SysTick, counts, interrupts},
};

/// When the peer says that it is.
const PEER_MILLIS: u64 = 1_700_000_000_000;
/// How many wraps of the hardware the clock is followed over.
const WRAPS: u32 = 3;

#[inline(never)] // or the frames of all sections are on the stack at once
pub fn report(timer: &mut SysTick) -> Outcome {
    let frequency = NonZeroU32::new(COUNTS_PER_SEC).ok_or(Failed)?;
    timer.count_freely();
    let wraps_before = interrupts();
    let mut clock = Clock::new(Offset::owned(Widening::owned(counts, frequency)));

    hold!(clock.tick().is_err(), "a stamp before the device knew the time");
    say!("timer: no stamp before the device is set");

    let from_peer = Timestamp::from_parts(PEER_MILLIS, 7)?;
    clock.source().set_from(from_peer.physical_time())?;
    let received = clock.observe(from_peer)?;
    hold!(received > from_peer, "{received:?} for the receipt of {from_peer:?}");
    say!("timer: set from a peer, and its stamp is received");

    let began = clock.source().now()?;
    let mut last = received;
    while interrupts().wrapping_sub(wraps_before) < WRAPS {
        let stamp = clock.tick()?;
        hold!(stamp > last, "{stamp:?} after {last:?}");
        last = stamp;
    }
    let passed = clock.source().now()?.saturating_since(began);
    hold!(
        passed >= of_wraps(WRAPS.saturating_sub(1)) && passed < of_wraps(WRAPS.saturating_add(1)),
        "{passed:?} in {WRAPS} wraps"
    );
    say!("timer: followed over {WRAPS} wraps of the hardware, each stamp above the last");

    // What must not happen: two wraps that nobody read. 32 bits do not show it; a count of interrupts does.
    let (seen, at) = (interrupts(), clock.source().now()?);
    while interrupts().wrapping_sub(seen) < 2 {
        cortex_m::asm::wfi();
    }
    let counted = of_wraps(interrupts().wrapping_sub(seen).saturating_sub(1));
    let read = clock.source().now()?.saturating_since(at);
    hold!(read < counted, "{read:?} read where {counted:?} were counted");
    say!("timer: two wraps that nobody read are missing from its time, and the count of interrupts shows it");

    // The peer shows it as well: what it says is now further ahead than the limit.
    let behind = counted.saturating_sub(read);
    let by_peer = clock.source().now()?.checked_add(behind).ok_or(Failed)?;
    let stamp = Timestamp::first_at(by_peer).ok_or(Failed)?;
    hold!(matches!(clock.observe(stamp), Err(ObserveError::Skew(_))), "a stamp {behind:?} ahead is believed");
    hold!(clock.last() >= Some(last), "a refusal moved the clock");
    clock.source().set_from(by_peer)?;
    let received = clock.observe(stamp)?;
    hold!(received > stamp && received > last, "{received:?} after being set");
    let counts = clock.snapshot();
    hold!(counts.skew_refusals() == 1 && counts.source_errors() == 1, "{counts:?}");
    timer.stop();
    say!(
        "timer: the peer's stamps are refused until the device is set again, and the clock does not go back"
    );
    Ok(())
}

/// The time that the hardware takes for so many wraps.
fn of_wraps(wraps: u32) -> core::time::Duration {
    let counts = u64::from(wraps) << 32;
    let nanos = counts.checked_mul(1_000).and_then(|n| n.checked_div(u64::from(COUNTS_PER_SEC) / 1_000_000));
    PhysicalTime::from_nanos(nanos.unwrap_or(u64::MAX)).to_duration()
}
