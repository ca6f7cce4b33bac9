//! What a clock believes of a peer: the one place where it is written.

use crate::actor::Actor;
use crate::error::{JumpExceeded, MergeError, Unissued};
use crate::jump::MaxJump;
use crate::kernel;
use crate::pairs::Pairs;
use crate::storage::Storage;
use crate::version_vector::VersionVector;

/// Whether the clock of `own`, which knows `local`, may learn `remote`. Changes nothing.
///
/// Two rules. No counter rises by more than `max_jump`. And no counter of `own` rises at all: it alone makes its
/// events, so nobody can know of one that it does not know of.
pub(crate) fn admit<A: Actor, S1: Storage, S2: Storage>(
    own: A,
    local: &VersionVector<A, S1>,
    remote: &VersionVector<A, S2>,
    max_jump: MaxJump,
) -> Result<(), MergeError<A>> {
    let same_members = local.ids() == remote.ids();
    if !same_members || kernel::rises_above(local.counters(), remote.counters(), max_jump.limit()) {
        admit_entries(local.entries(), remote.entries(), max_jump)?;
    }
    let (issued, claimed) = (local.get(own), remote.get(own));
    if claimed > issued {
        return Err(Unissued::new(own, claimed, issued).into());
    }
    Ok(())
}

/// The first rule, on any two lists of entries.
pub(crate) fn admit_entries<A: Actor>(
    local: impl Iterator<Item = (A::Key, u64)>,
    remote: impl Iterator<Item = (A::Key, u64)>,
    max_jump: MaxJump,
) -> Result<(), JumpExceeded<A>> {
    let far = Pairs::new(local, remote).filter(|pair| max_jump.is_exceeded(pair.left, pair.right)).find_map(
        |pair| Some(JumpExceeded::new(A::from_key(pair.key)?, pair.left, pair.right, max_jump.limit())),
    );
    far.map_or(Ok(()), Err)
}

/// Every state and every input of a clock with two actors whose counters end at 3, under every limit.
#[cfg(test)]
mod tests {
    use super::*;
    use crate::dot::Dot;
    use crate::storage::Fixed;
    use alloc::vec::Vec;

    const END: u64 = 3;

    type Vector = VersionVector<u8, Fixed<2>>;

    fn vectors() -> Vec<Vector> {
        let pairs = (0..=END).flat_map(|a| (0..=END).map(move |b| [(0, a), (1, b)]));
        let dots = pairs.map(|pair| pair.into_iter().filter_map(|(actor, c)| Dot::try_new(actor, c).ok()));
        dots.map(|dots| Vector::from_sorted(dots).unwrap()).collect()
    }

    #[test]
    fn a_vector_is_admitted_exactly_when_no_counter_jumps_and_the_own_one_does_not_rise() {
        let mut outcomes = [0_u32; 3];
        for local in vectors() {
            for remote in vectors() {
                for limit in 0..=END {
                    for (own, other) in [(0_u8, 1_u8), (1, 0)] {
                        let rises = |actor, by| remote.get(actor) > local.get(actor).saturating_add(by);
                        let expected = match (rises(own, limit) || rises(other, limit), rises(own, 0)) {
                            (true, _) => 0,
                            (false, true) => 1,
                            (false, false) => 2,
                        };
                        let found = match admit(own, &local, &remote, MaxJump::AtMost(limit)) {
                            Err(MergeError::JumpExceeded(_)) => 0,
                            Err(MergeError::Unissued(_)) => 1,
                            Err(MergeError::Capacity(_)) => 9,
                            Ok(()) => 2,
                        };
                        assert_eq!(found, expected, "{own} at {local:?}, told {remote:?}, limit {limit}");
                        if let Some(count) = outcomes.get_mut(expected) {
                            *count = count.saturating_add(1);
                        }
                        let unbounded = admit(own, &local, &remote, MaxJump::Unbounded);
                        assert_eq!(unbounded.is_ok(), !rises(own, 0), "{own} at {local:?}, told {remote:?}");
                    }
                }
            }
        }
        assert!(outcomes.iter().all(|count| *count > 0), "every outcome was met: {outcomes:?}");
    }
}
