//! Sizes and marker traits that users build on.

use core::fmt::{Debug, Display};
use core::hash::Hash;
use core::str::FromStr;

use lamport::{
    AtomicClock, Clock, EndReserved, EnvelopeError, Exhausted, JumpExceeded, MaxJump, MergeError,
    ObserveError, Snapshot, Stamp, TextError, Time, Times,
};

fn value<T: Copy + Ord + Hash + Debug + Send + Sync + Unpin + 'static>() {}
fn text<T: Display + FromStr<Err = TextError>>() {}
fn shared<T: Debug + Default + Send + Sync + 'static>() {}
fn error<T: core::error::Error + Copy + Eq + Send + Sync + 'static>() {}

#[test]
fn values_errors_and_clocks_have_the_traits_that_users_build_on() {
    value::<Time>();
    value::<Stamp<u64>>();
    value::<Stamp<&'static str>>();
    text::<Time>();
    text::<Stamp<u64>>();
    shared::<AtomicClock>();
    shared::<Clock>();
    shared::<Snapshot>();
    shared::<MaxJump>();
    error::<Exhausted>();
    error::<JumpExceeded>();
    error::<EndReserved>();
    error::<MergeError>();
    error::<ObserveError>();
    error::<EnvelopeError>();
    error::<TextError>();
}

#[test]
fn a_time_is_eight_bytes_and_a_stamp_sixteen() {
    assert_eq!(size_of::<Time>(), Time::BYTES);
    assert_eq!(size_of::<Stamp<u64>>(), Stamp::<u64>::BYTES);
}

#[test]
fn the_defaults_are_a_new_clock_the_bounded_policy_and_the_time_before_every_event() {
    assert_eq!(MaxJump::default(), MaxJump::AtMost(1 << 40));
    assert_eq!(Time::default(), Time::ZERO);
    assert_eq!(AtomicClock::default().snapshot(), Snapshot::default());
    assert_eq!(Clock::default().snapshot(), Snapshot::default());
    assert!(Clock::default().merge(Time::new((1 << 40) + 1)).is_err());
    assert!(AtomicClock::default().merge(Time::new((1 << 40) + 1)).is_err());
}

/// Says whether a type is `Clone`: the inherent constant exists only where it is, and then hides the trait's.
struct Probe<T>(core::marker::PhantomData<T>);

trait NotClone {
    const IS_CLONE: bool = false;
}

impl<T> NotClone for Probe<T> {}

impl<T: Clone> Probe<T> {
    const IS_CLONE: bool = true;
}

#[test]
fn nothing_that_hands_out_times_can_be_copied() {
    let told_apart = Probe::<Time>::IS_CLONE && Probe::<Stamp<u64>>::IS_CLONE;
    assert!(told_apart, "the probe tells the difference");
    let copies = [Probe::<Clock>::IS_CLONE, Probe::<AtomicClock>::IS_CLONE, Probe::<Times>::IS_CLONE];
    assert_eq!(copies, [false; 3], "a copy would give the same times again");
}
