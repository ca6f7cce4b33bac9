//! `clocks validate`.

use serde_json::{Value, json};

use crate::stage::{Stage, clocks, fed, printed, said};

const GOOD: &str = "asks\na {\"a\":1}\nis asked\nb {\"b\":1, \"a\":1}\n";
const BAD: &str = "asks\na {\"a\":1}\nis asked\nb {\"b\":1, \"a\":2}\nanswers\nb {\"b\":3, \"a\":2}\n";

#[test]
fn a_valid_log_is_said_to_be_one() {
    let stage = Stage::new();
    stage.write("good.log", GOOD);
    let output = stage.clocks(&["validate", "good.log"]).output().unwrap();
    assert_eq!(printed(&output, 0), "good.log: 2 events of 2 hosts: nothing contradicts anything\n");
    let output = fed(stage.clocks(&["validate", "-", "--in-order"]), format!("garbage\n\n{GOOD}").as_bytes());
    let text = "-: 2 events of 2 hosts: nothing contradicts anything; 1 lines belong to no event, the first is line 1\n";
    assert_eq!(printed(&output, 0), text);
}

#[test]
fn what_contradicts_itself_is_printed_with_file_and_line() {
    let stage = Stage::new();
    stage.write("bad.log", BAD);
    let output = stage.clocks(&["validate", "bad.log"]).output().unwrap();
    assert_eq!(
        printed(&output, 1),
        "bad.log:3: unknown_event: event 1 of \"b\" knows 2 events of \"a\", and the log has only 1\n\
         bad.log:5: gap: event 3 of \"b\" follows event 1: what is between them is not in the log\n\
         bad.log: 3 events of 2 hosts: 2 contradictions, 0 of them not shown\n"
    );
    let output = stage.clocks(&["validate", "--json", "bad.log"]).output().unwrap();
    let documents: Vec<Value> =
        printed(&output, 1).lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(documents.len(), 3);
    let message = "event 3 of \"b\" follows event 1: what is between them is not in the log";
    assert_eq!(
        documents[1],
        json!({ "file": "bad.log", "line": 5, "kind": "gap", "host": "b", "counter": 3, "message": message })
    );
    assert_eq!((&documents[2]["valid"], &documents[2]["found"]), (&json!(false), &json!(2)));
}

#[test]
fn an_order_is_asked_for() {
    let stage = Stage::new();
    let (asks, answer) = GOOD.split_at(GOOD.find("is asked").unwrap());
    stage.write("later.log", [answer, asks].concat());
    let output = stage.clocks(&["validate", "later.log"]).output().unwrap();
    printed(&output, 0);
    let output = stage.clocks(&["validate", "--in-order", "later.log"]).output().unwrap();
    let line = "later.log:1: out_of_order: event 1 of \"b\" comes before event 1 of \"a\" on line 3, which it knows\n";
    assert!(printed(&output, 1).starts_with(line));
}

#[test]
fn a_line_that_is_no_event_is_named() {
    let stage = Stage::new();
    stage.write("broken.log", format!("{GOOD}x\na {{\"a\":0}}\n"));
    let output = stage.clocks(&["validate", "broken.log"]).output().unwrap();
    let text =
        "broken.log:6: unreadable: the clock counts no event of \"a\", which is the event's own host\n";
    assert_eq!(printed(&output, 1), text);
    let output = stage.clocks(&["validate", "--json", "broken.log"]).output().unwrap();
    let document: Value = serde_json::from_str(&printed(&output, 1)).unwrap();
    assert_eq!((&document["line"], &document["kind"]), (&json!(6), &json!("unreadable")));
}

#[test]
fn other_forms_are_read_by_their_expressions() {
    let stage = Stage::new();
    stage.write("host-first.log", "--- one ---\na {\"a\":1}\nasks\n--- two ---\na {\"a\":1}\nasks\n");
    let parser = r"(?<host>\S*) (?<clock>{.*})\n(?<event>.*)";
    let arguments =
        ["validate", "--parser", parser, "--delimiter", "^--- (?<trace>.*) ---$", "host-first.log"];
    let output = stage.clocks(&arguments).output().unwrap();
    assert_eq!(printed(&output, 0), "host-first.log: 2 events of 1 hosts: nothing contradicts anything\n");
}

#[test]
fn what_cannot_be_read_or_is_no_expression_is_said() {
    let said_of = |arguments: &[&str], code| said(&clocks(&[&["validate"], arguments].concat()), code);
    assert!(said_of(&["there-is-none.log"], 3).starts_with("clocks: there-is-none.log: "));
    assert!(
        said_of(&["--parser", "(?=a)", "-"], 2)
            .contains("--parser: regular expression, column 1: a look-around")
    );
    assert!(said_of(&["--parser", "a", "-"], 2).contains("the parser has no group (?<host>...)"));
    assert!(said_of(&["--header", "perhaps", "-"], 2).contains("--header"));
}
