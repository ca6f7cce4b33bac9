//! The list in `docs/metrics.md`, what is exported, and the fields of the snapshots: each pair agrees, both ways.
#![expect(clippy::arithmetic_side_effects, reason = "a test that overflows fails")]

use std::{
    collections::{BTreeMap, BTreeSet},
    convert::Infallible,
    fmt, fs,
    path::Path,
    sync::atomic::{AtomicBool, Ordering},
    time::Duration,
};

use axum::http::{HeaderMap, HeaderValue, Request, Response};
use epoch_fence::{Epoch, Gate, Issuer, RealmId, ResourceId, engine::memory::Memory};
use futures_util::FutureExt as _;
use high_water::{MemoryMark, Outcome, Reserver};
use hlc::{
    AtomicClock, AtomicDurableClock, LeadPolicy, NodeId, PhysicalTime, SourceError, Timestamp,
    source::{ManualSource, StepLimit, from_fn},
};
use hlc_tower::{ClockPolicy, ServerLayer, header};
use tower::{Layer as _, ServiceExt as _, service_fn};
use vector_clock::{CausalBuffer, Fixed, Heap, IntervalTreeClock, Stamp, VectorClock};

use crate::{board::Board, board::Kind, export::Export};

/// Fields that are exported in another way, or that the document says are not.
const NOT_IN_A_ROW: [(&str, &str); 5] = [
    ("hlc::DurableSnapshot", "clock"),
    ("lamport::DurableSnapshot", "clock"),
    ("epoch_fence::FileGateSnapshot", "gate"),
    ("epoch_fence::FileGateSnapshot", "realm"),
    ("hlc_tracing::StampTimer", "node"),
];

/// A row of the document.
#[derive(Clone, Debug)]
struct Row {
    of: String,
    name: String,
    kind: Kind,
    unit: String,
    field: String,
}

fn rows() -> Vec<Row> {
    let document = include_str!("../../../../docs/metrics.md");
    let (mut rows, mut of) = (Vec::new(), String::new());
    for line in document.lines() {
        if let Some(heading) = line.strip_prefix("## ") {
            of = heading.trim_matches('`').to_owned();
        } else if line.starts_with("| `") {
            let cells: Vec<_> = line.trim_matches('|').split(" | ").map(str::trim).collect();
            let [name, kind, unit, field, meaning, page_when] = cells[..] else {
                panic!("six cells: {line}")
            };
            let kind = match kind {
                "counter" => Kind::Counter,
                "gauge" => Kind::Gauge,
                other => panic!("{other} is no kind: {line}"),
            };
            assert!(!meaning.is_empty() && !page_when.is_empty(), "{line}");
            let bare = |cell: &str| cell.trim_matches('`').to_owned();
            rows.push(Row { of: of.clone(), name: bare(name), kind, unit: unit.into(), field: bare(field) });
        }
    }
    rows
}

/// The fields that the derived `Debug` shows, with what it shows of them.
fn fields(debug: &str) -> BTreeMap<String, String> {
    let field = |line: &str| {
        let line = line
            .strip_prefix("    ")
            .filter(|line| line.starts_with(|first: char| first.is_ascii_lowercase()))?;
        let (name, value) = line.split_once(": ")?;
        Some((name.to_owned(), value.trim_end_matches(',').to_owned()))
    };
    debug.lines().filter_map(field).collect()
}

/// What is compared with a metric by itself: an integer, or a flag.
fn number(shown: &str) -> Option<f64> {
    match shown {
        "true" => Some(1.0),
        "false" => Some(0.0),
        digits => digits.parse::<u32>().ok().map(f64::from),
    }
}

/// What a snapshot showed, and what of it arrived.
struct Seen {
    of: &'static str,
    fields: BTreeMap<String, String>,
    exported: BTreeMap<String, (Kind, f64)>,
}

impl Seen {
    fn new(of: &'static str, snapshot: &dyn fmt::Debug, export: impl FnOnce(Export)) -> Self {
        let board = Board::default();
        metrics::with_local_recorder(&board, || export(Export("test")));
        let exported = board.numbers().into_iter().map(|(name, kind, labels, value)| {
            assert_eq!(labels, "name=\"test\"", "of {name}");
            (name, (kind, value))
        });
        Self { of, fields: fields(&format!("{snapshot:#?}")), exported: exported.collect() }
    }

    fn value(&self, name: &str) -> f64 {
        self.exported[name].1
    }
}

fn clock_at(millis: u64) -> AtomicClock<ManualSource> {
    AtomicClock::new(ManualSource::at_millis(millis))
}

fn stamp(millis: u64) -> Timestamp {
    Timestamp::from_parts(millis, 0).unwrap()
}

