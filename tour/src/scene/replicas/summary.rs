//! The summary: the verdict as people read it, and as programs do.

use core::fmt::{self, Write as _};

use serde::Serialize;
use serde_json::json;

use super::{cast::REPLICAS, drawing::Files, group::Testimony, verdict::Verdict};
use crate::{
    grouped::grouped,
    scene::{
        Outcome,
        check::{self, Check},
    },
};

/// The same numbers for programs.
#[derive(Debug, Serialize)]
struct Numbers<'v> {
    replicas: u32,
    writes: u64,
    writes_applied: u64,
    writes_lost_by_wall_time: u64,
    reads: u64,
    reads_lacking: u64,
    reads_stale: u64,
    most_siblings: u64,
    messages_arrived: u64,
    copies: u64,
    copies_dropped: u64,
    waits: u64,
    waits_misnamed: u64,
    applied_too_early: u64,
    applied_again: u64,
    misnamed: u64,
    refused: u64,
    events_drawn: u64,
    messages_drawn: u64,
    drawing: Option<&'v Files>,
    first_round: &'v [String],
    checks: &'v [Check],
}

/// Makes the outcome of the scene.
pub(crate) fn outcome(
    testimony: &Testimony,
    verdict: &Verdict,
    files: Option<&Files>,
    tale: &[String],
) -> Outcome {
    let findings = &verdict.findings;
    let numbers = Numbers {
        replicas: REPLICAS,
        writes: verdict.writes,
        writes_applied: findings.applications,
        writes_lost_by_wall_time: verdict.lost_by_wall_time,
        reads: findings.reads,
        reads_lacking: findings.reads_lacking,
        reads_stale: findings.reads_stale,
        most_siblings: findings.most_siblings,
        messages_arrived: testimony.arrived,
        copies: testimony.doubled,
        copies_dropped: findings.dropped,
        waits: findings.waits,
        waits_misnamed: findings.waits_misnamed,
        applied_too_early: findings.too_early,
        applied_again: findings.again,
        misnamed: findings.misnamed,
        refused: findings.refused,
        events_drawn: verdict.drawing.events,
        messages_drawn: verdict.drawing.messages,
        drawing: files,
        first_round: tale,
        checks: &verdict.checks,
    };
    let mut text = String::new();
    // Writing to a string does not fail.
    let _ = write_text(&mut text, testimony, verdict, files, tale);
    Outcome { held: verdict.held(), text, json: json!(numbers) }
}

fn write_text(
    out: &mut String,
    testimony: &Testimony,
    verdict: &Verdict,
    files: Option<&Files>,
    tale: &[String],
) -> fmt::Result {
    let findings = &verdict.findings;
    writeln!(
        out,
        "{REPLICAS} replicas keep one key for many clients; the network holds, shuffles and doubles messages"
    )?;
    writeln!(out, "\nthe first round")?;
    for line in tale {
        writeln!(out, "  {line}")?;
    }
    writeln!(out)?;
    for (what, number) in [
        ("writes", verdict.writes),
        ("  that last-writer-wins would lose", verdict.lost_by_wall_time),
        ("reads", findings.reads),
        ("  that lacked a value", findings.reads_lacking),
        ("  that showed a replaced value", findings.reads_stale),
        ("most values at once", findings.most_siblings),
        ("messages that arrived", testimony.arrived),
        ("  copies that were dropped", findings.dropped),
        ("  that waited for their cause", findings.waits),
    ] {
        writeln!(out, "{what:36}{:>16}", grouped(number))?;
    }
    if let Some(files) = files {
        let (events, messages) = (grouped(verdict.drawing.events), grouped(verdict.drawing.messages));
        writeln!(
            out,
            "\ndrawn as a space-time diagram: {events} events, {messages} messages that brought news"
        )?;
        writeln!(out, "  all of it          {}", files.page.display())?;
        writeln!(out, "  the first round    {}", files.picture.display())?;
        writeln!(out, "  for ShiViz         {}", files.log.display())?;
    }
    writeln!(out)?;
    check::write_all(out, &verdict.checks)?;
    writeln!(out, "\n{}", shown(verdict))
}

/// The last line: what was shown.
fn shown(verdict: &Verdict) -> String {
    if let Some(broken) = check::broken(&verdict.checks) {
        return broken;
    }
    format!(
        "Shown: {REPLICAS} replicas kept every value that no write had seen, up to {} at once, and no other, while \
         {} messages waited for their cause; last-writer-wins would have lost {} of {} writes.",
        grouped(verdict.findings.most_siblings),
        grouped(verdict.findings.waits),
        grouped(verdict.lost_by_wall_time),
        grouped(verdict.writes),
    )
}
