//! The values of a fencing token, and the gate before something that only one may move.

use epoch_fence::{Epoch, FencingToken, Gate, GrantId, RealmId, Rejected, ResourceId};

use crate::outcome::{Failed, Outcome, hold, say};

#[inline(never)] // or the frames of all sections are on the stack at once
pub fn report() -> Outcome {
    let realm = RealmId::from_random_bits(0x5eed).ok_or(Failed)?;
    let valve = ResourceId::of("plant", "valve/7");
    let token = |epoch, grant| {
        Some(FencingToken::new(realm, valve, Epoch::new(epoch)?, GrantId::from_random_bits(grant)?))
    };
    let alice = token(33, 1).ok_or(Failed)?;
    let bob = token(34, 2).ok_or(Failed)?;
    // As they come over the wire.
    let (alice, bob) =
        (FencingToken::from_bytes(&alice.to_bytes())?, FencingToken::from_bytes(&bob.to_bytes())?);

    let gate = Gate::new(realm, valve, Epoch::FIRST);
    let writing = gate.enter(&alice)?;
    let early = gate.enter(&bob).map(|permit| permit.epoch());
    hold!(early == Err(Rejected::Draining { in_flight: 1 }), "{early:?} beside a living permit");
    drop(writing);
    let moved = gate.run(&bob, |permit| permit.epoch())?;
    hold!(moved == bob.epoch(), "{moved:?} moved it");
    say!("gate: a newer holder waits for the older one's permit, and is then admitted");

    let late = gate.enter(&alice).map(|permit| permit.epoch());
    hold!(late == Err(Rejected::Stale { floor: bob.epoch() }), "{late:?} for the former holder");
    let twin = gate.enter(&token(34, 3).ok_or(Failed)?).map(|permit| permit.epoch());
    hold!(twin == Err(Rejected::Conflict), "{twin:?} for a second grant under one epoch");
    let forged = gate.enter(&token(u64::MAX, 4).ok_or(Failed)?).map(|permit| permit.epoch());
    hold!(matches!(forged, Err(Rejected::TooFarAhead { .. })), "{forged:?} for a forged maximum");
    hold!(gate.run(&bob, |_| ()).is_ok(), "the holder was kept out by what was refused");
    say!("gate: a former holder, a second grant and a forged epoch are refused, the holder goes on");
    Ok(())
}
