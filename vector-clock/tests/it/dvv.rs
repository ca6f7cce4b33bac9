//! Dotted version vector sets: against sets of events, and against the definitions of the paper.

use alloc::collections::{BTreeMap, BTreeSet};

use vector_clock::{
    Causality, Dot, DvvLimits, DvvPartsError, DvvSet, Heap, MAX_COUNTER, MaxJump, MergeError, ObserveError,
    VersionVector,
};

use crate::oracle::{Choices, History};

type Set = DvvSet<u8, u64>;
type Context = VersionVector<u8, Heap>;

fn dot(actor: u8, counter: u64) -> Dot<u8> {
    Dot::try_new(actor, counter).unwrap()
}

fn vector(entries: &[(u8, u64)]) -> Context {
    VersionVector::from_sorted(entries.iter().map(|&(actor, counter)| dot(actor, counter))).unwrap()
}

fn values<V: Clone + Ord>(set: &DvvSet<u8, V>) -> BTreeSet<V> {
    set.values().cloned().collect()
}

/// The paper's set of triples: for each server its counter, and its values, the newest first.
#[derive(Clone, Debug, Default, PartialEq)]
struct Paper(BTreeMap<u8, (u64, Vec<u64>)>);

impl Paper {
    fn sync(&self, other: &Self) -> Self {
        let absent = (0, Vec::new());
        let servers: BTreeSet<u8> = self.0.keys().chain(other.0.keys()).copied().collect();
        let merged = servers.into_iter().map(|server| {
            let (a, b) = (self.0.get(&server).unwrap_or(&absent), other.0.get(&server).unwrap_or(&absent));
            let ((n, l), (n2, l2)) = if a.0 >= b.0 { (a, b) } else { (b, a) };
            // Those of the longer history that the other side has as well, or has not seen.
            let shared = n2 - u64::try_from(l2.len()).unwrap();
            let keep = usize::try_from(n - shared).unwrap();
            (server, (*n, l.iter().take(keep).copied().collect()))
        });
        Self(merged.collect())
    }

    fn discard(&self, context: &Context) -> Self {
        let read = context.iter().map(|dot| (dot.actor(), (dot.counter(), Vec::new()))).collect();
        self.sync(&Self(read))
    }

    fn update(&self, context: &Context, server: u8, value: u64) -> Self {
        let mut written = self.discard(context);
        let entry = written.0.entry(server).or_default();
        entry.0 += 1;
        entry.1.insert(0, value);
        written
    }

    fn values(&self) -> BTreeSet<u64> {
        self.0.values().flat_map(|(_, values)| values.iter().copied()).collect()
    }

    fn join(&self) -> Context {
        vector(&self.0.iter().map(|(&server, &(n, _))| (server, n)).collect::<Vec<_>>())
    }
}

/// One server three times: the set, the paper's triples, and all writes that it knows of, with the values that it has
/// ever had and what each was written in knowledge of.
#[derive(Clone, Default)]
struct Server {
    set: Set,
    paper: Paper,
    known: History<u64>,
    seen: BTreeMap<u64, History<u64>>,
}

impl Server {
    /// The definition: a value stands as long as no other one that is here was written in knowledge of it.
    fn standing(&self) -> BTreeSet<u64> {
        let replaced =
            |value: &u64| self.seen.iter().any(|(other, past)| other != value && past.knows(value));
        self.seen.keys().copied().filter(|value| !replaced(value)).collect()
    }

    fn check(&self) {
        assert_eq!(values(&self.set), self.standing());
        assert_eq!(self.paper.values(), self.standing());
        assert_eq!(*self.set.join(), self.paper.join());
    }
}

#[test]
fn values_are_those_of_the_causal_histories_and_of_the_paper() {
    for seed in 0..600 {
        println!("seed {seed}");
        let mut choices = Choices::seeded(seed);
        let mut servers = vec![Server::default(); 4];
        // What each client read last: a context, and the events behind it.
        let mut reads = vec![(Context::new(), History::new()); 3];
        for value in 1..60 {
            let (at, other) = (choices.below(servers.len()), choices.below(servers.len()));
            let client = choices.below(reads.len());
            match choices.below(4) {
                0 => {
                    let from = servers[other].clone();
                    let to = &mut servers[at];
                    to.set.sync(&from.set).unwrap();
                    to.paper = to.paper.sync(&from.paper);
                    to.known.learn(&from.known);
                    to.seen.extend(from.seen);
                }
                1 => reads[client] = (servers[at].set.join().clone(), servers[at].known.clone()),
                _ => {
                    let server = u8::try_from(at).unwrap();
                    let (context, past) = &reads[client];
                    let to = &mut servers[at];
                    to.set.update(context, server, value).unwrap();
                    to.paper = to.paper.update(context, server, value);
                    // A client that read elsewhere brings what it read: the server then knows of it as well.
                    to.known.learn(past);
                    to.known.record(value);
                    to.seen.insert(value, past.clone());
                }
            }
            for (a, b) in servers.iter().flat_map(|a| servers.iter().map(move |b| (a, b))) {
                let expected = a.known.causality(&b.known);
                assert_eq!(a.set.causality(&b.set), expected);
                assert_eq!(a.set.less(&b.set), expected == Causality::Before);
            }
            servers[at].check();
        }
    }
}

