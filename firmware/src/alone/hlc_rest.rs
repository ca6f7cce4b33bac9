//! The rest of `hlc`: text, ranges, blocks, counts, other layouts and sources.
#![no_std]
#![no_main]

use core::{num::NonZeroU32, time::Duration};

use clock_firmware::{alone, given};
use cortex_m as _;
use hlc::{
    Clock, LeadPolicy, NodeId, Packed, PhysicalTime, SkewPolicy, Source, Stamp, Timestamp,
    layout::{Micros52, Ntp48},
    source::{BestEffort, CachedSource, ManualSource, StepLimit},
};

fn values(bytes: &[u8]) -> impl Sized + use<> {
    let stamp = Stamp::<NodeId>::from_text(bytes).map(|stamp| stamp.to_text());
    let envelope = Stamp::<NodeId>::from_envelope(bytes).map(|stamp| stamp.to_envelope());
    let one = Timestamp::from_parts(given(5), given(6));
    let next = one.map(|one| (one.checked_next(), one.checked_prev(), one.physical_time(), one.counter()));
    let range =
        (Timestamp::first_at(given(PhysicalTime::MAX)), Packed::<Ntp48>::last_at(given(PhysicalTime::MAX)));
    let apart = one.map(|one| one.duration_since(given(one)));
    (stamp, envelope, next, range, apart, NodeId::new(given(7)), Packed::<Micros52>::from_bits(given(0)))
}

fn clock() -> impl Sized {
    let source = BestEffort::new(StepLimit::new(
        ManualSource::at_millis(1),
        ManualSource::at_millis(1),
        given(Duration::ZERO),
    ));
    let mut clock = Clock::<_, Ntp48>::with_layout(source)
        .with_skew_policy(given(SkewPolicy::Unbounded))
        .with_lead_policy(given(LeadPolicy::Report));
    let block = clock.reserve(given(NonZeroU32::MIN)).map(|block| block.last());
    let merged =
        Packed::from_bits(given(9)).map(|remote| (clock.merge(remote), clock.merge_committed(remote)));
    let cached = CachedSource::new();
    (block, merged, clock.snapshot(), cached.refresh(&ManualSource::at_millis(1)), cached.now())
}

alone!(|| (values(given(&[b'0'; 33])), clock()));
