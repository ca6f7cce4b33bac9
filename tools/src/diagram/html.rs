//! The page: one file with its data, its style and its script, which draws what is in view.

use std::io::{self, Write};

use super::{
    escape::{Markup, ScriptString},
    layout::Diagram,
};

const STYLE: &str = include_str!("page.css");
const SCRIPT: &str = include_str!("page.js");
const BODY: &str = include_str!("page.html");

/// The only script that the page lets run: the browser compares this with what is there. A test here does too.
const SCRIPT_SHA256: &str = "sha256-EqKttiewulJbeRAdDiOEClRSk2M3s593SFO/YCj9ayM=";

/// Writes a page with these diagrams, of which one at a time is shown.
///
/// It is one file, and its own content policy keeps it from asking anything of a network. What logs say is data in it,
/// and never markup or script.
///
/// # Errors
///
/// Those of `to`.
pub fn write_html(title: &str, diagrams: &[Diagram<'_>], to: impl Write) -> io::Result<()> {
    let mut to = io::BufWriter::new(to);
    write!(
        to,
        "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
         <meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'; \
         script-src '{SCRIPT_SHA256}'; base-uri 'none'; form-action 'none'\">\n\
         <meta name=\"viewport\" content=\"width=device-width\">\n<title>{}</title>\n<style>\n{STYLE}</style>\n</head>\n\
         {BODY}",
        Markup(title)
    )?;
    write!(
        to,
        "<script type=\"application/json\" id=\"data\">{{\"title\":{},\"executions\":[",
        ScriptString(title)
    )?;
    for (nth, diagram) in diagrams.iter().enumerate() {
        if nth > 0 {
            to.write_all(b",\n")?;
        }
        data(diagram, &mut to)?;
    }
    write!(to, "]}}</script>\n<script>{SCRIPT}</script>\n</body>\n</html>\n")?;
    to.flush()
}

/// One execution, as columns. What can be computed is left out: counters count from 1, clocks follow from the messages.
fn data(diagram: &Diagram<'_>, to: &mut impl Write) -> io::Result<()> {
    write!(to, "{{\"label\":{},\"hosts\":", ScriptString(diagram.label()))?;
    list(diagram.hosts().map(ScriptString), to)?;
    to.write_all(b",\n\"lanes\":")?;
    list(diagram.events().map(|event| diagram.lane(event)), to)?;
    to.write_all(b",\n\"lines\":")?;
    list(diagram.events().map(super::super::shiviz::Event::line), to)?;
    to.write_all(b",\n\"texts\":")?;
    list(diagram.events().map(|event| ScriptString(event.text())), to)?;
    if diagram.events().any(|event| event.wall().is_some()) {
        to.write_all(b",\n\"walls\":")?;
        list(diagram.events().map(|event| ScriptString(event.wall().unwrap_or_default())), to)?;
    }
    to.write_all(b",\n\"messages\":")?;
    list(diagram.messages().iter().flat_map(|message| [message.send(), message.receive()]), to)?;
    to.write_all(b",\n\"backwards\":")?;
    let numbered = diagram.messages().iter().enumerate();
    list(numbered.filter(|(_, message)| message.is_backwards()).map(|(number, _)| number), to)?;
    to.write_all(b"}")
}

fn list(items: impl Iterator<Item: core::fmt::Display>, to: &mut impl Write) -> io::Result<()> {
    to.write_all(b"[")?;
    for (nth, item) in items.enumerate() {
        write!(to, "{}{item}", if nth > 0 { "," } else { "" })?;
    }
    to.write_all(b"]")
}