/// Clocks of `hlc` that each have counted one thing.
fn hlc_clocks() -> Vec<Seen> {
    let seen =
        |snapshot: hlc::Snapshot| Seen::new("hlc::Snapshot", &snapshot, |export| export.hlc(&snapshot));

    let skewed = clock_at(1_000);
    for _ in 0..2 {
        skewed.observe(stamp(9_000_000)).unwrap_err();
    }
    let ahead = clock_at(1_000)
        .with_lead_policy(LeadPolicy::AtMost(Duration::from_secs(1)))
        .resume_after(stamp(9_000));
    let at_end = clock_at(1_000).resume_after(Timestamp::MAX);
    let broken = AtomicClock::new(from_fn(|| Err(SourceError::Unavailable("broken"))));
    for _ in 0..3 {
        ahead.tick().unwrap_err();
        at_end.tick().unwrap_err();
        broken.tick().unwrap_err();
    }
    let (wall, elapsed) = (ManualSource::at_millis(1_000), ManualSource::at_millis(0));
    let stepping = AtomicClock::new(StepLimit::new(&wall, &elapsed, Duration::from_secs(1)));
    stepping.tick().unwrap();
    wall.set_millis(9_000_000);
    stepping.tick().unwrap_err();
    let busy = clock_at(1_000);
    for _ in 0..5 {
        busy.reserve(40_000.try_into().unwrap()).unwrap();
    }
    [
        skewed.snapshot(),
        ahead.snapshot(),
        at_end.snapshot(),
        broken.snapshot(),
        stepping.snapshot(),
        busy.snapshot(),
    ]
    .map(seen)
    .into()
}

fn durable_hlc_clocks() -> Vec<Seen> {
    let scripts: [fn(u64) -> Outcome; 3] =
        [|_| Outcome::Acknowledged, |_| Outcome::NotRaised, |_| Outcome::IndeterminateAndRaised];
    let mut all = Vec::new();
    let mut look = |clock: AtomicDurableClock<ManualSource, MemoryMark<_>>| {
        let seen = clock.snapshot();
        all.push(Seen::new("hlc::DurableSnapshot", &seen, |export| export.hlc_durable(&seen)));
    };
    let new =
        |script| AtomicDurableClock::new(ManualSource::at_millis(1_000), MemoryMark::scripted(0, script));
    for script in scripts {
        let kept = new(script);
        // What the script says becomes of the first raise.
        let _ = kept.upkeep();
        look(kept);
    }
    let stalled = new(scripts[0]);
    stalled.tick().unwrap_err();
    look(stalled);
    all
}

/// What has public fields is given numbers that are all different.
macro_rules! numbered {
    ($snapshot:expr, $($field:ident),+) => {{
        let (mut snapshot, mut count) = ($snapshot, 1);
        $(
            count += 1;
            snapshot.$field = count;
        )+
        snapshot
    }};
}

fn lamport_clocks() -> Vec<Seen> {
    let mut plain = lamport::Clock::new();
    plain.resume_after_unbounded(lamport::Time::new(77));
    let seen = numbered!(plain.snapshot(), jump_exceeded, end_reserved, exhausted);
    let durable = lamport::DurableClock::new(MemoryMark::new(55));
    let kept = numbered!(durable.snapshot(), left, stalls, extensions, not_raised, indeterminate);
    vec![
        Seen::new("lamport::Snapshot", &seen, |export| export.lamport(&seen)),
        Seen::new("lamport::DurableSnapshot", &kept, |export| export.lamport_durable(&kept)),
    ]
}

fn vector_clocks() -> Vec<Seen> {
    let clock = VectorClock::<u32, Heap>::new(1).snapshot();
    let mut clock = numbered!(clock, last, jump_exceeded, unissued, capacity, overflow);
    clock.entries = 9;
    let buffer = CausalBuffer::<(Stamp<u32, Fixed<4>>, u8), Fixed<4>>::new().snapshot();
    let mut buffer = numbered!(buffer, delivered, duplicates, unknown_member, beyond_quota, full, steps);
    buffer.waiting = 9;
    let tree = IntervalTreeClock::seed().snapshot();
    let mut tree = numbered!(tree, anonymous, overlap, overflow, budget, jump);
    tree.nodes = 9;
    vec![
        Seen::new("vector_clock::Snapshot", &clock, |export| export.vector_clock(&clock)),
        Seen::new("vector_clock::BufferSnapshot", &buffer, |export| export.causal_buffer(&buffer)),
        Seen::new("vector_clock::IntervalTreeSnapshot", &tree, |export| export.interval_tree(&tree)),
    ]
}

