//! The rules on lanes: comparison, least upper bound and greatest lower bound of two arrays of counters that
//! belong, lane by lane, to the same actors.
//!
//! Counters are at most 2^63 - 1, so `a - b` modulo 2^64 has its top bit set exactly when `a < b`. The bits of
//! all lanes are collected by OR, which has no branch and no order, and becomes vector instructions on every
//! target that has any.

#[cfg(all(feature = "std", target_arch = "x86_64"))]
mod avx2;

use crate::causality::Causality;

/// Lanes per round: enough to outweigh the reduction at the end of it, few enough to stop early when both sides
/// have been found to lack something. Of 16, 32, 64 and 128, the compiler makes the best loop of 64.
const BLOCK: usize = 64;

/// Compares lane by lane. Lanes beyond the shorter side are not looked at.
#[inline]
pub(crate) fn compare(left: &[u64], right: &[u64]) -> Causality {
    #[cfg(all(feature = "std", target_arch = "x86_64"))]
    if left.len() >= BLOCK
        && let Some(causality) = avx2::compare(left, right)
    {
        return causality;
    }
    compare_portable(left, right)
}

/// The comparison, in code that the compiler turns into the vector instructions of whatever target it is
/// inlined for.
#[inline(always)]
fn compare_portable(left: &[u64], right: &[u64]) -> Causality {
    let (mut left_lacks, mut right_lacks) = (0, 0);
    let (left_blocks, left_tail) = left.as_chunks::<BLOCK>();
    let (right_blocks, right_tail) = right.as_chunks::<BLOCK>();
    for (left, right) in left_blocks.iter().zip(right_blocks) {
        let (l, r) = borrows(left, right);
        left_lacks |= l;
        right_lacks |= r;
        if is_set(left_lacks & right_lacks) {
            return Causality::Concurrent;
        }
    }
    let (l, r) = borrows(left_tail, right_tail);
    Causality::from_lacks(is_set(left_lacks | l), is_set(right_lacks | r))
}

/// The OR of all `left - right` and the OR of all `right - left`: the top bits say "somewhere it is less".
#[inline(always)]
fn borrows(left: &[u64], right: &[u64]) -> (u64, u64) {
    left.iter().zip(right).fold((0, 0), |(l, r), (&a, &b)| (l | a.wrapping_sub(b), r | b.wrapping_sub(a)))
}

/// Whether in some lane `right` is more than `limit` above `left`. `limit` is at most 2^63 - 1.
pub(crate) fn rises_above(left: &[u64], right: &[u64], limit: u64) -> bool {
    is_set(left.iter().zip(right).fold(0, |bits, (&a, &b)| bits | limit.wrapping_sub(rise(a, b))))
}

/// Raises each lane of `left` to the greater of the two.
pub(crate) fn raise(left: &mut [u64], right: &[u64]) {
    for (a, &b) in left.iter_mut().zip(right) {
        *a = a.wrapping_add(rise(*a, b));
    }
}

/// Lowers each lane of `left` to the lesser of the two.
pub(crate) fn lower(left: &mut [u64], right: &[u64]) {
    for (a, &b) in left.iter_mut().zip(right) {
        *a = b.wrapping_sub(rise(*a, b));
    }
}

/// `b - a` where `a < b`, else 0. By subtraction and a mask, because SSE2 has no comparison of 64-bit lanes.
const fn rise(a: u64, b: u64) -> u64 {
    let difference = a.wrapping_sub(b);
    0_u64.wrapping_sub(difference & 0_u64.wrapping_sub(difference >> 63))
}

const fn is_set(bits: u64) -> bool {
    bits >> 63 == 1
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dot::MAX_COUNTER;
    use alloc::vec::Vec;

    /// Small numbers, their neighbours, and both ends of the range.
    const EDGES: [u64; 8] = [0, 1, 2, 255, 1 << 62, MAX_COUNTER - 2, MAX_COUNTER - 1, MAX_COUNTER];

    fn by_definition(left: &[u64], right: &[u64]) -> Causality {
        let not_above = left.iter().zip(right).all(|(a, b)| a <= b);
        let not_below = left.iter().zip(right).all(|(a, b)| a >= b);
        match (not_above, not_below) {
            (true, true) => Causality::Equal,
            (true, false) => Causality::Before,
            (false, true) => Causality::After,
            (false, false) => Causality::Concurrent,
        }
    }

    /// Every way to run the comparison on this machine.
    fn by_every_form(left: &[u64], right: &[u64]) -> Vec<Causality> {
        let mut answers = Vec::new();
        answers.extend([compare(left, right), compare_portable(left, right)]);
        #[cfg(all(feature = "std", target_arch = "x86_64"))]
        answers.extend(avx2::compare(left, right));
        answers
    }

    #[test]
    fn all_forms_agree_with_the_definition_on_all_pairs_of_edges_in_two_lanes() {
        for a in EDGES {
            for b in EDGES {
                for c in EDGES {
                    for d in EDGES {
                        let (left, right) = ([a, b], [c, d]);
                        for answer in by_every_form(&left, &right) {
                            assert_eq!(answer, by_definition(&left, &right), "{left:?} {right:?}");
                        }
                    }
                }
            }
        }
    }

    #[test]
    fn a_difference_is_found_in_every_lane_of_every_length() {
        for len in (0..20).chain([31, 32, 33, 63, 64, 65, 127, 128, 129, 200]) {
            let left: Vec<u64> = (0..len).map(|lane| EDGES[lane % EDGES.len()].max(1)).collect();
            for answer in by_every_form(&left, &left) {
                assert_eq!(answer, Causality::Equal, "{len}");
            }
            for lane in 0..len {
                let mut lower = left.clone();
                lower[lane] -= 1;
                for answer in by_every_form(&lower, &left) {
                    assert_eq!(answer, Causality::Before, "{lane} of {len}");
                }
                for answer in by_every_form(&left, &lower) {
                    assert_eq!(answer, Causality::After, "{lane} of {len}");
                }
                for other in (0..len).filter(|other| *other != lane) {
                    let mut crossed = left.clone();
                    crossed[other] -= 1;
                    for answer in by_every_form(&lower, &crossed) {
                        assert_eq!(answer, Causality::Concurrent, "{lane} and {other} of {len}");
                    }
                }
            }
        }
    }

    #[test]
    fn bounds_and_rises_are_those_of_plain_arithmetic_on_all_pairs_of_edges() {
        for a in EDGES {
            for b in EDGES {
                let (mut upper, mut under) = ([a], [a]);
                raise(&mut upper, &[b]);
                lower(&mut under, &[b]);
                assert_eq!((upper, under), ([a.max(b)], [a.min(b)]), "{a} {b}");
                for limit in EDGES {
                    assert_eq!(
                        rises_above(&[a], &[b], limit),
                        b.saturating_sub(a) > limit,
                        "{a} {b} {limit}"
                    );
                }
            }
        }
    }
}
