//! What people read of a refusal: the numbers that were seen, and those that were allowed.

use core::error::Error;

use lamport::{Clock, MaxJump, MergeError, ObserveError, Stamp, Time};

const fn t(events: u64) -> Time {
    Time::new(events)
}

fn said<T>(refused: Result<T, impl Error>) -> String {
    refused.err().unwrap().to_string()
}

#[test]
fn refusals_of_a_clock_name_the_numbers() {
    let mut clock = Clock::new().with_max_jump(MaxJump::AtMost(500));
    let message = "remote time is 812 ahead of the local clock, limit 500";
    assert_eq!(said(clock.merge(t(812))), message);
    assert_eq!(said(clock.observe(t(812))), message);

    let end = clock.resume_after(t(1 << 63)).unwrap_err();
    let message = "remote time 8000000000000000 is above 7fffffffffffffff, the greatest accepted one";
    assert_eq!(end.to_string(), message);
    assert_eq!(MergeError::from(end).to_string(), message);
    assert_eq!(ObserveError::from(MergeError::from(end)).to_string(), message);

    clock.merge_committed(Time::MAX);
    let message = "time exhausted: 1 wanted after ffffffffffffffff, the range ends at ffffffffffffffff";
    assert_eq!(said(clock.tick()), message);
    assert_eq!(said(clock.observe(t(0))), message);
}

#[test]
fn refusals_of_bytes_and_text_say_what_was_found_and_where() {
    assert_eq!(said(Stamp::from_envelope(&[9; 17])), "unknown envelope version 9");
    assert_eq!(said(Stamp::from_envelope(&[1; 16])), "envelope of 16 bytes, expected 17");
    assert_eq!(said("7ba".parse::<Time>()), "text of 3 bytes, expected 16");
    assert_eq!(said("00000000000007bA".parse::<Time>()), "byte 15 is not a lower-case hexadecimal digit");
    assert_eq!(said("00000000000007ba_000000000000002a".parse::<Stamp<u64>>()), "byte 16 is not `-`");
}

#[cfg(all(feature = "durable", feature = "std"))]
#[test]
fn refusals_of_a_durable_clock_name_the_bound_and_what_to_do() {
    use high_water::{MemoryMark, Outcome};
    use lamport::{AtomicDurableClock, Block, DurableClock};

    let shared = AtomicDurableClock::new(MemoryMark::new(0));
    let above = "is above the durable bound 0000000000000000; call upkeep";
    assert_eq!(said(shared.tick()), format!("time 0000000000000001 {above}"));
    assert_eq!(said(shared.merge(t(9))), format!("time 0000000000000009 {above}"));
    assert_eq!(said(shared.observe(t(9))), format!("time 000000000000000a {above}"));

    let mut owned = DurableClock::new(MemoryMark::scripted(0, |_| Outcome::NotRaised));
    let cause = owned.upkeep().unwrap_err();
    let above = "is above the durable bound 0000000000000000";
    assert_eq!(said(owned.tick()), format!("time 0000000000000001 {above}; {cause}"));

    let mut owned = DurableClock::new(MemoryMark::new(u64::MAX));
    let message = "time exhausted: 1 wanted after ffffffffffffffff, the range ends at ffffffffffffffff";
    assert_eq!(said(owned.tick()), message);
    assert_eq!(said(Block::new(0)), "a block of 0 times is not between 1 and 549755813888");
}
