//! Interval tree clocks: against sets of events, against the paper's own equations, and against hostile bytes.

use proptest::prelude::*;
use vector_clock::{
    Causality, IntervalTreeClock, IntervalTreeDecodeError, IntervalTreeError, MAX_COUNTER, MaxJump,
    NodeBudget,
};

use crate::itc_paper::Stamp;
use crate::oracle::{Choices, History};

/// One replica three times: the clock, the paper's stamp, and the events themselves.
struct Replica {
    clock: IntervalTreeClock,
    paper: Stamp,
    history: History<u64>,
}

/// The same clock a second time, which only a test may have.
fn copy(clock: &IntervalTreeClock) -> IntervalTreeClock {
    IntervalTreeClock::from_bytes(&clock.to_bytes(), NodeBudget::DEFAULT).unwrap()
}

impl Clone for Replica {
    fn clone(&self) -> Self {
        Self { clock: copy(&self.clock), paper: self.paper.clone(), history: self.history.clone() }
    }
}

impl Replica {
    fn check(&self, other: &Self) {
        let (ours, theirs) = (&self.clock, &other.clock);
        assert_eq!(ours.causality(theirs), self.history.causality(&other.history));
        assert_eq!(ours.leq(theirs), self.paper.leq(&other.paper));
    }

    fn check_form(&self) {
        let bytes = self.clock.to_bytes();
        assert_eq!(text_of_bits(&bytes), padded(self.paper.bits()));
        assert_eq!(IntervalTreeClock::from_bytes(&bytes, NodeBudget::DEFAULT), Ok(copy(&self.clock)));
    }
}

/// The bits behind the version byte.
fn text_of_bits(bytes: &[u8]) -> String {
    bytes[1..].iter().map(|byte| format!("{byte:08b}")).collect()
}

fn padded(mut bits: String) -> String {
    while !bits.len().is_multiple_of(8) {
        bits.push('0');
    }
    bits
}

/// The bytes of a clock with these bits.
fn bytes_of(bits: &str) -> Vec<u8> {
    let bits = padded(bits.replace(' ', ""));
    let bytes =
        bits.as_bytes().chunks(8).map(|byte| u8::from_str_radix(str::from_utf8(byte).unwrap(), 2).unwrap());
    core::iter::once(1).chain(bytes).collect()
}

fn decode(bits: &str) -> Result<IntervalTreeClock, IntervalTreeDecodeError> {
    IntervalTreeClock::from_bytes(&bytes_of(bits), NodeBudget::DEFAULT)
}

/// One random execution of `steps` steps with at most `replicas` replicas at a time.
fn execute(seed: u64, steps: usize, replicas: usize) {
    let mut choices = Choices::seeded(seed);
    let mut events = 0;
    let mut next_event = || {
        events += 1;
        events
    };
    let mut live =
        vec![Replica { clock: IntervalTreeClock::seed(), paper: Stamp::seed(), history: History::new() }];
    for _ in 0..steps {
        let at = choices.below(live.len());
        let other = choices.below(live.len());
        match choices.below(6) {
            0 if live.len() < replicas => {
                let one = &mut live[at];
                let forked = Replica {
                    clock: one.clock.fork().unwrap(),
                    paper: one.paper.fork(),
                    history: one.history.clone(),
                };
                live.push(forked);
            }
            1 if at != other => {
                let mut leaving = live[other].clone();
                let one = &mut live[at];
                one.clock.join(&mut leaving.clock).unwrap();
                assert!(leaving.clock.is_anonymous());
                one.paper.join(&leaving.paper);
                one.history.learn(&leaving.history);
                live.remove(other);
                for one in &live {
                    live[if other < at { at - 1 } else { at }].check(one);
                }
            }
            // A message: the send is an event, its stamp travels without the id, and so is the receipt.
            2 if at != other => {
                let sender = &mut live[at];
                sender.clock.event().unwrap();
                sender.paper.event();
                sender.history.record(next_event());
                let message = sender.clone();
                let receiver = &mut live[other];
                receiver.clock.observe(&message.clock.peek()).unwrap();
                receiver.paper.merge(&message.paper);
                receiver.paper.event();
                receiver.history.learn(&message.history);
                receiver.history.record(next_event());
            }
            3 if at != other => {
                let known = live[other].clone();
                let one = &mut live[at];
                one.clock.merge(&known.clock).unwrap();
                one.paper.merge(&known.paper);
                one.history.learn(&known.history);
            }
            _ => {
                let one = &mut live[at];
                one.clock.event().unwrap();
                one.paper.event();
                one.history.record(next_event());
            }
        }
        // Only the one at `at` and, if it is still there, the one at `other` are not as they were.
        for changed in [at, other].into_iter().filter_map(|index| live.get(index)) {
            for one in &live {
                changed.check(one);
                one.check(changed);
            }
        }
    }
    for one in &live {
        one.check_form();
    }
    // When all have left again, one owns everything and the trees are as small as at the start.
    let mut last = live.pop().unwrap();
    for mut leaving in live {
        last.clock.join(&mut leaving.clock).unwrap();
        last.history.learn(&leaving.history);
    }
    last.clock.event().unwrap();
    assert_eq!(last.clock.node_count(), 2, "an owner of everything has one number");
}

