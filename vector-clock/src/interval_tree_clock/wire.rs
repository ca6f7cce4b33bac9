//! To and from bytes: a version byte, then the paper's bits for the id and for the events.
//!
//! On the wire an event tree has differences: what a branch holds is added to all below it, and one of its
//! children holds zero. In memory each leaf has its whole number; see [`tree`](super::tree).

use alloc::vec::Vec;

use super::NodeBudget;
use super::bits::{BitError, BitReader, BitWriter};
use super::error::{BudgetExceeded, IntervalTreeDecodeError};
use super::event::Events;
use super::id::Id;
use super::tree::{Builder, Node};
use crate::dot::MAX_COUNTER;

/// The first byte.
const VERSION: u8 = 1;

// Id, 2 bits: what is below. A leaf has one more bit.
const ID_LEAF: u64 = 0;
const ID_RIGHT_ONLY: u64 = 1;
const ID_LEFT_ONLY: u64 = 2;
const ID_BOTH: u64 = 3;

// Events: 1 and a number is a leaf; 0 and 2 bits are a branch.
const RIGHT_ABOVE: u64 = 0;
const LEFT_ABOVE: u64 = 1;
const BOTH: u64 = 2;
const LIFTED: u64 = 3;

pub(super) fn encode(id: &Id, events: &Events) -> Vec<u8> {
    let mut out = BitWriter::after([VERSION].into());
    encode_id(id, &mut out);
    encode_events(events, &mut out);
    out.into_bytes()
}

pub(super) fn decode(bytes: &[u8], budget: NodeBudget) -> Result<(Id, Events), IntervalTreeDecodeError> {
    let (&version, bits) = bytes.split_first().ok_or(IntervalTreeDecodeError::Truncated)?;
    if version != VERSION {
        return Err(IntervalTreeDecodeError::Version(version));
    }
    let mut bits = BitReader::new(bits);
    let id = decode_id(&mut bits, budget)?;
    let events = decode_events(&mut bits, budget, id.len())?;
    // One rule for all that is not canonical: two forms of one tree, bits of filling, bytes behind the end.
    if encode(&id, &events) == bytes { Ok((id, events)) } else { Err(IntervalTreeDecodeError::NotCanonical) }
}

fn encode_id(id: &Id, out: &mut BitWriter) {
    let outline = Outline::new(id.nodes(), |_| 0);
    let mut todo: Vec<usize> = [0].into();
    while let Some((at, node)) = todo.pop().and_then(|at| Some((at, id.nodes().get(at)?))) {
        if let Node::Leaf(owned) = node {
            out.bits(ID_LEAF, 2);
            out.bits(u64::from(*owned), 1);
            continue;
        }
        let (left, right) = outline.children(at);
        let is_empty = |child: usize| id.nodes().get(child) == Some(&Node::Leaf(false));
        if is_empty(left) {
            out.bits(ID_RIGHT_ONLY, 2);
            todo.push(right);
        } else if is_empty(right) {
            out.bits(ID_LEFT_ONLY, 2);
            todo.push(left);
        } else {
            out.bits(ID_BOTH, 2);
            todo.extend([right, left]);
        }
    }
}

fn encode_events(events: &Events, out: &mut BitWriter) {
    let outline = Outline::new(events.nodes(), |count| *count);
    let mut todo: Vec<(usize, u64)> = [(0, 0)].into();
    while let Some((at, base)) = todo.pop() {
        let least = outline.least(at);
        let lift = least.saturating_sub(base);
        let leaf = |out: &mut BitWriter| {
            out.bits(1, 1);
            out.number(lift);
        };
        if let Some(Node::Leaf(_)) | None = events.nodes().get(at) {
            leaf(out);
            continue;
        }
        let (left, right) = outline.children(at);
        let is_least = |child: usize| events.nodes().get(child) == Some(&Node::Leaf(least));
        let form = match (is_least(left), is_least(right)) {
            (true, _) => RIGHT_ABOVE,
            (false, true) => LEFT_ABOVE,
            (false, false) => BOTH,
        };
        out.bits(0, 1);
        if lift == 0 {
            out.bits(form, 2);
        } else {
            out.bits(LIFTED, 2);
            match form {
                RIGHT_ABOVE => out.bits(0b00, 2),
                LEFT_ABOVE => out.bits(0b01, 2),
                _ => out.bits(1, 1),
            }
            leaf(out);
        }
        if form != LEFT_ABOVE {
            todo.push((right, least));
        }
        if form != RIGHT_ABOVE {
            todo.push((left, least));
        }
    }
}

/// What the encoder has to know of each node before it comes to it.
struct Outline {
    extents: Vec<Extent>,
}

