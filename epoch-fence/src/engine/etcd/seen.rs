//! What goes with a record beside itself: in etcd, the base of its version; in a view, what a write on it must compare.

use crate::protocol::Info;

/// The form of what is stored.
const STORED: u8 = 1;
/// The form of what is shown. It never reaches etcd.
const SHOWN: u8 = 2;

/// What a stored record has with it: the base of the realm that it was written in.
pub(super) fn stored(base: u64) -> Info {
    info(&[&[STORED], &base.to_be_bytes()])
}

/// Reads what a stored record has with it.
pub(super) fn base_of(info: &Info) -> Option<u64> {
    let rest = info.as_bytes().strip_prefix(&[STORED])?;
    Some(u64::from_be_bytes(rest.try_into().ok()?))
}

/// What a record that is shown has with it, so that the next write needs no look of its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Seen {
    /// The revision of its last write.
    pub(super) revision: i64,
    /// The base of the realm now.
    pub(super) base: u64,
    /// The lease that its mark is on, or zero.
    pub(super) lease: i64,
    /// For how many seconds that lease was granted.
    pub(super) granted: u32,
    /// How many nanoseconds it had left.
    pub(super) left: u64,
    /// It was written in an earlier realm: what it says of a tenure is over.
    pub(super) past: bool,
}

impl Seen {
    pub(super) fn to_info(self) -> Info {
        info(&[
            &[SHOWN, u8::from(self.past)],
            &self.revision.to_be_bytes(),
            &self.base.to_be_bytes(),
            &self.lease.to_be_bytes(),
            &self.granted.to_be_bytes(),
            &self.left.to_be_bytes(),
        ])
    }

    /// `None` of a record that this engine did not show.
    pub(super) fn from_info(info: &Info) -> Option<Self> {
        let (past, rest) = match info.as_bytes() {
            [SHOWN, 0, rest @ ..] => (false, rest),
            [SHOWN, 1, rest @ ..] => (true, rest),
            _ => return None,
        };
        let (revision, rest) = rest.split_first_chunk()?;
        let (base, rest) = rest.split_first_chunk()?;
        let (lease, rest) = rest.split_first_chunk()?;
        let (granted, rest) = rest.split_first_chunk()?;
        Some(Self {
            revision: i64::from_be_bytes(*revision),
            base: u64::from_be_bytes(*base),
            lease: i64::from_be_bytes(*lease),
            granted: u32::from_be_bytes(*granted),
            left: u64::from_be_bytes(rest.try_into().ok()?),
            past,
        })
    }
}

fn info(parts: &[&[u8]]) -> Info {
    // Never more than 38 bytes.
    Info::try_new(&parts.concat()).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_goes_with_a_record_reads_as_it_was_written_and_the_two_forms_are_not_taken_for_each_other() {
        let seen = Seen { revision: 7, base: u64::MAX, lease: i64::MIN, granted: 3, left: 5, past: true };
        for seen in [seen, Seen { past: false, ..seen }] {
            let info = seen.to_info();
            assert_eq!(Seen::from_info(&info), Some(seen));
            assert_eq!(base_of(&info), None);
            let bytes = info.as_bytes();
            for wrong in [&bytes[..bytes.len() - 1], &[bytes, b"x"].concat(), b"", b"\x02\x02"] {
                assert_eq!(Seen::from_info(&Info::try_new(wrong).unwrap()), None);
            }
        }
        assert_eq!(base_of(&stored(9)), Some(9));
        assert_eq!(Seen::from_info(&stored(9)), None);
        for wrong in [&[][..], &[1], &[1; 8], &[1; 10], &[2; 9]] {
            assert_eq!(base_of(&Info::try_new(wrong).unwrap()), None);
        }
    }
}
