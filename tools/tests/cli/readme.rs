//! The README: what it shows is what is printed.

use std::process::{Command, Stdio};

use crate::stage::{PROGRAM, Stage, text};

/// A command, and all that it is said to print.
fn examples() -> Vec<(String, String)> {
    let mut examples: Vec<(String, String)> = Vec::new();
    let mut is_open = false;
    for line in include_str!("../../README.md").lines() {
        match (is_open, line.strip_prefix("$ ")) {
            (false, _) => is_open = line == "```console",
            (true, _) if line == "```" => is_open = false,
            (true, Some(command)) => examples.push((command.to_owned(), String::new())),
            (true, None) => {
                let (_, printed) = examples.last_mut().expect("a block begins with a command");
                *printed += &format!("{line}\n");
            }
        }
    }
    examples
}

#[test]
fn every_command_of_the_readme_prints_what_stands_there() {
    let stage = Stage::new();
    let folder = std::path::Path::new(PROGRAM).parent().unwrap();
    let path = format!("{}:{}", folder.display(), std::env::var("PATH").unwrap());
    let examples = examples();
    assert!(examples.len() >= 8);
    for (command, printed) in examples {
        let mut shell = Command::new("sh");
        shell.args(["-c", &format!("exec 2>&1; {command}")]).env("PATH", &path).current_dir(stage.path());
        let output = shell.stdin(Stdio::null()).output().unwrap();
        assert_eq!(text(&output.stdout), printed, "$ {command}");
    }
}
