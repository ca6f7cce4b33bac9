//! What is written down of the targets is what there is.

use std::{collections::BTreeSet, fs, path::Path};

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn read(path: &str) -> String {
    fs::read_to_string(root().join(path)).unwrap_or_else(|why| panic!("{path}: {why}"))
}

/// The names of the files of a folder, without what follows a dot.
fn names(folder: &str) -> BTreeSet<String> {
    let entries = fs::read_dir(root().join(folder)).unwrap();
    let name = |entry: fs::DirEntry| entry.path().file_stem().unwrap().to_str().unwrap().to_owned();
    entries.map(|entry| name(entry.unwrap())).collect()
}

/// What stands between two marks, wherever they are.
fn between(text: &str, before: &str, after: &str) -> BTreeSet<String> {
    text.lines().filter_map(|line| Some(line.strip_prefix(before)?.split_once(after)?.0.to_owned())).collect()
}

#[test]
fn every_target_is_built_replayed_and_said_to_assert_something() {
    let targets = names("fuzz_targets");
    assert!(targets.len() > 20);
    assert_eq!(between(&read("Cargo.toml"), "path = \"fuzz_targets/", ".rs\""), targets);
    assert_eq!(between(&read("tests/replay.rs"), "    replay(\"", "\", "), targets);
    assert_eq!(names("corpus"), targets);
    let page = read("../docs/fuzzing.md");
    let table = page.split("## ").find(|part| part.starts_with("What each target asserts")).unwrap();
    assert_eq!(between(table, "| `", "` | "), targets);
}

#[test]
fn every_dictionary_is_that_of_a_target() {
    assert!(names("dictionaries").is_subset(&names("fuzz_targets")));
}
