//! The picture: SVG without a script.

use std::io::{self, Write};

use super::{
    escape::Markup,
    layout::{Diagram, Message},
};

const ROW: usize = 24;
const TOP: usize = 56;
const MARGIN: usize = 20;
const WIDE_LANE: usize = 120;
const NARROW_LANE: usize = 24;
/// From this many hosts on, their names stand upright.
const MANY_HOSTS: usize = 9;
/// How much of a text is shown; the whole is its title.
const MAX_TEXT: usize = 72;
const MAX_NAME: usize = 14;
/// About the width of a letter.
const LETTER: usize = 7;
/// And of a digit, as wall times have them.
const DIGIT: usize = 8;

/// The colours of the lanes, again and again: of nearly one lightness, so that they do for light and for dark.
pub(super) const LANES: usize = 8;

const STYLE: &str = "\
text{font:13px system-ui,sans-serif;fill:#1f2328}.n{font-weight:600}.w,.i{fill:#59636e}\
.bg{fill:#fff}.l{stroke:#d1d9e0;stroke-width:2}.m{stroke:#59636e;stroke-width:1.3;fill:none}\
.b{stroke:#cf222e;stroke-dasharray:5 3}.a{fill:#59636e}.ab{fill:#cf222e}circle{stroke:#fff;stroke-width:1.5}\
.c0{fill:#0969da}.c1{fill:#bc4c00}.c2{fill:#1a7f37}.c3{fill:#8250df}.c4{fill:#bf3989}.c5{fill:#0f766e}.c6{fill:#9a6700}\
.c7{fill:#57606a}\
@media(prefers-color-scheme:dark){text{fill:#e6edf3}.w,.i{fill:#9198a1}.bg{fill:#0d1117}.l{stroke:#3d444d}\
.m{stroke:#9198a1}.b{stroke:#ff7b72}.a{fill:#9198a1}.ab{fill:#ff7b72}circle{stroke:#0d1117}\
.c0{fill:#58a6ff}.c1{fill:#f0883e}.c2{fill:#3fb950}.c3{fill:#bc8cff}.c4{fill:#f778ba}.c5{fill:#2dd4bf}.c6{fill:#d29922}\
.c7{fill:#8b949e}}";

/// Writes a diagram as a picture.
///
/// Every event is an item of a list with a label, for screen readers, and has its whole text as its title. Dashed red
/// arrows are messages that were received before they were sent, as wall clocks have it.
///
/// # Errors
///
/// Those of `to`.
pub fn write_svg(title: &str, diagram: &Diagram<'_>, to: impl Write) -> io::Result<()> {
    let mut to = io::BufWriter::new(to);
    Picture::new(diagram).write(title, &mut to)?;
    to.flush()
}

struct Picture<'d, 'l> {
    diagram: &'d Diagram<'l>,
    lane: usize,
    /// The width of the column of wall times, and where lanes and texts begin.
    lanes_at: usize,
    texts_at: usize,
    top: usize,
    /// For each row its lane.
    lane_of_row: Vec<usize>,
}

impl<'d, 'l> Picture<'d, 'l> {
    fn new(diagram: &'d Diagram<'l>) -> Self {
        let hosts = diagram.hosts().len();
        let lane = if hosts < MANY_HOSTS { WIDE_LANE } else { NARROW_LANE };
        let wall = diagram
            .events()
            .filter_map(|event| event.wall())
            .map(|wall| shown(wall, MAX_TEXT).chars().count());
        let wall = wall.max().map_or(0, |letters| letters.saturating_mul(DIGIT).saturating_add(MARGIN));
        let lanes_at = MARGIN.saturating_add(wall).saturating_add(lane.div_euclid(2));
        let texts_at = lanes_at
            .saturating_add(lane.saturating_mul(hosts.saturating_sub(1)))
            .saturating_add(lane.div_euclid(2).max(MARGIN));
        let names =
            diagram.hosts().map(|host| shown(host, MAX_NAME).chars().count()).max().unwrap_or_default();
        let upright = names.saturating_mul(LETTER).saturating_add(ROW);
        // Names that stand upright have the line below the title to themselves.
        let top = if hosts < MANY_HOSTS { TOP } else { upright.saturating_add(ROW) };
        let lane_of_row = diagram.events().map(|event| diagram.lane(event)).collect();
        Self { diagram, lane, lanes_at, texts_at, top, lane_of_row }
    }

    fn x(&self, lane: usize) -> usize {
        self.lanes_at.saturating_add(self.lane.saturating_mul(lane))
    }

    fn y(&self, row: usize) -> usize {
        self.top.saturating_add(ROW.saturating_mul(row)).saturating_add(ROW)
    }

    fn lane_of_row(&self, row: usize) -> usize {
        self.lane_of_row.get(row).copied().unwrap_or_default()
    }

