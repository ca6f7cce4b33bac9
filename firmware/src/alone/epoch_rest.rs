//! The rest of `epoch_fence` without an engine: the gate's other verbs, text, and the rule of leases.
#![no_std]
#![no_main]

use core::str::FromStr;

use clock_firmware::{alone, given};
use cortex_m as _;
use epoch_fence::{Epoch, FencingToken, Gate, HolderId, protocol::Record};

alone!(|| {
    let token = FencingToken::from_str(given("0100-"));
    let gate = token.map(|token| {
        let gate = Gate::resume(&token);
        let adopted = gate.adopt(token.realm(), given(Epoch::MAX));
        (gate.check(&token), adopted, gate.abandon_permits(), gate.seal(), gate.floor(), gate.snapshot())
    });
    let record = Record::from_bytes(given(&[1; 64])).map(|record| record.to_bytes());
    (gate, record, HolderId::try_new(given("pump")), Epoch::from_str(given("7")))
});
