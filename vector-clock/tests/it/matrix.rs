//! Matrix clocks and stable cuts: against what every member really knows.

use vector_clock::{
    Causality, Dot, DotRange, DotSet, Heap, MatrixClock, MatrixMergeError, MatrixObserveError, MaxJump,
    MergeError, RetireError, Stamp, VectorClock, VersionVector,
};

use crate::oracle::{Choices, History};

fn dot(actor: u8, counter: u64) -> Dot<u8> {
    Dot::try_new(actor, counter).unwrap()
}

fn vector(entries: &[(u8, u64)]) -> VersionVector<u8, Heap> {
    VersionVector::from_sorted(entries.iter().map(|&(actor, counter)| dot(actor, counter))).unwrap()
}

fn stamp(own: Dot<u8>, entries: &[(u8, u64)]) -> Stamp<u8, Heap> {
    Stamp::try_new(own, vector(entries)).unwrap()
}

#[test]
fn what_is_stable_is_known_to_every_member_and_in_the_end_everything_is() {
    const MEMBERS: u8 = 4;
    for seed in 0..200 {
        println!("seed {seed}");
        let mut choices = Choices::seeded(seed);
        let mut clocks: Vec<_> =
            (0..MEMBERS).map(|own| MatrixClock::try_new(own, 0..MEMBERS, 4).unwrap()).collect();
        let mut histories = vec![History::new(); clocks.len()];
        let mut cuts: Vec<_> = clocks.iter().map(MatrixClock::stable_cut).collect();
        for _ in 0..100 {
            let (at, other) = (choices.below(clocks.len()), choices.below(clocks.len()));
            if at == other {
                histories[at].record(clocks[at].tick().unwrap().dot());
                continue;
            }
            let known = histories[other].clone();
            if choices.one_in(2) {
                let sent = clocks[other].tick().unwrap();
                histories[other].record(sent.dot());
                let received = clocks[at].observe(&sent).unwrap();
                histories[at].learn(&known);
                histories[at].record(sent.dot());
                histories[at].record(received.dot());
            } else {
                let report = clocks[other].vector().clone();
                clocks[at].merge(u8::try_from(other).unwrap(), &report).unwrap();
                histories[at].learn(&known);
            }
            let cut = clocks[at].stable_cut();
            assert!(*cut.vector() >= *cuts[at].vector(), "a cut only grows");
            for event in histories[at].events().filter(|event| cut.contains(**event)) {
                assert!(
                    histories.iter().all(|history| history.knows(event)),
                    "{event:?} is not known to all"
                );
            }
            cuts[at] = cut;
        }
        // Two rounds of reports: all events to all, and then that all have them.
        for _ in 0..2 {
            for (from, to) in (0..clocks.len()).flat_map(|from| (0..MEMBERS).map(move |to| (from, to))) {
                let report = clocks[from].vector().clone();
                clocks[usize::from(to)].merge(u8::try_from(from).unwrap(), &report).unwrap();
            }
        }
        for clock in &clocks {
            assert_eq!(clock.stable_cut().vector(), clock.vector());
        }
    }
}

#[test]
fn pruning_drops_what_is_below_the_cut_and_nothing_else() {
    let mut clock = MatrixClock::try_new(1, [2, 3], 3).unwrap();
    for _ in 0..9 {
        clock.tick().unwrap();
    }
    clock.merge(2, &vector(&[(1, 6), (2, 4)])).unwrap();
    clock.merge(3, &vector(&[(1, 8), (2, 2)])).unwrap();
    let cut = clock.stable_cut();
    assert_eq!(*cut.vector(), vector(&[(1, 6), (2, 2)]));

    let mut kept = DotSet::new();
    for (actor, first, last) in [(1, 1, 3), (1, 5, 9), (2, 1, 2), (2, 4, 4), (3, 1, 1)] {
        kept.insert_range(DotRange::try_new(actor, first, last).unwrap()).unwrap();
    }
    assert_eq!(kept.prune(&cut), 3 + 2 + 2);
    let expected =
        [(1, 7, 9), (2, 4, 4), (3, 1, 1)].map(|(a, first, last)| DotRange::try_new(a, first, last).unwrap());
    assert_eq!(kept.ranges().collect::<Vec<_>>(), expected);
    assert_eq!(kept.prune(&cut), 0);
}

