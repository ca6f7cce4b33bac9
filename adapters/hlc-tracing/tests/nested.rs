//! A clock that logs while it is read.
//!
//! A process of its own: only with one subscriber for the whole process, and none for a scope on any thread, does
//! `tracing` let a line through that is logged while another one is being written.
#![expect(
    clippy::unwrap_used,
    reason = "a test that panics has failed; clippy.toml says so for test functions, but not for what they call"
)]

extern crate alloc;

use alloc::sync::Arc;
use std::{io, sync::Mutex};

use hlc::{AtomicClock, NodeId, TickError, Timestamp, layout::Unix48, source::ManualSource};
use hlc_tracing::{SharedClock, StampTimer};
use tracing::info;

/// As a user's own source of time may.
struct Talkative(AtomicClock<ManualSource>);

impl SharedClock for Talkative {
    type Layout = Unix48;

    fn tick(&self) -> Result<Timestamp, TickError> {
        info!("reading the clock");
        self.0.tick()
    }

    fn last(&self) -> Option<Timestamp> {
        self.0.last()
    }
}

#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl io::Write for Log {
    fn write(&mut self, line: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().write(line)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[test]
fn a_clock_that_logs_while_it_is_read_does_not_read_itself_for_ever() {
    let log = Log::default();
    let writer = log.clone();
    let timer = StampTimer::new(Talkative(AtomicClock::new(ManualSource::at_millis(1_000))), NodeId::MIN);
    tracing_subscriber::fmt()
        .with_timer(timer)
        .with_writer(move || writer.clone())
        .with_target(false)
        .with_ansi(false)
        .try_init()
        .unwrap();
    info!("one");
    info!("two");
    let lines = String::from_utf8(log.0.lock().unwrap().clone()).unwrap();
    assert_eq!(
        lines.lines().collect::<Vec<_>>(),
        [
            "0000000000000000-0000000000000000!0000000000000001:nested  INFO reading the clock",
            "0000000003e80000-0000000000000000  INFO one",
            "0000000003e80000-0000000000000000!0000000000000002:nested  INFO reading the clock",
            "0000000003e80001-0000000000000000  INFO two",
        ]
    );
}
