//! `clocks merge`.

use std::io::{Read as _, Write as _};
use std::process::{Command, Output, Stdio};

use flate2::{Compression, write::GzEncoder};
use serde_json::{Value, json};

use crate::stage::{PROGRAM, Stage, fed, printed, said, text};

/// A line of a host: its stamp is the time at the node, and more follows.
fn line(millis: u64, node: u64, rest: &str) -> String {
    format!("{:016x}-{node:016x} {rest}\n", millis << 16)
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

/// What it printed, where it had nothing to say.
fn quiet(output: &Output) -> String {
    let printed = printed(output, 0);
    assert_eq!(text(&output.stderr), "");
    printed
}

#[test]
fn three_hosts_become_one_log_from_a_file_a_gzip_and_standard_input() {
    let stage = Stage::new();
    stage.write("alice.log", line(1, 1, "a") + &line(4, 1, "d") + &line(7, 1, "g"));
    // Named as if it were plain, and in two members.
    let bob = [gzip(line(2, 2, "b").as_bytes()), gzip((line(5, 2, "e") + &line(6, 2, "f")).as_bytes())];
    stage.write("bob.log", bob.concat());
    let carol = line(3, 3, "c") + &line(8, 3, "h");
    let output = fed(stage.clocks(&["merge", "alice.log", "bob.log", "-"]), carol.as_bytes());
    let letters: String = quiet(&output).lines().map(|line| line.split(' ').nth(1).unwrap()).collect();
    assert_eq!(letters, "abcdefgh");
    let output = fed(stage.clocks(&["merge", "-"]), &gzip(carol.as_bytes()));
    assert_eq!(quiet(&output), carol);
}

#[test]
fn lines_without_a_stamp_stay_with_the_one_before_and_are_told() {
    let stage = Stage::new();
    stage.write("a.log", format!("# a header\n{}\tat main\n\n{}", line(1, 1, "panic"), line(4, 1, "on")));
    stage.write("b.log", line(2, 2, "x") + "\tat b\n");
    let output = stage.clocks(&["merge", "a.log", "b.log"]).output().unwrap();
    let merged = format!(
        "# a header\n{}\tat main\n\n{}\tat b\n{}",
        line(1, 1, "panic"),
        line(2, 2, "x"),
        line(4, 1, "on")
    );
    assert_eq!(printed(&output, 0), merged);
    assert_eq!(
        text(&output.stderr),
        "clocks: a.log:1: a line without a stamp, before the first that has one\n\
         clocks: a.log:3: 2 lines without a stamp, kept with line 2\n\
         clocks: b.log:2: a line without a stamp, kept with line 1\n"
    );
}

#[test]
fn a_stamp_that_goes_back_is_told_and_its_line_stays_behind_the_one_before() {
    let stage = Stage::new();
    let a = line(5, 1, "first") + &line(2, 1, "back") + &line(3, 1, "on") + &line(9, 1, "last");
    stage.write("a.log", &a);
    stage.write("b.log", line(4, 2, "before") + &line(6, 2, "after"));
    let output = stage.clocks(&["merge", "a.log", "b.log"]).output().unwrap();
    let words: Vec<String> =
        printed(&output, 1).lines().map(|line| line.split(' ').nth(1).unwrap().to_owned()).collect();
    assert_eq!(words, ["before", "first", "back", "on", "after", "last"]);
    assert_eq!(
        text(&output.stderr),
        "clocks: a.log:2: stamp 0000000000020000-0000000000000001 goes back behind \
         0000000000050000-0000000000000001 of line 1\n"
    );
}

#[test]
fn a_report_is_bounded_and_the_rest_is_counted() {
    let stage = Stage::new();
    let lines: String = (0..1000).rev().map(|millis| line(millis + 1, 1, "x") + "more\n").collect();
    stage.write("a.log", lines);
    let output = stage.clocks(&["merge", "--report", "2", "a.log"]).output().unwrap();
    let told = said(&output, 1);
    assert_eq!(told.matches("goes back behind").count(), 2);
    assert_eq!(told.matches("without a stamp, kept").count(), 2);
    assert!(
        told.ends_with("in all, 999 stamps that go back, and 1000 lines without a stamp in 1000 places\n")
    );
    let none = stage.clocks(&["merge", "--report", "0", "a.log"]).output().unwrap();
    assert_eq!(said(&none, 1).lines().count(), 1);
}

#[test]
fn the_report_is_json_on_demand() {
    let stage = Stage::new();
    let cut = gzip(line(9, 2, "x").as_bytes());
    stage.write("a.log", "head\n".to_owned() + &line(5, 1, "x") + &line(4, 1, "x") + "tail\n");
    stage.write("b.log", &cut[..cut.len() - 4]);
    let output = stage.clocks(&["merge", "--json", "a.log", "b.log"]).output().unwrap();
    let said = said(&output, 3);
    let documents: Vec<Value> = said.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(
        documents,
        [
            json!({ "found": "unstamped", "input": "a.log", "line": 1, "lines": 1, "after": null }),
            json!({
                "found": "goes_back", "input": "a.log", "line": 3, "line_before": 2,
                "stamp": "0000000000040000-0000000000000001", "before": "0000000000050000-0000000000000001",
            }),
            json!({ "found": "unstamped", "input": "a.log", "line": 4, "lines": 1, "after": 3 }),
            json!({ "found": "cut", "input": "b.log", "line": 2, "why": "the gzip ends in the middle" }),
            json!({
                "input": "a.log", "lines": 4, "stamped": 2, "unstamped": 2, "goes_back": 1, "cut": false,
            }),
            json!({
                "input": "b.log", "lines": 1, "stamped": 1, "unstamped": 0, "goes_back": 0, "cut": true,
            }),
        ]
    );
}

#[test]
fn the_stamp_stands_in_a_field_or_where_a_pattern_says() {
    let stage = Stage::new();
    let stamp = |millis: u64| format!("{:016x}", millis << 16);
    type Line<'l> = &'l dyn Fn(u64) -> String;
    let forms: [(&[&str], Line<'_>); 4] = [
        (&["--field", "3"], &|at| format!("info  web {} done\n", stamp(at))),
        (&["--field", "2", "--delimiter", ","], &|at| format!("a b,{},c\n", stamp(at))),
        (&["--field", "2", "--delimiter", "\\t"], &|at| format!("\t{}\r\n", stamp(at))),
        (&["--pattern", r#""at":"(?<stamp>[^"]*)""#], &|at| format!("{{\"at\":\"{}\"}}\n", stamp(at))),
    ];
    for (options, line) in forms {
        stage.write("a", line(1) + &line(4));
        stage.write("b", line(2) + &line(3));
        let output = stage.clocks(&[&["merge"], options, &["a", "b"]].concat()).output().unwrap();
        assert_eq!(quiet(&output), (1..=4).map(line).collect::<String>(), "{options:?}");
    }
    // At the start of these lines there is none.
    let output = stage.clocks(&["merge", "a", "b"]).output().unwrap();
    let said = said(&output, 1);
    assert!(said.contains("a: no line has a stamp; --field and --pattern say where it stands"), "{said}");
    assert_eq!(text(&output.stdout).lines().count(), 4);
}

#[test]
fn mistakes_in_the_command_line_end_it_before_anything_is_written() {
    let stage = Stage::new();
    stage.write("a", line(1, 1, "x"));
    for (arguments, code, word) in [
        (&["a", "missing"][..], 3, "missing: No such file"),
        (&["a", "."], 3, ".: Is a directory"),
        (&["-", "a", "-"], 2, "- was given twice"),
        (&["--field", "0", "a"], 2, "--field"),
        (&["--field", "1", "--delimiter", "ab", "a"], 2, "one ASCII character"),
        (&["--delimiter", ",", "a"], 2, "--field"),
        (&["--pattern", "(", "a"], 2, "unclosed group"),
        (&["--pattern", "x", "a"], 2, "no group (?<stamp>...)"),
        (&["--pattern", "(?<stamp>x)", "--field", "1", "a"], 2, "cannot be used with"),
        (&[], 2, "FILE"),
    ] {
        let output = stage.clocks(&[&["merge"], arguments].concat()).output().unwrap();
        let said = said(&output, code);
        assert!(said.contains(word), "{arguments:?}: {said}");
        assert_eq!(text(&output.stdout), "", "{arguments:?}");
    }
}

#[cfg(unix)]
#[test]
fn an_output_that_is_an_input_is_refused() {
    let stage = Stage::new();
    stage.write("a", line(1, 1, "x"));
    let append = std::fs::OpenOptions::new().append(true).open(stage.path().join("a")).unwrap();
    let output = stage.clocks(&["merge", "a"]).stdout(append).output().unwrap();
    assert!(said(&output, 2).contains("a is the output as well"));
    assert_eq!(std::fs::read_to_string(stage.path().join("a")).unwrap(), line(1, 1, "x"));
}

#[test]
fn a_gzip_that_is_cut_or_damaged_ends_where_it_does_and_the_others_go_on() {
    let stage = Stage::new();
    let many: String = (0..10_000).map(|at| line(2 * at + 1, 1, "odd")).collect();
    let whole = gzip(many.as_bytes());
    stage.write("cut.gz", &whole[..whole.len() / 2]);
    stage.write("b.log", (0..10_000).map(|at| line(2 * at + 2, 2, "even")).collect::<String>());
    let output = stage.clocks(&["merge", "cut.gz", "b.log"]).output().unwrap();
    let said = said(&output, 3);
    let merged = text(&output.stdout);
    let odd = merged.lines().filter(|line| line.contains(" odd") || !line.contains(' ')).count();
    assert_eq!(merged.matches(" even\n").count(), 10_000);
    assert!((4_000..6_000).contains(&odd), "{odd}");
    // The line in which it was cut, or the one that did not begin.
    let lines: Vec<String> =
        (odd..=odd + 1).map(|line| format!("cut.gz:{line}: the gzip ends in the middle")).collect();
    assert!(lines.iter().any(|line| said.contains(line)), "{odd}: {said}");
}

#[test]
fn nothing_hostile_is_lost_or_refused() {
    let stage = Stage::new();
    let binary: Vec<u8> = (0..=255).cycle().take(100_000).collect();
    stage.write("binary", &binary);
    stage.write("empty", "");
    stage.write("empty.gz", gzip(b""));
    stage.write("feeds", "\n".repeat(1_000));
    stage.write("a.log", line(1, 1, "x"));
    let output = stage.clocks(&["merge", "binary", "empty", "empty.gz", "feeds", "a.log"]).output().unwrap();
    let said = said(&output, 1);
    assert!(said.contains("binary: no line has a stamp") && said.contains("feeds: no line"), "{said}");
    assert!(!said.contains("empty"), "{said}");
    // Its last line has no end, and gets one.
    let whole = [&binary[..], b"\n", "\n".repeat(1_000).as_bytes(), line(1, 1, "x").as_bytes()].concat();
    assert!(output.stdout == whole);
}

#[test]
fn a_line_of_any_length_passes_through() {
    let stage = Stage::new();
    let long = line(2, 1, &"long ".repeat(1_000_000));
    stage.write("a.gz", gzip((line(1, 1, "x") + &long + &line(4, 1, "x")).as_bytes()));
    stage.write("b.log", line(3, 2, "x"));
    let output = stage.clocks(&["merge", "a.gz", "b.log"]).output().unwrap();
    let merged = line(1, 1, "x") + &long + &line(3, 2, "x") + &line(4, 1, "x");
    assert!(quiet(&output) == merged);
}

/// A gigabyte without an end of a line takes no more memory than any other log.
#[cfg(target_os = "linux")]
#[test]
fn memory_does_not_grow_with_a_line() {
    let mut command = Command::new("sh");
    // 200 MiB of address space: less than what flows through.
    command.args(["-c", "ulimit -v 204800; exec \"$0\" merge -", PROGRAM]);
    let mut child =
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let mut stdin = child.stdin.take().unwrap();
    let mut stdout = child.stdout.take().unwrap();
    let chunk = vec![b'x'; 1 << 20];
    let count = std::thread::scope(|scope| {
        scope.spawn(move || {
            stdin.write_all(line(1, 1, "").trim_end().as_bytes()).unwrap();
            for _ in 0..300 {
                stdin.write_all(&chunk).unwrap();
            }
        });
        let mut buffer = vec![0; 1 << 20];
        let mut count = 0;
        loop {
            match stdout.read(&mut buffer).unwrap() {
                0 => break count,
                read => count += read,
            }
        }
    });
    let output = child.wait_with_output().unwrap();
    assert!(output.status.success() || output.status.code() == Some(1), "{}", text(&output.stderr));
    assert_eq!(count, 33 + 300 * (1 << 20) + 1);
}

#[test]
fn more_files_than_may_be_open_are_allowed_for_or_named() {
    let stage = Stage::new();
    let names: Vec<String> = (0..300).map(|number| format!("{number}.log")).collect();
    for (number, name) in names.iter().enumerate() {
        let number = number as u64;
        stage.write(name, line(1000 - number, number, "x") + &line(2000 + number, number, "x"));
    }
    let limited = |limits: &str| {
        let mut command = Command::new("sh");
        command.args(["-c", &format!("{limits}; exec \"$0\" merge \"$@\""), PROGRAM]).args(&names);
        command.current_dir(stage.path()).output().unwrap()
    };
    let output = limited("ulimit -S -n 64");
    let merged = quiet(&output);
    assert_eq!(merged.lines().count(), 600);
    assert!(merged.lines().is_sorted());
    let output = limited("ulimit -n 64");
    let said = said(&output, 3);
    assert!(
        said.contains(".log: ") && said.contains("open files") && said.contains("merge in groups"),
        "{said}"
    );
}

#[test]
fn a_reader_who_has_seen_enough_ends_it_quietly() {
    let stage = Stage::new();
    stage.write("a.log", (1..200_000).map(|at| line(at, 1, "x")).collect::<String>());
    let mut child =
        stage.clocks(&["merge", "a.log"]).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let mut first = [0; 36];
    child.stdout.take().unwrap().read_exact(&mut first).unwrap();
    assert_eq!(text(&first), line(1, 1, "x"));
    assert_eq!(said(&child.wait_with_output().unwrap(), 0), "");
}

#[cfg(target_os = "linux")]
#[test]
fn an_output_that_takes_no_more_is_a_failure() {
    let stage = Stage::new();
    stage.write("a.log", line(1, 1, "x"));
    let full = std::fs::OpenOptions::new().write(true).open("/dev/full").unwrap();
    let output = stage.clocks(&["merge", "a.log"]).stdout(full).output().unwrap();
    assert!(said(&output, 3).contains("standard output: No space left"), "{}", text(&output.stderr));
}
