//! Logs of hosts whose wall clocks disagree.

use alloc::sync::Arc;
use core::{borrow::Borrow, fmt, fmt::Write as _, time::Duration};
use std::thread;

use hlc::{AtomicClock, NodeId, SkewPolicy, Source, Stamp, source::ManualSource};
use hlc_tracing::StampTimer;
use tracing::{Dispatch, dispatcher::with_default, info};
use tracing_subscriber::{
    fmt::{format::Writer, time::FormatTime},
    layer::SubscriberExt,
    registry::Registry,
};

use crate::log::Log;

type Clock = AtomicClock<Arc<ManualSource>>;

const HOUR: u64 = 3_600_000;
const NOON: u64 = 1_700_000_000_000;

/// What most programs log: the wall clock.
struct WallClock(Arc<ManualSource>);

impl FormatTime for WallClock {
    fn format_time(&self, writer: &mut Writer<'_>) -> fmt::Result {
        write!(writer, "{:020}", self.0.now().unwrap().to_nanos().unwrap())
    }
}

/// A host that writes each event into two logs: by stamp and by wall clock.
struct Host {
    node: NodeId,
    wall: Arc<ManualSource>,
    clock: Arc<Clock>,
    stamped: Log,
    by_wall: Log,
    dispatch: Dispatch,
}

impl Host {
    fn new(node: u64, millis: u64, policy: SkewPolicy) -> Self {
        let node = NodeId::new(node).unwrap();
        let wall = Arc::new(ManualSource::at_millis(millis));
        let clock = Arc::new(Clock::new(Arc::clone(&wall)).with_skew_policy(policy));
        let (stamped, by_wall) = (Log::default(), Log::default());
        let subscriber = Registry::default()
            .with(stamped.layer(StampTimer::new(Arc::clone(&clock), node)))
            .with(by_wall.layer(WallClock(Arc::clone(&wall))));
        Self { node, wall, clock, stamped, by_wall, dispatch: Dispatch::new(subscriber) }
    }

    fn log(&self, what: &str) {
        with_default(&self.dispatch, || info!("{what}"));
    }

    fn send(&self, message: usize) -> Stamp {
        self.log(&format!("message {message} sent"));
        self.clock.tick().unwrap().at_node(self.node)
    }

    fn receive(&self, message: usize, stamp: Stamp) -> bool {
        let heard = self.clock.observe(stamp.timestamp()).is_ok();
        self.log(&format!("message {message} received"));
        heard
    }
}

/// All lines in the order of `LC_ALL=C sort`.
fn sorted<L: Borrow<Log>>(logs: impl IntoIterator<Item = L>) -> Vec<String> {
    let mut lines: Vec<_> = logs.into_iter().flat_map(|log| log.borrow().lines()).collect();
    lines.sort();
    lines
}

/// The messages whose receipt stands before their sending.
fn reversed(lines: &[String], messages: usize) -> Vec<usize> {
    let at = |what: &str| lines.iter().position(|line| line.ends_with(what)).unwrap();
    let reversed = |message: &usize| {
        at(&format!(" message {message} received")) < at(&format!(" message {message} sent"))
    };
    (0..messages).filter(reversed).collect()
}

/// Messages that go to and fro between three hosts, of which one is an hour ahead and one an hour behind.
fn conversation(policy: SkewPolicy, messages: usize) -> [Host; 3] {
    let hosts = [(1, NOON), (2, NOON + HOUR), (3, NOON - HOUR)].map(|(node, at)| Host::new(node, at, policy));
    for message in 0..messages {
        // Every pair, in both directions, in turn; the third is an onlooker.
        let (from, step) = (message % 3, 1 + message / 3 % 2);
        let to = (from + step) % 3;
        let stamp = hosts[from].send(message);
        hosts[from].log("something else");
        for host in &hosts {
            host.wall.advance(Duration::from_millis(20));
        }
        hosts[to].receive(message, stamp);
    }
    hosts
}

#[test]
fn logs_of_hosts_that_are_hours_apart_sort_as_text_into_causal_order_and_by_wall_clock_they_do_not() {
    const MESSAGES: usize = 60;
    let hosts = conversation(SkewPolicy::AtMost(Duration::from_millis(3 * HOUR)), MESSAGES);

    let by_stamp = sorted(hosts.iter().map(|host| &host.stamped));
    assert_eq!(by_stamp.len(), 3 * MESSAGES);
    assert_eq!(reversed(&by_stamp, MESSAGES), [0_usize; 0]);
    for host in &hosts {
        // And every host's own lines are in the order in which it wrote them.
        assert!(host.stamped.lines().is_sorted());
    }

    let by_wall = sorted(hosts.iter().map(|host| &host.by_wall));
    let wrong = reversed(&by_wall, MESSAGES);
    assert!(wrong.len() >= MESSAGES / 3, "half of all messages go back in wall time, and by it: {wrong:?}");
}

