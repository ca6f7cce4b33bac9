//! Sizes and marker traits that users build on.

use core::fmt::{Debug, Display};
use core::hash::Hash;
use core::str::FromStr;

use epoch_fence::{
    AdoptError, DecodeError, Epoch, FencingToken, Gate, GrantId, HolderId, HolderIdError, MaxAdvance,
    MaxPermits, Permit, RealmId, Rejected, ResourceId, Snapshot, gate_rule,
};

fn value<T: Copy + Eq + Hash + Debug + Send + Sync + Unpin + 'static>() {}
fn ordered<T: Ord>() {}
fn text<T: Display + FromStr>() {}
fn shared<T: Debug + Send + Sync>() {}
fn error<T: core::error::Error + Copy + Eq + Send + Sync + 'static>() {}

#[test]
fn values_errors_and_the_gate_have_the_traits_that_users_build_on() {
    value::<Epoch>();
    value::<RealmId>();
    value::<GrantId>();
    value::<ResourceId>();
    value::<HolderId>();
    value::<FencingToken>();
    value::<MaxAdvance>();
    value::<MaxPermits>();
    value::<Snapshot>();
    value::<gate_rule::State>();
    value::<gate_rule::Ticket>();
    ordered::<Epoch>();
    ordered::<HolderId>();
    text::<Epoch>();
    text::<RealmId>();
    text::<GrantId>();
    text::<ResourceId>();
    text::<HolderId>();
    text::<FencingToken>();
    shared::<Gate>();
    shared::<Permit<'static>>();
    error::<Rejected>();
    error::<AdoptError>();
    error::<DecodeError>();
    error::<HolderIdError>();
    #[cfg(feature = "parking_lot")]
    shared::<epoch_fence::Fenced<u8>>();
}

#[test]
fn an_optional_epoch_or_id_is_no_larger() {
    assert_eq!(size_of::<Option<Epoch>>(), 8);
    assert_eq!(size_of::<Option<GrantId>>(), 16);
    assert_eq!(size_of::<Option<RealmId>>(), 16);
}

/// Says whether a type has a trait: the inherent constant exists only where it has, and then hides the other.
struct Probe<T>(core::marker::PhantomData<T>);

trait Without {
    const IS_CLONE: bool = false;
    const IS_ORDERED: bool = false;
}

impl<T> Without for Probe<T> {}

impl<T: Clone> Probe<T> {
    const IS_CLONE: bool = true;
}

impl<T: PartialOrd> Probe<T> {
    const IS_ORDERED: bool = true;
}

#[test]
fn a_permit_cannot_be_copied_and_tokens_of_different_realms_cannot_be_ordered() {
    let told_apart = [Probe::<Epoch>::IS_CLONE, Probe::<Epoch>::IS_ORDERED];
    assert_eq!(told_apart, [true; 2], "the probe tells the difference");
    let copies = [Probe::<Permit<'static>>::IS_CLONE, Probe::<Gate>::IS_CLONE];
    assert_eq!(copies, [false; 2], "a copy would be a second permit");
    let ordered = [Probe::<FencingToken>::IS_ORDERED];
    assert_eq!(ordered, [false], "an epoch says nothing outside its realm and resource");
}