#[test]
fn siblings_do_not_explode_when_clients_interleave_their_writes() {
    for clients in 2..6 {
        let mut choices = Choices::seeded(clients);
        let mut set = Set::new();
        let mut reads = vec![None; usize::try_from(clients).unwrap()];
        for value in 0..2_000 {
            // Each client reads, writes with what it read, reads again; in between the others do the same.
            let client = choices.below(reads.len());
            match reads[client].take() {
                None => reads[client] = Some(set.join().clone()),
                Some(context) => {
                    set.update(&context, 1, value).unwrap();
                }
            }
            assert!(set.len() <= reads.len(), "{} siblings of {clients} clients", set.len());
        }
        assert_eq!(set.join().len(), 1, "one entry for the one server, whatever the number of clients");
    }
}

#[test]
fn a_write_replaces_exactly_what_its_client_had_read() {
    let mut set = Set::new();
    set.update(&Context::new(), 1, 10).unwrap();
    let read = set.join().clone();
    set.update(&Context::new(), 1, 20).unwrap();
    // The reader of 10 does not know 20, though the server does.
    assert_eq!(set.update(&read, 1, 11), Ok(dot(1, 3)));
    assert_eq!(values(&set), BTreeSet::from([11, 20]));
    assert_eq!(set.siblings().collect::<Vec<_>>(), [(dot(1, 2), &20), (dot(1, 3), &11)]);
}

#[test]
fn a_client_may_carry_what_it_read_to_another_server() {
    let (mut here, mut there) = (Set::new(), Set::new());
    here.update(&Context::new(), 1, 10).unwrap();
    there.update(here.join(), 2, 20).unwrap();
    here.sync(&there).unwrap();
    assert_eq!(values(&here), BTreeSet::from([20]));
    // And a write that is known to be replaced does not come back.
    let mut old = Set::new();
    old.update(&Context::new(), 1, 10).unwrap();
    there.sync(&old).unwrap();
    assert_eq!(values(&there), BTreeSet::from([20]));
}

#[test]
fn sync_is_commutative_associative_and_idempotent() {
    for seed in 0..300 {
        let mut choices = Choices::seeded(seed);
        let mut sets = vec![Set::new(); 3];
        for value in 0..20 {
            let (at, other) = (choices.below(3), choices.below(3));
            let from = sets[other].clone();
            if choices.one_in(4) {
                sets[at].sync(&from).unwrap();
            } else if from.less(&sets[at]) || at == other {
                sets[at].update(from.join(), u8::try_from(at).unwrap(), value).unwrap();
            }
        }
        let synced = |a: &Set, b: &Set| {
            let mut both = a.clone();
            both.sync(b).unwrap();
            both
        };
        let [a, b, c] = [&sets[0], &sets[1], &sets[2]];
        assert_eq!(synced(a, b), synced(b, a), "seed {seed}");
        assert_eq!(synced(&synced(a, b), c), synced(a, &synced(b, c)), "seed {seed}");
        assert_eq!(synced(a, a), *a, "seed {seed}");
    }
}

#[test]
fn last_writer_wins_keeps_one_value_and_the_whole_context() {
    let mut set = DvvSet::<u8, (u64, &str)>::new();
    for (server, value) in [(1, (5, "a")), (1, (9, "b")), (1, (7, "c")), (2, (9, "d")), (3, (1, "e"))] {
        set.update(&Context::new(), server, value).unwrap();
    }
    let all = set.clone();
    set.lww(|a, b| a.0.cmp(&b.0));
    // Not the newest of its server, and of equal times that with the greater dot.
    assert_eq!(set.siblings().collect::<Vec<_>>(), [(dot(2, 1), &(9, "d"))]);
    assert_eq!(set.join(), all.join());
    let mut replica = all.clone();
    replica.sync(&set).unwrap();
    assert_eq!(replica, set);
    set.lww(|a, b| a.0.cmp(&b.0));
    assert_eq!(set, replica);

    let mut middle = all.clone();
    middle.lww(|a, b| (a.1 == "c").cmp(&(b.1 == "c")));
    assert_eq!(middle.siblings().collect::<Vec<_>>(), [(dot(1, 3), &(7, "c"))]);
    let mut empty = Set::new();
    empty.lww(u64::cmp);
    assert!(empty.is_empty());
}

#[test]
fn reconcile_is_a_write_that_has_read_everything() {
    let mut set = Set::new();
    for server in 1..4 {
        set.update(&Context::new(), server, u64::from(server)).unwrap();
    }
    let before = set.clone();
    assert_eq!(set.reconcile(2, |all| all.values().sum()), Ok(dot(2, 2)));
    assert_eq!(values(&set), BTreeSet::from([6]));
    assert!(before.less(&set) && !set.less(&before));
    let mut replica = before;
    replica.sync(&set).unwrap();
    assert_eq!(replica, set);
}

