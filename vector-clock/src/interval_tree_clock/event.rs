//! Event trees: how many events have been counted at each point of [0, 1).

use alloc::vec::Vec;

use super::id::Id;
use super::tree::{Builder, Node, Tree, join_equal_leaves, split_subtree};
use crate::dot::MAX_COUNTER;
use crate::error::Overflow;

/// The number of events at each point, at most [`MAX_COUNTER`].
pub(super) type Events = Tree<u64>;

impl Events {
    /// Is this at most `other` everywhere?
    pub(super) fn leq(&self, other: &Self) -> bool {
        self.overlay(other).all(|node| match node {
            Node::Branch => true,
            Node::Leaf((ours, theirs)) => ours <= theirs,
        })
    }

    /// The greater of the two at each point: `join` in the paper.
    pub(super) fn join(&self, other: &Self) -> Self {
        match self.pointwise::<core::convert::Infallible>(other, |ours, theirs| Ok(ours.max(theirs))) {
            Ok(joined) => joined,
            Err(never) => match never {},
        }
    }

    /// The greatest number that there is anywhere.
    pub(super) fn greatest(&self) -> u64 {
        self.leaves().max().unwrap_or(0)
    }

    /// Counts one event on what `id` owns: `event` in the paper.
    ///
    /// Fills where that makes the tree simpler, and grows only where nothing can be filled.
    pub(super) fn event(&self, id: &Id) -> Result<Self, Overflow> {
        let filled = self.fill(id);
        if filled == *self { self.grow(id) } else { Ok(filled) }
    }

    /// Raises what is owned to what is around it, so that the tree gets simpler: `fill` in the paper.
    ///
    /// Nothing rises above the greatest number that is there already.
    fn fill(&self, id: &Id) -> Self {
        let mut filled = Filler::default();
        let (mut ids, mut events) = (id.nodes(), self.nodes());
        while let (Some((owner, owners_behind)), Some((node, behind))) =
            (ids.split_first(), events.split_first())
        {
            if (owner, node) == (&Node::Branch, &Node::Branch) {
                filled.branch();
                (ids, events) = (owners_behind, behind);
                continue;
            }
            // One of the two is a leaf, and the other one's whole subtree belongs to it.
            let (under, events_after) = split_subtree(events);
            (_, ids) = split_subtree(ids);
            events = events_after;
            let owned = *owner == Node::Leaf(true);
            if owned {
                filled.leaf(greatest(under), true);
            } else {
                filled.subtree(under);
            }
        }
        Tree::from_joined(filled.nodes)
    }

    /// Adds one at the owned place that makes the tree grow least: `grow` in the paper.
    ///
    /// That is the leaf reached with the fewest new branches, of these the least deep, of these the rightmost.
    /// (The paper adds the two up, with a large constant for a new branch.) The tree has been filled: an owned
    /// leaf lies over a leaf of the tree. A place with no number left is passed over.
    fn grow(&self, id: &Id) -> Result<Self, Overflow> {
        let mut best: Option<((usize, usize), usize)> = None;
        let mut walk = Depth::default();
        let mut known_depth = 0_usize;
        let mut overlay = id.overlay(self);
        let mut at = 0_usize;
        loop {
            let in_new_part = overlay.is_below_right_leaf();
            let Some(node) = overlay.next() else { break };
            if !in_new_part {
                known_depth = walk.now();
            }
            match node {
                Node::Branch => walk.branch(),
                Node::Leaf((owned, count)) => {
                    let cost = (walk.now().saturating_sub(known_depth), walk.now());
                    if owned && count < MAX_COUNTER && best.is_none_or(|(least, _)| cost <= least) {
                        best = Some((cost, at));
                    }
                    walk.leaf();
                }
            }
            at = at.saturating_add(1);
        }
        let (_, chosen) = best.ok_or(Overflow)?;
        let mut grown = Builder::new();
        for (at, node) in id.overlay(self).enumerate() {
            match node {
                Node::Branch => grown.branch(),
                // What was cut for nothing joins again in the builder.
                Node::Leaf((_, count)) => grown.leaf(count.saturating_add(u64::from(at == chosen))),
            }
        }
        Ok(grown.finish())
    }
}

/// The greatest leaf.
fn greatest(nodes: &[Node<u64>]) -> u64 {
    nodes.iter().fold(0, |greatest, node| match node {
        Node::Branch => greatest,
        Node::Leaf(count) => greatest.max(*count),
    })
}

/// How deep a walk in preorder is.
#[derive(Default)]
struct Depth {
    left_is_whole: Vec<bool>,
}

impl Depth {
    const fn now(&self) -> usize {
        self.left_is_whole.len()
    }

    fn branch(&mut self) {
        self.left_is_whole.push(false);
    }

    fn leaf(&mut self) {
        while let Some(left_is_whole) = self.left_is_whole.pop() {
            if !left_is_whole {
                self.left_is_whole.push(true);
                return;
            }
        }
    }
}

/// Builds a filled tree in preorder.
///
/// An owned leaf rises to the least number of its sibling. When it is the left one, that number is not known
/// until the right one is whole; so an open branch remembers whether its left leaf may still rise.
#[derive(Default)]
struct Filler {
    nodes: Vec<Node<u64>>,
    open: Vec<Half>,
}

/// A branch whose right subtree is not whole yet.
struct Half {
    at: usize,
    left: Option<Side>,
}

/// A whole subtree: its least number, and whether it is an owned leaf.
#[derive(Clone, Copy)]
struct Side {
    least: u64,
    owned: bool,
}

impl Filler {
    fn branch(&mut self) {
        self.open.push(Half { at: self.nodes.len(), left: None });
        self.nodes.push(Node::Branch);
    }

    fn leaf(&mut self, count: u64, owned: bool) {
        self.nodes.push(Node::Leaf(count));
        let mut right = Side { least: count, owned };
        // Each round takes one branch off `open`, so all rounds together are as many as there are branches.
        while let Some(Half { at, left }) = self.open.pop() {
            let Some(mut left) = left else {
                self.open.push(Half { at, left: Some(right) });
                return;
            };
            if left.owned {
                left.least = raise(self.nodes.get_mut(at.saturating_add(1)), right.least);
            }
            if right.owned {
                right.least = raise(self.nodes.last_mut(), left.least);
            }
            join_equal_leaves(&mut self.nodes, at);
            right = Side { least: left.least.min(right.least), owned: false };
        }
    }

    fn subtree(&mut self, nodes: &[Node<u64>]) {
        for node in nodes {
            match *node {
                Node::Branch => self.branch(),
                Node::Leaf(count) => self.leaf(count, false),
            }
        }
    }
}

/// Raises a leaf to at least `floor`, and returns its number.
fn raise(leaf: Option<&mut Node<u64>>, floor: u64) -> u64 {
    match leaf {
        Some(Node::Leaf(count)) => {
            *count = (*count).max(floor);
            *count
        }
        Some(Node::Branch) | None => floor,
    }
}
