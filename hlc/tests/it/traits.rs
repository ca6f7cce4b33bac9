//! What the types can do without being called: sizes, niches, threads, statics.

use core::{
    error::Error,
    fmt::Debug,
    hash::{Hash, Hasher},
    num::{NonZeroU32, NonZeroU64},
};
use std::collections::HashSet;

use hlc::{
    Clock, NodeId, Packed, PhysicalTime, Reservation, Snapshot, Stamp, StampBytes, Timestamp,
    layout::{Layout, Micros52, Millis42Y2022, Millis46, Ntp48, Ntp60, Rounding, Secs32, Unix48},
    source::{self, ManualSource, Source as _},
};

const fn shared<T: Send + Sync + 'static>() {}
const fn value<T: Copy + Ord + Hash + Debug + Send + Sync + Unpin + 'static>() {}
const fn error<T: Error + Copy + Eq + Send + Sync + 'static>() {}

const _: () = {
    value::<Timestamp>();
    value::<Packed<Ntp60>>();
    value::<NodeId>();
    value::<Stamp>();
    value::<Stamp<&'static str, Micros52>>();
    value::<StampBytes>();
    value::<StampBytes<Ntp60>>();
    value::<PhysicalTime>();
    shared::<Stamp<String>>();
    shared::<Snapshot>();
    shared::<Reservation>();
    shared::<Clock<ManualSource>>();

    error::<hlc::DecodeError>();
    error::<hlc::TextError>();
    error::<hlc::NodeIdOutOfRange>();
    error::<hlc::PartsOutOfRange>();
    error::<hlc::WrongLength>();
    error::<hlc::UnknownVersion>();
    error::<hlc::BadDigit>();
    error::<hlc::SourceError>();
    error::<hlc::Stepped>();
    error::<hlc::TickError>();
    error::<hlc::ObserveError>();
    error::<hlc::SkewExceeded>();
    error::<hlc::LeadExceeded>();
    error::<hlc::Exhausted>();
};

#[cfg(feature = "uuid")]
const _: () = {
    error::<hlc::UuidError>();
    error::<hlc::WrongUuidVersion>();
};

#[test]
fn a_timestamp_has_eight_bytes_and_so_has_the_lack_of_one() {
    assert_eq!(size_of::<Timestamp>(), 8);
    assert_eq!(size_of::<Option<Timestamp>>(), 8);
    assert_eq!(size_of::<Option<Packed<Secs32>>>(), 8);
    assert_eq!(size_of::<NodeId>(), 8);
    assert_eq!(size_of::<Stamp>(), 16);
    assert_eq!(size_of::<Option<Stamp>>(), 16);
}

#[test]
fn zero_is_no_timestamp() {
    assert_eq!(Timestamp::from_bits(0), None);
    assert!(Timestamp::from_bytes([0; 8]).is_err());
    assert!(Timestamp::from_parts(0, 0).is_err());
    let bits = NonZeroU64::new(7).unwrap();
    assert_eq!(NonZeroU64::from(Timestamp::from(bits)), bits);
}

/// What a hash map asks of its keys. Each differs from the first in one part.
#[test]
fn what_differs_is_hashed_by_all_that_differs() {
    fn hash<T: Hash>(value: T) -> u64 {
        let mut hasher = std::hash::DefaultHasher::new();
        value.hash(&mut hasher);
        hasher.finish()
    }
    let stamp = |bits, id| Timestamp::from_bits(bits).unwrap().at_node(NodeId::new(id).unwrap());
    assert_ne!(hash(stamp(5, 7).timestamp()), hash(stamp(6, 7).timestamp()));
    for other in [stamp(6, 7), stamp(5, 8)] {
        assert_ne!(hash(stamp(5, 7)), hash(other));
        assert_ne!(hash(StampBytes::from(stamp(5, 7))), hash(StampBytes::from(other)));
    }
    assert_eq!(hash(stamp(5, 7)), hash(stamp(5, 7)));
}

#[test]
fn times_and_nodes_become_what_the_standard_library_has() {
    let node = NodeId::new(42).unwrap();
    assert_eq!((u64::from(node), NodeId::try_from(42_u64), NodeId::from(42_u32)), (42, Ok(node), node));
    #[cfg(feature = "std")]
    {
        let time = Timestamp::from_parts(1_700_000_000_250, 7).unwrap().to_system_time();
        let expected = std::time::UNIX_EPOCH + core::time::Duration::from_millis(1_700_000_000_250);
        assert_eq!(time, Some(expected));
    }
}

