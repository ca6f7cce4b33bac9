//! Feature `proptest`: strategies, for property tests of users' own.
//!
//! `any::<FencingToken>()` and the like give every value that there is, epochs near either end of their range as often as
//! those between. A failing one shrinks to the least epoch, the least ids and the shortest name at which the test still
//! fails.

mod up_to;

use core::time::Duration;

use alloc::string::String;
use alloc::vec::Vec;

use ::proptest::arbitrary::{Arbitrary, any};
use ::proptest::collection::vec;
use ::proptest::strategy::{BoxedStrategy, Strategy};

use crate::protocol::Ttl;
use crate::{Epoch, FencingToken, GrantId, HolderId, RealmId, ResourceId, sample};
use up_to::UpTo;

impl Arbitrary for Epoch {
    type Parameters = ();
    type Strategy = BoxedStrategy<Self>;

    fn arbitrary_with((): ()) -> Self::Strategy {
        let below = UpTo(Self::MAX.get().saturating_sub(1));
        below.prop_map(|below| Self::new(below.saturating_add(1)).unwrap_or(Self::FIRST)).boxed()
    }
}

macro_rules! random_ids {
    ($($name:ident),+) => {$(
        impl Arbitrary for $name {
            type Parameters = ();
            type Strategy = BoxedStrategy<Self>;

            fn arbitrary_with((): ()) -> Self::Strategy {
                any::<u128>().prop_map(Self::nearest).boxed()
            }
        }
    )+};
}
random_ids!(GrantId, RealmId);

impl Arbitrary for ResourceId {
    type Parameters = ();
    type Strategy = BoxedStrategy<Self>;

    fn arbitrary_with((): ()) -> Self::Strategy {
        any::<[u8; Self::BYTES]>().prop_map(Self::from_bytes).boxed()
    }
}

impl Arbitrary for HolderId {
    type Parameters = ();
    type Strategy = BoxedStrategy<Self>;

    fn arbitrary_with((): ()) -> Self::Strategy {
        // As many letters as there can be bytes: those of several bytes are cut off behind the last that fits.
        let letters = vec(any::<char>(), 1..=Self::MAX_BYTES);
        let text = |letters: Vec<char>| letters.into_iter().collect::<String>();
        letters.prop_map(move |letters| sample::holder(&text(letters))).boxed()
    }
}

impl Arbitrary for FencingToken {
    type Parameters = ();
    type Strategy = BoxedStrategy<Self>;

    fn arbitrary_with((): ()) -> Self::Strategy {
        let parts = (any::<RealmId>(), any::<ResourceId>(), any::<Epoch>(), any::<GrantId>(), any::<u8>());
        let token = |(realm, resource, epoch, grant, flags)| {
            sample::token(Self::new(realm, resource, epoch, grant), flags)
        };
        parts.prop_map(token).boxed()
    }
}

impl Arbitrary for Ttl {
    type Parameters = ();
    type Strategy = BoxedStrategy<Self>;

    fn arbitrary_with((): ()) -> Self::Strategy {
        let span = Self::MAX.get().saturating_sub(Self::MIN.get());
        // A day has 2^47 nanoseconds.
        let above = UpTo(u64::try_from(span.as_nanos()).unwrap_or(u64::MAX));
        let length = |above| Self::MIN.get().saturating_add(Duration::from_nanos(above));
        above.prop_map(move |above| Self::new(length(above)).unwrap_or(Self::MIN)).boxed()
    }
}
