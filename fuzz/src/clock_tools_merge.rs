//! The merge of `clock-tools`: whatever the logs hold, every line comes out, in the order of its log, however it is read.

use std::cell::Cell;
use std::io::{self, Cursor, Read};

use clock_tools::Input;
use clock_tools::merge::{LogSummary, Merge, Site, Unwatched};

use crate::bounds::{Bound, bounded};

/// Each of the eight logs has buffers of its own, which hold a line at least; and what is written is all that was read.
const MERGED: Bound = Bound::total(3 << 20, 64);
/// The window of a gzip, the tables of its code, and a buffer on either side; of one byte at most 1,032 are unpacked, into
/// a list that doubles.
const UNPACKED: Bound = Bound::total(512 << 10, 4 * 1_032);

pub fn run(data: &[u8]) {
    let [site, size, logs @ ..] = data else { return };
    let site = match site % 4 {
        0 => Site::start(),
        1 => Site::field(const { core::num::NonZeroUsize::new(2).unwrap() }, None),
        2 => Site::field(core::num::NonZeroUsize::MIN, Some(b',')),
        _ => Site::pattern("at=(?<stamp>[0-9a-f-]*)").expect("a pattern with its group"),
    };
    if logs.starts_with(&GZIP) {
        return unpack(logs, usize::from(*size) + 1);
    }
    let mut logs: Vec<&[u8]> = logs.split(|byte| *byte == 0).take(8).collect();
    // What is taken for a gzip has other lines than its bytes.
    logs.retain(|log| !log.starts_with(&GZIP));
    let (out, summaries) = bounded(MERGED, data.len(), || merged(&logs, &site, usize::MAX));
    READS.set(0);
    let in_pieces = merged(&logs, &site, usize::from(*size) + 1);
    assert_eq!(in_pieces, (out.clone(), summaries.clone()), "however it is read");
    let reads = logs.iter().map(|log| log.len() / (usize::from(*size) + 1) + READS_AT_LEAST).sum();
    assert!(READS.get() <= reads, "{} reads, where {reads} were allowed", READS.get());

    let mut before: Vec<&[u8]> = logs.iter().flat_map(|log| lines(log)).collect();
    let mut after = lines(&out);
    before.sort_unstable();
    after.sort_unstable();
    assert_eq!(before, after, "every line, once");
    for (log, summary) in logs.iter().zip(&summaries) {
        assert_eq!(summary.lines(), lines(log).len() as u64);
        assert_eq!(summary.stamped() + summary.unstamped(), summary.lines());
        assert!(summary.goes_back() <= summary.stamped() && !summary.is_cut());
    }
    // One log is what it was, with an end for its last line.
    for log in logs.iter().filter(|log| !log.is_empty()) {
        let (alone, _) = merged(&[log], &site, usize::MAX);
        assert_eq!(alone.strip_suffix(b"\n"), Some(log.strip_suffix(b"\n").unwrap_or(log)));
    }
    // Where every line has its stamp and none goes back, neither does the whole.
    if summaries.iter().all(|log| log.goes_back() == 0 && log.unstamped() == 0) {
        assert_eq!(merged(&[&out], &site, usize::MAX).1[0].goes_back(), 0);
    }
}

/// A log is asked once for each piece, for the bytes that say whether it is a gzip, and again at its end.
const READS_AT_LEAST: usize = 16;
const GZIP: [u8; 2] = [0x1f, 0x8b];

fn lines(log: &[u8]) -> Vec<&[u8]> {
    log.split_inclusive(|byte| *byte == b'\n').map(|line| line.strip_suffix(b"\n").unwrap_or(line)).collect()
}

/// Gives so many bytes at a time at most.
struct Pieces(Cursor<Vec<u8>>, usize);

thread_local! {
    /// How often a log was asked for more.
    static READS: Cell<usize> = const { Cell::new(0) };
}

impl Read for Pieces {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        READS.set(READS.get() + 1);
        let size = buffer.len().min(self.1);
        self.0.read(&mut buffer[..size])
    }
}

fn input(bytes: &[u8], size: usize) -> Input {
    Input::over("log", Pieces(Cursor::new(bytes.to_vec()), size)).expect("memory is readable")
}

fn merged(logs: &[&[u8]], site: &Site, size: usize) -> (Vec<u8>, Vec<LogSummary>) {
    let mut merge = Merge::new(site.clone());
    logs.iter().for_each(|log| merge.add(input(log, size)));
    let mut out = Vec::new();
    let summaries = merge.run(&mut out, &mut Unwatched).expect("memory can be written");
    (out, summaries)
}

/// A gzip has one outcome however it is read; of one with wrong bytes, what stands just before them may be lost with them.
fn unpack(bytes: &[u8], size: usize) {
    let unpacked = |size| {
        let mut out = Vec::new();
        let is_sound = input(bytes, size).take(1 << 20).read_to_end(&mut out).is_ok();
        (out, is_sound)
    };
    let whole = bounded(UNPACKED, bytes.len(), || unpacked(usize::MAX));
    let pieces = bounded(UNPACKED, bytes.len(), || unpacked(size));
    assert_eq!(whole.1, pieces.1);
    assert!(if whole.1 {
        whole == pieces
    } else {
        whole.0.starts_with(&pieces.0) || pieces.0.starts_with(&whole.0)
    });
}
