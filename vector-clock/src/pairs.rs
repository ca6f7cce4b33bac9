//! `Pairs`: walks two sorted lists of entries as one.

use core::cmp::Ordering;
use core::iter::Peekable;

/// One actor, and the counters that the two sides have for it; 0 where a side has none.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Pair<K> {
    pub(crate) key: K,
    pub(crate) left: u64,
    pub(crate) right: u64,
}

/// Joins two lists of `(key, counter)`, each sorted by key, into the sorted list of [`Pair`]s.
///
/// Every rule on vectors with different members is a fold over this one walk, linear in both lengths.
pub(crate) struct Pairs<L: Iterator, R: Iterator> {
    left: Peekable<L>,
    right: Peekable<R>,
}

impl<K, L, R> Pairs<L, R>
where
    K: Copy + Ord,
    L: Iterator<Item = (K, u64)>,
    R: Iterator<Item = (K, u64)>,
{
    pub(crate) fn new(left: L, right: R) -> Self {
        Self { left: left.peekable(), right: right.peekable() }
    }
}

impl<K, L, R> Iterator for Pairs<L, R>
where
    K: Copy + Ord,
    L: Iterator<Item = (K, u64)>,
    R: Iterator<Item = (K, u64)>,
{
    type Item = Pair<K>;

    fn next(&mut self) -> Option<Pair<K>> {
        let (left, right) = (self.left.peek().copied(), self.right.peek().copied());
        let first = match (left, right) {
            (None, None) => return None,
            (Some(_), None) => Ordering::Less,
            (None, Some(_)) => Ordering::Greater,
            (Some((l, _)), Some((r, _))) => l.cmp(&r),
        };
        let left = left.filter(|_| first.is_le());
        let right = right.filter(|_| first.is_ge());
        if left.is_some() {
            self.left.next();
        }
        if right.is_some() {
            self.right.next();
        }
        let (key, _) = left.or(right)?;
        Some(Pair { key, left: left.map_or(0, |(_, c)| c), right: right.map_or(0, |(_, c)| c) })
    }
}
