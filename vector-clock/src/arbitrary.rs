//! Feature `arbitrary`: values from raw bytes, for fuzz targets of users' own.
//!
//! Every value can come out and nothing else does. Vectors and sets are as long as the bytes are, and as their storage
//! allows.

use alloc::vec::Vec;

use ::arbitrary::{Arbitrary, Error, Result, Unstructured};

use crate::actor::Actor;
use crate::dense_vector::DenseVector;
use crate::dot::{Dot, MAX_COUNTER};
use crate::dot_range::DotRange;
use crate::dot_set::DotSet;
use crate::dvv_set::DvvSet;
use crate::sample;
use crate::stamp::Stamp;
use crate::storage::Storage;
use crate::version_vector::VersionVector;

impl<'a, A: Arbitrary<'a> + Copy> Arbitrary<'a> for Dot<A> {
    fn arbitrary(bytes: &mut Unstructured<'a>) -> Result<Self> {
        let (actor, counter) = (bytes.arbitrary()?, bytes.int_in_range(1..=MAX_COUNTER)?);
        Self::try_new(actor, counter).map_err(|_| Error::IncorrectFormat)
    }

    fn size_hint(depth: usize) -> (usize, Option<usize>) {
        <(A, u64)>::size_hint(depth)
    }
}

impl<'a, A: Arbitrary<'a> + Copy> Arbitrary<'a> for DotRange<A> {
    fn arbitrary(bytes: &mut Unstructured<'a>) -> Result<Self> {
        let (actor, first) = (bytes.arbitrary()?, bytes.int_in_range(1..=MAX_COUNTER)?);
        let last = bytes.int_in_range(first..=MAX_COUNTER)?;
        Self::try_new(actor, first, last).map_err(|_| Error::IncorrectFormat)
    }

    fn size_hint(depth: usize) -> (usize, Option<usize>) {
        <(A, u64, u64)>::size_hint(depth)
    }
}

impl<'a, const N: usize> Arbitrary<'a> for DenseVector<N> {
    fn arbitrary(bytes: &mut Unstructured<'a>) -> Result<Self> {
        let mut counters = [0; N];
        for counter in &mut counters {
            *counter = bytes.int_in_range(0..=MAX_COUNTER)?;
        }
        Self::try_from_counters(counters).map_err(|_| Error::IncorrectFormat)
    }

    fn size_hint(depth: usize) -> (usize, Option<usize>) {
        <[u64; N]>::size_hint(depth)
    }
}

impl<'a, A: Actor + Arbitrary<'a>, S: Storage> Arbitrary<'a> for VersionVector<A, S> {
    fn arbitrary(bytes: &mut Unstructured<'a>) -> Result<Self> {
        let room = Self::capacity_limit();
        let dots: Vec<_> = bytes.arbitrary_iter()?.take(room).collect::<Result<_>>()?;
        Ok(sample::vector(dots))
    }
}

impl<'a, A: Actor + Arbitrary<'a>, S: Storage> Arbitrary<'a> for Stamp<A, S> {
    fn arbitrary(bytes: &mut Unstructured<'a>) -> Result<Self> {
        let (event, known) = (bytes.arbitrary()?, bytes.arbitrary()?);
        sample::stamp(event, &known).ok_or(Error::IncorrectFormat)
    }
}

impl<'a, A: Actor + Arbitrary<'a>> Arbitrary<'a> for DotSet<A> {
    fn arbitrary(bytes: &mut Unstructured<'a>) -> Result<Self> {
        let ranges: Vec<_> = bytes.arbitrary_iter()?.collect::<Result<_>>()?;
        Ok(sample::dot_set(ranges))
    }
}

impl<'a, A: Actor + Arbitrary<'a>, V: Arbitrary<'a>> Arbitrary<'a> for DvvSet<A, V> {
    fn arbitrary(bytes: &mut Unstructured<'a>) -> Result<Self> {
        let context = bytes.arbitrary()?;
        let values: Vec<_> = bytes.arbitrary_iter()?.collect::<Result<_>>()?;
        Ok(sample::dvv_set(context, values))
    }
}