fn marks() -> Vec<Seen> {
    let register = numbered!(
        high_water::Snapshot::default(),
        raises,
        unchanged,
        not_raised,
        indeterminate,
        syncs,
        damaged_copies
    );
    let reserver = Reserver::new(MemoryMark::new(0), 8.try_into().unwrap()).snapshot();
    let reserver = numbered!(reserver, left, mark, extensions, stalls);
    vec![
        Seen::new("high_water::Snapshot", &register, |export| export.high_water(&register)),
        Seen::new("high_water::ReserverSnapshot", &reserver, |export| export.reserver(&reserver)),
    ]
}

fn gates() -> Vec<Seen> {
    let realm = RealmId::from_random_bits(1).unwrap();
    let gate = Gate::new(realm, ResourceId::of("tests", "metrics"), Epoch::new(77).unwrap()).snapshot();
    let mut gate = numbered!(
        gate,
        advances,
        stale,
        conflict,
        wrong_resource,
        wrong_realm,
        too_far_ahead,
        draining,
        refused_sealed,
        too_many_permits,
        abandoned,
        impossible
    );
    gate.in_flight = 99;
    // One flag at a time.
    let (mut closed, mut sealed) = (gate, gate);
    (closed.closed, sealed.sealed) = (true, true);
    [closed, sealed].map(|seen| Seen::new("epoch_fence::Snapshot", &seen, |export| export.gate(&seen))).into()
}

#[cfg(target_os = "linux")]
fn file_gates() -> Vec<Seen> {
    let folder = clock_testing::Folder::new("metrics");
    let options = epoch_fence::engine::file::FileOptions::new().allow_volatile_file_system();
    let directory = options.allow_unknown_file_system().open_or_create(folder.path()).unwrap();
    let gate = directory.gate(ResourceId::of("tests", "metrics"));
    gate.begin_at(RealmId::from_random_bits(1).unwrap(), Epoch::FIRST).unwrap();
    let seen = gate.snapshot().unwrap().unwrap();
    vec![Seen::new("epoch_fence::FileGateSnapshot", &seen, |export| export.file_gate(&seen))]
}

fn issuers() -> Vec<Seen> {
    let store = Memory::new(RealmId::from_random_bits(1).unwrap());
    let seen = numbered!(
        Issuer::new(&store, &store).snapshot(),
        granted,
        held,
        contended,
        indeterminate,
        not_granted,
        superseded,
        renewed,
        lost,
        released,
        already_lost,
        evicted,
        recovered,
        unknown_changes,
        failed,
        refused,
        regressed,
        impossible
    );
    vec![Seen::new("epoch_fence::IssuerSnapshot", &seen, |export| export.issuer(&seen))]
}

fn timers() -> Vec<Seen> {
    let broken = AtomicClock::new(from_fn(|| Err::<PhysicalTime, _>(SourceError::Unavailable("broken"))));
    let timer = hlc_tracing::StampTimer::new(broken, NodeId::MIN);
    timer.prefix().stamp().unwrap_err();
    vec![Seen::new("hlc_tracing::StampTimer", &timer, |export| export.lines(&timer))]
}

/// A service that has had each kind of message, and each kind as often as no other.
fn layers() -> Vec<Seen> {
    const GOOD: &[u8] = b"00000000044c0000-0000000000000002"; // 100 ms ahead
    // What the handler is told to do, in place of a header of its response.
    const STAMP: &[u8] = b"stamp";
    const BREAK: &[u8] = b"break";
    const LONG: &[u8] = b"00000000044c0000-00000000000000020";
    const YEAR_10889: &[u8] = b"ffffffffffffffff-0000000000000002";
    let carrying = |values: &[&[u8]]| -> HeaderMap {
        values.iter().map(|value| (header::NAME, HeaderValue::from_bytes(value).unwrap())).collect()
    };

    let is_broken = AtomicBool::new(false);
    let clock = AtomicClock::new(from_fn(|| {
        let is_whole = !is_broken.load(Ordering::Relaxed);
        is_whole.then(|| PhysicalTime::from_millis(1_000)).ok_or(SourceError::Unavailable("broken"))
    }));
    let layer = ServerLayer::new(&clock, NodeId::MIN).with_clock_policy(ClockPolicy::PassUnstamped);
    // Its answers have the headers that the body of the request names.
    let service = layer.layer(service_fn(async |request: Request<HeaderMap>| {
        let mut response = Response::new(());
        response.headers_mut().clone_from(request.body());
        let told = request.body().get(header::NAME).map(HeaderValue::as_bytes);
        is_broken.fetch_or(told == Some(BREAK), Ordering::Relaxed);
        if told == Some(STAMP)
            && let Ok(stamp) = clock.tick()
        {
            header::insert(response.headers_mut(), stamp.at_node(NodeId::MIN)).unwrap();
        }
        Ok::<_, Infallible>(response)
    }));
    let send = |times: usize, request: &[&[u8]], response: &[&[u8]]| {
        for _ in 0..times {
            let mut sent = Request::new(carrying(response));
            *sent.headers_mut() = carrying(request);
            service.clone().oneshot(sent).now_or_never().expect("waits for nothing").unwrap();
        }
    };
    send(1, &[GOOD], &[]);
    send(2, &[GOOD, GOOD], &[]);
    send(3, &[LONG], &[]);
    send(4, &[b"\xff"], &[]);
    send(5, &[b"now"], &[]);
    send(6, &[YEAR_10889], &[]);
    send(7, &[], &[STAMP]);
    send(8, &[], &[b"now"]);
    send(1, &[], &[BREAK]);
    send(9, &[GOOD], &[b"now"]);
    send(10, &[], &[]);

    let seen = layer.snapshot();
    vec![Seen::new("hlc_tower::Snapshot", &seen, |export| export.headers(&seen))]
}

