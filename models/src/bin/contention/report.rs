//! The report: what was done to the processes, what they did, and which promises held.

use core::fmt;
use core::time::Duration;
use std::io::{self, Write};

use crate::cast::Kind;
use crate::check::{Promise, Verdict};
use crate::evidence::{Evidence, Takeovers};
use crate::message::Attempt;
use crate::sightings::{Fault, Sightings};

/// How many violations of one promise are told in full.
const TOLD: usize = 3;

/// Writes the report.
pub(crate) fn write(
    out: &mut impl Write,
    kind: Kind,
    evidence: &Evidence,
    sightings: &Sightings,
    verdict: &Verdict,
) -> io::Result<()> {
    writeln!(out, "\nfaults")?;
    for fault in Fault::of(kind) {
        row(out, fault, sightings.faults.get(&fault).copied().unwrap_or(0))?;
    }
    holders(out, evidence, sightings)?;
    writeln!(out, "effects")?;
    row(out, "done", len(evidence.effects_done()))?;
    row(out, "acknowledged", len(evidence.acknowledged.len()))?;
    row(out, "acknowledged after the last fault", sightings.after_faults)?;
    row(out, "refused as stale", sightings.stale)?;
    row(out, "told to wait for the drain", sightings.draining)?;
    row(out, "left without an answer", sightings.unanswered)?;
    if let Some(log) = &evidence.log {
        writeln!(out, "audit log")?;
        row(out, "entries", len(log.writes.len()))?;
        row(out, "heads noted during the run", len(log.noted.len()))?;
    } else {
        writeln!(out, "record")?;
        row(out, "states read during the run", len(evidence.samples.len()))?;
        row(out, "outages of the store", len(evidence.outages.len()))?;
        let outage = evidence.outages.iter().map(|(from, to)| to.saturating_sub(*from)).sum::<Duration>();
        row(out, "milliseconds of outage", outage.as_millis())?;
    }
    writeln!(out)?;
    for promise in Promise::ALL.into_iter().filter(|promise| promise.is_of(evidence.log.is_some())) {
        let violations: Vec<_> = verdict.against(promise).collect();
        let held = if violations.is_empty() { "held" } else { "BROKEN" };
        writeln!(out, "{held:8}{promise}: {} violations", violations.len())?;
        for violation in violations.iter().take(TOLD) {
            writeln!(out, "        {violation}")?;
        }
    }
    Ok(())
}

fn holders(out: &mut impl Write, evidence: &Evidence, sightings: &Sightings) -> io::Result<()> {
    writeln!(out, "holders")?;
    row(out, "were granted the resource", len(evidence.granted.len()))?;
    if let Some(log) = &evidence.log {
        let Takeovers { of_a_free_resource, of_a_reserved_resource, after_expiry, after_death } =
            log.takeovers();
        row(out, "took a free resource", of_a_free_resource)?;
        row(out, "took one that was handed over", of_a_reserved_resource)?;
        row(out, "took over after expiry", after_expiry)?;
        row(out, "took over after a death", after_death)?;
    }
    row(out, "renewed", sightings.renewed)?;
    row(out, "renewed nothing", sightings.not_renewed)?;
    row(out, "found a lease lost", sightings.lost)?;
    for (obstacle, seen) in &sightings.obstacles {
        row(out, format!("not granted: {obstacle:?}"), *seen)?;
    }
    for (end, seen) in &sightings.ends {
        row(out, format!("end of a tenure: {end:?}"), *seen)?;
    }
    for (attempt, seen) in &sightings.unknown {
        row(out, format!("nobody knew the end of: {attempt:?}"), *seen)?;
    }
    for (outcome, seen) in &sightings.resolved {
        row(out, format!("an acquire was found to be {outcome}"), *seen)?;
    }
    let acquires = sightings.unknown.get(&Attempt::Acquire).copied().unwrap_or(0);
    let resolved = sightings.resolved.values().copied().fold(0, u64::saturating_add);
    row(out, "died before they found out", acquires.saturating_sub(resolved))?;
    writeln!(out, "availability")?;
    row(out, "time with a holder, in thousandths", sightings.availability.thousandths())?;
    row(out, "longest time without one, ms", sightings.availability.longest_gap().as_millis())
}

fn row(out: &mut impl Write, name: impl fmt::Display, number: impl fmt::Display) -> io::Result<()> {
    let name = name.to_string();
    writeln!(out, "  {name:48}{number:>10}")
}

fn len(of: usize) -> u64 {
    u64::try_from(of).unwrap_or(u64::MAX)
}