#[test]
fn stripped_vectors_compare_as_whole_ones_and_can_be_restored() {
    let mut clock = MatrixClock::try_new(1, [2, 3], 3).unwrap();
    clock.tick().unwrap();
    clock.merge(2, &vector(&[(1, 1), (2, 4), (3, 2)])).unwrap();
    clock.merge(3, &vector(&[(1, 1), (2, 3), (3, 2)])).unwrap();
    let cut = clock.stable_cut();
    assert_eq!(*cut.vector(), vector(&[(1, 1), (2, 3), (3, 2)]));
    let whole: Vec<_> = [[1, 3, 2], [1, 4, 2], [2, 3, 2], [1, 3, 5], [2, 4, 2]]
        .map(|[a, b, c]| vector(&[(1, a), (2, b), (3, c)]))
        .into();
    let stripped: Vec<_> = whole
        .iter()
        .map(|vector| {
            let mut stripped = vector.clone();
            let dropped = cut.strip(&mut stripped).unwrap();
            assert_eq!(stripped.len(), vector.len() - dropped);
            stripped
        })
        .collect();
    assert!(stripped[0].is_empty());
    for (a, left) in whole.iter().enumerate() {
        for (b, right) in whole.iter().enumerate() {
            assert_eq!(stripped[a].causality(&stripped[b]), left.causality(right));
        }
        let mut restored = stripped[a].clone();
        cut.restore(&mut restored).unwrap();
        assert_eq!(restored, *left);
    }
    // One that lacks something of the cut is not touched: it could not be restored.
    let mut lacking = vector(&[(1, 1), (2, 2), (3, 2)]);
    let refused = cut.strip(&mut lacking).unwrap_err();
    assert_eq!((refused.stable(), refused.known()), (dot(2, 3), 2));
    assert_eq!(lacking, vector(&[(1, 1), (2, 2), (3, 2)]));
}

#[test]
fn lossy_pruning_says_so_and_loses_the_order() {
    let old = vector(&[(1, 3)]);
    let mut new = vector(&[(1, 3), (2, 1)]);
    assert_eq!(old.causality(&new), Causality::Before);
    assert_eq!(new.forget_lossy(1), 3);
    assert_eq!(old.causality(&new), Causality::Concurrent);

    let mut clock = MatrixClock::try_new(1, [2, 3], 3).unwrap();
    clock.merge(3, &vector(&[(3, 2)])).unwrap();
    assert!(matches!(clock.retire(3), Err(RetireError::NotStable(_))));
    assert_eq!(clock.retire_lossy(3), Ok(2));
    assert_eq!(clock.retire_lossy(3).unwrap_err().actor(), 3);
    assert_eq!(clock.retire_lossy(1).unwrap_err().actor(), 1);
}

#[test]
fn a_member_retires_once_all_others_know_all_its_events() {
    let mut clock = MatrixClock::try_new(1, [2, 3], 3).unwrap();
    clock.merge(3, &vector(&[(3, 2)])).unwrap();
    let Err(RetireError::NotStable(why)) = clock.retire(3) else { panic!("2 has not heard of it") };
    assert_eq!((why.actor(), why.latest(), why.member(), why.knows()), (3, 2, 2, 0));
    clock.merge(2, &vector(&[(3, 1)])).unwrap();
    assert!(clock.retire(3).is_err());
    clock.merge(2, &vector(&[(2, 1), (3, 2)])).unwrap();
    assert!(clock.stable_cut().vector().get(2) == 0, "3 was never heard to know it");
    assert_eq!(clock.retire(3), Ok(2));
    assert_eq!(*clock.stable_cut().vector(), vector(&[(2, 1), (3, 2)]), "and is not waited for any more");
    assert_eq!(clock.row(3), None);
    // What is known of it may still be mentioned, and nothing new may.
    clock.merge(2, &vector(&[(2, 2), (3, 2)])).unwrap();
    let Err(MatrixMergeError::UnknownMember(why)) = clock.merge(2, &vector(&[(2, 2), (3, 3)])) else {
        panic!()
    };
    assert_eq!(why.actor(), 3);
    assert!(matches!(clock.retire(3), Err(RetireError::UnknownMember(_))));
    assert!(matches!(clock.retire(1), Err(RetireError::UnknownMember(_))));
}

