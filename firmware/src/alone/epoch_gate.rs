//! `epoch_fence::Gate`: check a token from outside, enter, leave.
#![no_std]
#![no_main]

use clock_firmware::{alone, given};
use cortex_m as _;
use epoch_fence::{Epoch, FencingToken, Gate, RealmId, ResourceId};

static GATE: Gate = Gate::new(
    match RealmId::from_random_bits(1) {
        Some(realm) => realm,
        None => unreachable!(),
    },
    ResourceId::from_bytes([1; 32]),
    Epoch::FIRST,
);

alone!(|| {
    FencingToken::from_bytes(given(&[1; FencingToken::BYTES]))
        .map(|token| GATE.run(&token, |permit| given(permit.epoch())))
});
