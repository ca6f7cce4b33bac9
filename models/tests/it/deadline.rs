//! The model with clocks, whole and with each part of the deadline rule taken away.

use alloc::collections::BTreeSet;

use clock_models::Removed;
use clock_models::deadline::{BELIEVED_IS_LIVE, Deadline, LOST_STAYS_LOST, Rate};
use stateright::{Checker, HasDiscoveries, Model};

const RATES: [Rate; 2] = [Rate::SLOWEST, Rate::FAST];

#[test]
fn a_holder_whose_clock_is_slow_by_an_eighth_stops_believing_before_its_lease_is_over() {
    let checker = Deadline::new(RATES, Removed::Nothing).unwrap().checker().threads(2).spawn_dfs().join();
    let (states, steps) = (checker.unique_state_count(), checker.state_count());
    println!("deadline: {states} states, {steps} steps, depth {}", checker.max_depth());
    checker.assert_properties();
    assert!(states >= 800_000, "only {states} states");
}

fn fails_without(removed: Removed, rates: [Rate; 2], property: &'static str) {
    let model = Deadline::new(rates, removed).unwrap();
    let finish = HasDiscoveries::AnyOf(BTreeSet::from([property]));
    let checker = model.checker().threads(2).finish_when(finish).spawn_bfs().join();
    let path = checker.discovery(property).unwrap_or_else(|| panic!("{removed:?}: {property} still holds"));
    println!("without {removed:?} at {rates:?}, not so: {property}");
    println!("  {:?}", path.into_actions());
}

#[test]
fn counted_from_the_reply_a_deadline_comes_after_the_end_of_the_lease() {
    fails_without(Removed::CountFromSending, RATES, BELIEVED_IS_LIVE);
}

#[test]
fn without_a_margin_a_slow_clock_believes_too_long() {
    fails_without(Removed::Margin, RATES, BELIEVED_IS_LIVE);
}

#[test]
fn without_a_final_deadline_a_lost_lease_is_believed_in_again() {
    fails_without(Removed::DeadlineFinal, RATES, LOST_STAYS_LOST);
}

/// What the margin does not cover, and the documentation says so.
#[test]
fn a_clock_slower_than_the_margin_allows_believes_too_long() {
    fails_without(Removed::Nothing, [Rate::TOO_SLOW, Rate::FAST], BELIEVED_IS_LIVE);
}
