//! Names of resources: any bytes but none.

use std::ffi::OsString;
use std::os::unix::ffi::OsStringExt as _;
use std::path::{Path, PathBuf};

use crate::stage::{Stage, code, refused, succeeded, text};

fn files(path: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(path).unwrap() {
        let path = entry.unwrap().path();
        found.push(path.clone());
        if path.is_dir() {
            found.extend(files(&path));
        }
    }
    found
}

#[test]
fn every_name_is_a_resource_of_its_own_and_is_shown_without_harm() {
    let stage = Stage::new();
    let long = "x".repeat(10 * 1024);
    let names: Vec<OsString> =
        ["/", "a b", "../../../escaped", "-x", "--", "\u{e4}\u{4e2d}", "e\u{308}", "\u{1b}[2J\r\n"]
            .into_iter()
            .map(OsString::from)
            .chain([
                OsString::from(&long),
                OsString::from_vec(vec![0xff, b'/', 0xfe]),
                ".".into(),
                "name".into(),
            ])
            .collect();
    for name in &names {
        let command = ["--", "sh", "-c", "printf '%s %s' $EPOCH_FENCE_EPOCH \"$EPOCH_FENCE_RESOURCE\""];
        let output = stage.ef(&["run", "--resource"]).arg(name).args(command).output().unwrap();
        assert_eq!(code(&output), 0, "{name:?}: {}", text(&output.stderr));
        assert_eq!(output.stdout, [b"1 ", name.as_encoded_bytes()].concat(), "{name:?}: not its own epochs");
    }
    // In a namespace it is another one, and the two are not joined at another place.
    for (namespace, name) in [("n", "a b"), ("na", " b")] {
        let line = [
            "run",
            "--namespace",
            namespace,
            "--resource",
            name,
            "--",
            "sh",
            "-c",
            "echo $EPOCH_FENCE_EPOCH",
        ];
        assert_eq!(succeeded(stage.ef(&line).output().unwrap()), "1\n");
    }

    let shown = succeeded(stage.ef(&["inspect"]).output().unwrap());
    assert!(shown.chars().all(|letter| letter == '\n' || !letter.is_control()), "{shown:?}");
    for shows in
        ["\"/\"", "\"a b\"", "\"n\" / \"a b\"", "\"\\u{1b}[2J\\r\\n\"", "\"../../../escaped\"", &long]
    {
        assert!(shown.contains(shows), "{shows} is not in {shown}");
    }
    let document = succeeded(stage.ef(&["inspect", "--json"]).output().unwrap());
    let document: serde_json::Value = serde_json::from_str(&document).unwrap();
    assert_eq!(document.as_array().unwrap().len(), names.len() + 2);
    let listed = |name: &str| document.as_array().unwrap().iter().any(|found| found["name"] == name);
    assert!(listed("\u{1b}[2J\r\n") && listed(&long) && listed("e\u{308}"));

    for name in &names {
        let output = stage.ef(&["history", "--resource"]).arg(name).output().unwrap();
        assert_eq!(text(&output.stdout).lines().count(), 2, "{name:?}");
    }
    let outside = files(stage.path()).into_iter().filter(|path| !path.starts_with(stage.leases()));
    assert_eq!(outside.count(), 0);
    assert!(!stage.path().join("../escaped").exists());
}

#[test]
fn a_name_file_that_lies_is_not_believed() {
    let stage = Stage::new();
    stage.token();
    let file = stage.folder().join("name");
    let good = std::fs::read(&file).unwrap();
    let id = stage.folder().file_name().unwrap().to_str().unwrap().to_owned();
    for bad in
        [&b""[..], b"epoch-fence name 1\n0\nother", b"\xff\xfe", &good[..good.len() - 1], &[b'x'; 4096]]
    {
        std::fs::write(&file, bad).unwrap();
        let shown = succeeded(stage.ef(&["inspect"]).output().unwrap());
        assert!(shown.contains("(name not known)") && shown.contains(&id), "{bad:?}: {shown}");
    }
    let by_id = succeeded(stage.ef(&["history", "--id", &id]).output().unwrap());
    assert_eq!(by_id.lines().count(), 2);
    stage.token();
    assert!(
        succeeded(stage.ef(&["inspect", "--id", &id]).output().unwrap()).contains("\"r\""),
        "it is written again"
    );
}

#[test]
fn a_name_that_cannot_be_kept_is_no_reason_not_to_run() {
    let stage = Stage::new();
    stage.token();
    let file = stage.folder().join("name");
    std::fs::remove_file(&file).unwrap();
    std::fs::create_dir(&file).unwrap();
    let output = stage.run(&[], "echo in").output().unwrap();
    assert_eq!((code(&output), text(&output.stdout).as_str()), (0, "in\n"));
    let said = text(&output.stderr);
    assert!(said.contains("\"r\": `inspect` will not know the name: "), "{said}");
    let left = files(&stage.folder()).into_iter().filter(|path| path.to_string_lossy().contains("/.name"));
    assert_eq!(left.count(), 0, "what was begun is left behind");
}

#[test]
fn a_name_that_nobody_used_is_a_mistake_and_not_an_empty_history() {
    let stage = Stage::new();
    stage.token();
    for verb in ["inspect", "history", "verify", "evict"] {
        refused(
            &mut stage.ef(&[verb, "--resource", "R"]),
            125,
            "\"R\": nobody ever acquired it in this directory",
        );
    }
    assert_eq!(std::fs::read_dir(stage.leases()).unwrap().count(), 1, "what only looks has made something");
}
