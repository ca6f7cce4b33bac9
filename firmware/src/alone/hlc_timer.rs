//! `hlc::Clock` over a timer of 32 bits that wraps, set from a peer, and the bytes of a stamp with its node.
#![no_std]
#![no_main]

use core::num::NonZeroU32;

use clock_firmware::{alone, given};
use cortex_m as _;
use hlc::{
    Clock, NodeId, PhysicalTime, Stamp,
    source::{Offset, Widening},
};

fn timer() -> u32 {
    given(7)
}

alone!(|| {
    let timer = Widening::owned(timer, given(NonZeroU32::MIN));
    let mut clock = Clock::new(Offset::owned(timer));
    let clock = given(&mut clock);
    let set = clock.source().set_from(given(PhysicalTime::UNIX_EPOCH));
    let heard = Stamp::<NodeId>::from_bytes(given([1; 16])).map(|stamp| stamp.timestamp());
    let received = heard.map(|remote| clock.observe(remote));
    let sent = clock.tick().map(|stamp| stamp.at_node(given(NodeId::MAX)).to_bytes());
    (set, received, sent)
});
