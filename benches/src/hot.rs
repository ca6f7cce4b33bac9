//! The hot paths of all crates: what a program calls a million times a second.
//!
//! Written once, for the two questions that have exact answers: how many instructions a call takes
//! (`benches/instructions.rs`), and how many allocations (`tests/allocations.rs`: none).

#![expect(
    clippy::std_instead_of_core,
    clippy::expect_used,
    clippy::missing_panics_doc,
    reason = "what a benchmark calls is std, and stops at the first surprise"
)]

use std::{
    hint::black_box,
    num::{NonZeroU32, NonZeroU64},
};

use epoch_fence::{Epoch, Fenced, FencingToken, Gate, GrantId, RealmId, ResourceId};
use high_water::{MemoryMark, Reserver};
use hlc::{
    AtomicClock, AtomicDurableClock, Clock, DurableClock, Stamp,
    layout::Millis42Y2022,
    source::{AnchoredSource, CachedSource, ManualSource, QuantaCounter, SystemSource},
};
use vector_clock::{ClockRef, DenseVector, Dot, DotSet, Fixed, Heap, Limits, VectorClock, VersionVector};

use crate::{stamps, vectors};

/// Does its call as often as it is told to.
pub type Path = Box<dyn FnMut(u32)>;

/// Makes a path of one call, in its steady state: what only the first call does has been done.
fn path<R>(mut call: impl FnMut() -> R + 'static) -> Path {
    let mut path = move |rounds| {
        for _ in 0..rounds {
            // A permit or a guard ends where it is made, as in a caller; and its end is part of the path.
            black_box(call());
        }
    };
    path(3);
    Box::new(path)
}

