//! `clocks diagram`.

use crate::stage::{Stage, printed, said};

const TWO: &str = "\n^=== (?<trace>.*) ===$\n=== one ===\nasks <b>\na {\"a\":1}\nis asked\nb {\"b\":1, \"a\":1}\n=== two ===\nrests\na {\"a\":1}\n";

#[test]
fn a_page_has_all_executions_and_a_picture_one() {
    let stage = Stage::new();
    stage.write("two.log", TWO);
    let page = printed(&stage.clocks(&["diagram", "two.log"]).output().unwrap(), 0);
    assert!(page.starts_with("<!doctype html>") && page.contains("<title>two.log</title>"), "{page}");
    assert!(
        page.contains(r#"{"label":"one","hosts":["a","b"]"#)
            && page.contains(r#"{"label":"two","hosts":["a"]"#)
    );

    let arguments = ["diagram", "two.log", "--format", "svg", "--title", "A \"story\"", "--execution", "one"];
    let picture = printed(&stage.clocks(&arguments).output().unwrap(), 0);
    assert!(picture.starts_with("<svg ") && picture.contains("A &quot;story&quot;"), "{picture}");
    assert!(picture.contains("asks &lt;b&gt;") && !picture.contains("rests"), "{picture}");

    let said = said(&stage.clocks(&arguments[..4]).output().unwrap(), 2);
    assert!(said.contains("the log has \"one\", \"two\""), "{said}");
}

#[test]
fn what_cannot_be_drawn_is_said_with_file_and_line() {
    let stage = Stage::new();
    stage.write("gap.log", "x\na {\"a\":1}\ny\na {\"a\":3}\n");
    let told = said(&stage.clocks(&["diagram", "gap.log"]).output().unwrap(), 3);
    assert!(told.starts_with("clocks: gap.log:3: event 3 of \"a\" follows event 1"), "{told}");
    stage.write("broken.log", "x\na {\"a\":1\n}\n");
    let told = said(&stage.clocks(&["diagram", "broken.log"]).output().unwrap(), 3);
    assert!(told.starts_with("clocks: broken.log:1: the parser finds no event"), "{told}");
    let told = said(&stage.clocks(&["diagram", "gap.log", "--execution", "three"]).output().unwrap(), 2);
    assert!(told.contains("no execution \"three\""), "{told}");
}
