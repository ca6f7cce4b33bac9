//! Interval tree clocks as the paper writes them down: recursive, on boxed trees, one equation a line.

use core::fmt::Write;

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Id {
    Leaf(bool),
    Node(Box<Id>, Box<Id>),
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Ev {
    Leaf(u64),
    Node(u64, Box<Ev>, Box<Ev>),
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Stamp(pub(crate) Id, pub(crate) Ev);

const ZERO: Id = Id::Leaf(false);
const ONE: Id = Id::Leaf(true);
/// "Some large constant": above the depth of every tree in the tests.
const NEW_BRANCH: u64 = 100_000;

fn id(left: Id, right: Id) -> Id {
    if left == right && matches!(left, Id::Leaf(_)) { left } else { Id::Node(left.into(), right.into()) }
}

fn sum(a: &Id, b: &Id) -> Id {
    match (a, b) {
        (Id::Leaf(false), other) | (other, Id::Leaf(false)) => other.clone(),
        (Id::Node(l1, r1), Id::Node(l2, r2)) => id(sum(l1, l2), sum(r1, r2)),
        (Id::Leaf(true), _) | (_, Id::Leaf(true)) => panic!("overlap"),
    }
}

fn split(whole: &Id) -> (Id, Id) {
    let node = |l: Id, r: Id| Id::Node(l.into(), r.into());
    match whole {
        Id::Leaf(false) => (ZERO, ZERO),
        Id::Leaf(true) => (node(ONE, ZERO), node(ZERO, ONE)),
        Id::Node(l, r) if **l == ZERO => {
            let (r1, r2) = split(r);
            (node(ZERO, r1), node(ZERO, r2))
        }
        Id::Node(l, r) if **r == ZERO => {
            let (l1, l2) = split(l);
            (node(l1, ZERO), node(l2, ZERO))
        }
        Id::Node(l, r) => (node((**l).clone(), ZERO), node(ZERO, (**r).clone())),
    }
}

impl Ev {
    fn lift(self, by: u64) -> Self {
        match self {
            Self::Leaf(n) => Self::Leaf(n + by),
            Self::Node(n, l, r) => Self::Node(n + by, l, r),
        }
    }

    fn sink(self, by: u64) -> Self {
        match self {
            Self::Leaf(n) => Self::Leaf(n - by),
            Self::Node(n, l, r) => Self::Node(n - by, l, r),
        }
    }

    /// Of a tree in normal form.
    fn min(&self) -> u64 {
        match self {
            Self::Leaf(n) | Self::Node(n, ..) => *n,
        }
    }

    fn max(&self) -> u64 {
        match self {
            Self::Leaf(n) => *n,
            Self::Node(n, l, r) => n + l.max().max(r.max()),
        }
    }
}

fn norm(n: u64, left: Ev, right: Ev) -> Ev {
    match (&left, &right) {
        (Ev::Leaf(a), Ev::Leaf(b)) if a == b => Ev::Leaf(n + a),
        _ => {
            let m = left.min().min(right.min());
            Ev::Node(n + m, left.sink(m).into(), right.sink(m).into())
        }
    }
}

fn leq(a: &Ev, b: &Ev) -> bool {
    match (a, b) {
        (Ev::Leaf(n1), Ev::Leaf(n2) | Ev::Node(n2, ..)) => n1 <= n2,
        (Ev::Node(n1, l1, r1), Ev::Leaf(n2)) => {
            n1 <= n2 && [l1, r1].into_iter().all(|side| leq(&(**side).clone().lift(*n1), b))
        }
        (Ev::Node(n1, l1, r1), Ev::Node(n2, l2, r2)) => {
            n1 <= n2
                && leq(&(**l1).clone().lift(*n1), &(**l2).clone().lift(*n2))
                && leq(&(**r1).clone().lift(*n1), &(**r2).clone().lift(*n2))
        }
    }
}

fn join(a: &Ev, b: &Ev) -> Ev {
    let opened = |n: u64| Ev::Node(n, Ev::Leaf(0).into(), Ev::Leaf(0).into());
    match (a, b) {
        (Ev::Leaf(n1), Ev::Leaf(n2)) => Ev::Leaf(*n1.max(n2)),
        (Ev::Leaf(n1), Ev::Node(..)) => join(&opened(*n1), b),
        (Ev::Node(..), Ev::Leaf(n2)) => join(a, &opened(*n2)),
        (Ev::Node(n1, ..), Ev::Node(n2, ..)) if n1 > n2 => join(b, a),
        (Ev::Node(n1, l1, r1), Ev::Node(n2, l2, r2)) => {
            let by = n2 - n1;
            norm(*n1, join(l1, &(**l2).clone().lift(by)), join(r1, &(**r2).clone().lift(by)))
        }
    }
}

fn fill(id: &Id, ev: &Ev) -> Ev {
    match (id, ev) {
        (Id::Leaf(false), _) | (_, Ev::Leaf(_)) => ev.clone(),
        (Id::Leaf(true), _) => Ev::Leaf(ev.max()),
        (Id::Node(il, ir), Ev::Node(n, el, er)) if **il == ONE => {
            let right = fill(ir, er);
            norm(*n, Ev::Leaf(el.max().max(right.min())), right)
        }
        (Id::Node(il, ir), Ev::Node(n, el, er)) if **ir == ONE => {
            let left = fill(il, el);
            norm(*n, left.clone(), Ev::Leaf(er.max().max(left.min())))
        }
        (Id::Node(il, ir), Ev::Node(n, el, er)) => norm(*n, fill(il, el), fill(ir, er)),
    }
}

fn grow(id: &Id, ev: &Ev) -> (Ev, u64) {
    match (id, ev) {
        (Id::Leaf(true), Ev::Leaf(n)) => (Ev::Leaf(n + 1), 0),
        (_, Ev::Leaf(n)) => {
            let (grown, cost) = grow(id, &Ev::Node(*n, Ev::Leaf(0).into(), Ev::Leaf(0).into()));
            (grown, cost + NEW_BRANCH)
        }
        (Id::Node(il, ir), Ev::Node(n, el, er)) => {
            let left = (**il != ZERO).then(|| grow(il, el));
            let right = (**ir != ZERO).then(|| grow(ir, er));
            match (left, right) {
                (Some((grown, cost)), None) => (Ev::Node(*n, grown.into(), er.clone()), cost + 1),
                (Some((grown, cl)), Some((_, cr))) if cl < cr => {
                    (Ev::Node(*n, grown.into(), er.clone()), cl + 1)
                }
                (_, Some((grown, cost))) => (Ev::Node(*n, el.clone(), grown.into()), cost + 1),
                (None, None) => panic!("an id in normal form"),
            }
        }
        (Id::Leaf(_), Ev::Node(..)) => panic!("the tree has been filled"),
    }
}

impl Stamp {
    pub(crate) fn seed() -> Self {
        Self(ONE, Ev::Leaf(0))
    }

    pub(crate) fn fork(&mut self) -> Self {
        let (near, far) = split(&self.0);
        self.0 = near;
        Self(far, self.1.clone())
    }

    pub(crate) fn join(&mut self, other: &Self) {
        *self = Self(sum(&self.0, &other.0), join(&self.1, &other.1));
    }

    pub(crate) fn merge(&mut self, other: &Self) {
        self.1 = join(&self.1, &other.1);
    }

    pub(crate) fn event(&mut self) {
        let filled = fill(&self.0, &self.1);
        self.1 = if filled == self.1 { grow(&self.0, &self.1).0 } else { filled };
    }

    pub(crate) fn leq(&self, other: &Self) -> bool {
        leq(&self.1, &other.1)
    }

    /// The bits of the paper, as text, `0` and `1`.
    pub(crate) fn bits(&self) -> String {
        let mut bits = String::new();
        id_bits(&self.0, &mut bits);
        ev_bits(&self.1, &mut bits);
        bits
    }
}

fn id_bits(id: &Id, out: &mut String) {
    match id {
        Id::Leaf(owned) => out.push_str(if *owned { "001" } else { "000" }),
        Id::Node(l, r) if **l == ZERO => {
            out.push_str("01");
            id_bits(r, out);
        }
        Id::Node(l, r) if **r == ZERO => {
            out.push_str("10");
            id_bits(l, out);
        }
        Id::Node(l, r) => {
            out.push_str("11");
            id_bits(l, out);
            id_bits(r, out);
        }
    }
}

fn ev_bits(ev: &Ev, out: &mut String) {
    let Ev::Node(n, l, r) = ev else {
        out.push('1');
        return number_bits(ev.min(), 2, out);
    };
    let (only_right, only_left) = (**l == Ev::Leaf(0), **r == Ev::Leaf(0));
    out.push_str(match (n, only_right, only_left) {
        (0, true, _) => "000",
        (0, false, true) => "001",
        (0, false, false) => "010",
        (_, true, _) => "01100",
        (_, false, true) => "01101",
        (_, false, false) => "0111",
    });
    if *n > 0 {
        ev_bits(&Ev::Leaf(*n), out);
    }
    if !only_right {
        ev_bits(l, out);
    }
    if only_right || !only_left {
        ev_bits(r, out);
    }
}

fn number_bits(n: u64, width: u32, out: &mut String) {
    if n < 1 << width {
        out.push('0');
        write!(out, "{n:0width$b}", width = usize::try_from(width).unwrap()).unwrap();
    } else {
        out.push('1');
        number_bits(n - (1 << width), width + 1, out);
    }
}
