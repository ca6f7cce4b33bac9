//! `Options`: what the command line says. The arguments and the help of a verb are in its own file.

use clap::{Args, Parser, Subcommand};
use hlc::NodeId;

use crate::{convert, diagram, inspect, merge, now, shiviz, validate};

/// The end of the help of every verb.
pub(crate) const CODES: &str = "\
Exit status:
  0  done
  1  done, and something in the input is not as it has to be; it was reported
  2  the command line was not understood
  3  an input could not be read, or the output not be written";

/// Stamps of hybrid logical clocks, and logs that carry them.
#[derive(Debug, Parser)]
#[command(name = "clocks", version, max_term_width = 100, after_help = CODES)]
pub(crate) struct Options {
    #[command(subcommand)]
    pub(crate) verb: Verb,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Verb {
    /// Print a fresh timestamp or stamp
    #[command(after_help = CODES, after_long_help = format!("{}\n\n{CODES}", now::HELP))]
    Now(now::Now),
    /// Show what is in timestamps and stamps: time, counter, node, age
    #[command(after_help = CODES, after_long_help = format!("{}\n\n{CODES}", inspect::HELP))]
    Inspect(inspect::Inspect),
    /// Write timestamps and stamps in another layout or notation
    #[command(after_help = CODES, after_long_help = format!("{}\n\n{CODES}", convert::HELP))]
    Convert(convert::Convert),
    /// Merge the logs of many hosts into one order, causes before their effects
    #[command(after_help = CODES, after_long_help = format!("{}\n\n{CODES}", merge::HELP))]
    Merge(merge::MergeLogs),
    /// Check a log with vector clocks: what cannot have happened is named with its line
    #[command(after_help = CODES,
              after_long_help = format!("{}\n\n{}\n\n{CODES}", validate::HELP, shiviz::HELP))]
    Validate(validate::Validate),
    /// Draw a log with vector clocks: hosts as lines, events as points, messages as arrows
    #[command(after_help = CODES,
              after_long_help = format!("{}\n\n{}\n\n{CODES}", diagram::HELP, shiviz::HELP))]
    Diagram(diagram::DrawLog),
    /// Print the completions for a shell
    #[command(after_long_help = "Example:\n  clocks completions bash > /etc/bash_completion.d/clocks")]
    Completions {
        /// For which shell
        shell: clap_complete::Shell,
    },
    /// Print the manual page, of the program or of one verb
    #[command(after_long_help = "Example:\n  clocks man | man -l -\n  clocks man merge > clocks-merge.1")]
    Man {
        /// Of which verb
        verb: Option<String>,
    },
}

/// How the answer is printed.
#[derive(Args, Clone, Copy, Debug)]
pub(crate) struct Form {
    /// Print JSON, one document a line
    #[arg(long)]
    pub(crate) json: bool,
}

/// Reads a node id as people write one. What has 16 digits is the text form.
pub(crate) fn node(text: &str) -> Result<NodeId, String> {
    if text.len() == NodeId::MIN.to_text().len() && !text.starts_with("0x") {
        return text.parse().map_err(|why: hlc::TextError| why.to_string());
    }
    let (digits, radix) = text.strip_prefix("0x").map_or((text, 10), |digits| (digits, 16));
    // `from_str_radix` would take a sign as well.
    if !digits.chars().all(|digit| digit.is_digit(radix)) {
        return Err("expected a number, 0x and hexadecimal digits, or 16 hexadecimal digits".into());
    }
    let number = u64::from_str_radix(digits, radix);
    let number = number.map_err(|why| why.to_string())?;
    NodeId::new(number).map_err(|why| why.to_string())
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory as _;

    #[test]
    fn a_node_is_a_number_or_its_text_form() {
        for (text, id) in
            [("0", 0), ("42", 42), ("0x2A", 42), ("000000000000002a", 42), ("0000000000000042", 0x42)]
        {
            assert_eq!(super::node(text).unwrap().as_u64(), id, "{text}");
        }
        for text in
            ["", "-1", "+1", "0x", "0x+1", "0400000000000000", "288230376151711744", "000000000000002A"]
        {
            assert!(super::node(text).is_err(), "{text}");
        }
    }

    #[test]
    fn the_command_line_is_consistent() {
        super::Options::command().debug_assert();
    }
}
