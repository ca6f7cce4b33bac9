//! What people read: the messages of errors, each with its numbers, and the values in the output of a debugger.

use vector_clock::{
    Actor, ApplyError, BufferLimits, CausalBuffer, CounterRange, DecodeError, Delta, DeltaError, DenseVector,
    Dot, DotMismatch, DotRange, DotRangeError, EntryError, Fixed, JumpExceeded, LaneError, MAX_COUNTER,
    MaxJump, MergeError, ObserveError, Overflow, Plain, RefusedReason, Stamp, TickError, Unissued,
    VectorClock, VersionVector,
    storage::{Lanes, Storage},
};

fn dot(actor: u8, counter: u64) -> Dot<u8> {
    Dot::try_new(actor, counter).unwrap()
}

fn vector<const N: usize>(entries: &[(u8, u64)]) -> VersionVector<u8, Fixed<N>> {
    VersionVector::from_sorted(entries.iter().map(|&(actor, counter)| dot(actor, counter))).unwrap()
}

/// Every error says the same as the one that it stands for, so a table names each text once.
fn assert_reads(table: &[(&dyn core::error::Error, &str)]) {
    for (error, text) in table {
        assert_eq!(error.to_string(), *text, "{error:?}");
    }
}

fn overflow() -> Overflow {
    let Err(TickError::Overflow(overflow)) = vector::<4>(&[(1, MAX_COUNTER)]).tick(1) else {
        panic!("it had its last event")
    };
    overflow
}

fn capacity() -> vector_clock::Capacity {
    vector::<1>(&[(1, 1)]).record(dot(2, 1)).unwrap_err()
}

fn counter_range() -> CounterRange {
    Dot::try_new(1_u8, 0).unwrap_err()
}

fn jump_exceeded<A: Actor>(actor: A) -> JumpExceeded<A> {
    let mut remote = VersionVector::<A, Fixed<1>>::new();
    remote.record(Dot::try_new(actor, 12).unwrap()).unwrap();
    let other = A::from_key(<A as Actor>::Key::ZERO).unwrap();
    let mut clock = VectorClock::<A, Fixed<2>>::new(other).with_max_jump(MaxJump::AtMost(10));
    match clock.merge(&remote) {
        Err(MergeError::JumpExceeded(far)) => far,
        other => panic!("{other:?}"),
    }
}

fn unissued() -> Unissued<u8> {
    match VectorClock::<u8, Fixed<2>>::new(1).merge(&vector::<2>(&[(1, 3)])) {
        Err(MergeError::Unissued(own)) => {
            assert_eq!((own.actor(), own.claimed(), own.issued()), (1, 3, 0));
            own
        }
        other => panic!("{other:?}"),
    }
}

fn mismatch() -> DotMismatch<u8> {
    Stamp::try_new(dot(7, 2), vector::<4>(&[(7, 3)])).unwrap_err()
}

const END: &str = "the counter is at its greatest value 9223372036854775807";
const FULL: &str = "2 entries needed, capacity 1";
const RANGE: &str = "counter 0 is not from 1 to 9223372036854775807";
const FAR: &str = "counter 12 of actor 2 is more than 10 above the known 0";
const OWN: &str = "own actor 1 is said to have had 3 events, and has had 0";

#[test]
fn errors_of_vectors_and_clocks_say_what_was_found_and_what_is_allowed() {
    let (end, full, range, far, own) =
        (overflow(), capacity(), counter_range(), jump_exceeded(2_u8), unissued());
    let no_lane = DenseVector::<3>::new().tick(3).unwrap_err();
    let LaneError::NoLane(lane) = no_lane else { panic!("{no_lane:?}") };
    assert_eq!((lane.lane(), lane.lanes()), (3, 3));
    assert_reads(&[
        (&end, END),
        (&full, FULL),
        (&range, RANGE),
        (&far, FAR),
        (&own, OWN),
        (&TickError::from(end), END),
        (&TickError::from(full), FULL),
        (&MergeError::from(far), FAR),
        (&MergeError::from(own), OWN),
        (&MergeError::<u8>::from(full), FULL),
        (&ObserveError::from(MergeError::from(far)), FAR),
        (&ObserveError::from(MergeError::from(own)), OWN),
        (&ObserveError::<u8>::from(MergeError::from(full)), FULL),
        (&ObserveError::<u8>::from(TickError::from(full)), FULL),
        (&ObserveError::<u8>::from(TickError::from(end)), END),
        (&ObserveError::<u8>::from(full), FULL),
        (&ObserveError::<u8>::from(end), END),
        (&EntryError::from(range), RANGE),
        (&EntryError::from(full), FULL),
        (&EntryError::Order, "actor id is not above the one before it"),
        (&EntryError::Actor, "number does not stand for an actor id"),
        (&lane, "lane 3 of 3"),
        (&no_lane, "lane 3 of 3"),
        (&LaneError::from(end), END),
        (&mismatch(), "event 7:2 with a vector that counts 3 events of its actor"),
        (&DotRangeError::Counter(range), RANGE),
        (&DotRange::try_new(1_u8, 3, 2).unwrap_err(), "range ends before it begins"),
    ]);
}

