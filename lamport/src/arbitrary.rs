//! Feature `arbitrary`: values from raw bytes, for fuzz targets of users' own. Every value can come out.

use ::arbitrary::{Arbitrary, Result, Unstructured};

use crate::{Stamp, Time};

impl<'a> Arbitrary<'a> for Time {
    fn arbitrary(bytes: &mut Unstructured<'a>) -> Result<Self> {
        Ok(Self::new(bytes.arbitrary()?))
    }

    fn size_hint(depth: usize) -> (usize, Option<usize>) {
        u64::size_hint(depth)
    }
}

impl<'a, N: Arbitrary<'a>> Arbitrary<'a> for Stamp<N> {
    fn arbitrary(bytes: &mut Unstructured<'a>) -> Result<Self> {
        Ok(Self::new(bytes.arbitrary()?, bytes.arbitrary()?))
    }

    fn size_hint(depth: usize) -> (usize, Option<usize>) {
        <(u64, N)>::size_hint(depth)
    }
}
