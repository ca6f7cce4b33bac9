//! The report: what was done to the processes, what they did, and which promises held.

use std::io::{self, Write};

use crate::check::{Promise, Verdict};
use crate::evidence::{Evidence, Takeovers};
use crate::sightings::{Fault, Sightings};

/// How many violations of one promise are told in full.
const TOLD: usize = 3;

/// Writes the report.
pub(crate) fn write(
    out: &mut impl Write,
    evidence: &Evidence,
    sightings: &Sightings,
    verdict: &Verdict,
) -> io::Result<()> {
    writeln!(out, "\nfaults")?;
    for fault in Fault::ALL {
        row(out, &fault.to_string(), sightings.faults.get(&fault).copied().unwrap_or(0))?;
    }
    writeln!(out, "holders")?;
    let Takeovers { of_a_free_resource, of_a_reserved_resource, after_expiry, after_death } =
        evidence.takeovers();
    row(out, "took a free resource", of_a_free_resource)?;
    row(out, "took one that was handed over", of_a_reserved_resource)?;
    row(out, "took over after expiry", after_expiry)?;
    row(out, "took over after a death", after_death)?;
    row(out, "renewed", sightings.renewed)?;
    row(out, "found a lease lost", sightings.lost)?;
    row(out, "met a write under way when renewing", sightings.busy)?;
    for (obstacle, seen) in &sightings.obstacles {
        row(out, &format!("not granted: {obstacle:?}"), *seen)?;
    }
    for (end, seen) in &sightings.ends {
        row(out, &format!("end of a tenure: {end:?}"), *seen)?;
    }
    writeln!(out, "effects")?;
    row(out, "done", len(evidence.effects_done()))?;
    row(out, "acknowledged", len(evidence.acknowledged.len()))?;
    row(out, "acknowledged after the last fault", sightings.after_faults)?;
    row(out, "refused as stale", sightings.stale)?;
    row(out, "told to wait for the drain", sightings.draining)?;
    row(out, "left without an answer", sightings.unanswered)?;
    writeln!(out, "audit log")?;
    row(out, "entries", len(evidence.log.len()))?;
    row(out, "heads noted during the run", len(evidence.noted.len()))?;
    writeln!(out)?;
    for promise in Promise::ALL {
        let violations: Vec<_> = verdict.against(promise).collect();
        let held = if violations.is_empty() { "held" } else { "BROKEN" };
        writeln!(out, "{held:8}{promise}: {} violations", violations.len())?;
        for violation in violations.iter().take(TOLD) {
            writeln!(out, "        {violation}")?;
        }
    }
    Ok(())
}

fn row(out: &mut impl Write, name: &str, number: u64) -> io::Result<()> {
    writeln!(out, "  {name:44}{number:>10}")
}

fn len(of: usize) -> u64 {
    u64::try_from(of).unwrap_or(u64::MAX)
}