#[test]
fn what_a_clock_hands_out_believes_no_more_than_the_clock() {
    let mut seed = IntervalTreeClock::seed().with_max_jump(MaxJump::AtMost(2));
    let mut child = seed.fork().unwrap();
    let mut message = seed.peek();
    (0..3).for_each(|_| seed.event().unwrap());
    let too_far =
        |clock: &mut IntervalTreeClock| matches!(clock.merge(&seed), Err(IntervalTreeError::Jump(_)));
    assert!(too_far(&mut child) && too_far(&mut message));
}

#[test]
fn every_random_execution_agrees_with_the_causal_histories_and_with_the_paper() {
    for seed in 0..2_000 {
        println!("seed {seed}");
        execute(seed, 32, 6);
    }
    for seed in 0..20 {
        println!("long seed {seed}");
        execute(1_000_000 + seed, 200, 20);
    }
}

#[test]
fn a_seed_forks_joins_and_is_the_seed_again() {
    let mut clock = IntervalTreeClock::seed();
    let mut parts = vec![clock.fork().unwrap(), clock.fork().unwrap()];
    parts.push(copy(&parts[0]).fork().unwrap());
    // The third was forked from a copy, so it overlaps its source and nothing else.
    let mut stray = parts.pop().unwrap();
    assert_eq!(copy(&parts[0]).join(&mut stray), Err(IntervalTreeError::Overlap));
    for part in &mut parts {
        clock.join(part).unwrap();
    }
    assert_eq!(clock, IntervalTreeClock::seed());
}

#[test]
fn joining_a_clock_twice_is_refused_and_changes_neither() {
    let mut clock = IntervalTreeClock::seed();
    let mut leaving = clock.fork().unwrap();
    leaving.event().unwrap();
    let mut again = copy(&leaving);
    clock.join(&mut leaving).unwrap();
    let before = (copy(&clock), copy(&again));
    assert_eq!(clock.join(&mut again), Err(IntervalTreeError::Overlap));
    assert_eq!(clock.snapshot().overlap, 1);
    assert_eq!((clock, again), before);
}

#[test]
fn an_anonymous_clock_counts_nothing_and_forks_into_anonymous_ones() {
    let mut owner = IntervalTreeClock::seed();
    owner.event().unwrap();
    let mut message = owner.peek();
    assert_eq!(message.event(), Err(IntervalTreeError::Anonymous));
    assert_eq!(message.observe(&owner), Err(IntervalTreeError::Anonymous));
    assert!(message.fork().unwrap().is_anonymous() && message.is_anonymous());
    assert_eq!(message.causality(&owner), Causality::Equal);
    assert_eq!(message, owner.peek());
}

#[test]
fn a_clock_over_its_budget_is_refused_and_unchanged() {
    let mut clock = IntervalTreeClock::seed().with_budget(NodeBudget::new(6)).unwrap();
    let mut other = clock.fork().unwrap();
    let mut third = other.fork().unwrap();
    let before = copy(&other);
    // Ids of five nodes each, and one for the events: the next cut needs two more.
    let refused = other.fork().unwrap_err();
    assert_eq!((refused.nodes(), refused.budget()), (8, 6));
    assert!(matches!(other.event(), Err(IntervalTreeError::Budget(_))));
    assert_eq!(other, before);
    third = third.with_budget(NodeBudget::DEFAULT).unwrap();
    third.event().unwrap();
    assert!(matches!(other.merge(&third), Err(IntervalTreeError::Budget(_))));
    assert!(matches!(other.observe(&third), Err(IntervalTreeError::Budget(_))));
    assert!(matches!(other.join(&mut third), Err(IntervalTreeError::Budget(_))));
    assert_eq!(other, before);
    assert!(!third.is_anonymous());
    assert_eq!((other.snapshot().nodes, other.snapshot().budget), (6, 5));
    assert!(third.with_budget(NodeBudget::new(6)).is_err());
}

