//! `clocks inspect`.

use serde_json::{Value, json};

use crate::stage::{Stage, clocks, fed, printed, said, text};

const AT: [&str; 3] = ["inspect", "--at", "2023-11-14T22:13:21.500Z"];

#[test]
fn every_notation_of_a_stamp_shows_the_same() {
    let shown = "  time     2023-11-14T22:13:20.000Z
  counter  7
  node     000000000000002a (42)
  age      1s 500ms ago
  layout   Unix48
  text     018bcfe568000007-000000000000002a
  hex      018bcfe568000007000000000000002a
  integer  2055173893344869726127707715966861354
  uuid     018bcfe5-6800-7000-9c00-00000000002a
";
    for value in [
        "018bcfe568000007-000000000000002a",
        "018bcfe568000007000000000000002a",
        "018BCFE568000007000000000000002A",
        "01018bcfe568000007000000000000002a",
        "0x18bcfe568000007000000000000002a",
        "2055173893344869726127707715966861354",
        "018bcfe5-6800-7000-9c00-00000000002a",
        "2023-11-14T22:13:20Z+7@000000000000002a",
    ] {
        let printed = printed(&clocks(&[&AT[..], &[value]].concat()), 0);
        assert_eq!(printed, format!("{value}\n{shown}"));
    }
}

#[test]
fn a_timestamp_has_no_node_and_no_uuid() {
    let shown = "  time     2023-11-14T22:13:20.000Z
  counter  7
  age      1s 500ms ago
  layout   Unix48
  text     018bcfe568000007
  hex      0x018bcfe568000007
  integer  111411200000000007
";
    for value in ["018bcfe568000007", "0x18bcfe568000007", "111411200000000007", "2023-11-14T22:13:20.000Z+7"]
    {
        let printed = printed(&clocks(&[&AT[..], &[value]].concat()), 0);
        assert_eq!(printed, format!("{value}\n{shown}"));
    }
}

#[test]
fn all_layouts_are_shown_beside_each_other() {
    let table = "\
018bcfe568000007
  Unix48         2023-11-14T22:13:20.000Z+7            1s 500ms ago
  Micros52       1970-11-11T19:33:20.000000Z+7         53years 2days ago
  Ntp48          1970-10-28T05:32:21.406250Z+7         53years 17days ago
  Ntp60          1970-10-28T05:32:21.406250000Z+7      53years 17days ago
  Millis46       1983-06-20T23:33:20.000Z+7            40years 4months ago
  Millis42Y2022  2022-11-04T10:28:20.000Z+7            1year 10days ago
  Secs32         1970-10-28T05:32:21Z+1744830471       53years 17days ago
";
    assert_eq!(printed(&clocks(&[&AT[..], &["--all-layouts", "018bcfe568000007"]].concat()), 0), table);
    // Of a UUID there is one layout, and of a time that some layouts do not have, the others.
    let uuid = "018bcfe5-6800-7000-9c00-00000000002a";
    let of_uuid = printed(&clocks(&[&AT[..], &["--all-layouts", uuid]].concat()), 0);
    assert_eq!(of_uuid.lines().count(), 2, "{of_uuid}");
    let later = printed(&clocks(&[&AT[..], &["--all-layouts", "2150-01-01T00:00:00Z"]].concat()), 0);
    assert_eq!(later.lines().count(), 1 + 3, "{later}");
    assert!(later.contains("in 126years"), "{later}");
}

#[test]
fn json_is_one_document_a_line_and_errors_are_among_them() {
    let output = clocks(
        &[&AT[..], &["--json", "018bcfe568000007", "x", "018bcfe5-6800-7000-9c00-00000000002a"]].concat(),
    );
    let documents: Vec<Value> =
        printed(&output, 1).lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(
        documents,
        [
            json!({
                "value": "018bcfe568000007", "notation": "text", "layout": "Unix48",
                "time": "2023-11-14T22:13:20.000Z", "counter": 7, "node": null, "age_ms": 1500,
                "text": "018bcfe568000007", "hex": "0x018bcfe568000007", "integer": "111411200000000007",
                "uuid": null,
            }),
            json!({ "value": "x", "error": "neither text, hex, integer, uuid nor time" }),
            json!({
                "value": "018bcfe5-6800-7000-9c00-00000000002a", "notation": "uuid", "layout": "Unix48",
                "time": "2023-11-14T22:13:20.000Z", "counter": 7, "node": "000000000000002a", "age_ms": 1500,
                "text": "018bcfe568000007-000000000000002a", "hex": "018bcfe568000007000000000000002a",
                "integer": "2055173893344869726127707715966861354",
                "uuid": "018bcfe5-6800-7000-9c00-00000000002a",
            }),
        ]
    );
}

