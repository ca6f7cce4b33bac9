//! `now`: fresh stamps.

use core::num::NonZeroU64;
use std::io::{self, Write as _};

use clap::Args;
use clock_tools::{AnyLayout, ForLayout};
use hlc::layout::Layout;
use hlc::source::SystemSource;
use hlc::{Clock, NodeId};
use serde_json::json;

use crate::exit::{DONE, FAILED, Failure};
use crate::options::{Form, node};
use crate::output::{self, finished};

pub(crate) const HELP: &str = "\
The stamps of one call rise. Those of two calls rise with the wall clock, and may be equal within one unit of the layout: \
this is for tests, examples and range scans, and no substitute for a clock that lives as long as its node.

Examples:
  clocks now
  clocks now --node 42 --count 3
  psql -c \"SELECT * FROM events WHERE at >= '$(clocks now)'\"";

#[derive(Args, Debug)]
pub(crate) struct Now {
    /// How the 64 bits are split
    #[arg(long, value_name = "LAYOUT", default_value_t)]
    pub(crate) layout: AnyLayout,

    /// Print stamps of this node: a number, 0x and hexadecimal digits, or the 16 digits of its text form
    #[arg(long, value_name = "ID", value_parser = node)]
    pub(crate) node: Option<NodeId>,

    /// How many
    #[arg(long, value_name = "COUNT", default_value = "1")]
    pub(crate) count: NonZeroU64,

    #[command(flatten)]
    pub(crate) form: Form,
}

pub(crate) fn now(options: &Now) -> Result<u8, Failure> {
    options.layout.visit(options)
}

impl ForLayout for &Now {
    type Output = Result<u8, Failure>;

    fn run<L: Layout>(self) -> Self::Output {
        let mut clock = Clock::<_, L>::with_layout(SystemSource::new());
        let mut out = io::BufWriter::new(io::stdout().lock());
        for _ in 0..self.count.get() {
            let timestamp = clock.tick().map_err(|why| Failure::new(FAILED, why))?;
            let text = match self.node {
                Some(node) => timestamp.at_node(node).to_string(),
                None => timestamp.to_string(),
            };
            let printed = if self.form.json {
                let human = timestamp.human().to_string();
                output::json(&mut out, &json!({ "text": text, "layout": L::NAME, "human": human }))
            } else {
                writeln!(out, "{text}")
            };
            if printed.is_err() {
                return finished(printed, DONE);
            }
        }
        finished(out.flush(), DONE)
    }
}
