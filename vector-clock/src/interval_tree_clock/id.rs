//! Ids: the part of [0, 1) that a clock owns, and in which alone it may count events.

use alloc::vec::Vec;

use super::tree::{Builder, Node, Tree, split_subtree};

/// `true` on the part that is owned.
pub(super) type Id = Tree<bool>;

/// The two ids do not divide the interval between them: a point is in both.
pub(super) struct Overlap;

impl Id {
    /// Owns nothing.
    pub(super) fn is_anonymous(&self) -> bool {
        self.nodes() == [Node::Leaf(false)]
    }

    /// The parts of both, which must be apart: `sum` in the paper.
    pub(super) fn sum(&self, other: &Self) -> Result<Self, Overlap> {
        self.pointwise(other, |ours, theirs| if ours && theirs { Err(Overlap) } else { Ok(ours || theirs) })
    }

    /// Divides the part in two: `split` in the paper.
    ///
    /// The cut is made at the topmost branch that has something on both sides, or through the one owned leaf.
    pub(super) fn split(&self) -> (Self, Self) {
        let Some((path, below)) = self.cut().and_then(|at| self.nodes().split_at_checked(at)) else {
            return (self.clone(), self.clone());
        };
        let (cut, rest) = split_subtree(below);
        let (left, right) = match cut.split_first() {
            Some((Node::Branch, children)) => split_subtree(children),
            Some((Node::Leaf(_), _)) | None => (cut, cut),
        };
        let nothing = [Node::Leaf(false)];
        // On the path and in the rest there are only branches and what is not owned.
        let half = |left: &[_], right: &[_]| {
            let mut id = Builder::new();
            id.subtree(path);
            id.branch();
            id.subtree(left);
            id.subtree(right);
            id.subtree(rest);
            id.finish()
        };
        (half(left, &nothing), half(&nothing, right))
    }

    /// Where the cut goes: the index of the one owned leaf, or of the deepest branch above all owned leaves.
    ///
    /// That branch is the last one that was open at the first owned leaf and still is at the last. An
    /// anonymous id has no cut.
    fn cut(&self) -> Option<usize> {
        let mut path: Vec<(usize, bool)> = Vec::new();
        let mut shared = 0_usize;
        let mut cut = None;
        for (at, node) in self.nodes().iter().enumerate() {
            let &Node::Leaf(owned) = node else {
                path.push((at, false));
                continue;
            };
            if owned && cut.is_none() {
                (cut, shared) = (Some(at), path.len());
            } else if owned {
                cut = path.get(shared.saturating_sub(1)).map(|&(branch, _)| branch);
            }
            // The leaf closes the branches of which it ends the right subtree.
            while let Some((branch, left_is_whole)) = path.pop() {
                if !left_is_whole {
                    path.push((branch, true));
                    break;
                }
            }
            shared = shared.min(path.len());
        }
        cut
    }
}