#[test]
fn a_message_that_the_clock_refuses_orders_nothing() {
    // The default limit, 500 ms: the page says what that costs hosts that are an hour apart.
    let hosts = conversation(SkewPolicy::DEFAULT, 6);
    let by_stamp = sorted(hosts.iter().map(|host| &host.stamped));
    assert!(!reversed(&by_stamp, 6).is_empty());
    assert!(hosts.iter().any(|host| host.clock.snapshot().skew_refusals() > 0));
}

#[test]
fn a_wall_clock_that_steps_back_does_not_take_the_lines_back() {
    let host = Host::new(1, NOON, SkewPolicy::DEFAULT);
    for step in [0, 5_000, 1, HOUR, 0] {
        host.wall.set_millis(NOON - step);
        host.log("tick");
    }
    let lines = host.stamped.lines();
    assert_eq!(lines.len(), 5);
    assert!(lines.is_sorted_by(|earlier, later| earlier < later), "{lines:#?}");
    assert!(!host.by_wall.lines().is_sorted());
}

#[test]
fn lines_of_many_threads_have_each_a_stamp_of_its_own() {
    const LINES: usize = 500;
    let host = Arc::new(Host::new(1, NOON, SkewPolicy::DEFAULT));
    let threads: Vec<_> = (0..4)
        .map(|number| {
            let host = Arc::clone(&host);
            thread::spawn(move || {
                for line in 0..LINES {
                    host.log(&format!("thread {number} line {line:04}"));
                }
            })
        })
        .collect();
    for thread in threads {
        thread.join().unwrap();
    }
    let lines = sorted([&host.stamped]);
    assert_eq!(lines.len(), 4 * LINES);
    assert!(lines.is_sorted_by(|earlier, later| earlier[..33] < later[..33]), "no stamp twice");
    for number in 0..4 {
        let of_one: Vec<_> =
            lines.iter().filter(|line| line.contains(&format!("thread {number} "))).collect();
        assert!(of_one.is_sorted_by_key(|line| &line[line.len() - 4..]), "in the order of each thread");
    }
}

#[test]
fn a_line_begins_with_the_text_of_its_stamp_and_a_blank() {
    let host = Host::new(42, NOON, SkewPolicy::DEFAULT);
    host.log("ready");
    let line = &host.stamped.lines()[0];
    let stamp: Stamp = line[..33].parse().unwrap();
    assert_eq!(Some(stamp.timestamp()), host.clock.last());
    assert_eq!(*stamp.node(), host.node);
    assert_eq!(&line[33..], "  INFO ready");
}

#[test]
fn human_time_stands_behind_the_stamp() {
    let log = Log::default();
    let clock = Arc::new(AtomicClock::new(ManualSource::at_millis(NOON)));
    let timer = StampTimer::new(clock, NodeId::new(42).unwrap()).with_human_time();
    with_default(&Dispatch::new(log.subscriber(timer)), || info!("ready"));
    assert_eq!(log.lines(), ["018bcfe568000000-000000000000002a 2023-11-14T22:13:20.000Z+0  INFO ready"]);
}

#[test]
fn lines_of_json_sort_alike_and_hold_the_same_text() {
    let log = Log::default();
    let clock = Arc::new(AtomicClock::new(ManualSource::at_millis(NOON)));
    let timer = StampTimer::new(Arc::clone(&clock), NodeId::new(42).unwrap());
    let subscriber = tracing_subscriber::fmt().json().with_timer(timer).with_writer(log.clone()).finish();
    with_default(&Dispatch::new(subscriber), || {
        info!("first");
        clock.source().set_millis(NOON + 1);
        info!("second");
    });
    let lines = log.lines();
    assert!(lines.is_sorted(), "{lines:#?}");
    let mut texts = String::new();
    for line in &lines {
        let value: serde_json::Value = serde_json::from_str(line).unwrap();
        writeln!(texts, "{}", value["timestamp"].as_str().unwrap()).unwrap();
    }
    assert_eq!(texts, "018bcfe568000000-000000000000002a\n018bcfe568010000-000000000000002a\n");
    assert!(
        lines[0].starts_with("{\"timestamp\":\"018bcfe568000000-"),
        "nothing stands before it: {}",
        lines[0]
    );
}
