//! What a lease costs in a store that spans hosts: acquisitions with their releases per second, beside the bare
//! transactions of the same shape and beside the locks that the stores have themselves, in one run.
//!
//! ```sh
//! cargo run --release -p clock-benches --features engines --bin engines                        # servers of its own, on this machine
//! cargo run --release -p clock-benches --features engines --bin engines -- --postgres URL      # yours, in a namespace that is made for it
//! ```
//!
//! It prints a table in Markdown. The ratios are what counts: all rows of a store are measured in turns, a second each.

#![expect(
    clippy::arithmetic_side_effects,
    clippy::disallowed_methods,
    clippy::float_arithmetic,
    clippy::print_stdout,
    reason = "a program that measures time, whose numbers are small, and that prints what it found"
)]

extern crate alloc;

mod etcd;
mod lease;
mod load;
mod postgres;

use core::time::Duration;

use load::{Load, Measured};

/// What stops a run.
type Failure = Box<dyn core::error::Error + Send + Sync>;

const CONTENDERS: [usize; 3] = [1, 8, 64];
const HELP: &str = "engines [--seconds N] [--postgres URL] [--etcd URL]
Without a URL it starts a server of its own, where one is installed.";

/// What the command line says.
#[derive(Debug)]
struct Options {
    seconds: u64,
    postgres: Option<String>,
    etcd: Option<String>,
}

fn options() -> Result<Options, Failure> {
    let mut options = Options { seconds: 4, postgres: None, etcd: None };
    let mut words = std::env::args().skip(1);
    while let Some(word) = words.next() {
        let value = words.next().ok_or(HELP)?;
        match word.as_str() {
            "--seconds" => options.seconds = value.parse()?,
            "--postgres" => options.postgres = Some(value),
            "--etcd" => options.etcd = Some(value),
            _ => return Err(HELP.into()),
        }
    }
    Ok(options)
}

fn main() -> Result<(), Failure> {
    let options = options()?;
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build()?;
    let load = Load::new(Duration::from_secs(options.seconds.max(1)));
    let mut rows = Vec::new();
    rows.extend(runtime.block_on(postgres::measure(options.postgres.as_deref(), &load))?);
    rows.extend(runtime.block_on(etcd::measure(options.etcd.as_deref(), &load))?);
    print!("{}", table(&rows));
    Ok(())
}

/// One line for each measurement, with the ratio of its throughput to the bare transactions' of the same store and load.
fn table(rows: &[Measured]) -> String {
    let mut text = String::from(
        "| store | contenders | for | what | per second | median | 99 % | bare / this |\n|---|---:|---|---|---:|---:|---:|---:|\n",
    );
    for row in rows {
        let bare = rows.iter().find(|bare| bare.is_bare_of(row)).map_or(0.0, Measured::per_second);
        let ratio = if bare > 0.0 { format!("{:.2}", bare / row.per_second()) } else { String::new() };
        text += &format!(
            "| {} | {} | {} | {} | {:.0} | {} | {} | {ratio} |\n",
            row.store,
            row.contenders,
            row.resources,
            row.what,
            row.per_second(),
            millis(row.percentile(50)),
            millis(row.percentile(99)),
        );
    }
    text
}

fn millis(latency: Duration) -> String {
    format!("{:.1} ms", latency.as_secs_f64() * 1e3)
}
