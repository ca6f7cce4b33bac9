//! The fixture keeps what its documentation says, on real servers.
#![cfg(target_os = "linux")]
#![expect(clippy::unwrap_used, clippy::std_instead_of_core, reason = "a test may panic")]

use std::path::Path;
use std::process::Stdio;
use std::time::Duration;
use std::{env, thread};

use clock_testing::etcd::Etcd;
use clock_testing::{Child, report};

/// Set in the process that is killed.
const DOOMED: &str = "CLOCK_TESTING_DOOMED";

fn start(size: usize) -> Option<Etcd> {
    Etcd::start(size, &[]).map_err(|missing| missing.not_run()).ok()
}

fn value(cluster: &Etcd) -> String {
    cluster.execute(&["get", "kept", "--print-value-only"])
}

#[test]
fn what_is_written_survives_a_kill_a_stop_and_a_pause_and_a_snapshot_is_of_its_moment() {
    let Some(mut server) = start(1) else { return };
    let address = server.address(0);
    assert_eq!(server.leader(), Some(0));
    server.execute(&["put", "kept", "1"]);
    let snapshot = server.snapshot();
    server.kill(0);
    assert_eq!(server.leader(), None);
    server.restart(0);
    server.execute(&["put", "kept", "2"]);
    server.stop(0);
    server.restart(0);
    assert_eq!(value(&server), "2\n");
    server.pause(0);
    let mut client = server.ctl().args(["get", "kept"]).stdout(Stdio::null()).spawn().unwrap();
    thread::sleep(Duration::from_millis(100));
    assert_eq!(client.try_wait().unwrap(), None, "somebody answers");
    server.resume(0);
    assert!(client.wait().unwrap().success());
    server.put_back(&snapshot);
    assert_eq!((value(&server), server.address(0)), ("1\n".to_owned(), address));
}

#[test]
fn a_cluster_of_three_goes_on_without_one_and_not_without_two() {
    let Some(mut cluster) = start(3) else { return };
    let leader = cluster.wait_for_leader();
    cluster.execute(&["put", "kept", "1"]);
    cluster.kill(leader);
    let next = cluster.wait_for_leader();
    assert_ne!(next, leader);
    cluster.execute(&["put", "kept", "2"]);
    cluster.kill(next);
    let mut alone = cluster.ctl();
    alone.args(["--command-timeout=2s", "get", "kept"]).stdout(Stdio::null()).stderr(Stdio::null());
    assert!(!alone.status().unwrap().success(), "one of three goes on");
    cluster.launch(leader);
    cluster.restart(next);
    cluster.wait_until_well(leader);
    assert_eq!(value(&cluster), "2\n");
}

#[test]
fn the_servers_and_their_folder_go_with_the_process_that_started_them_however_it_ends() {
    let name = "the_servers_and_their_folder_go_with_the_process_that_started_them_however_it_ends";
    if env::var_os(DOOMED).is_some() {
        let server = start(1).unwrap();
        // A stopped process does not end by itself.
        server.pause(0);
        report("folder", server.folder().display());
        thread::sleep(Duration::from_secs(600));
        return;
    }
    if start(1).is_none() {
        return;
    }
    let mut child = Child::run(name, &[(DOOMED, "1".as_ref())]);
    let (_, folder) = child.next_report().unwrap();
    let folder = Path::new(&folder);
    let working = works_in(folder);
    child.kill();
    child.bury();
    assert!(working > 0);
    let waited = |_| {
        thread::sleep(Duration::from_millis(10));
        works_in(folder) == 0 && !folder.exists()
    };
    assert!((0..3_000).any(waited), "something is left");
}

/// How many processes work in a folder.
fn works_in(folder: &Path) -> usize {
    let links = std::fs::read_dir("/proc").unwrap().map(|entry| entry.unwrap().path().join("cwd"));
    links.filter(|link| std::fs::read_link(link).is_ok_and(|cwd| cwd.starts_with(folder))).count()
}