#[test]
fn a_forged_count_far_ahead_is_refused_at_every_door() {
    // An anonymous clock whose events are at the greatest counter everywhere.
    let mut forged = IntervalTreeClock::from_bytes(&greatest_everywhere(), NodeBudget::DEFAULT).unwrap();
    let mut clock = IntervalTreeClock::seed();
    let before = copy(&clock);
    for refused in [clock.merge(&forged), clock.observe(&forged), clock.join(&mut forged)] {
        let Err(IntervalTreeError::Jump(jump)) = refused else { panic!("{refused:?}") };
        assert_eq!((jump.ahead(), jump.limit()), (MAX_COUNTER, 1 << 40));
    }
    assert_eq!(clock, before);

    let mut ahead = IntervalTreeClock::seed();
    for _ in 0..3 {
        ahead.event().unwrap();
    }
    let mut strict = clock.peek().with_max_jump(MaxJump::AtMost(2));
    assert!(matches!(strict.merge(&ahead), Err(IntervalTreeError::Jump(_))));
    strict.with_max_jump(MaxJump::AtMost(3)).merge(&ahead).unwrap();
    clock.peek().with_max_jump(MaxJump::Unbounded).merge(&forged).unwrap();
}

fn greatest_everywhere() -> Vec<u8> {
    let mut bits = String::from("000 1");
    let (mut rest, mut width) = (MAX_COUNTER, 2_u32);
    while rest >= 1 << width {
        rest -= 1 << width;
        width += 1;
        bits.push('1');
    }
    bits.push('0');
    bits.push_str(&format!("{rest:0width$b}", width = usize::try_from(width).unwrap()));
    bytes_of(&bits)
}

#[test]
fn at_the_greatest_counter_an_event_is_an_overflow_and_changes_nothing() {
    let forged = IntervalTreeClock::from_bytes(&greatest_everywhere(), NodeBudget::DEFAULT).unwrap();
    let mut clock = IntervalTreeClock::seed();
    clock.merge_committed(&forged).unwrap();
    let before = copy(&clock);
    assert!(matches!(clock.event(), Err(IntervalTreeError::Overflow(_))));
    assert_eq!(clock, before);
    assert_eq!(clock.to_bytes().len(), greatest_everywhere().len());
}

/// Made with an encoder of its own from the equations of the paper.
const VECTORS: &str = include_str!("../vectors/interval_tree_clock.txt");

#[test]
fn the_bytes_of_the_paper_have_not_changed() {
    for line in VECTORS.lines().filter(|line| !line.starts_with('#')) {
        let (hex, meaning) = line.split_once(' ').unwrap();
        let digits = hex.trim_start_matches('-').as_bytes().chunks(2);
        let bytes: Vec<u8> =
            digits.map(|byte| u8::from_str_radix(str::from_utf8(byte).unwrap(), 16).unwrap()).collect();
        let decoded = IntervalTreeClock::from_bytes(&bytes, NodeBudget::DEFAULT);
        if let Some(reason) = meaning.strip_prefix("refused ") {
            assert_eq!(format!("{:?}", decoded.unwrap_err()), reason, "{line}");
            continue;
        }
        let clock = decoded.unwrap();
        let (id, events) = meaning.split_once(" | ").unwrap();
        assert_eq!(format!("{clock:?}"), format!("IntervalTreeClock(id {id}, events {events})"), "{line}");
        assert_eq!(clock.to_bytes(), bytes, "{line}");
    }
    assert_eq!(IntervalTreeClock::seed().to_bytes(), [0x01, 0x30]);
}

#[test]
fn a_clock_of_another_version_is_refused_whatever_follows() {
    let whole = IntervalTreeClock::seed().to_bytes();
    for version in (0..=u8::MAX).filter(|version| *version != 1) {
        for rest in [&whole[1..], &[][..], &[0xff; 40]] {
            let later = [&[version][..], rest].concat();
            let refused = IntervalTreeClock::from_bytes(&later, NodeBudget::DEFAULT);
            assert_eq!(refused, Err(IntervalTreeDecodeError::Version(version)));
        }
    }
}

