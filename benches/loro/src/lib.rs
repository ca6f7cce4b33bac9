//! What the benchmark of loro's version vectors needs.

use clock_benches::vectors::Entries;
use loro::{ID, VersionVector};

/// The same entries as the other peers'; its counters have 31 bits.
#[must_use]
pub fn vector(entries: &Entries) -> VersionVector {
    let mut vector = VersionVector::default();
    for (id, counter) in entries {
        vector.set_end(ID::new(*id, i32::try_from(*counter).unwrap_or(i32::MAX)));
    }
    vector
}
