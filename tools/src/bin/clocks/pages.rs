//! The completions and the manual pages, made of the same definition as `--help`.

use std::io::{self, Write as _};

use clap::CommandFactory as _;

use crate::exit::{DONE, Failure, USAGE};
use crate::options::Options;
use crate::output::finished;

pub(crate) fn completions(shell: clap_complete::Shell) -> Result<u8, Failure> {
    let mut page = Vec::new();
    clap_complete::generate(shell, &mut Options::command(), "clocks", &mut page);
    finished(io::stdout().write_all(&page), DONE)
}

pub(crate) fn man(verb: Option<&str>) -> Result<u8, Failure> {
    let mut command = Options::command();
    command.build();
    if let Some(verb) = verb {
        let found = command.find_subcommand(verb).cloned();
        let found =
            found.ok_or_else(|| Failure::new(USAGE, format!("there is no verb {}", verb.escape_debug())))?;
        command = found.display_name(format!("clocks-{verb}")).version(env!("CARGO_PKG_VERSION"));
    }
    let mut page = Vec::new();
    clap_mangen::Man::new(command).render(&mut page)?;
    finished(io::stdout().write_all(&page), DONE)
}
