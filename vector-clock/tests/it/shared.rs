//! The clock for many threads: the verbs of the clock of one owner, with the same answers.

use vector_clock::{
    Dot, Fixed, MaxJump, MergeError, ObserveError, SharedVectorClock, Stamp, VectorClock, VersionVector,
};

type Vector = VersionVector<u8, Fixed<4>>;
type Shared = SharedVectorClock<u8, Fixed<4>>;

fn vector(entries: &[(u8, u64)]) -> Vector {
    let dots = entries.iter().map(|&(actor, counter)| Dot::try_new(actor, counter).unwrap());
    Vector::from_sorted(dots).unwrap()
}

#[test]
fn every_verb_of_a_shared_clock_does_what_that_of_a_clock_of_one_owner_does() {
    let start = || vector(&[(1, 5), (2, 3)]);
    let mut own =
        VectorClock::resume(1, start()).unwrap().with_max_jump(MaxJump::AtMost(10)).with_max_entries(3);
    let shared = Shared::resume(1, start()).unwrap().with_max_jump(MaxJump::AtMost(10)).with_max_entries(3);
    let messages: [(&str, Vector); 6] = [
        ("nothing new", vector(&[(2, 3)])),
        ("an event", vector(&[(1, 5), (2, 4)])),
        ("the last that fits", vector(&[(2, 4), (3, 10)])),
        ("an entry too many", vector(&[(4, 1)])),
        ("too far ahead", vector(&[(2, 100)])),
        ("events of its own that it has not had", vector(&[(1, 25), (2, 5)])),
    ];
    for (name, message) in messages {
        assert_eq!(shared.merge(&message), own.merge(&message), "{name}");
        let sender = message.iter().last().unwrap();
        let stamp = Stamp::try_new(sender, message).unwrap();
        assert_eq!(shared.observe(&stamp), own.observe(&stamp), "{name}");
        assert_eq!(shared.tick(), own.tick(), "{name}");
        assert_eq!(shared.tick_dot(), own.tick_dot(), "{name}");
        assert_eq!(shared.last(), own.last(), "{name}");
        assert_eq!(&shared.vector(), own.vector(), "{name}");
        assert_eq!(shared.snapshot(), own.snapshot(), "{name}");
        assert_eq!(shared.actor(), 1, "{name}");
    }
    let counts = shared.snapshot();
    assert_eq!((counts.capacity, counts.jump_exceeded, counts.unissued), (2, 2, 2), "each refusal was seen");
    assert_eq!((counts.entries, shared.vector().get(3)), (3, 10), "and something was learnt");

    for agreed in [vector(&[(2, 500)]), vector(&[(1, 900), (2, 500)]), vector(&[(4, 1)])] {
        assert_eq!(shared.merge_committed(&agreed), own.merge_committed(&agreed), "{agreed:?}");
    }
    let alone = shared.into_inner();
    assert_eq!((alone.vector(), alone.snapshot()), (own.vector(), own.snapshot()));
    assert_eq!((own.vector().get(1), own.snapshot().capacity), (900, 3));
}

#[test]
fn a_new_shared_clock_has_had_no_event_and_believes_as_much_as_any_new_clock() {
    let clock = Shared::new(7);
    assert_eq!((clock.actor(), clock.last(), clock.vector()), (7, None, vector(&[])));
    assert_eq!(clock.snapshot(), VectorClock::<u8, Fixed<4>>::new(7).snapshot());
    clock.merge(&vector(&[(1, 1 << 40)])).unwrap();
    assert!(matches!(clock.merge(&vector(&[(2, (1 << 40) + 1)])), Err(MergeError::JumpExceeded(_))));
    assert_eq!(clock.tick_dot().map(|dot| (dot.actor(), dot.counter())), Ok((7, 1)));
    assert_eq!(clock.last(), Dot::try_new(7, 1).ok());

    let crowd = vector(&[(1, 1), (2, 1), (3, 1), (4, 1)]);
    assert_eq!(Shared::resume(7, crowd).unwrap_err().needed(), 5);
    let reserved = vector(&[(1, 1), (2, 1), (3, 1)]);
    let full = Shared::resume(7, reserved).unwrap();
    let stranger = Stamp::try_new(Dot::try_new(4, 1).unwrap(), vector(&[(4, 1)])).unwrap();
    assert!(matches!(full.observe(&stranger), Err(ObserveError::Capacity(_))));
    assert_eq!(full.last(), None);
}

#[test]
fn threads_that_tick_one_clock_never_get_the_same_event_and_none_is_left_out() {
    const THREADS: u64 = 4;
    const EACH: u64 = 100;
    let clock = Shared::new(1);
    let mut stamps: Vec<_> = std::thread::scope(|scope| {
        let tick = || (0..EACH).map(|_| clock.tick().unwrap()).collect::<Vec<_>>();
        let threads: Vec<_> = (0..THREADS).map(|_| scope.spawn(tick)).collect();
        threads.into_iter().flat_map(|thread| thread.join().unwrap()).collect()
    });
    stamps.sort_by_key(Stamp::dot);
    let counters = stamps.iter().map(|stamp| stamp.dot().counter());
    assert!(counters.eq(1..=THREADS * EACH));
    assert!(stamps.windows(2).all(|pair| pair[0].happened_before(&pair[1])));
}
