//! What people read of a refusal: what was seen, and what was allowed.

use core::{error::Error, num::NonZeroU32, time::Duration};

use hlc::{
    Clock, LeadPolicy, NodeId, ObserveError, Packed, SourceError, Stamp, TickError, Timestamp,
    layout::Secs32,
    source::{self, ManualSource, Source, StepLimit},
};

fn said<T>(refused: Result<T, impl Error>) -> String {
    refused.err().unwrap().to_string()
}

#[test]
fn refusals_of_text_say_what_is_wrong_and_where() {
    let said = |text: &str| said(text.parse::<Stamp>());
    assert_eq!(said("018bcfe568000007"), "16 bytes where the form has 33");
    assert_eq!(said("018bcfe568000007-000000000000002A"), "byte 32 is not a lower-case hexadecimal digit");
    assert_eq!(
        said("018bcfe568000007_000000000000002a"),
        "timestamp and node id are not joined by a single '-'"
    );
    assert_eq!(said("0000000000000000-000000000000002a"), "timestamp is zero, which stands for none");
    assert_eq!(said("018bcfe568000007-0400000000000000"), "node id 0x400000000000000 does not fit 58 bits");
}

#[test]
fn refusals_of_bytes_and_numbers_say_what_was_found() {
    let envelope = |version, bytes: usize| said(<Stamp>::from_envelope(&vec![version; bytes]));
    assert_eq!(envelope(1, 16), "16 bytes where the form has 17");
    assert_eq!(envelope(9, 17), "stamp envelope of version 9, this code reads version 1");
    assert_eq!(said(Timestamp::from_bytes([0; 8])), "timestamp is zero, which stands for none");
    assert_eq!(said(NodeId::from_bytes([0xff; 8])), "node id 0xffffffffffffffff does not fit 58 bits");
    assert_eq!(said(NodeId::new(1 << 58)), "node id 0x400000000000000 does not fit 58 bits");
    assert_eq!(
        said(Timestamp::from_parts(5, 65_536)),
        "physical time 5 and counter 65536 are no timestamp of this layout"
    );
}

#[cfg(feature = "uuid")]
#[test]
fn a_uuid_that_is_refused_is_told_why() {
    use hlc::UuidError;

    let said = |text: &str| said(Stamp::from_uuid(text.parse().unwrap()));
    assert_eq!(
        said("919108f7-52d1-4320-9bac-f847db4148a8"),
        "UUID of version 4, only version 7 holds a stamp"
    );
    assert_eq!(said("ffffffff-ffff-ffff-ffff-ffffffffffff"), "UUID variant is not that of RFC 9562");
    assert_eq!(said("00000000-0000-7000-8000-000000000001"), "timestamp is zero, which stands for none");
    let refused = Stamp::from_uuid("919108f7-52d1-4320-9bac-f847db4148a8".parse().unwrap()).unwrap_err();
    let UuidError::Version(wrong) = refused else { panic!("{refused:?}") };
    assert_eq!(UuidError::from(wrong), refused);
}

#[test]
fn refusals_of_a_clock_name_how_far_and_what_the_limit_is() {
    let physical = ManualSource::at_millis(10_000);
    let mut clock = Clock::new(&physical).with_lead_policy(LeadPolicy::AtMost(Duration::from_millis(100)));
    let at = |millis| Timestamp::from_parts(millis, 0).unwrap();
    assert_eq!(
        said(clock.observe(at(10_812))),
        "remote stamp is 812ms ahead of the local physical clock, limit 500ms; the clock did not change"
    );
    let lead = "stamp would be 120ms ahead of the physical clock, limit 100ms; the clock did not change";
    assert_eq!(said(clock.observe(at(10_120))), lead);
    clock.merge_committed(at(10_120)).unwrap();
    assert_eq!(said(clock.tick()), lead);
    assert_eq!(said(clock.reserve(NonZeroU32::MIN)), lead);

    let exhausted = "no timestamp is left at the end of the layout; the clock did not change";
    let mut clock = Clock::<_, Secs32>::with_layout(&physical).resume_after(Packed::MAX);
    assert_eq!(said(clock.tick()), exhausted);
    assert_eq!(said(clock.observe(Packed::MIN)), exhausted);
}

#[test]
fn refusals_of_a_source_say_why_it_cannot_tell_the_time() {
    for (why, message) in [
        (SourceError::BeforeUnixEpoch, "physical clock reads a moment before 1970"),
        (SourceError::Unavailable("no battery"), "physical clock unavailable: no battery"),
    ] {
        let mut clock = Clock::new(source::from_fn(move || Err(why)));
        assert_eq!(why.to_string(), message);
        assert_eq!(said(clock.tick()), message);
        assert_eq!(said(clock.observe(Timestamp::MIN)), message);
        assert_eq!(
            (TickError::from(why).to_string(), ObserveError::from(why).to_string()),
            (message.into(), message.into())
        );
    }
    let (wall, passed) = (ManualSource::at_millis(100_000), ManualSource::at_millis(0));
    let limited = StepLimit::owned(&wall, &passed, Duration::from_secs(10));
    limited.now().unwrap();
    wall.advance(Duration::from_secs(11));
    assert_eq!(said(limited.now()), "physical clock stepped forward by 11s, limit 10s");
}

#[cfg(all(feature = "durable", feature = "std"))]
#[test]
fn refusals_of_a_durable_clock_name_the_bound_and_what_to_do() {
    use high_water::{MemoryMark, Outcome};
    use hlc::{AtomicDurableClock, DurableClock, UpkeepError, Window};

    let physical = ManualSource::at_millis(5);
    let shared = AtomicDurableClock::new(&physical, MemoryMark::new(0));
    let above = "is above the durable bound 0000000000000000; the clock did not change; call upkeep";
    assert_eq!(said(shared.tick()), format!("stamp 0000000000050000 {above}"));
    let remote = Timestamp::from_parts(6, 7).unwrap();
    assert_eq!(said(shared.observe(remote)), format!("stamp 0000000000060008 {above}"));

    let mut owned = DurableClock::new(&physical, MemoryMark::scripted(0, |_| Outcome::NotRaised));
    let cause = owned.upkeep().unwrap_err();
    let above = "is above the durable bound 0000000000000000; the clock did not change";
    assert!(cause.to_string().starts_with("not raised: "), "{cause}");
    assert_eq!(said(owned.tick()), format!("stamp 0000000000050000 {above}; {cause}"));

    let message = "physical clock unavailable: no battery";
    let mut owned = DurableClock::new(
        source::from_fn(|| Err(SourceError::Unavailable("no battery"))),
        MemoryMark::new(0),
    );
    assert_eq!(said(owned.upkeep()), message);
    let end = source::from_fn(|| Ok(hlc::PhysicalTime::MAX));
    let message = "no timestamp is left at the end of the layout; the clock did not change";
    let refused = DurableClock::new(end, MemoryMark::new(0)).upkeep().unwrap_err();
    assert_eq!(refused.to_string(), message);
    let UpkeepError::Exhausted(exhausted) = refused else { panic!("{refused:?}") };
    assert_eq!(UpkeepError::from(exhausted), refused);
    assert_eq!(said(Window::new(Duration::ZERO)), "a window of 0ns is not between 1ms and 60s");
}