#[test]
fn errors_of_deltas_name_the_two_bases_by_their_digests() {
    let (base, latest) = (vector::<4>(&[(1, 1)]), vector::<4>(&[(1, 1), (2, 1)]));
    let delta = Delta::<u8, Fixed<4>>::between(&base, &latest).unwrap();
    let ApplyError::WrongBase(wrong) = delta.apply(&latest).unwrap_err() else { panic!("another base") };
    let texts = format!("delta is against base {:016x}, applied to {:016x}", wrong.expected(), wrong.found());
    let back = delta.apply(&vector::<4>(&[])).unwrap_err();
    let ApplyError::WrongBase(other) = back else { panic!("{back:?}") };
    assert_eq!(other.expected(), wrong.expected(), "one delta, one base");
    assert_ne!(other.found(), wrong.found());
    assert_eq!(delta.apply(&base).as_ref(), Ok(&latest));

    let none = Delta::<u8, Fixed<4>>::between(&latest, &base).unwrap_err();
    assert_reads(&[
        (&wrong, &texts),
        (&ApplyError::from(wrong), &texts),
        (&ApplyError::Counter(counter_range()), RANGE),
        (&ApplyError::from(capacity()), FULL),
        (&none, "base knows an event that the latest vector does not"),
        (&DeltaError::from(capacity()), FULL),
    ]);
}

#[test]
fn errors_of_decoding_say_what_the_bytes_hold() {
    let full = capacity();
    assert_reads(&[
        (&DecodeError::Truncated, "bytes end before the value does"),
        (&DecodeError::Version { found: 9 }, "version 9 is not known"),
        (&DecodeError::Flags { found: 3 }, "flags 0x03 have an unknown critical bit or two kinds"),
        (&DecodeError::Kind, "envelope holds another kind of value"),
        (&DecodeError::Overlong, "integer is not in its shortest form"),
        (&DecodeError::TooWide, "integer does not fit its field"),
        (&DecodeError::NotCanonical, "dense flag does not agree with the ids"),
        (&DecodeError::EntryLimit { found: 5_000, limit: 4_096 }, "5000 entries, limit 4096"),
        (&DecodeError::CounterLimit { found: 11, limit: 10 }, "counter 11, limit 10"),
        (&DecodeError::from(jump_exceeded(2_u128)), FAR),
        (&DecodeError::from(EntryError::Actor), "number does not stand for an actor id"),
        (&DecodeError::from(full), FULL),
        (&DecodeError::Place { found: 4, entries: 3 }, "event's entry at place 4 of 3"),
        (&DecodeError::Trailing { bytes: 2 }, "2 bytes are left after the value"),
        (&vector::<4>(&[(1, 1)]).encode_into(&mut [0; 3]).unwrap_err(), "5 bytes needed, buffer has 3"),
    ]);
}

