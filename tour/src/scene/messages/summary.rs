//! The summary: the verdict as people read it, and as programs do.

use alloc::collections::BTreeSet;
use core::{fmt::Write as _, time::Duration};

use serde::Serialize;
use serde_json::{Value, json};

use super::{
    attack::Attacks,
    causality::Pairs,
    fleet::Testimony,
    refusal::{Refusal, Refusals},
    verdict::Verdict,
    wall::Fault,
};
use crate::{
    grouped::grouped,
    scene::{
        Outcome,
        check::{self, Check},
    },
};

/// The same numbers for programs. Durations are whole microseconds.
#[derive(Debug, Serialize)]
struct Numbers<'v> {
    nodes: Vec<NodeNumbers<'v>>,
    skew_limit_micros: u64,
    messages_sent: u64,
    messages_received: u64,
    ordered_pairs: u64,
    wall_wrong_pairs: u64,
    wall_tied_pairs: u64,
    hybrid_wrong_pairs: u64,
    hybrid_tied_pairs: u64,
    direct_steps: u64,
    hybrid_wrong_steps: u64,
    stamps_issued: u64,
    duplicate_stamps: u64,
    max_lead_micros: u64,
    hostile_sent: &'v Attacks,
    refusals: &'v Refusals,
    checks: &'v [Check],
}

#[derive(Debug, Serialize)]
struct NodeNumbers<'v> {
    fault: Value,
    stamps_issued: usize,
    max_lead_micros: u64,
    carries: u64,
    refusals: &'v Refusals,
}

/// Makes the outcome of the scene.
pub(crate) fn outcome(testimony: &Testimony, verdict: &Verdict) -> Outcome {
    Outcome { held: verdict.held(), text: text(testimony, verdict), json: json!(numbers(testimony, verdict)) }
}

fn numbers<'v>(testimony: &'v Testimony, verdict: &'v Verdict) -> Numbers<'v> {
    let nodes = testimony.faults.iter().zip(&testimony.logs).zip(&testimony.reports);
    let nodes = nodes.map(|((fault, log), report)| NodeNumbers {
        fault: json!(fault),
        stamps_issued: log.len(),
        max_lead_micros: micros(report.max_lead),
        carries: report.carries,
        refusals: &report.refusals,
    });
    Numbers {
        nodes: nodes.collect(),
        skew_limit_micros: micros(testimony.skew_limit),
        messages_sent: verdict.delivery.sent,
        messages_received: verdict.delivery.received,
        ordered_pairs: verdict.hybrid.all,
        wall_wrong_pairs: verdict.wall.wrong,
        wall_tied_pairs: verdict.wall.tied,
        hybrid_wrong_pairs: verdict.hybrid.wrong,
        hybrid_tied_pairs: verdict.hybrid.tied,
        direct_steps: verdict.steps.all,
        hybrid_wrong_steps: verdict.steps.wrong,
        stamps_issued: verdict.stamps,
        duplicate_stamps: verdict.duplicates,
        max_lead_micros: micros(verdict.max_lead),
        hostile_sent: &verdict.attacks,
        refusals: &verdict.refusals,
        checks: &verdict.checks,
    }
}

fn text(testimony: &Testimony, verdict: &Verdict) -> String {
    let mut text = String::new();
    // Writing to a string does not fail.
    let _ = write_text(&mut text, testimony, verdict);
    text
}

