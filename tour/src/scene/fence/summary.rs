//! The summary: what was found, as people read it and as programs do.

use core::fmt::{self, Write as _};

use serde_json::json;

use super::{cast, play::Facts, verdict};
use crate::scene::{
    Outcome,
    check::{self, Check},
};

/// Makes the outcome of the scene.
pub(crate) fn outcome(facts: &Facts) -> Outcome {
    let checks = verdict::checks(facts);
    let mut text = String::new();
    // Writing to a string does not fail.
    let _ = write_text(&mut text, facts, &checks);
    Outcome {
        held: checks.iter().all(|check| check.held),
        json: json!({
            "ttl_millis": millis(cast::TTL),
            "stopped_millis": millis(facts.stopped),
            "first_epoch": facts.first.epoch(),
            "second_epoch": facts.second.epoch(),
            "answers": facts.answers,
            "behind_the_gate": facts.report.behind_the_gate,
            "in_the_open": facts.report.in_the_open,
            "stale": facts.report.stale,
            "log_head": facts.log.verified.as_ref().ok(),
            "checks": checks,
        }),
        text,
    }
}

fn millis(time: core::time::Duration) -> u64 {
    u64::try_from(time.as_millis()).unwrap_or(u64::MAX)
}

fn write_text(out: &mut String, facts: &Facts, checks: &[Check]) -> fmt::Result {
    writeln!(
        out,
        "a process holds a lock for {} ms at a time, looks at its lease, and is stopped before it writes\n",
        cast::TTL.as_millis()
    )?;
    writeln!(out, "{:26}{:>6}  {:42}without a gate", "write", "epoch", "at the gate")?;
    for (write, answer) in facts.report.in_the_open.iter().zip(&facts.answers) {
        writeln!(out, "{:26}{:>6}  {:42}applied", write.text, write.epoch.get(), answer.to_string())?;
    }
    writeln!(out)?;
    let last =
        |writes: &[cast::Applied]| writes.last().map_or("nothing".to_owned(), |write| write.text.clone());
    writeln!(out, "{:33}{}", "the last write, behind the gate", last(&facts.report.behind_the_gate))?;
    writeln!(out, "{:33}{}\n", "the last write, without a gate", last(&facts.report.in_the_open))?;
    check::write_all(out, checks)?;
    writeln!(out)?;
    match check::broken(checks) {
        Some(broken) => writeln!(out, "{broken}"),
        None => writeln!(
            out,
            "Shown: stopped for {} ms with a lease of {} ms, the holder of epoch {} woke to find epoch {} at the gate, \
             and its write was refused; without the gate it would have overwritten the next holder's.",
            facts.stopped.as_millis(),
            cast::TTL.as_millis(),
            facts.first.epoch(),
            facts.second.epoch()
        ),
    }
}
