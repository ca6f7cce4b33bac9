//! `clocks`: stamps and stamped logs at the command line. Its documentation is its `--help`.
//!
//! A verb is a file here, with its arguments, its help and one function that returns an exit code or a `Failure`; a line
//! in `options::Verb`, and one below. What it works with is the library's.
#![forbid(unsafe_code)]

mod convert;
mod diagram;
mod exit;
mod files;
mod inspect;
mod merge;
mod now;
mod options;
mod output;
mod pages;
mod progress;
mod shiviz;
mod validate;
mod values;

use clap::Parser as _;
use options::Verb;

fn main() -> std::process::ExitCode {
    let options = match options::Options::try_parse() {
        Ok(options) => options,
        Err(error) => return exit::usage(&error),
    };
    exit::with(match options.verb {
        Verb::Now(now) => now::now(&now),
        Verb::Inspect(inspect) => inspect::inspect(&inspect),
        Verb::Convert(convert) => convert::convert(&convert),
        Verb::Merge(merge) => merge::merge(&merge),
        Verb::Validate(validate) => validate::validate(&validate),
        Verb::Diagram(diagram) => diagram::diagram(&diagram),
        Verb::Completions { shell } => pages::completions(shell),
        Verb::Man { verb } => pages::man(verb.as_deref()),
    })
}
