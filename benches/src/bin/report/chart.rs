//! The chart: each hot path's ratio on a logarithmic scale, with the floor or peer at 1 and the target marked.

use std::fmt::Write as _;

use crate::{
    figures::Figures,
    machine,
    targets::{self, Goal},
};

const LEFT: f64 = 330.0;
const WIDTH: f64 = 420.0;
const RIGHT: f64 = 150.0;
const TOP: f64 = 58.0;
const LINE: f64 = 22.0;
/// The ends of the scale.
const LEAST: f64 = 0.01;
const MOST: f64 = 4.0;

struct Bar {
    what: &'static str,
    beside: &'static str,
    ratio: f64,
    most: Option<f64>,
    met: Option<bool>,
}

fn bars(figures: &Figures) -> Vec<Bar> {
    let bar = |target: &targets::Target| {
        let verdict = target.judge(figures)?;
        let most = match target.goal {
            Goal::Ratio(_, most) => Some(most),
            Goal::Beside(_) => None,
            // No other row to stand beside.
            Goal::Each(..) | Goal::Rate(..) => return None,
        };
        Some(Bar {
            what: target.what,
            beside: target.goal.beside()?,
            ratio: verdict.reached,
            most,
            met: verdict.met,
        })
    };
    targets::all().filter_map(bar).collect()
}

/// Where a ratio lies on the scale.
#[expect(clippy::float_arithmetic, reason = "a drawing")]
fn x(ratio: f64) -> f64 {
    let (low, high) = (LEAST.log10(), MOST.log10());
    LEFT + WIDTH * (ratio.clamp(LEAST, MOST).log10() - low) / (high - low)
}

#[expect(clippy::float_arithmetic, reason = "a drawing")]
pub(crate) fn svg(figures: &Figures) -> String {
    let bars = bars(figures);
    let bottom = bars.iter().fold(TOP, |y, _| y + LINE);
    let (width, height) = (LEFT + WIDTH + RIGHT, bottom + 44.0);
    let mut svg = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {width:.0} {height:.0}\" width=\"{width:.0}\" \
         height=\"{height:.0}\" font-family=\"sans-serif\" font-size=\"12\">\n\
         <rect width=\"100%\" height=\"100%\" fill=\"#ffffff\"/>\n\
         <text x=\"12\" y=\"22\" font-size=\"15\" fill=\"#111111\">Time of a call, as a ratio to the floor or the peer named \
         at its right (log scale; left is faster)</text>\n"
    );
    for tick in [0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0, 2.0, 4.0] {
        let (at, floor) = (x(tick), tick == 1.0);
        let (colour, stroke) = if floor { ("#111111", 2) } else { ("#dddddd", 1) };
        let _ = writeln!(
            svg,
            "<line x1=\"{at:.1}\" x2=\"{at:.1}\" y1=\"{:.0}\" y2=\"{bottom:.0}\" stroke=\"{colour}\" stroke-width=\"{stroke}\"/>\
             <text x=\"{at:.1}\" y=\"{:.0}\" text-anchor=\"middle\" fill=\"#444444\">{tick}</text>",
            TOP - 6.0,
            TOP - 12.0
        );
    }
    let mut y = TOP;
    for bar in &bars {
        let colour = match bar.met {
            Some(false) => "#c0392b",
            Some(true) => "#2e7d4f",
            None => "#5b7fa6",
        };
        let (one, at) = (x(1.0), x(bar.ratio));
        let (from, length) = if at < one { (at, one - at) } else { (one, at - one) };
        let _ = writeln!(
            svg,
            "<text x=\"{:.0}\" y=\"{:.1}\" text-anchor=\"end\" fill=\"#111111\">{}</text>\
             <rect x=\"{from:.1}\" y=\"{:.1}\" width=\"{:.1}\" height=\"12\" fill=\"{colour}\"/>\
             <text x=\"{:.0}\" y=\"{:.1}\" fill=\"#111111\">{:.2} x {}</text>",
            LEFT - 10.0,
            y + 14.0,
            escaped(bar.what),
            y + 4.0,
            length.max(1.0),
            LEFT + WIDTH + 8.0,
            y + 14.0,
            bar.ratio,
            escaped(short(bar.beside)),
        );
        if let Some(most) = bar.most {
            let mark = x(most);
            let _ = writeln!(
                svg,
                "<line x1=\"{mark:.1}\" x2=\"{mark:.1}\" y1=\"{:.1}\" y2=\"{:.1}\" stroke=\"#e08e0b\" stroke-width=\"3\"/>",
                y + 1.0,
                y + 19.0
            );
        }
        y += LINE;
    }
    let facts: Vec<String> = machine::facts().into_iter().map(|(_, value)| value).collect();
    let date = figures.span().map(|(first, _)| machine::moment(first)).unwrap_or_default();
    let _ = writeln!(
        svg,
        "<text x=\"12\" y=\"{:.0}\" fill=\"#444444\">black: the floor or peer, 1; orange: the target; green: met, red: missed, \
         blue: no target</text>\
         <text x=\"12\" y=\"{:.0}\" font-size=\"10\" fill=\"#444444\">{}; {date}</text>\n</svg>",
        bottom + 18.0,
        bottom + 34.0,
        escaped(&facts.join("; "))
    );
    svg
}

/// What stands behind "floor: " or "peer: " is the name.
fn short(beside: &str) -> &str {
    let name = beside.split_once(": ").map_or(beside, |(_, name)| name);
    name.split_once(" (").map_or(name, |(name, _)| name).get(..22).unwrap_or(name)
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}