fn everything() -> Vec<Seen> {
    let mut all: Vec<_> = [
        hlc_clocks(),
        durable_hlc_clocks(),
        layers(),
        timers(),
        lamport_clocks(),
        vector_clocks(),
        marks(),
        gates(),
        issuers(),
    ]
    .into_iter()
    .flatten()
    .collect();
    #[cfg(target_os = "linux")]
    all.extend(file_gates());
    all
}

/// The rows of a platform: a gate in files is Linux's.
fn rows_here() -> Vec<Row> {
    rows().into_iter().filter(|row| cfg!(target_os = "linux") || !row.of.contains("FileGate")).collect()
}

#[test]
fn every_name_in_the_list_is_exported_as_that_kind_and_nothing_else_is() {
    let listed: BTreeSet<_> = rows_here().into_iter().map(|row| (row.name, row.kind)).collect();
    let exported: BTreeSet<_> = everything()
        .into_iter()
        .flat_map(|seen| seen.exported.into_iter().map(|(name, (kind, _))| (name, kind)))
        .collect();
    assert_eq!(exported, listed);
    assert_eq!(listed.len(), rows_here().len(), "a name stands in one row");
}

#[test]
fn every_field_of_every_snapshot_is_in_the_list_and_nothing_else_is() {
    for seen in everything() {
        let mut listed: BTreeSet<_> =
            rows().into_iter().filter(|row| row.of == seen.of).map(|row| row.field).collect();
        let elsewhere = NOT_IN_A_ROW.iter().filter(|(of, _)| *of == seen.of);
        listed.extend(elsewhere.map(|(_, field)| (*field).to_owned()));
        assert_eq!(seen.fields.into_keys().collect::<BTreeSet<_>>(), listed, "of {}", seen.of);
    }
}

#[test]
fn every_number_arrives_under_its_own_name() {
    let all = everything();
    let mut told_apart = BTreeSet::new();
    for seen in &all {
        let numbers: BTreeMap<_, _> =
            seen.fields.iter().filter_map(|(field, shown)| Some((field, number(shown)?))).collect();
        for row in rows().into_iter().filter(|row| row.of == seen.of) {
            let Some(&shown) = numbers.get(&row.field) else { continue };
            assert_eq!(seen.value(&row.name).to_bits(), shown.to_bits(), "{} of {}", row.name, seen.of);
            let same = numbers.values().filter(|other| other.to_bits() == shown.to_bits()).count();
            if same == 1 {
                told_apart.insert(row.name);
            }
        }
    }
    // What is no integer is looked at below, by name.
    const BY_NAME: [&str; 12] = [
        "hlc_last_seconds",
        "hlc_lead_seconds",
        "hlc_max_lead_seconds",
        "hlc_durable_bound_seconds",
        "hlc_durable_headroom_seconds",
        "hlc_tracing_unstamped_total",
        "lamport_last",
        "lamport_durable_bound",
        "epoch_fence_gate_floor",
        "epoch_fence_gate_admitted",
        "epoch_fence_gate_holders",
        "vector_clock_entries",
    ];
    let missed: Vec<_> = rows_here()
        .into_iter()
        .map(|row| row.name)
        .filter(|name| !told_apart.contains(name) && !BY_NAME.contains(&name.as_str()))
        .collect();
    assert_eq!(missed, [""; 0], "these could be another one's");
}

