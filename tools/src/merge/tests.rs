//! Merging, beside a naive form of it in which everything is in memory.
#![expect(clippy::arithmetic_side_effects, reason = "a test that overflows fails")]

use std::io::{self, Read};

use proptest::{collection::vec, prelude::*};

use super::*;

/// A reader that gives a few bytes at a time, and may be interrupted.
struct Trickle {
    bytes: io::Cursor<Vec<u8>>,
    sizes: Vec<usize>,
    at: usize,
}

impl Read for Trickle {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.at += 1;
        match self.sizes[self.at % self.sizes.len()] {
            0 => Err(io::ErrorKind::Interrupted.into()),
            size => {
                let size = size.min(buffer.len());
                self.bytes.read(&mut buffer[..size])
            }
        }
    }
}

#[derive(Default)]
struct Seen(Vec<String>);

impl Watch for Seen {
    fn found(&mut self, finding: Finding) {
        self.0.push(finding.to_string());
    }

    fn read(&mut self, _: u64) {}
}

fn merged(logs: &[Vec<u8>], sizes: &[usize]) -> (Vec<u8>, Vec<LogSummary>, Vec<String>) {
    let mut merge = Merge::new(Site::start());
    for (index, log) in logs.iter().enumerate() {
        // It has to give something at some time, or it would be no reader.
        let sizes = sizes.iter().copied().chain([7]).collect();
        let trickle = Trickle { bytes: io::Cursor::new(log.clone()), sizes, at: index };
        merge.add(Input::over(index.to_string(), trickle).unwrap());
    }
    let (mut out, mut seen) = (Vec::new(), Seen::default());
    let summaries = merge.run(&mut out, &mut seen).unwrap();
    (out, summaries, seen.0)
}

/// A line that begins with a stamp, and the lines that belong to it; the first may have none.
type Block = (Option<(u64, u64)>, Vec<u8>);

/// The blocks of a log. Only what is read line by line and looked at by hand.
fn blocks(log: &[u8]) -> Vec<Block> {
    let mut blocks: Vec<Block> = vec![(None, Vec::new())];
    for line in log.split_inclusive(|byte| *byte == b'\n') {
        let text = core::str::from_utf8(line.get(..33).unwrap_or_default()).unwrap_or_default();
        let key = text.split_once('-').and_then(|(timestamp, node)| {
            Some((u64::from_str_radix(timestamp, 16).ok()?, u64::from_str_radix(node, 16).ok()?))
        });
        if key.is_some() {
            blocks.push((key, Vec::new()));
        }
        let (_, block) = blocks.last_mut().unwrap();
        block.extend_from_slice(line);
        if !line.ends_with(b"\n") {
            block.push(b'\n');
        }
    }
    blocks
}

/// Takes the block with the least stamp from the fronts of all logs, over and over.
fn naive(logs: &[Vec<u8>]) -> Vec<u8> {
    let mut logs: Vec<_> = logs.iter().map(|log| blocks(log).into_iter().peekable()).collect();
    let mut out = Vec::new();
    for log in &mut logs {
        out.extend(log.next_if(|(key, _)| key.is_none()).unwrap().1);
    }
    loop {
        // The first of those that are equal.
        let fronts = logs.iter_mut().enumerate().filter_map(|(log, blocks)| Some((blocks.peek()?.0, log)));
        let Some((_, least)) = fronts.min() else { return out };
        out.extend(logs[least].next().unwrap().1);
    }
}

/// Lines: stamps that are often equal, and lines without any, which may be longer than a buffer.
fn log() -> impl Strategy<Value = Vec<u8>> {
    let stamped = (1..50_u64, 0..3_u64, "[a-z ]{0,12}")
        .prop_map(|(timestamp, node, rest)| format!("{timestamp:016x}-{node:016x} {rest}\n").into_bytes());
    let bare = vec(any::<u8>().prop_filter("no stamp", |byte| *byte != b'0'), 0..20).prop_map(|mut line| {
        line.push(b'\n');
        line
    });
    let long = (0..3 * Site::HEAD).prop_map(|length| [&vec![b'x'; length][..], b"\n"].concat());
    let line = prop_oneof![8 => stamped, 2 => bare, 1 => long];
    let log = (vec(line, 0..30), any::<bool>()).prop_map(|(lines, is_ended)| {
        let mut log = lines.concat();
        if !is_ended {
            log.pop();
        }
        log
    });
    log.prop_filter("taken for a gzip", |log| !log.starts_with(b"\x1f\x8b"))
}

