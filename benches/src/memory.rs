//! What a clock, an entry of a vector and a stamp take: on the stack, on the heap, and in a message.

use core::fmt;

use crdts::CmRDT as _;
use epoch_fence::{FencingToken, Gate, Permit};
use high_water::MemoryMark;
use hlc::{AtomicClock, AtomicDurableClock, Clock, Stamp, Timestamp, source::SystemSource};
use vector_clock::{DenseVector, Dot, Heap, VersionVector};
use yrs::updates::encoder::Encode as _;

use crate::{stamps, vectors};

/// A line of the table.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Row {
    /// What is compared: a clock, a stamp, an entry, or one of them encoded.
    pub group: &'static str,
    /// Whose it is.
    pub name: &'static str,
    /// Bytes, those on the heap included.
    pub bytes: f64,
    /// Of this workspace, and not a peer's.
    pub ours: bool,
}

impl fmt::Display for Row {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}: {:.1} bytes", self.group, self.name, self.bytes)
    }
}

/// The entries of the vectors: as many as a large cluster has replicas.
pub const ENTRIES: usize = 64;

#[expect(clippy::cast_precision_loss, reason = "small numbers")]
fn real(bytes: usize) -> f64 {
    bytes as f64
}

/// What a value takes where it is, and what it holds on the heap.
fn held<T>(make: impl FnOnce() -> T) -> f64 {
    let mut made = None;
    let heap = allocation_counter::measure(|| made = Some(make())).bytes_current;
    real(size_of::<T>().saturating_add(usize::try_from(heap).unwrap_or(0)))
}

#[expect(clippy::float_arithmetic, reason = "a mean, for people")]
fn per_entry(bytes: f64) -> f64 {
    bytes / real(ENTRIES)
}

/// All rows, those of this workspace first in each group.
#[must_use]
pub fn rows() -> Vec<Row> {
    let mut rows = Vec::new();
    let mut put = |group, name, ours, bytes| rows.push(Row { group, name, bytes, ours });
    clocks(&mut put);
    stamps_of(&mut put);
    entries_of(&mut put);
    rows
}

type Put<'a> = dyn FnMut(&'static str, &'static str, bool, f64) + 'a;

fn clocks(put: &mut Put<'_>) {
    let group = "a clock";
    put(group, "hlc, Clock", true, held(|| Clock::new(SystemSource::new())));
    put(group, "hlc, AtomicClock", true, held(|| AtomicClock::new(SystemSource::new())));
    put(
        group,
        "hlc, AtomicDurableClock",
        true,
        held(|| AtomicDurableClock::new(SystemSource::new(), MemoryMark::new(0))),
    );
    put(group, "lamport, Clock", true, held(lamport::Clock::new));
    put(group, "lamport, AtomicClock", true, held(lamport::AtomicClock::new));
    put(group, "uhlc, HLC", false, held(|| uhlc::HLCBuilder::new().build()));
    put(group, "hlc-gen, HlcGenerator", false, held(|| hlc_gen::HlcGenerator::new(1_000)));
    put(group, "ulid, Generator", false, held(ulid::Generator::new));
    put(group, "uuid, ContextV7", false, held(uuid::ContextV7::new));
    let group = "a gate";
    put(group, "epoch-fence, Gate", true, real(size_of::<Gate>()));
    put(group, "epoch-fence, Permit", true, real(size_of::<Permit<'_>>()));
    put(group, "parking_lot, Mutex<u64>", false, real(size_of::<parking_lot::Mutex<u64>>()));
}

fn stamps_of(put: &mut Put<'_>) {
    let group = "a stamp in memory";
    put(group, "hlc, Timestamp", true, real(size_of::<Timestamp>()));
    put(group, "hlc, Option<Timestamp>", true, real(size_of::<Option<Timestamp>>()));
    put(group, "hlc, Stamp", true, real(size_of::<Stamp>()));
    put(group, "lamport, Stamp<u64>", true, real(size_of::<lamport::Stamp<u64>>()));
    put(group, "epoch-fence, FencingToken", true, real(size_of::<FencingToken>()));
    put(group, "uhlc, Timestamp", false, real(size_of::<uhlc::Timestamp>()));
    put(group, "hlc-gen, HlcTimestamp", false, real(size_of::<hlc_gen::HlcTimestamp>()));
    put(group, "ulid, Ulid", false, real(size_of::<ulid::Ulid>()));
    put(group, "uuid, Uuid", false, real(size_of::<uuid::Uuid>()));

    let peer = uhlc::HLCBuilder::new().build().new_timestamp();
    if let Some(stamp) = stamps(1).first() {
        let group = "a stamp in a message";
        put(group, "hlc, Stamp, sort key", true, real(stamp.to_bytes().len()));
        put(group, "hlc, Stamp, envelope", true, real(stamp.to_envelope().len()));
        put(group, "uhlc, Timestamp: time and id", false, real(8_usize.saturating_add(peer.get_id().size())));
        put(group, "uuid, ulid", false, real(size_of::<uuid::Uuid>()));
        let group = "a stamp as text";
        put(group, "hlc, Stamp", true, real(stamp.to_string().len()));
        put(group, "uhlc, Timestamp", false, real(peer.to_string().len()));
        put(group, "uuid", false, real(uuid::Uuid::now_v7().to_string().len()));
        put(group, "ulid", false, real(ulid::Ulid::generate().to_string().len()));
    }
}

fn entries_of(put: &mut Put<'_>) {
    let entries = vectors::entries(ENTRIES, 1);
    let dots = || entries.iter().filter_map(|(id, counter)| Dot::try_new(*id, *counter).ok());
    let ours = || VersionVector::<u64, Heap>::from_sorted(dots()).unwrap_or_default();
    let narrow = |counter: u64| u32::try_from(counter).unwrap_or(u32::MAX);
    let of_yrs = || -> yrs::StateVector {
        entries.iter().map(|(id, counter)| (yrs::ClientID::new(*id), narrow(*counter))).collect()
    };

    let group = "an entry of 64 in memory";
    put(group, "vector-clock, DenseVector", true, per_entry(held(DenseVector::<ENTRIES>::new)));
    put(group, "vector-clock, VersionVector", true, per_entry(held(ours)));
    let of_crdts = || {
        entries.iter().fold(crdts::VClock::new(), |mut clock, (id, counter)| {
            clock.apply(crdts::Dot::new(*id, *counter));
            clock
        })
    };
    put(group, "crdts, VClock", false, per_entry(held(of_crdts)));
    let of_vclock = || {
        let entries: std::collections::HashMap<_, _> = entries.iter().copied().collect();
        vclock::VClock::from(entries)
    };
    put(group, "vclock, VClock", false, per_entry(held(of_vclock)));
    put(group, "yrs, StateVector (32-bit counters)", false, per_entry(held(of_yrs)));

    let group = "an entry of 64 in a message";
    put(group, "vector-clock, VersionVector", true, per_entry(real(ours().to_bytes().len())));
    put(group, "yrs, encode_v1 (32-bit counters)", false, per_entry(real(of_yrs().encode_v1().len())));
}
