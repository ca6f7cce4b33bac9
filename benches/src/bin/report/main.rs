//! Makes the report of the last run: tables with ratios, and a chart. No figure in it is typed by hand.
//!
//! ```text
//! report            reads what criterion, the scaling run and the scripts left in the folder of the build, and writes
//!                   benches/results/report.md and benches/results/speed.svg
//! report --rows     names the rows that the table of targets needs, as criterion names them
//! ```
#![expect(
    clippy::std_instead_of_core,
    clippy::std_instead_of_alloc,
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "a std program for a terminal"
)]

mod chart;
mod figures;
mod machine;
mod other;
mod peers;
mod tables;
mod targets;

use std::{
    fs, io,
    path::{Path, PathBuf},
    process::ExitCode,
};

use figures::Figures;

fn main() -> ExitCode {
    if std::env::args().any(|argument| argument == "--rows") {
        targets::all().flat_map(targets::Target::rows).for_each(|row| println!("{row}"));
        return ExitCode::SUCCESS;
    }
    match run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(why) => {
            eprintln!("report: {why}");
            ExitCode::FAILURE
        }
    }
}

/// The folder of the workspace, where the lock file and the results are.
fn workspace() -> PathBuf {
    let package = Path::new(env!("CARGO_MANIFEST_DIR"));
    package.parent().unwrap_or(package).to_path_buf()
}

/// The folder of the build, where the runs leave what they found.
fn target() -> PathBuf {
    std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| workspace().join("target"), PathBuf::from)
}

fn run() -> io::Result<()> {
    let figures = Figures::read(&target().join("criterion"))?;
    let results = workspace().join("benches/results");
    fs::create_dir_all(&results)?;
    let report = [
        tables::head(&figures),
        tables::targets(&figures),
        tables::groups(&figures),
        other::scaling(&target()),
        other::memory(&target()),
        other::instructions(&workspace()),
        other::build_cost(&target()),
        peers::table(&workspace()),
    ];
    fs::write(results.join("report.md"), report.join("\n"))?;
    fs::write(results.join("speed.svg"), chart::svg(&figures))?;
    println!("benches/results/report.md and speed.svg: {} rows measured", figures.len());
    for target in targets::all().filter(|target| target.judge(&figures).is_none()) {
        println!("not measured: {}", target.what);
    }
    Ok(())
}
