//! Feature `arbitrary`: values from raw bytes, for fuzz targets of users' own. Every value can come out and nothing else
//! does.

use core::time::Duration;

use ::arbitrary::{Arbitrary, Result, Unstructured};

use crate::protocol::Ttl;
use crate::{Epoch, FencingToken, GrantId, HolderId, RealmId, ResourceId, sample};

impl<'a> Arbitrary<'a> for Epoch {
    fn arbitrary(bytes: &mut Unstructured<'a>) -> Result<Self> {
        // Zero is no epoch: it makes the first one.
        Ok(Self::new(bytes.arbitrary()?).unwrap_or(Self::FIRST))
    }

    fn size_hint(depth: usize) -> (usize, Option<usize>) {
        u64::size_hint(depth)
    }
}

macro_rules! random_ids {
    ($($name:ident),+) => {$(
        impl<'a> Arbitrary<'a> for $name {
            fn arbitrary(bytes: &mut Unstructured<'a>) -> Result<Self> {
                Ok(Self::nearest(bytes.arbitrary()?))
            }

            fn size_hint(depth: usize) -> (usize, Option<usize>) {
                u128::size_hint(depth)
            }
        }
    )+};
}
random_ids!(GrantId, RealmId);

impl<'a> Arbitrary<'a> for ResourceId {
    fn arbitrary(bytes: &mut Unstructured<'a>) -> Result<Self> {
        Ok(Self::from_bytes(bytes.arbitrary()?))
    }

    fn size_hint(depth: usize) -> (usize, Option<usize>) {
        <[u8; Self::BYTES]>::size_hint(depth)
    }
}

impl<'a> Arbitrary<'a> for HolderId {
    fn arbitrary(bytes: &mut Unstructured<'a>) -> Result<Self> {
        Ok(sample::holder(bytes.arbitrary()?))
    }

    fn arbitrary_take_rest(bytes: Unstructured<'a>) -> Result<Self> {
        Ok(sample::holder(Arbitrary::arbitrary_take_rest(bytes)?))
    }

    fn size_hint(depth: usize) -> (usize, Option<usize>) {
        <&str>::size_hint(depth)
    }
}

impl<'a> Arbitrary<'a> for FencingToken {
    fn arbitrary(bytes: &mut Unstructured<'a>) -> Result<Self> {
        let (realm, resource) = (bytes.arbitrary()?, bytes.arbitrary()?);
        let (epoch, grant) = (bytes.arbitrary()?, bytes.arbitrary()?);
        Ok(sample::token(Self::new(realm, resource, epoch, grant), bytes.arbitrary()?))
    }

    fn size_hint(depth: usize) -> (usize, Option<usize>) {
        <(RealmId, ResourceId, Epoch, GrantId, u8)>::size_hint(depth)
    }
}

impl<'a> Arbitrary<'a> for Ttl {
    fn arbitrary(bytes: &mut Unstructured<'a>) -> Result<Self> {
        // A day has 2^47 nanoseconds.
        let nanos = |ttl: Self| u64::try_from(ttl.get().as_nanos()).unwrap_or(u64::MAX);
        let length = bytes.int_in_range(nanos(Self::MIN)..=nanos(Self::MAX))?;
        Ok(Self::new(Duration::from_nanos(length)).unwrap_or(Self::MIN))
    }

    fn size_hint(depth: usize) -> (usize, Option<usize>) {
        u64::size_hint(depth)
    }
}
