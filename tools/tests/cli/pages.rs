//! Help, completions and the manual.

use std::process::{Command, Stdio};

use crate::stage::{PROGRAM, clocks, printed, said};

/// The verbs, as the help of the program lists them.
fn verbs() -> Vec<String> {
    let help = printed(&clocks(&["--help"]), 0);
    let verbs = help.lines().skip_while(|line| *line != "Commands:").skip(1);
    let verbs = verbs.map_while(|line| line.strip_prefix("  ").map(str::trim_start));
    verbs.filter_map(|line| line.split_whitespace().next()).map(str::to_owned).collect()
}

#[test]
fn every_verb_has_help_with_an_example_and_a_manual_page() {
    let verbs = verbs();
    assert!(verbs.len() > 3, "{verbs:?}");
    for verb in verbs.iter().filter(|verb| *verb != "help") {
        let help = printed(&clocks(&[verb, "--help"]), 0);
        assert!(help.contains(&format!("\n  clocks {verb}")), "{help}");
        let page = printed(&clocks(&["man", verb]), 0);
        assert!(page.contains(&format!(".TH clocks-{verb} 1")), "{page}");
    }
    assert!(printed(&clocks(&["man"]), 0).contains("Exit status:"));
    assert!(said(&clocks(&["man", "nothing"]), 2).contains("no verb nothing"));
}

#[test]
fn completions_name_every_verb() {
    for shell in ["bash", "zsh", "fish", "powershell", "elvish"] {
        let page = printed(&clocks(&["completions", shell]), 0);
        for verb in verbs() {
            assert!(page.contains(&verb), "{shell}: {verb}");
        }
    }
}

#[test]
fn without_a_verb_it_says_what_there_is_and_fails() {
    let said = said(&clocks(&[]), 2);
    assert!(said.contains("now"), "{said}");
    assert!(printed(&clocks(&["--version"]), 0).starts_with("clocks "));
}

#[test]
fn a_reader_who_has_seen_enough_is_no_failure() {
    let mut child = Command::new(PROGRAM)
        .args(["now", "--count", "1000000"])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    drop(child.stdout.take());
    let output = child.wait_with_output().unwrap();
    assert_eq!(said(&output, 0), "");
}
