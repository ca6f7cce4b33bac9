//! Feature `proptest`: strategies, for property tests of users' own.
//!
//! `any::<Time>()` gives every time, those near either end of the range as often as those between. A failing one shrinks to
//! the earliest at which the test still fails.

mod up_to;

use ::proptest::{
    arbitrary::{Arbitrary, any, any_with},
    strategy::{BoxedStrategy, Strategy},
};

use crate::{Stamp, Time};
use up_to::UpTo;

impl Arbitrary for Time {
    type Parameters = ();
    type Strategy = BoxedStrategy<Self>;

    fn arbitrary_with((): ()) -> Self::Strategy {
        UpTo(Self::MAX.get()).prop_map(Self::new).boxed()
    }
}

impl<N> Arbitrary for Stamp<N>
where
    N: Arbitrary<Strategy: 'static> + 'static,
{
    type Parameters = N::Parameters;
    type Strategy = BoxedStrategy<Self>;

    fn arbitrary_with(of_node: N::Parameters) -> Self::Strategy {
        (any::<Time>(), any_with::<N>(of_node)).prop_map(|(time, node)| Self::new(time, node)).boxed()
    }
}
