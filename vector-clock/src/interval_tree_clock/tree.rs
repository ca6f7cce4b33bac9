//! `Tree`: a step function on the interval [0, 1), as a flat list of nodes.
//!
//! The paper draws ids and events as binary trees, and defines every operation by recursion. Here a tree is the
//! list of its nodes in preorder, and each operation is one pass over one or two lists. What recursion would
//! keep on the call stack is in a `Vec` that a node budget bounds, so that no input decides how deep we call.
//!
//! A leaf holds the value of the function itself. The paper's event trees hold differences instead: a node's
//! value is added to all below it. Both say the same; with plain values the join of two event trees is the
//! greater of two numbers, and the sum of two ids is the "or" of two bits. The wire form has the differences.

use alloc::vec::Vec;

/// One node. A branch is followed by its left subtree, and that by its right subtree.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Node<T> {
    /// The interval is cut in two halves.
    Branch,
    /// The function has this value on the whole interval.
    Leaf(T),
}

/// A step function on [0, 1): exactly one tree in preorder, in which no branch has two equal leaves.
///
/// That makes the list canonical: equal functions are equal lists.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) struct Tree<T> {
    nodes: Vec<Node<T>>,
}

impl<T: Copy + Eq> Tree<T> {
    /// The function that is `value` everywhere.
    pub(super) fn constant(value: T) -> Self {
        Self { nodes: [Node::Leaf(value)].into() }
    }

    /// The tree of these nodes: one whole tree in preorder, in which equal leaves have been joined.
    pub(super) const fn from_joined(nodes: Vec<Node<T>>) -> Self {
        Self { nodes }
    }

    /// The nodes in preorder.
    pub(super) fn nodes(&self) -> &[Node<T>] {
        &self.nodes
    }

    /// How many nodes there are.
    pub(super) const fn len(&self) -> usize {
        self.nodes.len()
    }

    /// The values of the leaves, from left to right.
    pub(super) fn leaves(&self) -> impl Iterator<Item = T> {
        self.nodes.iter().filter_map(|node| match node {
            Node::Branch => None,
            Node::Leaf(value) => Some(*value),
        })
    }

    /// Walks this function and `other` over the intervals on which both are constant.
    pub(super) fn overlay<'a, U: Copy>(&'a self, other: &'a Tree<U>) -> Overlay<'a, T, U> {
        Overlay { left: self.nodes.iter(), right: other.nodes.iter(), held: Held::Neither }
    }

    /// The function that is `f` of this one and `other` at each point, or the first refusal of `f`.
    pub(super) fn pointwise<E>(
        &self,
        other: &Self,
        mut f: impl FnMut(T, T) -> Result<T, E>,
    ) -> Result<Self, E> {
        let mut result = Builder::new();
        for node in self.overlay(other) {
            match node {
                Node::Branch => result.branch(),
                Node::Leaf((ours, theirs)) => result.leaf(f(ours, theirs)?),
            }
        }
        Ok(result.finish())
    }
}

/// Returns the first subtree of `nodes`, and what follows it.
pub(super) fn split_subtree<T>(nodes: &[Node<T>]) -> (&[Node<T>], &[Node<T>]) {
    let mut wanted = 1_usize;
    let end = nodes.iter().position(|node| {
        wanted = match node {
            Node::Branch => wanted.saturating_add(1),
            Node::Leaf(_) => wanted.saturating_sub(1),
        };
        wanted == 0
    });
    let len = end.map_or(nodes.len(), |last| last.saturating_add(1));
    nodes.split_at_checked(len).unwrap_or((nodes, &[]))
}

/// The common refinement of two trees, in preorder: a branch where either has one.
#[derive(Debug)]
pub(super) struct Overlay<'a, T, U> {
    left: core::slice::Iter<'a, Node<T>>,
    right: core::slice::Iter<'a, Node<U>>,
    held: Held<T, U>,
}

/// A leaf of one tree that lies over a branch of the other, and how many subtrees of the other are still to come.
#[derive(Debug)]
enum Held<T, U> {
    Neither,
    Left(T, usize),
    Right(U, usize),
}

