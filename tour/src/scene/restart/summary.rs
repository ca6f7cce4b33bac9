//! The summary: what was found, as people read it and as programs do.

use core::fmt::{self, Write as _};

use hlc::Timestamp;
use serde::Serialize;
use serde_json::json;

use super::{cast::Issued, lives::Life};
use crate::{
    grouped::grouped,
    scene::{
        Outcome,
        check::{self, Check},
    },
};

/// One life, for programs.
#[derive(Debug, Serialize)]
struct Row {
    seconds_back: u64,
    stamps: usize,
    first_stamp: String,
    last_stamp: String,
    first_wall_micros: u64,
    last_wall_micros: u64,
}

impl Row {
    fn of(life: &Life) -> Option<Self> {
        let (first, last) = (life.issued.first()?, life.issued.last()?);
        Some(Self {
            seconds_back: life.seconds_back,
            stamps: life.issued.len(),
            first_stamp: hex(first.stamp),
            last_stamp: hex(last.stamp),
            first_wall_micros: first.wall_micros,
            last_wall_micros: last.wall_micros,
        })
    }
}

fn hex(bits: u64) -> String {
    format!("{bits:016x}")
}

/// How often neighbours in the order of issue are `wrong`.
fn count(all: &[Issued], wrong: impl Fn(&Issued, &Issued) -> bool) -> usize {
    all.iter().zip(all.iter().skip(1)).filter(|(one, next)| wrong(one, next)).count()
}

fn checks(lives: &[Life]) -> Vec<Check> {
    let all: Vec<Issued> = lives.iter().flat_map(|life| life.issued.iter().copied()).collect();
    let ends: Vec<Issued> =
        lives.iter().flat_map(|life| [life.issued.first(), life.issued.last()]).flatten().copied().collect();
    let fallen_across = count(&ends, |one, next| next.stamp < one.stamp);
    let fallen = count(&all, |one, next| next.stamp <= one.stamp);
    let above = all.iter().filter(|issued| issued.stamp > issued.bound).count();
    let wall_fallen = count(&all, |one, next| next.wall_micros < one.wall_micros);
    vec![
        Check {
            name: "Restart-safe",
            held: fallen_across == 0,
            found: format!(
                "{fallen_across} of {} restarts went on below the last stamp before",
                kills(lives)
            ),
        },
        Check {
            name: "Monotonic",
            held: fallen == 0,
            found: format!("{fallen} of {} stamps repeat or fall", all.len()),
        },
        Check {
            name: "Below the bound",
            held: above == 0,
            found: format!("{above} stamps were issued above what was on the disk"),
        },
        Check {
            name: "Worth showing",
            held: wall_fallen >= kills(lives),
            found: format!("the wall clock went back {wall_fallen} times"),
        },
    ]
}

/// How often the node was killed and started again.
fn kills(lives: &[Life]) -> usize {
    lives.len().saturating_sub(1)
}

/// Makes the outcome of the scene.
pub(crate) fn outcome(lives: &[Life]) -> Outcome {
    let checks = checks(lives);
    let rows: Vec<Row> = lives.iter().filter_map(Row::of).collect();
    let mut text = String::new();
    // Writing to a string does not fail.
    let _ = write_text(&mut text, lives, &rows, &checks);
    Outcome {
        held: checks.iter().all(|check| check.held),
        json: json!({ "lives": rows, "kills": kills(lives), "checks": checks }),
        text,
    }
}

fn write_text(out: &mut String, lives: &[Life], rows: &[Row], checks: &[Check]) -> fmt::Result {
    writeln!(
        out,
        "a process issues stamps, is killed, its wall clock set back, and started on the same file\n"
    )?;
    writeln!(out, "{:6}{:>16}{:>10}  {:18}last stamp", "life", "wall clock", "stamps", "first stamp")?;
    for (life, row) in rows.iter().enumerate() {
        let Row { seconds_back, stamps, first_stamp, last_stamp, .. } = row;
        let back = format!("{} s behind", grouped(*seconds_back));
        writeln!(out, "{life:<6}{back:>16}{stamps:>10}  {first_stamp:18}{last_stamp}")?;
    }
    writeln!(out)?;
    for pair in rows.windows(2) {
        if let [before, after] = pair {
            let human =
                |text: &str| Timestamp::from_text(text.as_bytes()).map(|stamp| stamp.human().to_string());
            let (last, first) = (human(&before.last_stamp), human(&after.first_stamp));
            let (last, first) = (last.unwrap_or_default(), first.unwrap_or_default());
            writeln!(out, "last before the kill {last}, first after it {first}")?;
        }
    }
    writeln!(out)?;
    check::write_all(out, checks)?;
    writeln!(out)?;
    match check::broken(checks) {
        Some(broken) => writeln!(out, "{broken}"),
        None => writeln!(
            out,
            "Shown: killed {} times with its wall clock set back by up to an hour, the node never repeated a stamp.",
            kills(lives)
        ),
    }
}
