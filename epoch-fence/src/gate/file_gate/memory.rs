//! What the register of a gate in files remembers; its bytes.

use alloc::vec::Vec;

use crate::gate::rule::Tenure;
use crate::{DecodeError, Epoch, Field, GrantId, RealmId};

/// The version of the payload, in its first byte.
const VERSION: u8 = 1;
/// A version, a realm, a floor, an epoch and a grant or zeros, an inode.
const PAYLOAD_BYTES: usize = 57;
const _: () = assert!(PAYLOAD_BYTES == 1 + RealmId::BYTES + 8 + 8 + GrantId::BYTES + 8, "as FORMAT.md says");

/// What a register says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Memory {
    pub(super) tenure: Tenure,
    /// Above what was admitted last while a newer token waits.
    pub(super) floor: Epoch,
    /// The inode of the file of the permits. While a permit is alive on it, no other file can have that.
    pub(super) permits: u64,
}

impl Memory {
    pub(super) fn to_bytes(self) -> Vec<u8> {
        let (epoch, grant) = self
            .tenure
            .admitted
            .map_or((0, [0; GrantId::BYTES]), |(epoch, grant)| (epoch.get(), grant.to_bytes()));
        let mut bytes = Vec::with_capacity(PAYLOAD_BYTES);
        bytes.push(VERSION);
        bytes.extend(self.tenure.realm.to_bytes());
        bytes.extend(self.floor.get().to_be_bytes());
        bytes.extend(epoch.to_be_bytes());
        bytes.extend(grant);
        bytes.extend(self.permits.to_be_bytes());
        bytes
    }

    pub(super) fn of(payload: &[u8]) -> Result<Self, DecodeError> {
        let length = DecodeError::Length { found: payload.len(), expected: PAYLOAD_BYTES };
        let (&version, rest) = payload.split_first().ok_or(length)?;
        if version != VERSION {
            return Err(DecodeError::Version { found: version });
        }
        let (&realm, rest) = rest.split_first_chunk().ok_or(length)?;
        let (&floor, rest) = rest.split_first_chunk().ok_or(length)?;
        let (&epoch, rest) = rest.split_first_chunk().ok_or(length)?;
        let (&grant, rest) = rest.split_first_chunk().ok_or(length)?;
        let permits = u64::from_be_bytes(rest.try_into().map_err(|_| length)?);
        let zero = DecodeError::Zero { field: Field::Epoch };
        let floor = Epoch::new(u64::from_be_bytes(floor)).ok_or(zero)?;
        let admitted = match (Epoch::new(u64::from_be_bytes(epoch)), u128::from_be_bytes(grant)) {
            (None, 0) => None,
            (Some(epoch), _) if epoch <= floor => Some((epoch, GrantId::from_bytes(grant)?)),
            (Some(_), _) => return Err(DecodeError::Range { field: Field::Epoch }),
            (None, _) => return Err(zero),
        };
        Ok(Self { tenure: Tenure { realm: RealmId::from_bytes(realm)?, admitted }, floor, permits })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn memory(floor: u64, admitted: Option<(u64, u128)>) -> Memory {
        let admitted = admitted
            .map(|(epoch, grant)| (Epoch::new(epoch).unwrap(), GrantId::from_random_bits(grant).unwrap()));
        let realm = RealmId::from_random_bits(0x0011_2233_4455_6677_8899_aabb_ccdd_eeff).unwrap();
        Memory { tenure: Tenure { realm, admitted }, floor: Epoch::new(floor).unwrap(), permits: 131_099 }
    }

    /// The worked example of FORMAT.md.
    #[test]
    fn the_bytes_are_those_of_the_format() {
        let example = memory(35, Some((34, 0x0123_4567_89ab_cdef_0123_4567_89ab_cdef)));
        let hex: alloc::string::String =
            example.to_bytes().iter().map(|byte| alloc::format!("{byte:02x}")).collect();
        assert_eq!(
            hex,
            "0100112233445566778899aabbccddeeff0000000000000023000000000000002201234567\
             89abcdef0123456789abcdef000000000002001b"
        );
        assert!(include_str!("../../../FORMAT.md").contains(&hex), "FORMAT.md has another example");
    }

    #[test]
    fn every_memory_is_read_as_it_was_written() {
        for memory in [
            memory(1, None),
            memory(u64::MAX, None),
            memory(7, Some((7, 1))),
            memory(9, Some((7, u128::MAX))),
        ] {
            assert_eq!(Memory::of(&memory.to_bytes()), Ok(memory));
        }
    }

    #[test]
    fn what_no_gate_writes_is_refused() {
        let good = memory(9, Some((7, 3))).to_bytes();
        for length in (0..good.len()).chain([good.len() + 1, 256]) {
            let mut cut = good.clone();
            cut.resize(length, 0);
            assert!(matches!(Memory::of(&cut), Err(DecodeError::Length { .. })), "{length} bytes");
        }
        let zero = |field| DecodeError::Zero { field };
        let rows: [(core::ops::Range<usize>, u8, DecodeError); 6] = [
            (0..1, 2, DecodeError::Version { found: 2 }),
            (1..17, 0, zero(Field::Realm)),
            (17..25, 0, zero(Field::Epoch)),
            (25..33, 0, zero(Field::Epoch)),
            (33..49, 0, zero(Field::Grant)),
            (25..33, 0xff, DecodeError::Range { field: Field::Epoch }),
        ];
        for (place, byte, why) in rows {
            let mut bytes = good.clone();
            bytes[place.clone()].fill(byte);
            assert_eq!(Memory::of(&bytes), Err(why), "bytes {place:?}");
        }
    }
}