#[test]
fn what_is_no_stamp_is_said_with_its_reason_and_the_others_are_shown() {
    for (value, reason) in [
        ("", "\"\": neither"),
        ("x", "\"x\": neither"),
        ("0000000000000000", "timestamp is zero"),
        ("0", "timestamp is zero"),
        ("0x", "cannot parse integer from empty string"),
        ("0x+1", "not only digits"),
        ("018bcfe568000007_000000000000002a", "not joined by a single '-'"),
        ("018bcfe568000007-0400000000000000", "does not fit 58 bits"),
        ("018bcfe56800000G", "byte 15 is not a lower-case hexadecimal digit"),
        ("018bcfe568000007000000000000002\u{e4}", "\u{e4}\": timestamp and node id are not joined"),
        ("02018bcfe568000007000000000000002a", "envelope of version 2"),
        ("340282366920938463463374607431768211456", "number too large"),
        ("018bcfe5-6800-4000-9c00-00000000002a", "version 4"),
        ("018bcfe5-6800-700x-9c00-00000000002a", "not a UUID"),
        ("2023-11-14T22:13:20+02:00", "not a time"),
        ("2023-13-14T22:13:20Z", "not a time"),
        ("2023-11-14T22:13:20Z+65536", "counter 65536"),
        ("2023-11-14T22:13:20Z+7@7", "1 bytes where the form has 16"),
        ("\u{1b}[2J", "\\u{1b}[2J"),
    ] {
        let output = clocks(&[&AT[..], &[value, "018bcfe568000007"]].concat());
        let said = said(&output, 1);
        assert!(said.contains(reason) && said.lines().count() == 1, "{value}: {said}");
        assert!(text(&output.stdout).starts_with("018bcfe568000007\n"));
    }
    let of_another_layout = clocks(&["inspect", "--layout", "ntp60", "018bcfe5-6800-7000-9c00-00000000002a"]);
    assert!(said(&of_another_layout, 1).contains("stamps of Ntp60 have no UUID"));
    let as_number = clocks(&[&AT[..], &["--form", "integer", "1114112000000000"]].concat());
    assert!(printed(&as_number, 0).contains("1970-07-16T18:13:20.000Z"));
}

#[test]
fn values_come_from_standard_input_as_well_and_are_named_by_their_line() {
    let stage = Stage::new();
    let long = "1".repeat(1_000_000);
    let input = format!("018bcfe568000007\n\n  018bcfe568000008 \r\nx\n{long}\n\u{fffd}\n111411200000000007");
    let mut bytes = input.into_bytes();
    // What is no text at all.
    let at = bytes.len() - 21;
    bytes[at] = 0xff;
    let output = fed(stage.clocks(&["inspect", "--json", "018bcfe568000001", "-"]), &bytes);
    let values: Vec<String> = printed(&output, 1)
        .lines()
        .map(|line| serde_json::from_str::<Value>(line).unwrap())
        .filter(|document| document.get("error").is_none())
        .map(|document| document["text"].as_str().unwrap().to_owned())
        .collect();
    assert_eq!(values, ["018bcfe568000001", "018bcfe568000007", "018bcfe568000008", "018bcfe568000007"]);
    let said = text(&output.stderr);
    let places: Vec<&str> = said.lines().filter_map(|line| line.split(": ").nth(1)).collect();
    assert_eq!(places, ["-:4", "-:5", "-:6"], "{said}");
    assert!(said.len() < 2_000, "a value is not repeated at length");
}