    fn write(&self, title: &str, to: &mut impl Write) -> io::Result<()> {
        let rows = self.lane_of_row.len();
        let letters = self
            .diagram
            .events()
            .map(|event| shown(event.text(), MAX_TEXT).chars().count().saturating_add(4));
        let texts = letters.max().unwrap_or_default().saturating_mul(LETTER).saturating_add(MARGIN);
        let width = self.texts_at.saturating_add(texts).max(320);
        let height = self.y(rows).saturating_add(MARGIN.div_euclid(2));
        let (hosts, messages) = (self.diagram.hosts().len(), self.diagram.messages());
        let backwards = messages.iter().filter(|message| message.is_backwards()).count();
        write!(
            to,
            "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {width} {height}\" width=\"{width}\" \
             height=\"{height}\" role=\"graphics-document document\" aria-roledescription=\"space-time diagram\" \
             aria-labelledby=\"title desc\">\n<title id=\"title\">{}</title>\n<desc id=\"desc\">{rows} events of {hosts} \
             hosts, from top to bottom, and {} messages between them, of which {backwards} were received before they \
             were sent by wall time.</desc>\n<style>{STYLE}</style>\n\
             <defs>",
            Markup(title),
            messages.len()
        )?;
        for (id, class) in [("a", "a"), ("b", "ab")] {
            write!(
                to,
                "<marker id=\"{id}\" viewBox=\"0 0 10 10\" refX=\"15\" refY=\"5\" markerWidth=\"8\" markerHeight=\"8\" \
                 markerUnits=\"userSpaceOnUse\" orient=\"auto\"><path class=\"{class}\" d=\"M0 1L10 5L0 9z\"/></marker>"
            )?;
        }
        writeln!(to, "</defs>\n<rect class=\"bg\" width=\"{width}\" height=\"{height}\"/>")?;
        writeln!(to, "<text x=\"{MARGIN}\" y=\"22\" class=\"n\">{}</text>", Markup(&shown(title, MAX_TEXT)))?;
        self.lanes(rows, to)?;
        self.messages(to)?;
        self.events(to)?;
        writeln!(to, "</svg>")
    }

    fn lanes(&self, rows: usize, to: &mut impl Write) -> io::Result<()> {
        writeln!(to, "<g aria-hidden=\"true\">")?;
        for (lane, host) in self.diagram.hosts().enumerate() {
            let (x, top, end) = (self.x(lane), self.top, self.y(rows).saturating_sub(ROW.div_euclid(2)));
            let name = shown(host, MAX_NAME);
            let (name, whole) = (Markup(&name), Markup(host));
            let colour = lane.rem_euclid(LANES);
            let y = top.saturating_sub(8);
            if self.lane == WIDE_LANE {
                write!(to, "<text x=\"{x}\" y=\"{y}\" text-anchor=\"middle\" class=\"n c{colour}\">")?;
            } else {
                write!(
                    to,
                    "<text transform=\"translate({},{y})rotate(-90)\" class=\"n c{colour}\">",
                    x.saturating_add(4)
                )?;
            }
            writeln!(to, "{name}<title>{whole}</title></text><path class=\"l\" d=\"M{x} {top}V{end}\"/>")?;
        }
        writeln!(to, "</g>")
    }

    fn messages(&self, to: &mut impl Write) -> io::Result<()> {
        writeln!(to, "<g aria-hidden=\"true\">")?;
        for message in self.diagram.messages() {
            let point = |row: usize| (self.x(self.lane_of_row(row)), self.y(row));
            let ((x1, y1), (x2, y2)) = (point(message.send()), point(message.receive()));
            let (class, marker) = if Message::is_backwards(*message) { ("m b", "b") } else { ("m", "a") };
            writeln!(
                to,
                "<path class=\"{class}\" marker-end=\"url(#{marker})\" d=\"M{x1} {y1}L{x2} {y2}\"/>"
            )?;
        }
        writeln!(to, "</g>")
    }

    fn events(&self, to: &mut impl Write) -> io::Result<()> {
        writeln!(to, "<g role=\"list\" aria-label=\"events\">")?;
        for (row, event) in self.diagram.events().enumerate() {
            let lane = self.lane_of_row(row);
            let (x, y, host) = (self.x(lane), self.y(row), Markup(self.diagram.host(event)));
            let (counter, text, line) = (event.counter(), Markup(event.text()), event.line());
            let base = y.saturating_add(4);
            let colour = lane.rem_euclid(LANES);
            write!(
                to,
                "<g role=\"listitem\" aria-label=\"{host}, event {counter}: {text}\"><title>{host}, event {counter}, line \
                 {line}: {text}</title><circle cx=\"{x}\" cy=\"{y}\" r=\"6\" class=\"c{colour}\"/>"
            )?;
            if let Some(wall) = event.wall() {
                write!(
                    to,
                    "<text x=\"{MARGIN}\" y=\"{base}\" class=\"w\">{}</text>",
                    Markup(&shown(wall, MAX_TEXT))
                )?;
            }
            let text = shown(event.text(), MAX_TEXT);
            let x = self.texts_at;
            writeln!(
                to,
                "<text x=\"{x}\" y=\"{base}\"><tspan class=\"i\">{counter}</tspan> {}</text></g>",
                Markup(&text)
            )?;
        }
        writeln!(to, "</g>")
    }
}

/// The beginning of a text, as long as there is room for.
fn shown(text: &str, letters: usize) -> String {
    let mut chars = text.chars();
    let mut shown: String = chars.by_ref().take(letters).collect();
    if chars.next().is_some() {
        shown.pop();
        shown.push('\u{2026}');
    }
    shown
}