impl<T, U> Overlay<'_, T, U> {
    /// Is the walk below a leaf of the right tree?
    pub(super) const fn is_below_right_leaf(&self) -> bool {
        matches!(self.held, Held::Right(..))
    }
}

impl<T: Copy, U: Copy> Iterator for Overlay<'_, T, U> {
    type Item = Node<(T, U)>;

    fn next(&mut self) -> Option<Self::Item> {
        let (node, held) = match self.held {
            Held::Neither => match (*self.left.next()?, *self.right.next()?) {
                (Node::Branch, Node::Branch) => (Node::Branch, Held::Neither),
                (Node::Leaf(left), Node::Leaf(right)) => (Node::Leaf((left, right)), Held::Neither),
                (Node::Leaf(left), Node::Branch) => (Node::Branch, Held::Left(left, 2)),
                (Node::Branch, Node::Leaf(right)) => (Node::Branch, Held::Right(right, 2)),
            },
            Held::Left(left, wanted) => match *self.right.next()? {
                Node::Branch => (Node::Branch, Held::Left(left, wanted.saturating_add(1))),
                Node::Leaf(right) if wanted <= 1 => (Node::Leaf((left, right)), Held::Neither),
                Node::Leaf(right) => (Node::Leaf((left, right)), Held::Left(left, wanted.saturating_sub(1))),
            },
            Held::Right(right, wanted) => match *self.left.next()? {
                Node::Branch => (Node::Branch, Held::Right(right, wanted.saturating_add(1))),
                Node::Leaf(left) if wanted <= 1 => (Node::Leaf((left, right)), Held::Neither),
                Node::Leaf(left) => (Node::Leaf((left, right)), Held::Right(right, wanted.saturating_sub(1))),
            },
        };
        self.held = held;
        Some(node)
    }
}

/// Takes the nodes of one tree in preorder, and joins equal leaves as it goes.
#[derive(Debug)]
pub(super) struct Builder<T> {
    nodes: Vec<Node<T>>,
    open: Vec<Open>,
}

/// A branch whose right subtree is not whole yet.
#[derive(Debug)]
struct Open {
    at: usize,
    left_is_whole: bool,
}

impl<T: Copy + Eq> Builder<T> {
    pub(super) const fn new() -> Self {
        Self { nodes: Vec::new(), open: Vec::new() }
    }

    /// How many nodes are kept at this moment.
    pub(super) const fn len(&self) -> usize {
        self.nodes.len()
    }

    /// Appends a branch.
    pub(super) fn branch(&mut self) {
        self.open.push(Open { at: self.nodes.len(), left_is_whole: false });
        self.nodes.push(Node::Branch);
    }

    /// Appends a leaf, which may make branches whole.
    pub(super) fn leaf(&mut self, value: T) {
        self.nodes.push(Node::Leaf(value));
        // Each round takes one branch off `open`, so all rounds together are as many as there are branches.
        while let Some(mut branch) = self.open.pop() {
            if !branch.left_is_whole {
                branch.left_is_whole = true;
                self.open.push(branch);
                return;
            }
            join_equal_leaves(&mut self.nodes, branch.at);
        }
    }

    /// Appends every node of a whole subtree.
    pub(super) fn subtree(&mut self, nodes: &[Node<T>]) {
        for node in nodes {
            match *node {
                Node::Branch => self.branch(),
                Node::Leaf(value) => self.leaf(value),
            }
        }
    }

    /// The tree. The caller has appended exactly one whole tree.
    pub(super) fn finish(self) -> Tree<T> {
        Tree { nodes: self.nodes }
    }
}

/// Turns the branch at `at`, the last whole one, into a leaf when both its children are leaves of one value.
pub(super) fn join_equal_leaves<T: Copy + Eq>(nodes: &mut Vec<Node<T>>, at: usize) {
    if let Some(&[Node::Branch, Node::Leaf(left), Node::Leaf(right)]) = nodes.get(at..)
        && left == right
    {
        nodes.truncate(at);
        nodes.push(Node::Leaf(left));
    }
}