fn sorted(log: &[u8]) -> Vec<u8> {
    let mut blocks = blocks(log);
    blocks.sort_by_key(|(key, _)| *key);
    blocks.into_iter().flat_map(|(_, block)| block).collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(80))]

    #[test]
    fn any_logs_are_merged_as_the_naive_form_merges_them(
        logs in vec(log(), 0..6),
        sizes in vec(prop_oneof![0..3_usize, Just(100), Just(70_000)], 1..5),
    ) {
        let (out, summaries, _) = merged(&logs, &sizes);
        prop_assert!(out == naive(&logs));
        for (log, summary) in logs.iter().zip(&summaries) {
            let lines = log.split_inclusive(|byte| *byte == b'\n').count() as u64;
            let stamps: Vec<_> = blocks(log).into_iter().filter_map(|(key, _)| key).collect();
            prop_assert_eq!(summary.lines(), lines);
            prop_assert_eq!(summary.stamped(), stamps.len() as u64);
            prop_assert_eq!(summary.unstamped(), lines - stamps.len() as u64);
            let goes_back = stamps.windows(2).filter(|pair| pair[1] < pair[0]).count() as u64;
            prop_assert_eq!(summary.goes_back(), goes_back);
        }
    }

    #[test]
    fn a_log_that_was_split_among_hosts_comes_back_sorted(
        lines in vec((1..1_000_000_u64, 0..8_usize), 0..200),
    ) {
        let mut lines = lines;
        lines.sort_unstable();
        lines.dedup_by_key(|(timestamp, _)| *timestamp);
        let mut logs = vec![String::new(); 8];
        let mut whole = String::new();
        for (timestamp, host) in lines {
            let line = format!("{timestamp:016x}-{host:016x} line\n\tand what belongs to it\n");
            logs[host].push_str(&line);
            whole.push_str(&line);
        }
        let logs: Vec<Vec<u8>> = logs.into_iter().map(String::into_bytes).collect();
        let (out, _, _) = merged(&logs, &[1000]);
        prop_assert_eq!(String::from_utf8(out).unwrap(), whole);
    }

    #[test]
    fn logs_that_rise_are_merged_into_one_that_rises_with_ties_in_the_order_of_the_inputs(
        logs in vec(log(), 0..6),
    ) {
        let logs: Vec<Vec<u8>> = logs.iter().map(|log| sorted(log)).collect();
        let (out, _, findings) = merged(&logs, &[70_000]);
        // All blocks one input after the other, then sorted: a stable sort keeps that order among equals.
        let mut all: Vec<Block> = logs.iter().flat_map(|log| blocks(log)).collect();
        all.sort_by_key(|(key, _)| *key);
        let all: Vec<u8> = all.into_iter().flat_map(|(_, block)| block).collect();
        prop_assert!(out == all);
        prop_assert!(!findings.iter().any(|finding| finding.contains("goes back")));
    }
}

#[test]
fn the_head_of_a_line_is_where_its_stamp_is_looked_for_however_it_is_read() {
    let stamp = "018bcfe568000007-000000000000002a";
    let site = || Site::pattern("x (?<stamp>[0-9a-f-]{33})").unwrap();
    for (before, found) in
        [(Site::HEAD - stamp.len() - 2, 1), (Site::HEAD - stamp.len() - 1, 0), (3 * Site::HEAD, 0)]
    {
        let line = format!("{}x {stamp} more\n", "-".repeat(before));
        for size in [1, 1000, usize::MAX] {
            let trickle =
                Trickle { bytes: io::Cursor::new(line.clone().into_bytes()), sizes: vec![size], at: 0 };
            let mut merge = Merge::new(site());
            merge.add(Input::over("a", trickle).unwrap());
            let mut out = Vec::new();
            let summaries = merge.run(&mut out, &mut Unwatched).unwrap();
            assert_eq!(summaries[0].stamped(), found, "{before} bytes before, {size} at a time");
            assert!(out == line.as_bytes());
        }
    }
}

#[test]
fn nothing_is_merged_into_nothing() {
    assert_eq!(merged(&[], &[1]).0, b"");
    assert_eq!(merged(&[Vec::new(), Vec::new()], &[1]).0, b"");
    assert_eq!(merged(&[b"\n".to_vec(), b"a".to_vec()], &[1]).0, b"\na\n");
}

#[test]
fn what_cannot_be_written_ends_the_merge() {
    struct Full;
    impl Write for Full {
        fn write(&mut self, _: &[u8]) -> io::Result<usize> {
            Err(io::ErrorKind::StorageFull.into())
        }
        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }
    let mut merge = Merge::new(Site::start());
    merge.add(Input::over("a", &b"018bcfe568000007 x\n"[..]).unwrap());
    assert_eq!(merge.run(&mut Full, &mut Unwatched).unwrap_err().kind(), io::ErrorKind::StorageFull);
}
