//! `clocks convert`.

use serde_json::{Value, json};

use crate::stage::{Stage, clocks, fed, printed, said, text};

fn convert(arguments: &str) -> std::process::Output {
    let arguments: Vec<&str> = ["convert"].into_iter().chain(arguments.split(' ')).collect();
    clocks(&arguments)
}

#[test]
fn one_value_is_written_in_every_notation() {
    let stamp = "018bcfe568000007-000000000000002a";
    for (arguments, written) in [
        ("", stamp),
        ("--as text ", stamp),
        ("--as hex ", "018bcfe568000007000000000000002a"),
        ("--as integer ", "2055173893344869726127707715966861354"),
        ("--as uuid ", "018bcfe5-6800-7000-9c00-00000000002a"),
        ("--as human ", "2023-11-14T22:13:20.000Z+7@000000000000002a"),
        ("--without-node --as integer ", "111411200000000007"),
        ("--without-node --as hex ", "0x018bcfe568000007"),
        ("--node 7 ", stamp),
        ("--to Micros52 ", "60a24181e4000007-000000000000002a"),
        ("--to Micros52 --as human ", "2023-11-14T22:13:20.000000Z+7@000000000000002a"),
        ("--to Millis42Y2022 --as human --without-node ", "2023-11-14T22:13:20.000Z+7"),
    ] {
        assert_eq!(
            printed(&convert(&format!("{arguments}{stamp}")), 0),
            format!("{written}\n"),
            "{arguments}"
        );
    }
    assert_eq!(printed(&convert("--node 0x2a 018bcfe568000007"), 0), format!("{stamp}\n"));
    assert_eq!(printed(&convert("--as integer 2023-11-14T22:13:20Z"), 0), "111411200000000000\n");
}

#[test]
fn a_lost_precision_is_written_and_told() {
    for (arguments, written, lost) in [
        (
            "--to secs32 --as human 2023-11-14T22:13:20.015Z+7",
            "2023-11-14T22:13:20Z+7",
            "15ms earlier in Secs32",
        ),
        (
            "--to Ntp48 --as human 2023-11-14T22:13:20.015Z",
            "2023-11-14T22:13:20.015014Z+0",
            "14.649\u{b5}s later in Ntp48",
        ),
        (
            "--to Ntp60 --as human 2023-11-14T22:13:20.015Z",
            "2023-11-14T22:13:20.014999997Z+0",
            "4ns earlier in Ntp60",
        ),
        (
            "--from micros52 --to Unix48 --as human 2023-11-14T22:13:20.015999Z",
            "2023-11-14T22:13:20.015Z+0",
            "999\u{b5}s earlier",
        ),
    ] {
        let output = convert(arguments);
        assert_eq!(printed(&output, 1), format!("{written}\n"));
        let said = text(&output.stderr);
        assert!(said.contains("loses precision") && said.contains(lost), "{said}");
    }
}

#[test]
fn what_does_not_fit_is_told_and_not_written() {
    for (arguments, why) in [
        ("--to Millis42Y2022 2021-12-31T23:59:59.999Z", "before the epoch of Millis42Y2022"),
        ("--to Micros52 2113-01-01T00:00:00Z", "after the end of Micros52"),
        ("--to Micros52 018bcfe56800ffff", "its counter is 65535, and that of Micros52 ends at 4095"),
        ("--to Secs32 0000000000010000", "which is no timestamp"),
        ("--as uuid 018bcfe568000007", "a UUID holds a node, and there is none; --node says which"),
        ("--to Micros52 --as uuid --node 1 018bcfe568000007", "stamps of Micros52 have no UUID"),
        ("--from Millis42Y2022 2021-12-31T23:59:59Z", "before the epoch of Millis42Y2022, or after its end"),
        ("018bcfe56800000", "neither text"),
    ] {
        let output = convert(arguments);
        let said = said(&output, 1);
        assert!(said.contains(why), "{arguments}: {said}");
        assert_eq!(text(&output.stdout), "", "{arguments}");
    }
    assert!(said(&convert("--as date 018bcfe568000007"), 2).contains("text hex integer uuid human"));
}

#[test]
fn a_column_is_converted_line_by_line() {
    let stage = Stage::new();
    let output =
        fed(stage.clocks(&["convert", "--as", "human", "-"]), b"018bcfe568000000\nx\n018bcfe568000007\n");
    assert_eq!(printed(&output, 1), "2023-11-14T22:13:20.000Z+0\n2023-11-14T22:13:20.000Z+7\n");
    assert!(text(&output.stderr).contains("-:2: neither"));
}

#[test]
fn json_says_how_far_the_time_moved() {
    let output = convert("--json --to Secs32 2023-11-14T22:13:20.015Z+7 018bcfe568000007 x");
    let documents: Vec<Value> =
        printed(&output, 1).lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(
        documents,
        [
            json!({
                "value": "2023-11-14T22:13:20.015Z+7", "layout": "Secs32", "written": "6553f10000000007",
                "moved_ns": -15_000_000,
            }),
            json!({
                "value": "018bcfe568000007", "layout": "Secs32", "written": "6553f10000000007", "moved_ns": 0,
            }),
            json!({ "value": "x", "error": "neither text, hex, integer, uuid nor time" }),
        ]
    );
}
