//! The fixture keeps what its documentation says, on a real server.
#![cfg(target_os = "linux")]
#![expect(clippy::unwrap_used, clippy::std_instead_of_core, reason = "a test may panic")]

use std::path::Path;
use std::process::Stdio;
use std::time::Duration;
use std::{env, thread};

use clock_testing::postgres::Postgres;
use clock_testing::{Child, report};

/// Set in the process that is killed.
const DOOMED: &str = "CLOCK_TESTING_DOOMED";

fn server(settings: &[(&str, &str)]) -> Option<Postgres> {
    Postgres::start(settings).map_err(|missing| missing.not_run()).ok()
}

#[test]
fn what_is_committed_survives_a_kill_a_stop_and_a_pause() {
    let Some(mut server) = server(&[("work_mem", "1234kB")]) else { return };
    let url = server.url();
    assert_eq!(
        server.execute("postgres", "SHOW work_mem; SHOW fsync; SHOW synchronous_commit"),
        "1234kB\non\non\n"
    );
    server.execute("postgres", "CREATE TABLE kept (value int); INSERT INTO kept VALUES (1)");
    server.kill();
    server.restart();
    server.execute("postgres", "INSERT INTO kept VALUES (2)");
    server.stop_fast();
    server.set("work_mem", "2345kB");
    server.restart();
    assert_eq!(server.execute("postgres", "SHOW work_mem; SELECT sum(value) FROM kept"), "2345kB\n3\n");
    server.pause();
    let mut client =
        server.psql("postgres").args(["--command", "SELECT 1"]).stdout(Stdio::null()).spawn().unwrap();
    thread::sleep(Duration::from_millis(100));
    assert_eq!(client.try_wait().unwrap(), None, "somebody answers");
    server.resume();
    assert!(client.wait().unwrap().success());
    // One that is paused can be killed, and one that runs can be started again.
    server.pause();
    server.kill();
    server.restart();
    server.restart();
    assert_eq!(server.execute("postgres", "SELECT count(*) FROM kept"), "2\n");
    assert_eq!(server.url(), url);
}

#[test]
fn a_standby_follows_and_goes_on_in_another_timeline_and_a_backup_is_of_its_moment() {
    let Some(mut server) = server(&[]) else { return };
    server.execute("postgres", "CREATE TABLE kept (value int); INSERT INTO kept VALUES (1)");
    let (warm, standby) = (server.backup(), server.standby());
    server.execute("postgres", "INSERT INTO kept VALUES (2)");
    server.wait_for(&standby);
    server.kill();
    let cold = server.backup();
    let timeline = "SELECT left(pg_walfile_name(pg_current_wal_lsn()), 8)";
    let count = "SELECT count(*) FROM kept";
    assert_eq!(standby.execute("postgres", "SELECT pg_is_in_recovery()"), "t\n");
    standby.promote();
    assert_eq!(standby.execute("postgres", &format!("{timeline}; {count}")), "00000002\n2\n");
    let restored = cold.restore();
    assert_eq!(restored.execute("postgres", count), "2\n");
    let url = server.url();
    server.put_back(&warm);
    assert_eq!(
        (server.execute("postgres", &format!("{timeline}; {count}")), server.url()),
        ("00000001\n1\n".to_owned(), url)
    );
}

#[test]
fn the_server_and_its_folder_go_with_the_process_that_started_them_however_it_ends() {
    let name = "the_server_and_its_folder_go_with_the_process_that_started_them_however_it_ends";
    if env::var_os(DOOMED).is_some() {
        let server = server(&[]).unwrap();
        // Stopped processes do not end by themselves.
        server.pause();
        report("data", server.data().display());
        thread::sleep(Duration::from_secs(600));
        return;
    }
    let Some(server) = server(&[]) else { return };
    let folder = server.socket_folder().to_owned();
    drop(server);
    assert!(!folder.exists());
    let mut child = Child::run(name, &[(DOOMED, "1".as_ref())]);
    let (_, data) = child.next_report().unwrap();
    let folder = Path::new(&data).parent().unwrap();
    assert!(works_in(folder) > 0);
    child.kill();
    child.bury();
    let gone = || works_in(folder) == 0 && !folder.exists();
    let waited = |_| {
        thread::sleep(Duration::from_millis(10));
        gone()
    };
    assert!((0..3_000).any(waited), "something is left");
}

/// How many processes work in a folder.
fn works_in(folder: &Path) -> usize {
    let links = std::fs::read_dir("/proc").unwrap().map(|entry| entry.unwrap().path().join("cwd"));
    links.filter(|link| std::fs::read_link(link).is_ok_and(|cwd| cwd.starts_with(folder))).count()
}