/// Where the right child of a branch is, and the least number below the node.
#[derive(Clone, Copy)]
struct Extent {
    right: usize,
    least: u64,
}

impl Outline {
    /// One pass from the end: there, a branch comes after its subtrees, which are the last two not yet taken.
    fn new<T>(nodes: &[Node<T>], number: impl Fn(&T) -> u64) -> Self {
        let mut extents = Vec::with_capacity(nodes.len());
        let mut whole: Vec<(usize, u64)> = Vec::new();
        for (at, node) in nodes.iter().enumerate().rev() {
            let extent = match node {
                Node::Leaf(value) => Extent { right: at, least: number(value) },
                Node::Branch => {
                    let (_, left_least) = whole.pop().unwrap_or((at, 0));
                    let (right, right_least) = whole.pop().unwrap_or((at, 0));
                    Extent { right, least: left_least.min(right_least) }
                }
            };
            whole.push((at, extent.least));
            extents.push(extent);
        }
        extents.reverse();
        Self { extents }
    }

    fn children(&self, at: usize) -> (usize, usize) {
        (at.saturating_add(1), self.extents.get(at).map_or(at, |extent| extent.right))
    }

    fn least(&self, at: usize) -> u64 {
        self.extents.get(at).map_or(0, |extent| extent.least)
    }
}

/// A subtree that the decoder still has to append.
enum Todo<T> {
    /// The bits say what it is; the value is what the branches above it hold.
    Read(T),
    /// A leaf that the bits of its branch have told of already.
    Leaf(T),
}

fn decode_id(bits: &mut BitReader<'_>, budget: NodeBudget) -> Result<Id, IntervalTreeDecodeError> {
    let mut id = Builder::new();
    let mut todo: Vec<Todo<bool>> = [Todo::Read(false)].into();
    while let Some(next) = todo.pop() {
        budget.check(id.len().saturating_add(todo.len()).saturating_add(1))?;
        let form = match next {
            Todo::Leaf(owned) => {
                id.leaf(owned);
                continue;
            }
            Todo::Read(_) => bits.bits(2)?,
        };
        if form == ID_LEAF {
            id.leaf(bits.bits(1)? == 1);
            continue;
        }
        let side = |is_read| if is_read { Todo::Read(false) } else { Todo::Leaf(false) };
        id.branch();
        todo.push(side(form != ID_LEFT_ONLY));
        todo.push(side(form != ID_RIGHT_ONLY));
    }
    Ok(id.finish())
}

fn decode_events(
    bits: &mut BitReader<'_>,
    budget: NodeBudget,
    id_nodes: usize,
) -> Result<Events, IntervalTreeDecodeError> {
    let mut events = Builder::new();
    let mut todo: Vec<Todo<u64>> = [Todo::Read(0)].into();
    while let Some(next) = todo.pop() {
        budget.check(id_nodes.saturating_add(events.len()).saturating_add(todo.len()).saturating_add(1))?;
        let base = match next {
            Todo::Leaf(count) => {
                events.leaf(count);
                continue;
            }
            Todo::Read(base) => base,
        };
        if bits.bits(1)? == 1 {
            events.leaf(lift(base, bits)?);
            continue;
        }
        let (form, base) = match bits.bits(2)? {
            LIFTED => {
                let form = if bits.bits(1)? == 1 { BOTH } else { bits.bits(1)? };
                // What a branch holds is written as a leaf, with the leaf's first bit.
                let base = if bits.bits(1)? == 1 {
                    lift(base, bits)?
                } else {
                    return Err(IntervalTreeDecodeError::NotCanonical);
                };
                (form, base)
            }
            form => (form, base),
        };
        let side = |is_read| if is_read { Todo::Read(base) } else { Todo::Leaf(base) };
        events.branch();
        todo.push(side(form != LEFT_ABOVE));
        todo.push(side(form != RIGHT_ABOVE));
    }
    Ok(events.finish())
}

/// Reads a number and adds it to what is above it.
fn lift(base: u64, bits: &mut BitReader<'_>) -> Result<u64, IntervalTreeDecodeError> {
    let sum = base.checked_add(bits.number()?).filter(|sum| *sum <= MAX_COUNTER);
    sum.ok_or(IntervalTreeDecodeError::Number)
}

impl From<BitError> for IntervalTreeDecodeError {
    fn from(error: BitError) -> Self {
        match error {
            BitError::Truncated => Self::Truncated,
            BitError::Number => Self::Number,
        }
    }
}

impl From<BudgetExceeded> for IntervalTreeDecodeError {
    fn from(error: BudgetExceeded) -> Self {
        Self::Budget(error)
    }
}
