//! Feature `uuid`: a stamp as a UUIDv7, and back.

use ::uuid::{Uuid, Variant};

use crate::{NodeId, Stamp, Timestamp, UuidError, WrongUuidVersion};

//  127                          80 79    76 75           64
// +-------------------------------+--------+---------------+
// | milliseconds, 48 bits         | ver: 7 | counter, high |
// +-----+-------------+-----------+--------+---------------+
// | var | counter, low| node id, 58 bits                   |
// +-----+-------------+------------------------------------+
//  63 62 61         58 57                                 0
const MILLIS_BITS: u32 = 48;
const VERSION_BITS: u32 = 4;
const RAND_A_BITS: u32 = 12;
const VARIANT_BITS: u32 = 2;
const COUNTER_LOW_BITS: u32 = 4;
const _: () = assert!(
    MILLIS_BITS + VERSION_BITS + RAND_A_BITS + VARIANT_BITS + COUNTER_LOW_BITS + NodeId::BITS == u128::BITS,
    "the fields fill a UUID"
);
const _: () = assert!(
    MILLIS_BITS + RAND_A_BITS + COUNTER_LOW_BITS == u64::BITS,
    "and all bits of a timestamp have their place in it"
);

const VARIANT_AT: u32 = NodeId::BITS + COUNTER_LOW_BITS;
const RAND_A_AT: u32 = VARIANT_AT + VARIANT_BITS;
const VERSION_AT: u32 = RAND_A_AT + RAND_A_BITS;
const MILLIS_AT: u32 = VERSION_AT + VERSION_BITS;

const VERSION: usize = 7;
const VERSION_AND_VARIANT: u128 = ((VERSION as u128) << VERSION_AT) | (0b10 << VARIANT_AT);

/// UUID.
impl Stamp<NodeId> {
    /// Returns the stamp as a UUID of version 7: its 48 bits of milliseconds are the UUID's, its counter and
    /// node id fill the 74 bits that are otherwise random.
    ///
    /// Sorted as UUIDs is sorted as stamps. The UUID is as unique as the stamp; it is not random, and tells
    /// the node's id and how busy it was.
    ///
    /// # Examples
    ///
    /// ```
    /// use hlc::{NodeId, Stamp, Timestamp};
    ///
    /// let stamp = Timestamp::from_parts(1_645_557_742_000, 7)?.at_node(NodeId::new(42)?);
    /// let uuid = stamp.to_uuid();
    /// assert_eq!(uuid.to_string(), "017f22e2-79b0-7000-9c00-00000000002a");
    /// assert_eq!(Stamp::from_uuid(uuid)?, stamp);
    /// # Ok::<(), Box<dyn core::error::Error>>(())
    /// ```
    ///
    /// # Sources
    ///
    /// RFC 9562, section 5.7.
    #[must_use]
    #[inline]
    pub const fn to_uuid(&self) -> Uuid {
        let timestamp = self.timestamp().to_bits();
        let millis = (timestamp >> (RAND_A_BITS + COUNTER_LOW_BITS)) as u128;
        let counter_high = ((timestamp >> COUNTER_LOW_BITS) & mask(RAND_A_BITS)) as u128;
        let counter_low = (timestamp & mask(COUNTER_LOW_BITS)) as u128;
        Uuid::from_u128(
            (millis << MILLIS_AT)
                | (counter_high << RAND_A_AT)
                | (counter_low << NodeId::BITS)
                | self.node().as_u64() as u128
                | VERSION_AND_VARIANT,
        )
    }

    /// Reads the UUID that [`to_uuid`](Self::to_uuid) makes.
    ///
    /// Every UUIDv7 is read, because none says who made it. Of one that was not made from a stamp, the time
    /// is true, to the millisecond, but counter and node id are noise: do not take the node id for the name
    /// of a node, and do not expect causal order.
    ///
    /// # Errors
    ///
    /// [`UuidError`]
    /// - `Variant`: `uuid` is not laid out as RFC 9562 says, as the nil and the max UUID are not.
    /// - `Version`: its version is another one.
    /// - `ZeroTimestamp`: its timestamp and what would be the counter are zero.
    #[inline]
    #[expect(clippy::cast_possible_truncation, reason = "the fields are taken apart")]
    pub const fn from_uuid(uuid: Uuid) -> Result<Self, UuidError> {
        if !matches!(uuid.get_variant(), Variant::RFC4122) {
            return Err(UuidError::Variant);
        }
        if uuid.get_version_num() != VERSION {
            return Err(UuidError::Version(WrongUuidVersion::new(uuid.get_version_num())));
        }
        let bits = uuid.as_u128();
        let millis = (bits >> MILLIS_AT) as u64;
        let counter_high = (bits >> RAND_A_AT) as u64 & mask(RAND_A_BITS);
        let counter_low = (bits >> NodeId::BITS) as u64 & mask(COUNTER_LOW_BITS);
        let counter = (counter_high << COUNTER_LOW_BITS) | counter_low;
        let timestamp = (millis << (RAND_A_BITS + COUNTER_LOW_BITS)) | counter;
        match Timestamp::from_bits(timestamp) {
            Some(timestamp) => Ok(Self::new(timestamp, NodeId::from_random_bits(bits as u64))),
            None => Err(UuidError::ZeroTimestamp),
        }
    }
}

const fn mask(bits: u32) -> u64 {
    u64::MAX >> u64::BITS.saturating_sub(bits)
}

impl From<Stamp> for Uuid {
    #[inline]
    fn from(stamp: Stamp) -> Self {
        stamp.to_uuid()
    }
}

impl TryFrom<Uuid> for Stamp {
    type Error = UuidError;

    #[inline]
    fn try_from(uuid: Uuid) -> Result<Self, Self::Error> {
        Self::from_uuid(uuid)
    }
}