/// Made by the compiler: everything that makes and takes apart a stamp is `const`.
static STAMP: Stamp = match NodeId::new(7) {
    Ok(node) => match Timestamp::from_parts(5, 1) {
        Ok(timestamp) => timestamp.at_node(node),
        Err(_) => panic!("fits"),
    },
    Err(_) => panic!("fits"),
};
static BYTES: [u8; 16] = STAMP_COPY.to_bytes();
const STAMP_COPY: Stamp = match Stamp::from_u128(STAMP_BITS) {
    Ok(stamp) => stamp,
    Err(_) => panic!("valid"),
};
const STAMP_BITS: u128 = (0x5_0001 << 64) | 7;

#[test]
fn stamps_can_be_constants() {
    assert_eq!(STAMP, STAMP_COPY);
    assert_eq!(BYTES, STAMP.to_bytes());
}

#[cfg(any(target_has_atomic = "64", feature = "portable-atomic"))]
mod shared_clock {
    use super::*;
    use hlc::AtomicClock;

    fn fixed() -> Result<PhysicalTime, hlc::SourceError> {
        Ok(PhysicalTime::from_millis(1_000))
    }

    static CLOCK: AtomicClock<ManualSource> = AtomicClock::new(ManualSource::at_millis(1_000));
    static NTP_CLOCK: AtomicClock<ManualSource, Ntp48> =
        AtomicClock::with_layout(ManualSource::at_millis(1_000));

    #[test]
    fn a_clock_can_be_static_and_every_thread_gets_stamps_of_its_own() {
        shared::<AtomicClock<ManualSource>>();
        let stamps = std::thread::scope(|scope| {
            let threads = [(); 4].map(|()| scope.spawn(|| [(); 100].map(|()| CLOCK.tick().unwrap())));
            threads.map(|thread| thread.join().unwrap())
        });
        assert_eq!(stamps.iter().flatten().collect::<HashSet<_>>().len(), 400);
        assert_eq!(NTP_CLOCK.tick().unwrap().physical_units(), 1 << 16);
    }

    #[test]
    fn the_debug_form_of_a_shared_clock_names_it_and_says_where_it_stands() {
        let clock = AtomicClock::new(ManualSource::at_millis(7));
        clock.tick().unwrap();
        let shown = format!("{clock:?}");
        assert!(shown.starts_with("AtomicClock { last: Some(Unix48(7, 0)), limits: "), "{shown}");
    }

    #[test]
    fn a_clock_over_a_function_can_be_shared() {
        let clock = AtomicClock::new(source::from_fn(fixed));
        let read = |clock: &AtomicClock<_>| clock.tick().unwrap();
        assert!(read(&clock) < read(&clock));
    }
}

/// Says whether a type is `Clone`: the inherent constant exists only where it is, and then hides the trait's.
struct Probe<T>(core::marker::PhantomData<T>);

trait NotClone {
    const IS_CLONE: bool = false;
}

impl<T> NotClone for Probe<T> {}

impl<T: Clone> Probe<T> {
    const IS_CLONE: bool = true;
}

#[test]
fn nothing_that_hands_out_stamps_can_be_copied() {
    // A source that is `Copy`, so that it is not the source that keeps the clock from being copied.
    type Fixed = fn() -> PhysicalTime;
    let told_apart = Probe::<Timestamp>::IS_CLONE && Probe::<Stamp>::IS_CLONE;
    assert!(told_apart, "the probe tells the difference");
    let copies = [Probe::<Clock<Fixed>>::IS_CLONE, Probe::<Reservation>::IS_CLONE];
    assert_eq!(copies, [false; 2], "a copy would give the same stamps again");
    #[cfg(any(target_has_atomic = "64", feature = "portable-atomic"))]
    {
        let is_copied = Probe::<hlc::AtomicClock<Fixed>>::IS_CLONE;
        assert!(!is_copied, "so would one of the shared clock");
    }
}

