//! `Cut`: what a power cut leaves of the writes that no sync had covered.

use super::{Change, Pending};
use alloc::vec::Vec;

/// What becomes of one unflushed change at a power cut, or when a sync fails.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Fate {
    /// It does not reach the disk.
    Lost,
    /// It reaches the disk.
    Whole,
    /// The first bytes of a write reach the disk, so many of them. Of a change that is no write: all or nothing.
    Prefix(usize),
    /// The last bytes of a write reach the disk, so many of them.
    Suffix(usize),
}

/// One outcome of a power cut: a fate for each unflushed change, and the order in which they reach the disk.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Cut {
    pub(super) fates: Vec<Fate>,
    pub(super) order: Vec<usize>,
}

impl Cut {
    /// Each change has its fate, in the order in which the changes were made. Changes without one are lost.
    #[must_use]
    pub fn new(fates: &[Fate]) -> Self {
        Self { fates: fates.to_vec(), order: (0..fates.len()).collect() }
    }

    /// The changes reach the disk in this order: indexes of the fates. It matters where writes overlap.
    #[must_use]
    pub fn in_order(self, order: &[usize]) -> Self {
        Self { order: order.to_vec(), ..self }
    }
}

/// What a change is, for those who decide about its fate.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Unflushed {
    /// Bytes of a file, so many.
    Write(usize),
    /// The length of a file.
    Length,
    /// A name in the directory, new or removed.
    Name,
}

/// Writes up to this length are torn at every byte, longer ones at as many places.
const TEARS: usize = 1024;
/// Up to so many changes, every subset and every order; beyond, subsets by single omission.
const EXHAUSTIVE: usize = 6;

/// All cuts that [`FaultMedium::cuts`](super::FaultMedium::cuts) promises.
pub(super) fn all(pending: &[Pending]) -> Vec<Cut> {
    let subsets = subsets(pending.len());
    let mut fates = subsets.clone();
    for (index, change) in pending.iter().enumerate() {
        let Change::Write { bytes, .. } = &change.change else { continue };
        for torn in tears(bytes.len()) {
            for others in &subsets {
                for fate in [Fate::Prefix(torn), Fate::Suffix(torn)] {
                    // This one's place in a subset is overwritten. Those in which it is lost bring up to six changes
                    // every subset of the others; more of them none, one or all of the others.
                    if others.get(index) == Some(&Fate::Lost) {
                        fates.push(with(others, index, fate));
                    }
                }
            }
        }
    }
    // All writes torn at one length, as when power fails while they stream out side by side.
    let longest = pending.iter().map(|pending| pending.change.len()).max().unwrap_or(0);
    if pending.len() > 1 {
        fates.extend(tears(longest).map(|torn| alloc::vec![Fate::Prefix(torn); pending.len()]));
    }
    let orders = orders(pending);
    let with_orders = |fates: Vec<Fate>| {
        orders.iter().map(move |order| Cut { fates: fates.clone(), order: order.clone() }).collect::<Vec<_>>()
    };
    fates.into_iter().flat_map(with_orders).collect()
}

fn with(fates: &[Fate], index: usize, fate: Fate) -> Vec<Fate> {
    fates.iter().enumerate().map(|(at, other)| if at == index { fate } else { *other }).collect()
}

fn tears(len: usize) -> impl Iterator<Item = usize> {
    (1..len).step_by((len / TEARS).max(1))
}

fn subsets(len: usize) -> Vec<Vec<Fate>> {
    if len > EXHAUSTIVE {
        let all = |fate| alloc::vec![fate; len];
        let but_one = (0..len).flat_map(|index| {
            [with(&all(Fate::Whole), index, Fate::Lost), with(&all(Fate::Lost), index, Fate::Whole)]
        });
        return [all(Fate::Lost), all(Fate::Whole)].into_iter().chain(but_one).collect();
    }
    (0..len).fold(alloc::vec![Vec::new()], |subsets, _| {
        let longer = |subset: &Vec<Fate>| {
            [Fate::Lost, Fate::Whole].map(|fate| subset.iter().copied().chain([fate]).collect())
        };
        subsets.iter().flat_map(longer).collect()
    })
}

/// Every order if two writes overlap; else they commute, and one order stands for all.
fn orders(pending: &[Pending]) -> Vec<Vec<usize>> {
    let identity: Vec<usize> = (0..pending.len()).collect();
    let overlap = pending.iter().enumerate().any(|(index, left)| {
        pending
            .iter()
            .skip(index)
            .skip(1)
            .any(|right| left.inode == right.inode && left.change.overlaps(&right.change))
    });
    if !overlap {
        return alloc::vec![identity];
    }
    if pending.len() > EXHAUSTIVE {
        let backwards = identity.iter().rev().copied().collect();
        return alloc::vec![identity, backwards];
    }
    identity.iter().fold(alloc::vec![Vec::new()], |orders, next| {
        let insert = |order: &Vec<usize>| {
            (0..=order.len())
                .map(|at| {
                    let (before, after) = order.split_at(at);
                    before.iter().chain([next]).chain(after).copied().collect()
                })
                .collect::<Vec<Vec<usize>>>()
        };
        orders.iter().flat_map(insert).collect()
    })
}
