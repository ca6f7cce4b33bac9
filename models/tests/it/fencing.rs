//! The timeless model, whole and with each rule taken away.

use alloc::collections::BTreeSet;

use clock_models::Removed;
use clock_models::fencing::{
    Fencing, Limits, NO_OLDER_PERMIT, ONE_GRANT_PER_EPOCH, OVER_STAYS_OVER, RECORD_INVARIANT, TOLD_STAYS_TRUE,
};
use stateright::{Checker, HasDiscoveries, Model};

/// Runs to the end, prints how much there was, and asserts that it was enough.
fn explore(name: &str, limits: Limits, at_least: usize) {
    let model = Fencing::new(limits, Removed::Nothing).unwrap();
    let checker = model.checker().threads(2).spawn_dfs().join();
    let (states, steps) = (checker.unique_state_count(), checker.state_count());
    println!("fencing, {name}: {states} states, {steps} steps, depth {}", checker.max_depth());
    checker.assert_properties();
    assert!(states >= at_least, "{name}: only {states} states");
}

#[test]
fn three_holders_keep_every_promise_whatever_is_lost_doubled_reordered_or_crashes() {
    explore("contended", Limits::contended(), 200_000);
}

#[test]
fn renewals_and_hand_overs_keep_every_promise_whatever_is_lost_doubled_or_crashes() {
    explore("renewed", Limits::renewed(), 600_000);
}

#[test]
fn the_gate_keeps_former_holders_out_whenever_their_tokens_arrive() {
    explore("gate", Limits::gate(), 2_000_000);
}

#[test]
fn a_store_put_back_to_an_older_copy_and_recovered_grants_nothing_twice() {
    explore("rewound", Limits::rewound(), 1_500_000);
}

/// Takes a rule away and expects the property to fail; prints the shortest way there.
fn fails_without(removed: Removed, limits: Limits, property: &'static str) {
    let model = Fencing::new(limits, removed).unwrap();
    let checker = model
        .checker()
        .threads(2)
        .finish_when(HasDiscoveries::AnyOf(BTreeSet::from([property])))
        .target_max_depth(16)
        .spawn_bfs()
        .join();
    let path = checker.discovery(property).unwrap_or_else(|| panic!("{removed:?}: {property} still holds"));
    println!("without {removed:?}, not so: {property}");
    println!("  {:?}", path.into_actions());
}

#[test]
fn without_the_burns_write_an_attempt_lands_after_it_was_said_not_to() {
    fails_without(Removed::BurnWrite, Limits::contended(), TOLD_STAYS_TRUE);
}

#[test]
fn without_the_version_compare_an_epoch_has_two_grants() {
    fails_without(Removed::VersionCompare, Limits::contended(), ONE_GRANT_PER_EPOCH);
}

#[test]
fn without_a_new_epoch_for_each_tenure_an_epoch_has_two_grants() {
    fails_without(Removed::EpochIncrement, Limits::contended(), ONE_GRANT_PER_EPOCH);
}

#[test]
fn without_the_grant_match_a_former_holder_renews_the_lease_of_its_successor() {
    fails_without(Removed::GrantMatch, Limits::renewed(), ONE_GRANT_PER_EPOCH);
}

#[test]
fn without_a_final_expiry_a_lease_that_is_over_is_live_again() {
    fails_without(Removed::ExpiryFinal, Limits::renewed(), OVER_STAYS_OVER);
}

#[test]
fn without_a_new_grant_for_each_attempt_an_old_verdict_is_overturned() {
    fails_without(Removed::FreshGrant, Limits::contended(), TOLD_STAYS_TRUE);
}

#[test]
fn without_the_drain_an_older_permit_is_alive_beside_a_newer_one() {
    fails_without(Removed::Drain, Limits::gate(), NO_OLDER_PERMIT);
}

#[test]
fn without_a_recovery_a_store_put_back_to_an_older_copy_grants_an_epoch_twice() {
    fails_without(Removed::Recovery, Limits::rewound(), ONE_GRANT_PER_EPOCH);
}

#[test]
fn a_write_on_any_version_breaks_the_invariant_of_the_record_as_well() {
    fails_without(Removed::VersionCompare, Limits::contended(), RECORD_INVARIANT);
}
