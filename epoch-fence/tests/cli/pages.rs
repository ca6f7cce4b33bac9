//! What the program teaches: help, manual, completions.

use crate::stage::{Stage, succeeded};

const VERBS: [&str; 10] =
    ["run", "guard", "check", "inspect", "history", "verify", "recover", "evict", "completions", "man"];

#[test]
fn the_help_teaches_each_verb_with_an_example_and_the_exit_codes() {
    let stage = Stage::new();
    let top = succeeded(stage.ef(&["--help"]).output().unwrap());
    for word in
        VERBS.iter().chain(&["121", "122", "123", "125", "126", "127", "A lease alone does not protect"])
    {
        assert!(top.contains(word), "{word} is not in the help");
    }
    for verb in VERBS {
        let help = succeeded(stage.ef(&[verb, "--help"]).output().unwrap());
        assert!(help.contains(&format!("  epoch-fence {verb}")), "{verb} without an example: {help}");
        assert!(succeeded(stage.ef(&[verb, "-h"]).output().unwrap()).len() < help.len());
    }
    let check = succeeded(stage.ef(&["check", "-h"]).output().unwrap());
    assert!(check.contains("no protection by itself"), "{check}");
    for verb in ["run", "guard", "check", "recover", "evict", "verify"] {
        let help = succeeded(stage.ef(&[verb, "--help"]).output().unwrap());
        assert!(help.contains("121  busy"), "{verb} without its exit codes");
    }
}

#[test]
fn the_manual_and_the_completions_come_out_for_every_verb_and_shell() {
    let stage = Stage::new();
    let manual = succeeded(stage.ef(&["man"]).output().unwrap());
    assert!(manual.contains(".TH epoch-fence 1") && manual.contains(".SH SUBCOMMANDS"), "{manual}");
    for verb in VERBS {
        let page = succeeded(stage.ef(&["man", verb]).output().unwrap());
        assert!(page.contains(&format!(".TH epoch-fence-{verb} 1")), "{page}");
        assert!(page.contains(".SH SYNOPSIS"), "{page}");
    }
    for shell in ["bash", "zsh", "fish", "elvish", "powershell"] {
        let script = succeeded(stage.ef(&["completions", shell]).output().unwrap());
        assert!(VERBS.iter().all(|verb| script.contains(verb)), "{shell}");
    }
    let script = stage.path().join("completions");
    std::fs::write(&script, succeeded(stage.ef(&["completions", "bash"]).output().unwrap())).unwrap();
    let parsed = stage.command("bash").arg("-n").arg(&script).output().unwrap();
    assert!(parsed.status.success(), "bash does not read its completions");
    assert!(!stage.leases().exists());
}