/// A name, and what makes that path.
pub type Named = (&'static str, fn() -> Path);

macro_rules! paths {
    ($($name:ident)+) => {
        &[$((stringify!($name), $name)),+]
    };
}

/// Those that take the same instructions on each machine with the same compiler: no real clock is read.
pub const EXACT: &[Named] = paths![
    hlc_compare hlc_tick hlc_tick_owned hlc_observe hlc_merge_old hlc_reserve_64 hlc_text_write hlc_text_parse
    hlc_encode hlc_decode hlc_durable_tick hlc_durable_tick_owned hlc_cached_tick
    lamport_tick lamport_observe lamport_merge_old lamport_reserve_64 lamport_encode lamport_decode
    lamport_durable_tick
    dense_compare_3 dense_compare_64 dense_merge_64 sparse_compare_8 sparse_compare_64 sparse_tick_64
    sparse_merge_old_64 sparse_encode_8 sparse_parse_8
    gate_enter_drop gate_check fenced_write token_encode token_decode
    high_water_draw
];

/// Those that read a real clock, or whose instructions depend on it.
pub const TIMED: &[Named] = paths![hlc_tick_system hlc_observe_system hlc_reserve_64_system hlc_tick_anchored fixed_clock_tick dot_set_insert];

/// What is wrong where a first step fails: nothing can be measured behind it.
const FIRST: &str = "the step before those that are counted";

/// A moment at which nothing moves.
fn still() -> ManualSource {
    ManualSource::at_millis(1_790_000_000_000)
}

type Fast<S> = AtomicClock<S, Millis42Y2022>;

fn block() -> NonZeroU32 {
    NonZeroU32::MIN.saturating_add(63)
}

/// Two stamps by their order.
#[must_use]
pub fn hlc_compare() -> Path {
    let [left, right] = <[Stamp; 2]>::try_from(stamps(2)).expect(FIRST);
    path(move || black_box(&left).cmp(black_box(&right)))
}

/// `AtomicClock::tick`, the source apart.
#[must_use]
pub fn hlc_tick() -> Path {
    let clock: Fast<_> = Fast::with_layout(still());
    path(move || clock.tick())
}

/// `Clock::tick`, the source apart.
#[must_use]
pub fn hlc_tick_owned() -> Path {
    let mut clock = Clock::<_, Millis42Y2022>::with_layout(still());
    path(move || clock.tick())
}

/// `AtomicClock::tick` with the time in a word that another thread refreshes.
#[must_use]
pub fn hlc_cached_tick() -> Path {
    let cache = CachedSource::new();
    cache.refresh(&still()).expect(FIRST);
    let clock: Fast<_> = Fast::with_layout(cache);
    path(move || clock.tick())
}

/// `AtomicClock::observe` of a stamp that is older than the clock's.
#[must_use]
pub fn hlc_observe() -> Path {
    let clock: Fast<_> = Fast::with_layout(still());
    let old = clock.tick().expect(FIRST);
    path(move || clock.observe(black_box(old)))
}

/// `AtomicClock::merge` of a stamp that is older than the clock's: nothing happens.
#[must_use]
pub fn hlc_merge_old() -> Path {
    let clock: Fast<_> = Fast::with_layout(still());
    let old = clock.tick().expect(FIRST);
    path(move || clock.merge(black_box(old)).is_ok())
}

/// `AtomicClock::reserve` of 64 stamps, each of which is looked at.
#[must_use]
pub fn hlc_reserve_64() -> Path {
    let clock: Fast<_> = Fast::with_layout(still());
    path(move || clock.reserve(block()).map(|block| block.fold(0, |sum, stamp| sum ^ stamp.to_bits())))
}

/// A stamp as text, into a buffer of the caller's.
#[must_use]
pub fn hlc_text_write() -> Path {
    let stamp = stamps(1).pop().expect(FIRST);
    let mut buffer = [0; <Stamp>::TEXT_LEN];
    path(move || black_box(stamp).encode_text(black_box(&mut buffer)).len())
}

/// A stamp from its text.
#[must_use]
pub fn hlc_text_parse() -> Path {
    let text = stamps(1).pop().expect(FIRST).to_string();
    path(move || black_box(text.as_str()).parse::<Stamp>())
}

/// A stamp's envelope.
#[must_use]
pub fn hlc_encode() -> Path {
    let stamp = stamps(1).pop().expect(FIRST);
    path(move || black_box(stamp).to_envelope())
}

/// A stamp from its envelope.
#[must_use]
pub fn hlc_decode() -> Path {
    let envelope = stamps(1).pop().expect(FIRST).to_envelope();
    path(move || <Stamp>::from_envelope(black_box(&envelope)))
}

/// `AtomicDurableClock::tick` below a bound that is far.
#[must_use]
pub fn hlc_durable_tick() -> Path {
    let clock = AtomicDurableClock::<_, _, Millis42Y2022>::with_layout(still(), MemoryMark::new(0));
    clock.upkeep().expect(FIRST);
    path(move || clock.tick())
}

/// `DurableClock::tick` below a bound that is far.
#[must_use]
pub fn hlc_durable_tick_owned() -> Path {
    let mut clock = DurableClock::<_, _, Millis42Y2022>::with_layout(still(), MemoryMark::new(0));
    path(move || clock.tick())
}

/// `AtomicClock::tick` on the system's clock.
#[must_use]
pub fn hlc_tick_system() -> Path {
    let clock: Fast<_> = Fast::with_layout(SystemSource::new());
    path(move || clock.tick())
}

/// `AtomicClock::observe` on the system's clock.
#[must_use]
pub fn hlc_observe_system() -> Path {
    let clock: Fast<_> = Fast::with_layout(SystemSource::new());
    let old = clock.tick().expect(FIRST);
    path(move || clock.observe(black_box(old)))
}

/// `AtomicClock::reserve` on the system's clock.
#[must_use]
pub fn hlc_reserve_64_system() -> Path {
    let clock: Fast<_> = Fast::with_layout(SystemSource::new());
    path(move || clock.reserve(block()).map(|block| block.fold(0, |sum, stamp| sum ^ stamp.to_bits())))
}

/// `AtomicClock::tick` on a fast counter.
#[must_use]
pub fn hlc_tick_anchored() -> Path {
    let clock: Fast<_> = Fast::with_layout(AnchoredSource::new(QuantaCounter::new(), SystemSource::new()));
    path(move || clock.tick())
}

/// `lamport::AtomicClock::tick`.
#[must_use]
pub fn lamport_tick() -> Path {
    let clock = lamport::AtomicClock::new();
    path(move || clock.tick())
}

/// `lamport::AtomicClock::observe` of an old time.
#[must_use]
pub fn lamport_observe() -> Path {
    let clock = lamport::AtomicClock::new();
    path(move || clock.observe(black_box(lamport::Time::new(1))))
}

/// `lamport::AtomicClock::merge` of an old time: nothing happens.
#[must_use]
pub fn lamport_merge_old() -> Path {
    let clock = lamport::AtomicClock::new();
    clock.tick().expect(FIRST);
    path(move || clock.merge(black_box(lamport::Time::new(1))).is_ok())
}

/// `lamport::AtomicClock::reserve` of 64 times, each of which is looked at.
#[must_use]
pub fn lamport_reserve_64() -> Path {
    let clock = lamport::AtomicClock::new();
    path(move || clock.reserve(block()).map(|times| times.fold(0, |sum, time| sum ^ black_box(time.get()))))
}

/// The bytes of a Lamport stamp.
#[must_use]
pub fn lamport_encode() -> Path {
    let stamp = lamport::Stamp::new(lamport::Time::new(7), 9_u64);
    path(move || black_box(stamp).to_envelope())
}

/// A Lamport stamp from its bytes.
#[must_use]
pub fn lamport_decode() -> Path {
    let envelope = lamport::Stamp::new(lamport::Time::new(7), 9_u64).to_envelope();
    path(move || lamport::Stamp::from_envelope(black_box(&envelope)))
}

/// `lamport::AtomicDurableClock::tick` within a block.
#[must_use]
pub fn lamport_durable_tick() -> Path {
    let clock = lamport::AtomicDurableClock::new(MemoryMark::new(0)).with_block(lamport::Block::MAX);
    clock.upkeep().expect(FIRST);
    path(move || clock.tick())
}

fn dense<const N: usize>(raised: bool) -> DenseVector<N> {
    let entries = vectors::entries(N, 1);
    let mut counters = [0; N];
    for (counter, (_, known)) in counters.iter_mut().zip(entries) {
        *counter = known.wrapping_add(raised.into());
    }
    DenseVector::try_from_counters(counters).unwrap_or_default()
}

fn dense_compare<const N: usize>() -> Path {
    let (left, right) = (dense::<N>(false), dense::<N>(true));
    path(move || black_box(&left).causality(black_box(&right)))
}

/// Two dense vectors of three.
#[must_use]
pub fn dense_compare_3() -> Path {
    dense_compare::<3>()
}

/// Two dense vectors of 64.
#[must_use]
pub fn dense_compare_64() -> Path {
    dense_compare::<64>()
}

/// Two dense vectors of 64, one learning from the other.
#[must_use]
pub fn dense_merge_64() -> Path {
    let (mut left, right) = (dense::<64>(false), dense::<64>(true));
    path(move || black_box(&mut left).merge(black_box(&right)))
}

type Vector = VersionVector<u64, Heap>;

fn sparse(count: usize, raised: bool) -> Vector {
    let dots = vectors::entries(count, 1)
        .into_iter()
        .filter_map(|(id, counter)| Dot::try_new(id, counter.wrapping_add(raised.into())).ok());
    Vector::from_sorted(dots).unwrap_or_default()
}

fn sparse_compare(count: usize) -> Path {
    let (left, right) = (sparse(count, false), sparse(count, true));
    path(move || black_box(&left).causality(black_box(&right)))
}

/// Two sparse vectors of the same eight.
#[must_use]
pub fn sparse_compare_8() -> Path {
    sparse_compare(8)
}

/// Two sparse vectors of the same 64.
#[must_use]
pub fn sparse_compare_64() -> Path {
    sparse_compare(64)
}

/// One more event of one of 64.
#[must_use]
pub fn sparse_tick_64() -> Path {
    let mut vector = sparse(64, false);
    let own = sparse(64, false).iter().nth(32).expect(FIRST).actor();
    path(move || vector.tick(black_box(own)).is_ok())
}

/// What is known already, learnt once more.
#[must_use]
pub fn sparse_merge_old_64() -> Path {
    let (mut known, old) = (sparse(64, true), sparse(64, false));
    path(move || black_box(&mut known).merge(black_box(&old)).is_ok())
}

/// The bytes of a vector of eight, into a buffer.
#[must_use]
pub fn sparse_encode_8() -> Path {
    let vector = sparse(8, false);
    let mut buffer = vec![0; vector.to_bytes().len()];
    path(move || black_box(&vector).encode_into(black_box(&mut buffer)).is_ok())
}

/// A vector of eight, compared with where it lies in a message.
#[must_use]
pub fn sparse_parse_8() -> Path {
    let bytes = sparse(8, false).to_bytes();
    let limits = Limits::new();
    path(move || ClockRef::parse(black_box(&bytes), &limits).map(|clock| clock.len()).ok())
}

/// A clock in fixed storage, and the stamp of its event.
#[must_use]
pub fn fixed_clock_tick() -> Path {
    let mut clock = VectorClock::<u64, Fixed<8>>::new(7);
    path(move || clock.tick().is_ok())
}

/// An event seen, in order.
#[must_use]
pub fn dot_set_insert() -> Path {
    let mut set = DotSet::<u64>::new();
    let mut counter = 0_u64;
    path(move || {
        counter = counter.wrapping_add(1);
        Dot::try_new(7, counter).map(|dot| set.insert(dot))
    })
}

fn token() -> FencingToken {
    let (realm, grant) = RealmId::from_random_bits(1).zip(GrantId::from_random_bits(2)).expect(FIRST);
    FencingToken::new(realm, ResourceId::of("benches", "hot"), Epoch::FIRST, grant)
}

/// `Gate::enter` under the current epoch, and the end of the permit.
#[must_use]
pub fn gate_enter_drop() -> Path {
    let token = token();
    let gate = Gate::resume(&token);
    path(move || drop(gate.enter(black_box(&token)).expect(FIRST)))
}

/// `Gate::check` under the current epoch.
#[must_use]
pub fn gate_check() -> Path {
    let token = token();
    let gate = Gate::resume(&token);
    path(move || gate.check(black_box(&token)).is_ok())
}

/// `Fenced::write` under the current epoch, and the end of the guard.
#[must_use]
pub fn fenced_write() -> Path {
    let token = token();
    let fenced = Fenced::new(Gate::resume(&token), 0_u64);
    path(move || {
        let mut value = fenced.write(black_box(&token)).expect(FIRST);
        *value = value.wrapping_add(1);
    })
}

/// The bytes of a token.
#[must_use]
pub fn token_encode() -> Path {
    let token = token();
    path(move || black_box(token).to_bytes())
}

/// A token from its bytes.
#[must_use]
pub fn token_decode() -> Path {
    let bytes = token().to_bytes();
    path(move || FencingToken::from_bytes(black_box(&bytes)))
}

/// `Reserver::draw` within a block.
#[must_use]
pub fn high_water_draw() -> Path {
    let block = NonZeroU64::MIN.saturating_add(1 << 40);
    let mut reserver = Reserver::new(MemoryMark::new(0), block);
    reserver.upkeep().expect(FIRST);
    path(move || reserver.draw())
}