fn write_text(out: &mut String, testimony: &Testimony, verdict: &Verdict) -> core::fmt::Result {
    let Verdict { delivery, wall, hybrid, .. } = verdict;
    writeln!(
        out,
        "{} processes pass messages; their wall clocks lie, and a hostile peer joins in",
        testimony.logs.len()
    )?;
    writeln!(
        out,
        "these clocks come to be {} apart; a stamp more than {} ahead of a node's own is refused",
        seconds(Fault::spread(&testimony.faults)),
        seconds(testimony.skew_limit)
    )?;

    writeln!(out, "\n{:8}{:22}{:>12}{:>16}", "node", "wall clock", "stamps", "clock's lead")?;
    let nodes = testimony.faults.iter().zip(&testimony.logs).zip(&testimony.reports);
    for (node, ((fault, log), report)) in nodes.enumerate() {
        let lead = seconds(report.max_lead);
        writeln!(out, "{node:<8}{:22}{:>12}{lead:>16}", fault.to_string(), grouped(wide(log.len())))?;
    }

    writeln!(out, "\n{:28}{:>8}{:>8}  sent as", "refused by cause", "sent", "refused")?;
    for (cause, sent, refused, attacks) in by_cause(verdict) {
        writeln!(out, "{cause:28}{:>8}{:>8}  {attacks}", grouped(sent), grouped(refused))?;
    }

    writeln!(out)?;
    for (what, number, more) in [
        ("messages sent", delivery.sent, String::new()),
        ("messages received", delivery.received, String::new()),
        ("stamps issued", verdict.stamps, String::new()),
        ("stamps issued twice", verdict.duplicates, String::new()),
        ("pairs of messages, cause and effect", hybrid.all, String::new()),
        ("  in the wrong order by wall time", wall.wrong, format!("  {}", share(*wall))),
        ("  in the wrong order by hybrid time", hybrid.not_right(), String::new()),
    ] {
        writeln!(out, "{what:36}{:>16}{more}", grouped(number))?;
    }

    writeln!(out)?;
    check::write_all(out, &verdict.checks)?;
    writeln!(out, "\n{}", shown(testimony, verdict))
}

/// For each cause: its name, how often something was sent that must be refused for it, how often that was
/// done, and what was sent.
fn by_cause(verdict: &Verdict) -> Vec<(String, u64, u64, String)> {
    let causes: BTreeSet<Refusal> = verdict
        .attacks
        .keys()
        .map(|attack| attack.refusal())
        .chain(verdict.refusals.keys().copied())
        .collect();
    let row = |cause: Refusal| {
        let of_cause = || verdict.attacks.iter().filter(move |(attack, _)| attack.refusal() == cause);
        let refused = verdict.refusals.get(&cause).copied().unwrap_or_default();
        let names: Vec<_> = of_cause().map(|(attack, _)| attack.to_string()).collect();
        (cause.to_string(), of_cause().map(|(_, &count)| count).sum(), refused, names.join(", "))
    };
    causes.into_iter().map(row).collect()
}

/// The last line: what was shown.
fn shown(testimony: &Testimony, verdict: &Verdict) -> String {
    if let Some(broken) = check::broken(&verdict.checks) {
        return broken;
    }
    format!(
        "Shown: with wall clocks {} apart and a peer that sent {} hostile messages, {} processes put \
         every effect after its cause; wall time would have put {} of {} pairs in the wrong order.",
        seconds(Fault::spread(&testimony.faults)),
        grouped(verdict.attacks.values().sum()),
        testimony.logs.len(),
        grouped(verdict.wall.wrong),
        grouped(verdict.wall.all),
    )
}

/// The share of wrong pairs, in tenths of a percent.
fn share(pairs: Pairs) -> String {
    let permille =
        u128::from(pairs.wrong).saturating_mul(1000).checked_div(pairs.all.into()).unwrap_or_default();
    let (percent, tenths) = (permille.checked_div(10), permille.checked_rem(10));
    format!("{}.{} %", percent.unwrap_or_default(), tenths.unwrap_or_default())
}

/// Seconds with three decimals.
fn seconds(duration: Duration) -> String {
    format!("{}.{:03} s", duration.as_secs(), duration.subsec_millis())
}

fn micros(duration: Duration) -> u64 {
    u64::try_from(duration.as_micros()).unwrap_or(u64::MAX)
}

fn wide(count: usize) -> u64 {
    u64::try_from(count).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_share_of_nothing_is_nothing() {
        assert_eq!(share(Pairs::default()), "0.0 %");
        assert_eq!(share(Pairs { all: 3, wrong: 2, tied: 0 }), "66.6 %");
        assert_eq!(share(Pairs { all: u64::MAX, wrong: u64::MAX, tied: 0 }), "100.0 %");
    }
}
