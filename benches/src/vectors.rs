//! Members and counters of vectors, the same in every run.

use crate::Numbers;

/// Ids with their counters.
pub type Entries = Vec<(u64, u64)>;

/// Ids that look random, as those of replicas do, and counters of some months.
///
/// # Panics
///
/// When two ids are alike, which is the same in every run.
#[must_use]
pub fn entries(count: usize, seed: u64) -> Entries {
    // Ids of 53 bits, which is all that `yrs` has.
    let mut entries: Entries = Numbers::new(seed)
        .take(count)
        .map(|number| (number >> 11, 1_000_u64.wrapping_add(number & 0xffff)))
        .collect();
    entries.sort_unstable();
    entries.dedup_by_key(|(id, _)| *id);
    assert_eq!(entries.len(), count, "no two ids are alike");
    entries
}

/// The same entries, with those in `lanes` one higher.
#[must_use]
pub fn raised(entries: &Entries, lanes: impl IntoIterator<Item = usize>) -> Entries {
    let mut raised = entries.clone();
    for lane in lanes {
        if let Some((_, counter)) = raised.get_mut(lane) {
            *counter = counter.wrapping_add(1);
        }
    }
    raised
}

/// Pairs of one size, by what a comparison finds and where.
#[must_use]
pub fn pairs(size: usize) -> Vec<(&'static str, Entries, Entries)> {
    let base = entries(size, 1);
    let last = size.saturating_sub(1);
    vec![
        ("equal", base.clone(), base.clone()),
        ("before", base.clone(), raised(&base, 0..size)),
        ("before, in the last lane", base.clone(), raised(&base, [last])),
        ("after", raised(&base, 0..size), base.clone()),
        ("concurrent, at the front", raised(&base, [0]), raised(&base, [1])),
        ("concurrent, at the end", raised(&base, [last.saturating_sub(1)]), raised(&base, [last])),
        ("concurrent, disjoint members", entries(size, 2), base),
    ]
}