#[test]
fn what_is_refused_leaves_the_set_as_it_was() {
    let hundred = MaxJump::AtMost(100);
    let limits = DvvLimits::DEFAULT.with_actors(2).with_siblings(3);
    let mut set = Set::with_limits(limits.with_max_jump(hundred).with_max_context_jump(hundred));
    for value in 0..3 {
        set.update(&Context::new(), 1, value).unwrap();
    }
    let before = set.clone();
    let nothing = Context::new();
    assert!(matches!(set.update(&nothing, 1, 9), Err(ObserveError::Capacity(full)) if full.needed() == 4));
    assert!(matches!(set.update(&vector(&[(1, 4)]), 1, 9), Err(ObserveError::Unissued(_))));
    assert!(matches!(set.update(&vector(&[(2, 101)]), 1, 9), Err(ObserveError::JumpExceeded(_))));
    assert!(matches!(set.update(&vector(&[(1, 3), (2, 1)]), 3, 9), Err(ObserveError::Capacity(_))));
    assert_eq!(set, before);

    let mut other = Set::new();
    other.update(&nothing, 2, 7).unwrap();
    assert!(matches!(set.sync(&other), Err(MergeError::Capacity(full)) if full.needed() == 4));
    let mut third = Set::new();
    third.update(&vector(&[(1, 3), (2, 1)]), 3, 8).unwrap();
    assert!(matches!(set.sync(&third), Err(MergeError::Capacity(full)) if full.needed() == 3));
    let far = Set::from_parts(vector(&[(1, 104)]), [], DvvLimits::DEFAULT).unwrap();
    assert!(matches!(set.sync(&far), Err(MergeError::JumpExceeded(_))));
    assert_eq!(set, before);
    set.sync_committed(&far).unwrap();
    assert!(set.is_empty() && set.join().get(1) == 104);
    // What replaces enough has room.
    let mut set = before;
    set.update(&vector(&[(1, 1)]), 1, 9).unwrap();
    assert_eq!(set.len(), 3);
}

#[test]
fn a_forged_context_takes_no_later_write_with_it_where_contexts_must_be_known() {
    let strict = DvvLimits::DEFAULT.with_max_context_jump(MaxJump::AtMost(0));
    let [mut one, mut two] = [Set::with_limits(strict), Set::with_limits(strict)];
    assert!(matches!(one.update(&vector(&[(2, 1)]), 1, 66), Err(ObserveError::JumpExceeded(_))));
    one.update(&Context::new(), 1, 10).unwrap();
    two.update(&Context::new(), 2, 20).unwrap();
    // Replicas may still be any honest distance ahead of each other, and what they bring is then known.
    one.sync(&two).unwrap();
    two.sync(&one).unwrap();
    assert_eq!((values(&one), values(&two)), (BTreeSet::from([10, 20]), BTreeSet::from([10, 20])));
    one.update(&two.join().clone(), 1, 30).unwrap();
    assert_eq!(values(&one), BTreeSet::from([30]));
}

#[test]
fn at_the_greatest_counter_a_write_is_an_overflow_and_changes_nothing() {
    let last = [(dot(1, MAX_COUNTER), 5)];
    let mut set = Set::from_parts(vector(&[(1, MAX_COUNTER)]), last, DvvLimits::DEFAULT).unwrap();
    let before = set.clone();
    let all = set.join().clone();
    assert!(matches!(set.update(&all, 1, 6), Err(ObserveError::Overflow(_))));
    assert!(matches!(set.reconcile(1, |_| 6), Err(ObserveError::Overflow(_))));
    assert_eq!(set, before);
    set.update(&all, 2, 6).unwrap();
    assert_eq!(values(&set), BTreeSet::from([6]));
}

#[test]
fn parts_that_are_no_set_are_refused() {
    let context = || vector(&[(1, 3), (2, 1)]);
    let limits = DvvLimits::DEFAULT.with_siblings(2).with_actors(2);
    let build = |dots: &[(u8, u64)]| {
        let siblings = dots.iter().map(|&(actor, counter)| (dot(actor, counter), 0));
        Set::from_parts(context(), siblings, limits)
    };
    assert_eq!(build(&[(1, 2), (1, 2)]), Err(DvvPartsError::Order));
    assert_eq!(build(&[(2, 1), (1, 2)]), Err(DvvPartsError::Order));
    assert_eq!(build(&[(1, 4)]), Err(DvvPartsError::OutsideContext));
    assert_eq!(build(&[(3, 1)]), Err(DvvPartsError::OutsideContext));
    assert!(matches!(build(&[(1, 1), (1, 2), (1, 3)]), Err(DvvPartsError::Capacity(_))));
    assert!(matches!(
        Set::from_parts(vector(&[(1, 1), (2, 1), (3, 1)]), [], limits),
        Err(DvvPartsError::Capacity(_))
    ));
    let whole = build(&[(1, 1), (2, 1)]).unwrap();
    let parts = whole.siblings().map(|(dot, value)| (dot, *value));
    assert_eq!(Set::from_parts(whole.join().clone(), parts, limits), Ok(whole.clone()));
}
