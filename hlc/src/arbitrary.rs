//! Feature `arbitrary`: values from raw bytes, for fuzz targets of users' own.
//!
//! Every value can come out and nothing else does, whatever the bytes are. Missing bytes read as zeros, which make the
//! least value.

use ::arbitrary::{Arbitrary, Result, Unstructured};

use crate::{NodeId, Packed, PhysicalTime, Stamp, layout::Layout, physical_time::NANOS_PER_SEC};

impl<'a, L: Layout> Arbitrary<'a> for Packed<L> {
    fn arbitrary(bytes: &mut Unstructured<'a>) -> Result<Self> {
        // Zero is no timestamp: it makes the least one.
        Ok(Self::from_bits(bytes.arbitrary()?).unwrap_or(Self::MIN))
    }

    fn size_hint(depth: usize) -> (usize, Option<usize>) {
        u64::size_hint(depth)
    }
}

impl<'a> Arbitrary<'a> for NodeId {
    fn arbitrary(bytes: &mut Unstructured<'a>) -> Result<Self> {
        Ok(Self::from_random_bits(bytes.arbitrary()?))
    }

    fn size_hint(depth: usize) -> (usize, Option<usize>) {
        u64::size_hint(depth)
    }
}

impl<'a, N: Arbitrary<'a>, L: Layout> Arbitrary<'a> for Stamp<N, L> {
    fn arbitrary(bytes: &mut Unstructured<'a>) -> Result<Self> {
        Ok(Self::new(bytes.arbitrary()?, bytes.arbitrary()?))
    }

    fn size_hint(depth: usize) -> (usize, Option<usize>) {
        <(u64, N)>::size_hint(depth)
    }
}

impl<'a> Arbitrary<'a> for PhysicalTime {
    fn arbitrary(bytes: &mut Unstructured<'a>) -> Result<Self> {
        let (secs, nanos) = (bytes.arbitrary()?, bytes.int_in_range(0..=NANOS_PER_SEC.saturating_sub(1))?);
        Ok(Self::new(secs, nanos).unwrap_or(Self::UNIX_EPOCH))
    }

    fn size_hint(depth: usize) -> (usize, Option<usize>) {
        <(u64, u32)>::size_hint(depth)
    }
}