#[test]
fn each_debug_form_names_its_type_and_says_where_it_stands() {
    let source = ManualSource::at_millis(7);
    let mut clock = Clock::new(&source);
    let block = clock.reserve(NonZeroU32::new(3).unwrap()).unwrap();
    assert_eq!(format!("{block:?}"), "Reservation { next: Some(Unix48(7, 0)), left: 3 }");
    let shown = format!("{clock:?}");
    assert!(shown.starts_with("Clock { last: Some(Unix48(7, 2)), limits: "), "{shown}");

    let cache = source::CachedSource::new();
    cache.refresh(&source).unwrap();
    let time = "PhysicalTime { secs: 0, nanos: 7000000 }";
    assert_eq!(format!("{cache:?}"), format!("CachedSource {{ now: Ok({time}), failed_refreshes: 0 }}"));
    let offset = source::Offset::new(source::from_fn(|| source.now()));
    offset.set_nanos(-5);
    assert_eq!(format!("{offset:?}"), "Offset { nanos: Some(-5), source: FromFn { .. } }");
    let limited = source::StepLimit::new(&offset, &offset, core::time::Duration::from_secs(10));
    let shown = format!("{limited:?}");
    assert!(shown.starts_with("StepLimit { max_step: 10s, source: Offset "), "{shown}");
    let timer = source::Widening::new(|| 7, NonZeroU32::MIN);
    timer.now().unwrap();
    assert_eq!(format!("{timer:?}"), "Widening { ticks_per_sec: 1, last: Shared(7), .. }");
    let timer = source::Widening::owned(|| 8, NonZeroU32::MIN);
    timer.now().unwrap();
    assert_eq!(format!("{timer:?}"), "Widening { ticks_per_sec: 1, last: Owned(8), .. }");
    let anchored = source::AnchoredSource::new((|| 1) as fn() -> u64, &offset);
    let shown = format!("{anchored:?}");
    assert!(shown.starts_with("AnchoredSource { interval: "), "{shown}");
}

#[cfg(all(feature = "durable", feature = "std"))]
#[test]
fn the_debug_form_of_a_durable_clock_shows_its_bound() {
    let mark = || high_water::MemoryMark::new(5);
    let owned = format!("{:?}", hlc::DurableClock::new(ManualSource::at_millis(7), mark()));
    let shared = format!("{:?}", hlc::AtomicDurableClock::new(ManualSource::at_millis(7), mark()));
    let stands = "{ last: Some(Unix48(0, 5)), bound: Some(Unix48(0, 5)), policy: ";
    assert!(owned.starts_with(&format!("DurableClock {stands}")), "{owned}");
    assert!(shared.starts_with(&format!("AtomicDurableClock {stands}")), "{shared}");
}

/// The numbers of the table in the crate's design: a change here changes what is stored.
#[test]
fn the_constants_of_the_layouts_are_fixed() {
    fn row<L: Layout>() -> (&'static str, u64, u32, u64, Rounding) {
        assert_eq!(Packed::<L>::MIN.to_bits(), 1);
        assert_eq!(Packed::<L>::MAX.to_bits(), u64::MAX);
        assert_eq!(u64::from(Packed::<L>::MAX_COUNTER), (1 << L::COUNTER_BITS) - 1);
        assert_eq!(Packed::<L>::MAX_PHYSICAL_UNITS, u64::MAX >> L::COUNTER_BITS);
        (L::NAME, L::UNITS_PER_SECOND, L::COUNTER_BITS, L::EPOCH_UNIX_SECS, L::ROUNDING)
    }
    assert_eq!(row::<Unix48>(), ("Unix48", 1_000, 16, 0, Rounding::Down));
    assert_eq!(row::<Micros52>(), ("Micros52", 1_000_000, 12, 0, Rounding::Down));
    assert_eq!(row::<Ntp48>(), ("Ntp48", 65_536, 16, 0, Rounding::Up));
    assert_eq!(row::<Ntp60>(), ("Ntp60", 268_435_456, 4, 0, Rounding::Down));
    assert_eq!(row::<Millis46>(), ("Millis46", 1_000, 18, 0, Rounding::Down));
    assert_eq!(row::<Millis42Y2022>(), ("Millis42Y2022", 1_000, 22, 1_640_995_200, Rounding::Down));
    assert_eq!(row::<Secs32>(), ("Secs32", 1, 32, 0, Rounding::Down));
}

/// A layout of somebody else, at the edges of what the trait allows: units shorter than a nanosecond.
#[test]
fn a_foreign_layout_of_units_below_a_nanosecond_keeps_its_promises() {
    #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
    enum Ntp63 {}
    impl Layout for Ntp63 {
        const NAME: &'static str = "Ntp63";
        const UNITS_PER_SECOND: u64 = 1 << 32;
        const COUNTER_BITS: u32 = 1;
        const EPOCH_UNIX_SECS: u64 = 0;
        const ROUNDING: Rounding = Rounding::Down;
    }
    let last_of_a_second = Packed::<Ntp63>::from_parts((1 << 32) - 1, 0).unwrap();
    assert_eq!(last_of_a_second.physical_time(), PhysicalTime::from_secs(1), "the nanosecond after it");
    assert_eq!(Packed::<Ntp63>::MAX.physical_time(), PhysicalTime::from_secs(1 << 31));
    let time = PhysicalTime::new(7, 999_999_999).unwrap();
    let first = Packed::<Ntp63>::first_at(time).unwrap();
    assert_eq!(first.physical_units(), (7 << 32) | 4_294_967_291);
    assert_eq!(first.physical_time(), time);
}