#[test]
fn bytes_that_are_not_the_one_form_of_a_clock_are_refused() {
    use IntervalTreeDecodeError::{NotCanonical, Number, Truncated, Version};
    for (row, bits, refusal) in [
        ("the id (0, 0)", "11 000 000 1000", NotCanonical),
        ("the id (1, 1)", "11 001 001 1000", NotCanonical),
        ("an empty left side written out", "11 000 001 1000", NotCanonical),
        ("an empty right side", "10 000 1000", NotCanonical),
        ("two equal leaves", "001 010 1001 1001", NotCanonical),
        ("two equal leaves of zero", "001 000 1000", NotCanonical),
        ("nothing at zero below a branch", "001 010 1001 1010", NotCanonical),
        ("a zero side written out", "001 010 1000 1001", NotCanonical),
        ("a branch lifted by zero", "001 0110 0 1000 1001", NotCanonical),
        ("a lift that is not a number", "001 0111 0", NotCanonical),
        ("a one in the filling", "001 1000 1", NotCanonical),
        ("a byte behind the end", "001 1000 0 00000000", NotCanonical),
        ("no events", "001", Truncated),
        ("half a number", "001 1 1111", Truncated),
        ("one more than the greatest counter", &over_the_top(), Number),
        ("a number without end", &format!("001 1 {}", "1".repeat(10_000)), Number),
    ] {
        assert_eq!(decode(bits), Err(refusal), "{row}");
    }
    assert_eq!(IntervalTreeClock::from_bytes(&[], NodeBudget::DEFAULT), Err(Truncated));
    assert_eq!(IntervalTreeClock::from_bytes(&[1], NodeBudget::DEFAULT), Err(Truncated));
    assert_eq!(IntervalTreeClock::from_bytes(&[2, 0x30, 0], NodeBudget::DEFAULT), Err(Version(2)));
}

/// A branch lifted by 1, over a leaf at the greatest counter.
fn over_the_top() -> String {
    let greatest = text_of_bits(&greatest_everywhere());
    format!("000 0 11 0 0 1001 {}", &greatest[3..])
}

#[test]
fn a_million_deep_clock_is_refused_at_the_budget() {
    let ids = ["01", "10", "11"].map(|one_more| one_more.repeat(1_000_000));
    let events = ["000", "001", "010", "01100 1001", "01101 1001", "0111 1001"];
    let events = events.map(|one_more| format!("001 {}", one_more.repeat(1_000_000)));
    for bits in ids.iter().chain(&events) {
        for budget in [NodeBudget::new(2), NodeBudget::new(100), NodeBudget::DEFAULT] {
            let refused = IntervalTreeClock::from_bytes(&bytes_of(bits), budget);
            let Err(IntervalTreeDecodeError::Budget(why)) = refused else { panic!("{refused:?}") };
            // What was kept until then is what memory it took: a branch at most, beyond the budget.
            assert!(why.nodes() <= budget.nodes() + 2, "{why}");
        }
    }
}

#[test]
fn a_million_deep_clock_within_a_larger_budget_needs_no_call_stack() {
    let run = || {
        let budget = NodeBudget::new(10_000_000);
        let deep = |side: &str, top: &str| {
            bytes_of(&format!("{}{top} {}1001", side.repeat(1_000_000), "000".repeat(1_000_000)))
        };
        let mut clock = IntervalTreeClock::from_bytes(&deep("01", "001"), budget).unwrap();
        assert_eq!(clock.to_bytes(), deep("01", "001"));
        let mut shallow = IntervalTreeClock::from_bytes(&deep("10", "001"), budget).unwrap();
        clock.event().unwrap();
        assert_eq!(clock.causality(&shallow), Causality::After);
        shallow.observe(&clock).unwrap();
        assert_eq!(clock.causality(&shallow), Causality::Before);
        let mut forked = clock.fork().unwrap();
        clock.join(&mut forked).unwrap();
        clock.join(&mut shallow).unwrap();
        assert!(shallow.is_anonymous());
    };
    // Less stack than a recursion of this depth takes for its return addresses alone.
    std::thread::Builder::new().stack_size(128 * 1024).spawn(run).unwrap().join().unwrap();
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]

    #[test]
    fn whatever_bytes_are_accepted_are_the_bytes_of_the_clock(mut bytes in proptest::collection::vec(any::<u8>(), 0..24)) {
        if let Some(version) = bytes.first_mut() {
            *version = 1;
        }
        if let Ok(clock) = IntervalTreeClock::from_bytes(&bytes, NodeBudget::new(64)) {
            prop_assert_eq!(clock.to_bytes(), bytes);
            prop_assert!(clock.node_count() <= 64);
        }
    }

    #[test]
    fn no_use_of_a_hostile_clock_panics(bits in "(01|10|11){0,6}(001|000|11001000)(000|001|010|0111100(0|1)){0,4}(1[01]{3}){0,6}") {
        if let Ok(mut hostile) = decode(&bits) {
            let mut clock = IntervalTreeClock::seed();
            let mut other = clock.fork().unwrap();
            let _ = (clock.merge(&hostile), other.observe(&hostile), clock.join(&mut hostile));
            let _ = (hostile.event(), hostile.fork());
            prop_assert_eq!(clock.causality(&hostile), hostile.causality(&clock).reverse());
        }
    }
}
