//! The hot paths that have a target: what is measured, beside what, and what is to be reached.

use crate::figures::{Figure, Figures};

/// A row of a group, by the names that the benchmark gave.
pub(crate) type Row = (&'static str, &'static str);

#[derive(Clone, Copy, Debug)]
pub(crate) struct Target {
    pub(crate) what: &'static str,
    pub(crate) ours: Row,
    pub(crate) goal: Goal,
}

#[derive(Clone, Copy, Debug)]
pub(crate) enum Goal {
    /// At most so many times what the other row takes.
    Ratio(&'static str, f64),
    /// Beside the other row, without a number to reach.
    Beside(&'static str),
    /// At most so many nanoseconds for each of so many.
    Each(f64, f64),
    /// At least so many of so many bytes in a nanosecond.
    Rate(f64, f64),
}

/// What came of a target.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Verdict {
    pub(crate) ours: Figure,
    pub(crate) other: Option<Figure>,
    /// By medians, and by the fastest tenth of both.
    pub(crate) reached: f64,
    pub(crate) reached_fast: f64,
    /// By the medians; `None` without a number to reach.
    pub(crate) met: Option<bool>,
}

#[expect(clippy::float_arithmetic, reason = "ratios, for people")]
impl Target {
    /// The rows that it needs of this package, by the names that criterion prints. `benches/loro` is a package of its own.
    pub(crate) fn rows(&self) -> impl Iterator<Item = String> {
        let (group, row) = self.ours;
        [Some(row), self.goal.beside().filter(|row| *row != "loro")]
            .into_iter()
            .flatten()
            .map(move |row| format!("{group}/{row}"))
    }

    pub(crate) fn judge(&self, figures: &Figures) -> Option<Verdict> {
        let (group, row) = self.ours;
        let ours = figures.get(group, row)?;
        let (other, reached, reached_fast, met) = match self.goal {
            Goal::Ratio(..) | Goal::Beside(_) => {
                let other = figures.get(group, self.goal.beside()?)?;
                let (reached, fast) = (ours.median / other.median, ours.fast / other.fast);
                let most = if let Goal::Ratio(_, most) = self.goal { Some(most) } else { None };
                (Some(other), reached, fast, most.map(|most| reached <= most))
            }
            Goal::Each(count, most) => {
                let (reached, fast) = (ours.median / count, ours.fast / count);
                (None, reached, fast, Some(reached <= most))
            }
            Goal::Rate(bytes, least) => {
                let (reached, fast) = (bytes / ours.median, bytes / ours.fast);
                (None, reached, fast, Some(reached >= least))
            }
        };
        Some(Verdict { ours, other, reached, reached_fast, met })
    }
}

impl Goal {
    pub(crate) const fn beside(self) -> Option<&'static str> {
        match self {
            Self::Ratio(beside, _) | Self::Beside(beside) => Some(beside),
            Self::Each(..) | Self::Rate(..) => None,
        }
    }

    pub(crate) fn text(self) -> String {
        match self {
            Self::Ratio(_, most) => format!("<= {most:.3}"),
            Self::Beside(_) => "-".to_owned(),
            Self::Each(_, most) => format!("<= {most} ns"),
            Self::Rate(_, least) => format!(">= {least} bytes/ns"),
        }
    }
}

const fn ratio(what: &'static str, ours: Row, beside: &'static str, most: f64) -> Target {
    Target { what, ours, goal: Goal::Ratio(beside, most) }
}

const fn beside(what: &'static str, ours: Row, other: &'static str) -> Target {
    Target { what, ours, goal: Goal::Beside(other) }
}

const VALUES: &[Target] = &[
    ratio("compare timestamps", ("compare/timestamp", "hlc"), "floor: u64", 1.05),
    ratio("compare stamps", ("compare/stamp", "hlc"), "floor: u128", 1.05),
    ratio("sort timestamps", ("sort/timestamp", "hlc"), "floor: u64", 1.05),
    ratio("sort stamps", ("sort/stamp", "hlc"), "floor: u128", 1.05),
    ratio("sort stamps, by to_u128", ("sort/stamp", "hlc, by to_u128"), "floor: u128", 1.05),
    ratio("hash timestamps", ("hash/timestamp", "hlc"), "floor: u64", 1.05),
    ratio("hash stamps", ("hash/stamp", "hlc"), "floor: u128", 1.05),
    ratio("hash stamps, by to_u128", ("hash/stamp", "hlc, to_u128"), "floor: u128", 1.05),
    ratio("stamp to text", ("text/write", "hlc, into a buffer"), "uhlc, to_string", 0.15),
    ratio(
        "stamp to text, both into a buffer",
        ("text/write", "hlc, into a buffer"),
        "uhlc, into a buffer",
        0.15,
    ),
    ratio(
        "stamp to text, both into a buffer, its usual id",
        ("text/write", "hlc, into a buffer"),
        "uhlc, its usual id, into a buffer",
        0.15,
    ),
    ratio("stamp from text", ("text/parse", "hlc"), "uhlc", 0.15),
    ratio("stamp from text, its usual id", ("text/parse", "hlc"), "uhlc, its usual id", 0.15),
];