#[test]
fn a_new_member_knows_what_it_began_with_and_no_more() {
    let mut clock = MatrixClock::try_new(1, [2], 3).unwrap();
    clock.tick().unwrap();
    clock.merge(2, &vector(&[(1, 1), (2, 1)])).unwrap();
    let before = clock.stable_cut();
    // It claims more than is known here; that is not believed.
    clock.admit(3, &vector(&[(1, 1), (2, 1), (3, 9)])).unwrap();
    assert_eq!(clock.row(3), Some(&vector(&[(1, 1), (2, 1)])));
    assert_eq!(clock.stable_cut(), before);
    clock.admit(3, &vector(&[])).unwrap();
    clock.admit(1, &vector(&[])).unwrap();
    assert_eq!((clock.stable_cut(), clock.member_count()), (before, 3));
    let full = clock.admit(4, &vector(&[])).unwrap_err();
    assert_eq!((full.needed(), full.capacity()), (4, 3));
    assert!(MatrixClock::try_new(1_u8, 1..9, 7).is_err());
    assert!(MatrixClock::try_new(1_u8, [], 0).is_err());
}

#[test]
fn what_is_refused_leaves_the_clock_as_it_was() {
    let mut clock = MatrixClock::try_new(1, [2, 3], 3).unwrap().with_max_jump(MaxJump::AtMost(10));
    clock.tick().unwrap();
    let before = format!("{:?} {:?} {:?}", clock.vector(), clock.row(2), clock.row(3));
    let merge =
        |clock: &mut MatrixClock<u8>, member, entries: &[(u8, u64)]| clock.merge(member, &vector(entries));
    assert!(matches!(merge(&mut clock, 4, &[]), Err(MatrixMergeError::UnknownMember(_))));
    assert!(matches!(merge(&mut clock, 2, &[(4, 1)]), Err(MatrixMergeError::UnknownMember(_))));
    assert!(matches!(
        merge(&mut clock, 2, &[(2, 11)]),
        Err(MatrixMergeError::Merge(MergeError::JumpExceeded(_)))
    ));
    assert!(matches!(merge(&mut clock, 2, &[(1, 2)]), Err(MatrixMergeError::Merge(MergeError::Unissued(_)))));
    let stranger = stamp(dot(4, 1), &[(4, 1)]);
    assert!(matches!(clock.observe(&stranger), Err(MatrixObserveError::UnknownMember(_))));
    let forged = stamp(dot(2, 1), &[(1, 7), (2, 1)]);
    assert!(matches!(clock.observe(&forged), Err(MatrixObserveError::Observe(_))));
    assert_eq!(format!("{:?} {:?} {:?}", clock.vector(), clock.row(2), clock.row(3)), before);
    assert_eq!(clock.snapshot().jump_exceeded, 1);
}

#[test]
fn the_word_of_a_member_about_another_moves_only_its_own_row() {
    let mut clock = MatrixClock::resume(VectorClock::new(1), [2, 3], 3).unwrap();
    clock.tick().unwrap();
    // 2 has heard from 3, and says so. That 3 knows the event of 1, or its own, is for 3 to say.
    clock.merge(2, &vector(&[(1, 1), (3, 5)])).unwrap();
    assert_eq!(clock.row(3), Some(&vector(&[])));
    assert!(clock.stable_cut().vector().is_empty());
    assert_eq!((clock.actor(), clock.row(1)), (1, Some(&vector(&[(1, 1), (3, 5)]))));
    // A message is its sender's word as well.
    clock.observe(&stamp(dot(3, 6), &[(1, 1), (3, 6)])).unwrap();
    assert_eq!(clock.row(3), Some(&vector(&[(1, 1), (3, 6)])));
    assert_eq!(*clock.stable_cut().vector(), vector(&[(1, 1), (3, 5)]));
}
