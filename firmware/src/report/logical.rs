//! Lamport time: causes before effects, without any timer.

use lamport::{Clock, ObserveError, Stamp, Time};

use crate::outcome::{Failed, Outcome, hold, say};

#[inline(never)] // or the frames of all sections are on the stack at once
pub fn report() -> Outcome {
    let (mut sensor, mut hub) = (Clock::new(), Clock::new());
    let sent = sensor.tick()?.at_node(1_u64);
    let bytes = sent.to_envelope();
    let heard = Stamp::<u64>::from_envelope(&bytes)?;
    let received = hub.observe(heard.time())?.at_node(2);
    hold!(heard == sent && received > sent, "{received:?} for the receipt of {sent:?}");
    say!("lamport: a receipt is after its sending, through the bytes of an envelope");

    let before = hub.last();
    let forged = hub.observe(Time::MAX);
    hold!(
        matches!(forged, Err(ObserveError::JumpExceeded(_) | ObserveError::EndReserved(_))),
        "a forged maximum gave {forged:?}"
    );
    hold!(hub.last() == before, "a refusal moved the clock");
    let run = hub.reserve(core::num::NonZeroU32::new(8).ok_or(Failed)?)?;
    hold!(run.len() == 8 && hub.last().get() == before.get().saturating_add(8), "{:?}", hub.last());
    say!("lamport: a forged maximum is refused and moves nothing");
    Ok(())
}
