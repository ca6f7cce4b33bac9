//! Feature `proptest`: strategies, for property tests of users' own.
//!
//! `any::<Timestamp>()` gives every timestamp, those at either end of each field as often as those between. A failing one
//! shrinks field by field: to the least counter, then the earliest time, at which the test still fails.

mod up_to;

use ::proptest::{
    arbitrary::{Arbitrary, any, any_with},
    strategy::{BoxedStrategy, Strategy},
};

use crate::{NodeId, Packed, PhysicalTime, Stamp, layout::Layout, physical_time::NANOS_PER_SEC};
use up_to::UpTo;

impl<L: Layout> Arbitrary for Packed<L> {
    type Parameters = ();
    type Strategy = BoxedStrategy<Self>;

    fn arbitrary_with((): ()) -> Self::Strategy {
        let bits = (UpTo(Self::MAX_PHYSICAL_UNITS), UpTo(Self::MAX_COUNTER.into()));
        // Both zero is no timestamp: it makes the least one.
        let packed = |(units, counter): (u64, u64)| (units << L::COUNTER_BITS) | counter;
        bits.prop_map(move |fields| Self::from_bits(packed(fields)).unwrap_or(Self::MIN)).boxed()
    }
}

impl Arbitrary for NodeId {
    type Parameters = ();
    type Strategy = BoxedStrategy<Self>;

    fn arbitrary_with((): ()) -> Self::Strategy {
        UpTo(Self::MAX.as_u64()).prop_map(Self::from_random_bits).boxed()
    }
}

impl<N, L: Layout> Arbitrary for Stamp<N, L>
where
    N: Arbitrary<Strategy: 'static> + 'static,
{
    type Parameters = N::Parameters;
    type Strategy = BoxedStrategy<Self>;

    fn arbitrary_with(of_node: N::Parameters) -> Self::Strategy {
        (any::<Packed<L>>(), any_with::<N>(of_node))
            .prop_map(|(timestamp, node)| Self::new(timestamp, node))
            .boxed()
    }
}

impl Arbitrary for PhysicalTime {
    type Parameters = ();
    type Strategy = BoxedStrategy<Self>;

    fn arbitrary_with((): ()) -> Self::Strategy {
        let part = UpTo(NANOS_PER_SEC.saturating_sub(1).into());
        let time = |(secs, nanos)| u32::try_from(nanos).ok().and_then(|nanos| Self::new(secs, nanos));
        // Always one: a part of a second fits.
        (UpTo(u64::MAX), part).prop_map(move |fields| time(fields).unwrap_or(Self::UNIX_EPOCH)).boxed()
    }
}
