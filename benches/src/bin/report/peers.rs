//! The peers, with the versions of the lock file and what they promise.

use std::{fmt::Write as _, fs, path::Path};

/// Name, what it is, and what it promises that matters to a comparison.
const PEERS: &[[&str; 3]] = &[
    [
        "uhlc",
        "hybrid clock behind a mutex, 64 + 128 bits",
        "monotonic, unique and causal; refuses peers too far ahead; an update returns no stamp; time on a fast path of the system's clock alone",
    ],
    [
        "hlc-gen",
        "hybrid clock in one atomic word, 64 bits",
        "monotonic, unique within a process and causal; drift limit; no node in the stamp",
    ],
    [
        "uuid",
        "version 7, as a neighbour: 48 bits of time",
        "sorted by time, and within a process by a counter behind a mutex; unique by chance; not causal: there is no receive",
    ],
    [
        "ulid",
        "as a neighbour: 48 bits of time",
        "sorted by time, and within one generator; unique by chance; not causal: there is no receive",
    ],
    [
        "crdts",
        "vector clock in a B-tree",
        "four outcomes by `partial_cmp`; a tick wraps or panics at the end of a counter",
    ],
    ["vclock", "vector clock in a hash map", "four outcomes by `partial_cmp`"],
    [
        "yrs",
        "state vector in a hash map, 32-bit counters",
        "four outcomes by `partial_cmp`; for its documents' own use",
    ],
    [
        "loro",
        "version vector in a hash map, 31-bit counters",
        "four outcomes by `partial_cmp`; for its documents' own use",
    ],
    [
        "parking_lot",
        "a mutex, as what guards a resource in one process",
        "excludes; knows no epochs: a former holder is not refused",
    ],
];

pub(crate) fn table(workspace: &Path) -> String {
    let lock = ["Cargo.lock", "benches/loro/Cargo.lock"]
        .map(|file| fs::read_to_string(workspace.join(file)).unwrap_or_default())
        .concat();
    let mut text = String::from(
        "\n## Peers\n\n| crate | version | what it is | what it promises |\n|---|---|---|---|\n",
    );
    for [name, what, promises] in PEERS {
        let _ = writeln!(text, "| {name} | {} | {what} | {promises} |", version(&lock, name));
    }
    text.push_str(
        "\nOf this workspace: a tick and an observe are monotonic, unique with the node, causal, refuse peers too far ahead \
         and say what preceded them to whoever gets a greater stamp; a comparison of vectors has four outcomes and is exact; \
         a permit excludes older epochs for as long as it lives.\n",
    );
    text
}

/// The latest version of a package in the lock file.
fn version(lock: &str, name: &str) -> String {
    let head = format!("name = \"{name}\"");
    let mut lines = lock.lines();
    let mut last = String::from("?");
    while let Some(line) = lines.next() {
        if line == head
            && let Some(version) = lines.next().and_then(|line| line.strip_prefix("version = "))
        {
            last = version.trim_matches('"').to_owned();
        }
    }
    last
}