#[test]
fn errors_of_a_causal_buffer_say_which_message_comes_first() {
    let stamp = Stamp::try_new(dot(2, 1), vector::<4>(&[(2, 1)])).unwrap();
    let mut buffer = CausalBuffer::<(Stamp<u8, Fixed<4>>, NoDebug), Fixed<4>>::new();
    let refused = buffer.receive((stamp, NoDebug)).map_err(|refused| {
        assert_reads(&[(&refused.reason(), "2 is not a member")]);
        (refused.to_string(), format!("{refused:?}"))
    });
    let Err((text, debug)) = refused else { panic!("nobody is a member") };
    assert_eq!(text, "2 is not a member");
    assert_eq!(debug, "Refused { reason: UnknownMember(2), .. }", "the message need not be printable");
    let needs = dot(2, 64);
    assert_reads(&[
        (
            &RefusedReason::BeyondQuota { needs, quota: 64 },
            "message needs 2:64 and is beyond the 64 messages that may wait",
        ),
        (
            &RefusedReason::Full { needs, capacity: capacity() },
            "message waits for 2:64: 2 entries needed, capacity 1",
        ),
    ]);
}

/// A message of a user's own that cannot be printed.
struct NoDebug;

#[test]
fn values_print_as_what_they_hold() {
    let stamp = Stamp::try_new(dot(3, 7), vector::<4>(&[(3, 7), (5, 1)])).unwrap();
    assert_eq!(format!("{stamp:?}"), "Stamp { dot: 3:7, vector: {3: 7, 5: 1} }");
    let range = DotRange::try_new(3_u8, 2, 9).unwrap();
    assert_eq!(format!("{range:?}"), "3:2..=9");
    let same = Delta::<u8, Fixed<4>>::between(&vector::<4>(&[(3, 5)]), stamp.vector()).unwrap();
    let printed = format!("{same:?}");
    assert!(
        printed.starts_with("Delta { base: ") && printed.ends_with(", rises: {3: 2, 5: 1} }"),
        "{printed}"
    );

    let mut lanes = <<Fixed<4> as Storage>::Lanes<u8>>::EMPTY;
    lanes.push(7).unwrap();
    assert_eq!(format!("{lanes:?}"), "[7]", "what is in use, and not the room behind it");

    let limits = BufferLimits::DEFAULT.with_members(2).with_waiting(5).with_quota(3);
    let mut buffer = CausalBuffer::<(Stamp<u8, Fixed<4>>, NoDebug), Fixed<4>>::with_limits(limits);
    buffer.admit(3).unwrap();
    let counts = buffer.snapshot();
    assert_eq!(
        format!("{buffer:?}"),
        format!("CausalBuffer {{ members: 1, limits: {limits:?}, counts: {counts:?}, .. }}")
    );
    assert_eq!(format!("{limits:?}"), "BufferLimits { members: 2, waiting: 5, quota: 3 }");
}

#[cfg(feature = "alloc")]
mod structures {
    use vector_clock::{
        DotSet, DvvLimits, DvvPartsError, DvvSet, IntervalTreeClock, IntervalTreeDecodeError,
        IntervalTreeError, MatrixClock, MatrixMergeError, MatrixObserveError, NodeBudget, RetireError,
    };

    use super::*;

    #[test]
    fn errors_of_interval_tree_clocks_say_how_many_nodes_and_events() {
        let mut seed = IntervalTreeClock::seed();
        let mut ahead = seed.fork().unwrap();
        for _ in 0..3 {
            ahead.event().unwrap();
        }
        let mut strict = seed.peek().with_max_jump(MaxJump::AtMost(2));
        let jump = strict.merge(&ahead).unwrap_err();
        let anonymous = strict.event().unwrap_err();
        let copy = IntervalTreeClock::from_bytes(&ahead.to_bytes(), NodeBudget::DEFAULT).unwrap();
        let overlap = ahead.join(&mut { copy }).unwrap_err();
        let budget = ahead.with_budget(NodeBudget::new(2)).unwrap_err();
        assert_eq!((budget.nodes() > 2, budget.budget()), (true, 2));
        let nodes_text = format!("{} nodes needed, budget 2", budget.nodes());

        let IntervalTreeError::Jump(by) = jump else { panic!("{jump:?}") };
        assert_eq!((by.ahead(), by.limit()), (3, 2));
        const JUMP: &str = "received clock is 3 events ahead, limit 2";
        assert_reads(&[
            (&budget, &nodes_text),
            (&by, JUMP),
            (&jump, JUMP),
            (&anonymous, "an anonymous clock counts no events"),
            (&overlap, "both clocks own one part of the id space"),
            (&IntervalTreeError::from(overflow()), END),
            (&IntervalTreeError::from(budget), &nodes_text),
            (&IntervalTreeDecodeError::Version(9), "version 9 is unknown"),
            (&IntervalTreeDecodeError::Truncated, "bytes end before the clock does"),
            (&IntervalTreeDecodeError::Number, "count is above the greatest counter"),
            (&IntervalTreeDecodeError::Budget(budget), &nodes_text),
            (&IntervalTreeDecodeError::NotCanonical, "bytes are not in canonical form"),
        ]);
    }

