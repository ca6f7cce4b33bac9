//! No hot path of any crate allocates, and what a clock, an entry and a stamp take in memory.

use clock_benches::{
    hot::{self, Path},
    memory,
};

/// Enough for what happens once in some hundred calls.
const CALLS: u32 = 1_000;

fn allocations(path: &mut Path) -> u64 {
    allocation_counter::measure(|| path(CALLS)).count_total
}

#[test]
fn no_hot_path_allocates() {
    for (name, make) in hot::EXACT.iter().chain(hot::TIMED) {
        assert_eq!(allocations(&mut make()), 0, "{name}, in {CALLS} calls");
    }
}

#[test]
fn one_allocation_in_a_thousand_calls_is_seen() {
    let mut calls = 0;
    let mut path: Path = Box::new(move |rounds| {
        for _ in 0..rounds {
            calls += 1;
            if calls % 999 == 0 {
                drop(core::hint::black_box(Box::new(calls)));
            }
        }
    });
    assert_eq!(allocations(&mut path), 1);
}

#[test]
fn every_row_of_the_memory_table_was_measured() {
    let rows = memory::rows();
    for row in &rows {
        println!("{row}");
        assert!(row.bytes > 0.0, "{row}");
    }
    assert!(rows.iter().any(|row| !row.ours), "the peers are in it");
}
