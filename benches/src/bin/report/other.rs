//! What is not criterion's: scaling, memory, instructions, and what a user pays to build.

use std::{fmt::Write as _, fs, path::Path};

use clock_benches::memory;
use serde_json::Value;

fn list(file: &Path) -> Vec<Value> {
    let text = fs::read_to_string(file).unwrap_or_default();
    text.lines().filter_map(|line| serde_json::from_str(line).ok()).collect()
}

fn text<'v>(value: &'v Value, name: &str) -> &'v str {
    value.get(name).and_then(Value::as_str).unwrap_or("?")
}

fn number(value: &Value, name: &str) -> f64 {
    value.get(name).and_then(Value::as_f64).unwrap_or(f64::NAN)
}

const NOT_RUN: &str = "\nNot measured in this run.\n";

/// One line a contender, one pair of columns for each number of threads.
pub(crate) fn scaling(target: &Path) -> String {
    let rows = list(&target.join("report/scaling.jsonl"));
    let mut report = String::from(
        "\n## Threads\n\nMillions of calls a second over all threads, and the longest that one thread waited for a batch of \
         calls, in microseconds. More threads than cores take turns, and a turn of the system is milliseconds long. What \
         each line is: `benches/benches/scaling.rs`.\n",
    );
    if rows.is_empty() {
        return report + NOT_RUN;
    }
    let mut threads: Vec<u64> = rows.iter().filter_map(|row| row.get("threads")?.as_u64()).collect();
    threads.sort_unstable();
    threads.dedup();
    let mut names: Vec<&str> = Vec::new();
    for row in &rows {
        if !names.contains(&text(row, "name")) {
            names.push(text(row, "name"));
        }
    }
    report.push_str("\n| |");
    for count in &threads {
        let _ = write!(report, " {count} thr. | worst |");
    }
    report.push_str("\n|---|");
    report.push_str(&"---:|---:|".repeat(threads.len()));
    report.push('\n');
    for name in names {
        let _ = write!(report, "| {name} |");
        for count in &threads {
            let row = rows.iter().find(|row| {
                text(row, "name") == name && row.get("threads").and_then(Value::as_u64) == Some(*count)
            });
            match row {
                Some(row) => {
                    let _ = write!(
                        report,
                        " {:.1} | {:.0} |",
                        number(row, "millions_a_second"),
                        number(row, "worst_micros")
                    );
                }
                None => report.push_str(" | |"),
            }
        }
        report.push('\n');
    }
    report.push_str(SCALING_READ);
    report
}

/// How to read the table; it names no figure.
const SCALING_READ: &str = "\n\
One shared clock is one word that the cores hand to each other: with a second thread it does not get faster, as the bare \
add beside it does not. One clock a thread, each with a node id of its own, has nothing to hand over; \
`hlc/examples/clock_per_thread.rs` shows that its stamps stay unique and causal. Words that lie side by side in one line of the \
cache are handed over as if they were one: the lines *side by side* and *a line each* are the same bare adds, and what is \
between them is what false sharing costs. A clock is larger than a line, so that two of them in an array share at most the \
words at their edges; put each in a type of `#[repr(align(128))]`, as the example does, and they share none.\n\n\
*Shared word over a cached clock* and *thread-local over a cached clock* have the shape of a production system's published \
test: the physical clock is a word that another thread refreshes, and the stamp is made from it in one atomic word, or in one \
that is the thread's own. What such a test measures on one thread is the exchange of a word that nobody else wants, \
or no atomic at all; it is an upper bound of the processor, and says little about clocks. A stamp of ours also looks at the \
reading's validity, the limit of its own lead and the end of the layout, and returns a result.\n";

pub(crate) fn memory(target: &Path) -> String {
    let mut report = String::from(
        "\n## Memory\n\nBytes, those on the heap included. No hot path of any crate allocates: `benches/tests/allocations.rs`.\n\n\
         | | bytes | |\n|---|---:|---|\n",
    );
    // Of the peer that has a package of its own.
    let more = list(&target.join("report/memory.jsonl"));
    let rows = memory::rows();
    let mut groups: Vec<_> = rows.iter().map(|row| row.group).collect();
    groups.dedup();
    for group in groups {
        let _ = writeln!(report, "| **{group}** | | |");
        for row in rows.iter().filter(|row| row.group == group) {
            let whose = if row.ours { "" } else { "peer" };
            let _ = writeln!(report, "| {} | {:.1} | {whose} |", row.name, row.bytes);
        }
        for row in more.iter().filter(|row| text(row, "group") == group) {
            let _ = writeln!(report, "| {} | {:.1} | peer |", text(row, "name"), number(row, "bytes"));
        }
    }
    report
}

pub(crate) fn instructions(workspace: &Path) -> String {
    let file = fs::read_to_string(workspace.join("benches/instructions.txt")).unwrap_or_default();
    let mut report = String::from(
        "\n## Instructions\n\nA call, counted by callgrind, with the loop around it; `ci/instructions.sh` fails where one grows \
         by more than 5 %. From [instructions.txt](../instructions.txt).\n\n| path | instructions |\n|---|---:|\n",
    );
    for line in file.lines().filter(|line| !line.starts_with('#')) {
        if let [name, count] = line.split_whitespace().collect::<Vec<_>>()[..] {
            let _ = writeln!(report, "| `{name}` | {count} |");
        }
    }
    report
}

pub(crate) fn build_cost(target: &Path) -> String {
    let rows = list(&target.join("report/build-cost.jsonl"));
    let mut report = String::from(
        "\n## What a user builds\n\nAn empty program with one dependency in its default features, built optimised from nothing, \
         the downloads apart: crates in its lock file beside itself and the named one, seconds, and seconds of a processor (the least of those tried). From \
         `benches/build-cost.py`.\n",
    );
    if rows.is_empty() {
        return report + NOT_RUN;
    }
    report.push_str("\n| crate | dependencies | seconds | of a processor | |\n|---|---:|---:|---:|---|\n");
    for row in &rows {
        let whose = if row.get("ours").and_then(Value::as_bool) == Some(true) { "" } else { "peer" };
        let _ = writeln!(
            report,
            "| {} {} | {:.0} | {:.2} | {:.2} | {whose} |",
            text(row, "name"),
            text(row, "version"),
            number(row, "dependencies"),
            number(row, "seconds"),
            number(row, "processor_seconds")
        );
    }
    report
}
