//! The page in a browser: what its script makes of the data.
//!
//! Run where `CLOCKS_BROWSER` names a Chromium: `CLOCKS_BROWSER=chromium cargo test -p clock-tools browser`.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::{env, fs};

use clock_tools::diagram::{Diagram, write_html};

use super::run::{Line, by_hand, log, run};

/// A page of these lines, and the program that shows it; nothing where there is none.
struct Browser {
    program: String,
    folder: PathBuf,
}

impl Browser {
    fn open(name: &str, lines: &[Line]) -> Option<Self> {
        let Ok(program) = env::var("CLOCKS_BROWSER") else {
            eprintln!("not run: CLOCKS_BROWSER names no browser");
            return None;
        };
        let folder =
            Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("page-{name}-{}", std::process::id()));
        fs::create_dir_all(&folder).unwrap();
        let log = log(lines);
        let mut page = Vec::new();
        write_html("page", &[Diagram::new(&log, &log.executions()[0]).unwrap()], &mut page).unwrap();
        fs::write(folder.join("page.html"), page).unwrap();
        Some(Self { program, folder })
    }

    /// The document as it is when it is drawn, with an event chosen by its row, from 1.
    fn document(&self, chosen: Option<usize>) -> String {
        let place = chosen.map(|row| format!("#{row}")).unwrap_or_default();
        let output = Command::new(&self.program)
            .args(["--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run"])
            .args(["--disable-background-networking", "--disable-component-update", "--disable-sync"])
            .args(["--virtual-time-budget=2000", "--window-size=1200,2000", "--dump-dom"])
            .arg(format!("--user-data-dir={}", self.folder.join("profile").display()))
            .arg(format!("file://{}{place}", self.folder.join("page.html").display()))
            .stdin(Stdio::null())
            .output()
            .unwrap();
        String::from_utf8(output.stdout).unwrap()
    }
}

impl Drop for Browser {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.folder);
    }
}

/// The opening tags of the rows of events, in their order.
fn rows(document: &str) -> Vec<&str> {
    let mut rows: Vec<(usize, &str)> = document
        .split("<div id=\"row")
        .skip(1)
        .filter_map(|row| {
            // The list itself is called `rows`.
            let (number, tag) = row.split_once('"')?;
            Some((number.parse().ok()?, tag.split_once('>')?.0))
        })
        .collect();
    rows.sort_unstable();
    rows.into_iter().map(|(_, tag)| tag).collect()
}

#[test]
fn the_page_shows_what_was_before_after_and_concurrent() {
    let lines = run(11, 4, 40);
    let Some(browser) = Browser::open("relations", &lines) else { return };
    for chosen in [0, 17, 39] {
        let document = browser.document(Some(chosen + 1));
        let rows = rows(&document);
        assert_eq!(rows.len(), lines.len(), "{document}");
        for (row, (tag, line)) in rows.iter().zip(&lines).enumerate() {
            let kind = match (lines[chosen].knows(line), line.knows(&lines[chosen])) {
                _ if row == chosen => "hot",
                (true, _) => "past",
                (_, true) => "future",
                (false, false) => "concurrent",
            };
            assert!(tag.contains(&format!("class=\"row {kind}\"")), "row {row} for {chosen}: {tag}");
            assert!(tag.contains(&format!("aria-selected=\"{}\"", row == chosen)), "{tag}");
        }
        assert!(document.contains(&format!("aria-activedescendant=\"row{chosen}\"")), "{document}");
    }
}

#[test]
fn the_page_names_its_events_for_those_who_do_not_see_it_and_runs_nothing_of_theirs() {
    let hostile =
        "</script><script>document.title = 'broken'</script><img src=x onerror=\"document.title='broken'\">";
    let lines = [by_hand(&[("a", 1)], hostile), by_hand(&[("b", 1), ("a", 1)], "receives")];
    let Some(browser) = Browser::open("labels", &lines) else { return };
    let document = browser.document(None);
    assert!(document.contains("<title>page</title>") && !document.contains("<img"), "{document}");
    let rows = rows(&document);
    assert_eq!(rows.len(), 2);
    assert!(
        rows[0].contains("role=\"option\"") && rows[0].contains("aria-label=\"a, event 1: "),
        "{}",
        rows[0]
    );
    assert!(rows[1].contains("aria-posinset=\"2\"") && rows[1].contains("aria-setsize=\"2\""), "{}", rows[1]);
    assert!(document.contains("role=\"listbox\" tabindex=\"0\" aria-label=\"Events, from first to last\""));
}

#[test]
fn the_names_of_many_hosts_do_not_cover_each_other() {
    let lines: Vec<Line> = (0..150).map(|host| by_hand(&[(&format!("host-{host}"), 1)], "begins")).collect();
    let Some(browser) = Browser::open("names", &lines) else { return };
    let document = browser.document(None);
    let places: Vec<f64> = document
        .split("<span title=\"host-")
        .skip(1)
        .filter_map(|name| name.split_once("left: ")?.1.split_once("px")?.0.parse().ok())
        .collect();
    assert_eq!(places.len(), lines.len(), "{document}");
    // A letter that stands upright is as wide as its line is high.
    let least = places.windows(2).map(|pair| pair[1] - pair[0]).fold(f64::INFINITY, f64::min);
    assert!(least >= 14.0, "{least}");
}
