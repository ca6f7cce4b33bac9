//! The Markdown tables of what criterion measured.

use std::{collections::BTreeMap, fmt::Write as _};

use crate::{
    figures::{Figure, Figures},
    machine,
    targets::{self, Goal, Target, Verdict},
};

/// Of whom, of when, and how to make it again.
pub(crate) fn head(figures: &Figures) -> String {
    let mut text = String::from(
        "# Speed\n\n\
         Made by the program `report` from what criterion left; `benches/report.sh` measures everything and runs it. Nothing in it is \
         typed by hand. A figure is a ratio of the medians of two rows of one group, measured one after the other by one process; \
         times alone are of one machine and one day. *Fast* is the ratio of what the fastest tenth of both rows' samples stayed \
         below: where the two ratios differ, or the load below is not near zero, the machine did something else meanwhile, and \
         a ratio near its target says nothing.\n\n\
         ![each hot path beside its floor or its peer](speed.svg)\n\n",
    );
    for (name, value) in machine::facts() {
        let _ = writeln!(text, "- {name}: {value}");
    }
    if let Some((first, span)) = figures.span() {
        let minutes = span.as_secs() / 60;
        let _ = writeln!(
            text,
            "- measured: {}, {} rows within {minutes} minutes; load after them: {}",
            machine::moment(first),
            figures.len(),
            machine::load()
        );
    }
    text
}

pub(crate) fn targets(figures: &Figures) -> String {
    let mut text = String::from(
        "\n## Targets\n\n| hot path | beside | ours | other | ratio | fast | to reach | |\n\
         |---|---|---:|---:|---:|---:|---|---|\n",
    );
    for target in targets::all() {
        if let Some(verdict) = target.judge(figures) {
            line(&mut text, target, &verdict);
        } else {
            let _ = writeln!(text, "| {} | | | | | | {} | not measured |", target.what, target.goal.text());
        }
    }
    text
}

fn line(text: &mut String, target: &Target, verdict: &Verdict) {
    let reached = |value: f64| match target.goal {
        Goal::Ratio(..) | Goal::Beside(_) => format!("{value:.2}"),
        Goal::Each(..) => format!("{value:.2} ns"),
        Goal::Rate(..) => format!("{value:.0} bytes/ns"),
    };
    let met = match verdict.met {
        Some(true) => "met",
        Some(false) => "**missed**",
        None => "",
    };
    let _ = writeln!(
        text,
        "| {} | {} | {} | {} | {} | {} | {} | {met} |",
        target.what,
        target.goal.beside().unwrap_or("-"),
        time(verdict.ours.median),
        verdict.other.map(|other| time(other.median)).unwrap_or_default(),
        reached(verdict.reached),
        reached(verdict.reached_fast),
        target.goal.text(),
    );
}

/// Every group, with each row beside the first floor, or else beside the fastest.
pub(crate) fn groups(figures: &Figures) -> String {
    let mut text = String::from(
        "\n## All rows\n\nRatios are to the floor of the group, or to its fastest row where it has none.\n\n\
         <details><summary>every group</summary>\n",
    );
    for (group, rows) in figures.groups() {
        let Some((base, floor)) = base_of(rows) else { continue };
        let _ = writeln!(text, "\n| {group} | median | interval | to `{base}` |\n|---|---:|---:|---:|");
        let mut rows: Vec<_> = rows.iter().collect();
        rows.sort_by(|(_, one), (_, other)| one.median.total_cmp(&other.median));
        for (row, figure) in rows {
            let _ = writeln!(
                text,
                "| {row} | {} | {} - {} | {:.2} |",
                time(figure.median),
                time(figure.low),
                time(figure.high),
                quotient(figure.median, floor.median)
            );
        }
    }
    text.push_str("\n</details>\n");
    text
}

fn base_of(rows: &BTreeMap<String, Figure>) -> Option<(&str, Figure)> {
    let floor = rows.iter().find(|(name, _)| name.starts_with("floor"));
    let fastest = || rows.iter().min_by(|(_, one), (_, other)| one.median.total_cmp(&other.median));
    floor.or_else(fastest).map(|(name, figure)| (name.as_str(), *figure))
}

#[expect(clippy::float_arithmetic, reason = "a ratio, for people")]
fn quotient(one: f64, other: f64) -> f64 {
    one / other
}

/// Nanoseconds, with a unit that people can read.
#[expect(clippy::float_arithmetic, reason = "for people")]
pub(crate) fn time(nanos: f64) -> String {
    match nanos {
        ..1e3 => format!("{nanos:.2} ns"),
        1e3..1e6 => format!("{:.2} us", nanos / 1e3),
        _ => format!("{:.2} ms", nanos / 1e6),
    }
}