const CLOCKS: &[Target] = &[
    ratio("tick, SystemSource", ("tick", "hlc, SystemSource"), "floor: SystemTime + atomic add", 1.10),
    ratio("tick, AnchoredSource", ("tick", "hlc, AnchoredSource, quanta"), "uhlc", 0.35),
    beside(
        "tick, AnchoredSource, beside its counter",
        ("tick", "hlc, AnchoredSource, quanta"),
        "floor: quanta's counter + atomic add",
    ),
    ratio("tick, CachedSource", ("tick", "hlc, CachedSource"), "floor: atomic add", 1.5),
    beside(
        "tick, CachedSource, beside an exchange",
        ("tick", "hlc, CachedSource"),
        "floor: two loads + exchange",
    ),
    beside("tick, SystemSource, beside uhlc", ("tick", "hlc, SystemSource"), "uhlc"),
    beside(
        "observe, beside uhlc (which returns no stamp)",
        ("observe", "hlc, old stamp"),
        "uhlc, old stamp (no stamp returned)",
    ),
    ratio("reserve(64), a stamp", ("reserve", "hlc, 64 stamps, CachedSource"), "floor: 64 atomic adds", 0.3),
    Target {
        what: "reserve(64), each stamp",
        ours: ("reserve", "hlc, 64 stamps, CachedSource"),
        goal: Goal::Each(64.0, 1.0),
    },
    beside("merge of an old stamp", ("merge", "hlc, old stamp"), "floor: load and compare"),
    beside("lamport tick", ("lamport/tick", "lamport"), "floor: atomic add"),
    ratio("durable tick, hlc, SystemSource", ("durable tick/SystemSource", "durable"), "plain", 1.2),
    ratio("durable tick, hlc, CachedSource", ("durable tick/CachedSource", "durable"), "plain", 1.2),
    ratio("durable tick, hlc, owned", ("durable tick/SystemSource, owned", "durable"), "plain", 1.2),
    ratio("durable tick, lamport", ("durable tick/lamport", "durable"), "plain", 1.2),
];

const VECTORS: &[Target] = &[
    Target {
        what: "dense compare, 1024 lanes, bytes of both",
        ours: ("dense/compare/1024/before", "vector-clock"),
        goal: Goal::Rate(16_384.0, 100.0),
    },
    // With the vector instructions that the processor has: the promise for SSE2 alone needs one without AVX2.
    beside(
        "dense compare, 1024 lanes, beside a plain loop",
        ("dense/compare/1024/before", "vector-clock"),
        "floor: plain loop",
    ),
    Target {
        what: "dense compare, 3 lanes",
        ours: ("dense/compare/3/before", "vector-clock"),
        goal: Goal::Each(1.0, 5.0),
    },
    ratio(
        "sparse compare, 8 equal members, before",
        ("vector/compare/8/before", "vector-clock"),
        "crdts",
        0.2,
    ),
    ratio(
        "sparse compare, 64 equal members, before",
        ("vector/compare/64/before", "vector-clock"),
        "crdts",
        1.0 / 15.0,
    ),
    ratio(
        "sparse compare, 1024 equal members, before",
        ("vector/compare/1024/before", "vector-clock"),
        "crdts",
        0.02,
    ),
    beside(
        "sparse compare, 64, concurrent at the end",
        ("vector/compare/64/concurrent, at the end", "vector-clock"),
        "crdts",
    ),
    beside(
        "sparse compare, 64, disjoint members",
        ("vector/compare/64/concurrent, disjoint members", "vector-clock"),
        "crdts",
    ),
    beside("sparse compare, 64, beside yrs", ("vector/compare/64/before", "vector-clock"), "yrs"),
    beside("sparse compare, 64, beside loro", ("vector/compare/64/before", "vector-clock"), "loro"),
    beside("encode 64 entries, beside yrs", ("vector/encode/64", "vector-clock, to_bytes"), "yrs, encode_v1"),
    beside("decode 64 entries, beside yrs", ("vector/decode/64", "vector-clock"), "yrs, decode_v1"),
];

const FENCING: &[Target] = &[
    ratio("Gate::enter and drop", ("permit", "Gate::enter and drop"), "floor: two atomic adds", 1.3),
    beside(
        "Gate::enter and drop, beside a mutex",
        ("permit", "Gate::enter and drop"),
        "peer: parking_lot mutex",
    ),
    beside(
        "Gate::enter and drop, two threads",
        ("permit, two threads", "Gate::enter and drop"),
        "floor: two atomic adds",
    ),
    ratio(
        "Register::raise",
        ("raise", "Register::raise"),
        "floor: the same bytes to the same places + fdatasync",
        1.3,
    ),
    beside("Reserver::draw within a block", ("draw", "Reserver::draw within a block"), "floor: atomic add"),
    ratio(
        "durable acquire and release, file",
        ("grant", "file: acquire and release"),
        "floor: the same bytes, four syncs",
        1.3,
    ),
];

/// All of them, in the order of the report.
pub(crate) fn all() -> impl Iterator<Item = &'static Target> {
    [VALUES, CLOCKS, VECTORS, FENCING].into_iter().flatten()
}