#[test]
fn times_and_places_arrive_in_their_unit() {
    let wall = ManualSource::at_millis(1_500);
    let clock = AtomicClock::new(&wall).resume_after(stamp(9_000));
    clock.tick().unwrap();
    wall.set_millis(3_000);
    let snapshot = clock.snapshot();
    let seen = Seen::new("hlc::Snapshot", &snapshot, |export| export.hlc(&snapshot));
    let values =
        ["hlc_last_seconds", "hlc_lead_seconds", "hlc_max_lead_seconds"].map(|name| seen.value(name));
    assert_eq!(values.map(f64::to_bits), [9.0, 6.0, 7.5].map(f64::to_bits));

    let broken = AtomicClock::new(from_fn(|| Err(SourceError::Unavailable("broken"))));
    let snapshot: hlc::Snapshot = broken.snapshot();
    let seen = Seen::new("hlc::Snapshot", &snapshot, |export| export.hlc(&snapshot));
    assert!(seen.value("hlc_lead_seconds").is_nan(), "unknown, and not zero");

    let durable = AtomicDurableClock::new(ManualSource::at_millis(2_000), MemoryMark::new(0));
    durable.upkeep().unwrap();
    let snapshot = durable.snapshot();
    let seen = Seen::new("hlc::DurableSnapshot", &snapshot, |export| export.hlc_durable(&snapshot));
    let (bound, headroom) = (snapshot.bound().unwrap().physical_time(), snapshot.headroom().unwrap());
    assert_eq!(
        seen.value("hlc_durable_bound_seconds").to_bits(),
        bound.to_duration().as_secs_f64().to_bits()
    );
    assert_eq!(seen.value("hlc_durable_headroom_seconds").to_bits(), headroom.as_secs_f64().to_bits());

    let all = everything();
    let value = |name: &str| all.iter().find_map(|seen| Some(seen.exported.get(name)?.1)).map(f64::to_bits);
    for (name, expected) in [
        ("lamport_last", 77.0),
        ("lamport_durable_bound", 55.0),
        ("epoch_fence_gate_floor", 77.0),
        ("epoch_fence_gate_admitted", 0.0),
        ("vector_clock_entries", 9.0),
        ("hlc_tracing_unstamped_total", 1.0),
    ] {
        assert_eq!(value(name), Some(f64::to_bits(expected)), "{name}");
    }
}

#[test]
fn a_name_says_its_kind_and_its_unit() {
    for row in rows() {
        assert_eq!(row.name.ends_with("_total"), row.kind == Kind::Counter, "{row:?}");
        assert_eq!(row.name.ends_with("_seconds"), row.unit == "seconds", "{row:?}");
    }
}

#[test]
fn no_type_that_counts_is_left_out() {
    fn sources(folder: &Path, found: &mut Vec<String>) {
        for entry in fs::read_dir(folder).unwrap().map(Result::unwrap) {
            if entry.file_type().unwrap().is_dir() {
                sources(&entry.path(), found);
            } else if entry.path().extension().is_some_and(|extension| extension == "rs") {
                found.push(fs::read_to_string(entry.path()).unwrap());
            }
        }
    }
    let headings: BTreeSet<_> = rows().into_iter().map(|row| row.of).collect();
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let mut types = BTreeSet::new();
    const CRATES: [&str; 8] = [
        "adapters/hlc-postgres",
        "adapters/hlc-tower",
        "adapters/hlc-tracing",
        "epoch-fence",
        "high-water",
        "hlc",
        "lamport",
        "vector-clock",
    ];
    for folder in CRATES {
        let krate = folder.trim_start_matches("adapters/");
        let mut found = Vec::new();
        sources(&root.join(folder).join("src"), &mut found);
        for line in found.iter().flat_map(|source| source.lines()) {
            let Some(name) = line.trim_start().strip_prefix("pub struct ") else { continue };
            let name = name.split(|end: char| !end.is_ascii_alphanumeric()).next().unwrap();
            if name.ends_with("Snapshot") {
                types.insert(format!("{}::{name}", krate.replace('-', "_")));
            }
        }
    }
    assert!(types.len() >= 13, "the sources were found: {types:?}");
    assert_eq!(types.difference(&headings).collect::<Vec<_>>(), [""; 0], "without a section in the list");
}

#[test]
fn the_program_shows_what_was_refused() {
    let board = Board::default();
    metrics::with_local_recorder(&board, || Export("messages").hlc(&clock_at(1_000).snapshot()));
    let shown = board.to_string();
    assert!(
        shown.contains(
            "# TYPE hlc_skew_refusals_total counter\nhlc_skew_refusals_total{name=\"messages\"} 0\n"
        )
    );
    super::main().unwrap();
}