    #[test]
    fn errors_of_matrix_clocks_name_the_member() {
        let mut clock = MatrixClock::try_new(1_u8, [2, 3], 3).unwrap().with_max_jump(MaxJump::AtMost(10));
        let stranger = clock.merge(9, &vector::<4>(&[])).unwrap_err();
        let MatrixMergeError::UnknownMember(unknown) = stranger else { panic!("{stranger:?}") };
        assert_eq!(unknown.actor(), 9);
        let far = clock.merge(2, &vector::<4>(&[(2, 12)])).unwrap_err();
        let message = |actor, counter| Stamp::try_new(dot(actor, counter), vector::<4>(&[(actor, counter)]));
        let from_stranger = clock.observe(&message(9, 1).unwrap()).unwrap_err();
        let from_far = clock.observe(&message(2, 12).unwrap()).unwrap_err();
        clock.merge(2, &vector::<4>(&[(2, 4)])).unwrap();
        clock.merge(3, &vector::<4>(&[(2, 3)])).unwrap();
        let needed = clock.retire(2).unwrap_err();
        let RetireError::NotStable(early) = needed else { panic!("{needed:?}") };
        assert_eq!((early.actor(), early.latest(), early.member(), early.knows()), (2, 4, 3, 3));
        const EARLY: &str = "3 is known to know 3 of the 4 events of 2";
        const STRANGER: &str = "9 is not a member";
        let cut = {
            let mut cut = MatrixClock::try_new(1_u8, [], 1).unwrap();
            cut.tick().unwrap();
            cut.tick().unwrap();
            cut.stable_cut()
        };
        assert_reads(&[
            (&unknown, STRANGER),
            (&stranger, STRANGER),
            (&far, FAR),
            (&from_stranger, STRANGER),
            (&from_far, FAR),
            (&MatrixMergeError::from(MergeError::from(unissued())), OWN),
            (&MatrixObserveError::from(ObserveError::<u8>::from(overflow())), END),
            (&early, EARLY),
            (&needed, EARLY),
            (&clock.retire(9).unwrap_err(), STRANGER),
            (
                &cut.strip(&mut vector::<4>(&[(1, 1)])).unwrap_err(),
                "vector knows 1 events of an actor of which 1:2 is stable",
            ),
        ]);
        assert!(cut.contains(dot(1, 2)) && !cut.contains(dot(1, 3)) && !cut.contains(dot(2, 1)));
        assert!(matches!(from_far, MatrixObserveError::Observe(ObserveError::JumpExceeded(_))));
    }

    #[test]
    fn errors_and_sets_of_siblings_and_of_events_print_as_what_they_hold() {
        let parts =
            DvvSet::from_parts(vector_on_heap(&[(1, 2), (2, 1)]), [(dot(1, 2), "milk")], DvvLimits::DEFAULT);
        assert_eq!(format!("{:?}", parts.unwrap()), r#"DvvSet {1:2: "milk"} of {1: 2, 2: 1}"#);
        assert_reads(&[
            (&DvvPartsError::Order, "dot is not above the one before it"),
            (&DvvPartsError::OutsideContext, "context does not contain the dot of a value"),
            (&DvvPartsError::from(capacity()), FULL),
        ]);
        let mut set = DotSet::<u8>::new();
        set.insert_range(DotRange::try_new(1, 2, 4).unwrap()).unwrap();
        set.insert(dot(3, 7)).unwrap();
        assert_eq!(format!("{set:?}"), "{1:2..=4, 3:7..=7}");
    }

    fn vector_on_heap(entries: &[(u8, u64)]) -> VersionVector<u8, vector_clock::Heap> {
        VersionVector::from_sorted(entries.iter().map(|&(actor, counter)| dot(actor, counter))).unwrap()
    }
}
