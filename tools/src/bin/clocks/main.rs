//! `clocks`: stamps and stamped logs at the command line. Its documentation is its `--help`.
//!
//! A verb is a file here, with its arguments, its help and one function that returns an exit code or a `Failure`; a line
//! in `options::Verb`, and one below. What it works with is the library's.
#![forbid(unsafe_code)]

extern crate alloc;

mod diagram;
mod exit;
mod now;
mod options;
mod output;
mod pages;
mod shiviz;
mod validate;

use clap::Parser as _;
use options::Verb;

fn main() -> std::process::ExitCode {
    let options = match options::Options::try_parse() {
        Ok(options) => options,
        Err(error) => return exit::usage(&error),
    };
    exit::with(match options.verb {
        Verb::Now(now) => now::now(&now),
        Verb::Validate(validate) => validate::validate(&validate),
        Verb::Diagram(diagram) => diagram::diagram(&diagram),
        Verb::Completions { shell } => pages::completions(shell),
        Verb::Man { verb } => pages::man(verb.as_deref()),
    })
}
