//! Feature `proptest`: strategies, for property tests of users' own.
//!
//! `any::<VersionVector<u32, Heap>>()` and the like give every value that there is, of up to 99 entries unless told
//! otherwise, or as many as the storage holds; counters near either end of their range come as often as those between. A
//! failing value shrinks to fewer entries, then to lesser ones.
//!
//! Two vectors over all actors of a `u32` have hardly ever one in common. [`version_vectors`] makes those of few actors.

mod up_to;

use alloc::vec::Vec;

use ::proptest::arbitrary::{Arbitrary, any, any_with};
use ::proptest::collection::{SizeRange, vec};
use ::proptest::strategy::{BoxedStrategy, Strategy};

use crate::actor::Actor;
use crate::dense_vector::DenseVector;
use crate::dot::{Dot, MAX_COUNTER};
use crate::dot_range::DotRange;
use crate::dot_set::DotSet;
use crate::dvv_set::DvvSet;
use crate::sample;
use crate::stamp::Stamp;
use crate::storage::{Heap, Storage};
use crate::version_vector::VersionVector;
use up_to::UpTo;

/// Makes a strategy for vectors of the actors that another strategy gives, in so many entries or fewer: an actor that comes
/// twice has one.
///
/// ```
/// use proptest::prelude::*;
/// use vector_clock::{Heap, VersionVector, proptest::version_vectors};
///
/// proptest!(|(a in version_vectors::<_, Heap>(0..4_u32, 0..=4), b in version_vectors::<_, Heap>(0..4_u32, 0..=4))| {
///     let mut both = a.clone();
///     both.merge(&b)?;
///     prop_assert!(both >= a && both >= b);
/// });
/// ```
pub fn version_vectors<A, S>(
    actors: impl Strategy<Value = A> + 'static,
    entries: impl Into<SizeRange>,
) -> BoxedStrategy<VersionVector<A, S>>
where
    A: Actor + 'static,
    S: Storage,
{
    vec((actors, counters()), entries).prop_map(|entries| sample::vector(dots(entries))).boxed()
}

/// Counters of events: there is none with zero.
fn counters() -> impl Strategy<Value = u64> + 'static {
    UpTo(MAX_COUNTER.saturating_sub(1)).prop_map(|counter| counter.saturating_add(1))
}

/// All of them are dots: that is what `counters` gives.
fn dots<A: Copy>(entries: Vec<(A, u64)>) -> impl Iterator<Item = Dot<A>> {
    entries.into_iter().filter_map(|(actor, counter)| Dot::try_new(actor, counter).ok())
}

impl<A> Arbitrary for Dot<A>
where
    A: Arbitrary<Strategy: 'static> + Copy + 'static,
{
    type Parameters = A::Parameters;
    type Strategy = BoxedStrategy<Self>;

    fn arbitrary_with(of_actor: A::Parameters) -> Self::Strategy {
        let entry = (any_with::<A>(of_actor), counters());
        entry
            .prop_filter_map("never: a counter is one", |(actor, counter)| Dot::try_new(actor, counter).ok())
            .boxed()
    }
}

impl<A> Arbitrary for DotRange<A>
where
    A: Arbitrary<Strategy: 'static> + Copy + 'static,
{
    type Parameters = A::Parameters;
    type Strategy = BoxedStrategy<Self>;

    fn arbitrary_with(of_actor: A::Parameters) -> Self::Strategy {
        let parts = (any_with::<A>(of_actor), counters(), counters());
        let range =
            |(actor, one, other): (A, u64, u64)| Self::try_new(actor, one.min(other), one.max(other)).ok();
        parts.prop_filter_map("never: counters in order are a range", range).boxed()
    }
}

impl<const N: usize> Arbitrary for DenseVector<N> {
    type Parameters = ();
    type Strategy = BoxedStrategy<Self>;

    fn arbitrary_with((): ()) -> Self::Strategy {
        let counters = core::array::from_fn::<_, N, _>(|_| UpTo(MAX_COUNTER));
        counters
            .prop_map(|counters| Self::try_from_counters(counters).unwrap_or_else(|_| Self::new()))
            .boxed()
    }
}

/// The parameters are how many entries there are, and those of the actors.
impl<A, S> Arbitrary for VersionVector<A, S>
where
    A: Actor + Arbitrary<Strategy: 'static> + 'static,
    S: Storage,
{
    type Parameters = (SizeRange, A::Parameters);
    type Strategy = BoxedStrategy<Self>;

    fn arbitrary_with((entries, of_actor): Self::Parameters) -> Self::Strategy {
        version_vectors(any_with::<A>(of_actor), entries)
    }
}

/// The parameters are those of the vector.
impl<A, S> Arbitrary for Stamp<A, S>
where
    A: Actor + Arbitrary<Strategy: 'static, Parameters: Clone> + 'static,
    S: Storage,
{
    type Parameters = (SizeRange, A::Parameters);
    type Strategy = BoxedStrategy<Self>;

    fn arbitrary_with((entries, of_actor): Self::Parameters) -> Self::Strategy {
        let vector = any_with::<VersionVector<A, S>>((entries, of_actor.clone()));
        (any_with::<Dot<A>>(of_actor), vector)
            .prop_filter_map("never: every storage has room for one entry", |(event, known)| {
                sample::stamp(event, &known)
            })
            .boxed()
    }
}

/// The parameters are how many ranges there are at most, and those of the actors.
impl<A> Arbitrary for DotSet<A>
where
    A: Actor + Arbitrary<Strategy: 'static> + 'static,
{
    type Parameters = (SizeRange, A::Parameters);
    type Strategy = BoxedStrategy<Self>;

    fn arbitrary_with((ranges, of_actor): Self::Parameters) -> Self::Strategy {
        vec(any_with::<DotRange<A>>(of_actor), ranges).prop_map(sample::dot_set).boxed()
    }
}

/// The parameters are those of the context, those of the values, and how many of these there are at most.
impl<A, V> Arbitrary for DvvSet<A, V>
where
    A: Actor + Arbitrary<Strategy: 'static> + 'static,
    V: Arbitrary<Strategy: 'static> + 'static,
{
    type Parameters = ((SizeRange, A::Parameters), V::Parameters, SizeRange);
    type Strategy = BoxedStrategy<Self>;

    fn arbitrary_with((of_context, of_value, values): Self::Parameters) -> Self::Strategy {
        let value = (any::<usize>(), UpTo(u64::MAX), any_with::<V>(of_value));
        (any_with::<VersionVector<A, Heap>>(of_context), vec(value, values))
            .prop_map(|(context, values)| sample::dvv_set(context, values))
            .boxed()
    }
}
