//! Real processes: one that dies, one that is stopped, one whose child lives on, many that are killed.

use core::cell::Cell;
use core::time::Duration;
use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Child, ChildStdout, Command, Stdio};

use epoch_fence::engine::file::{Directory, FileError, Host, SystemHost};
use epoch_fence::protocol::Moment;
use epoch_fence::{Epoch, Issuer, NotAcquired, Wait};
use hlc::PhysicalTime;

use super::{Scratch, anywhere, claim, real_leases, resource};

/// Set for the child: which work it does, and where.
const WORK: &str = "EPOCH_FENCE_TEST_WORK";
const PATH: &str = "EPOCH_FENCE_TEST_PATH";
/// How often a child is killed in the midst of its work; by hand, 1000.
const KILLS: &str = "EPOCH_FENCE_TEST_KILLS";

const LONG: u64 = 60_000;

/// A child that does some work, and is killed when the test is over.
struct Worker {
    process: Child,
    output: BufReader<ChildStdout>,
}

impl Worker {
    fn start(test: &str, work: &str, path: &Path) -> Self {
        let mut process = Command::new(std::env::current_exe().unwrap())
            .args([test, "--exact", "--nocapture", "--test-threads=1"])
            .env(WORK, work)
            .env(PATH, path)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let output = BufReader::new(process.stdout.take().unwrap());
        Self { process, output }
    }

    /// The next number that the child reports under this word.
    fn report(&mut self, word: &str) -> Option<u64> {
        loop {
            let mut line = String::new();
            if self.output.read_line(&mut line).unwrap() == 0 || !line.ends_with('\n') {
                return None;
            }
            let mut words = line.split_whitespace();
            if words.next() == Some(word) {
                return Some(words.next().unwrap().parse().unwrap());
            }
        }
    }

    /// Tells a child that waits for it to go on.
    fn go_on(&mut self) {
        self.process.stdin.as_mut().unwrap().write_all(b"\n").unwrap();
    }

    fn signal(&self, name: &str) {
        signal(self.process.id(), name);
    }

    fn kill(&mut self) {
        self.process.kill().unwrap();
        self.process.wait().unwrap();
    }
}

impl Drop for Worker {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

fn signal(process: u32, name: &str) {
    assert!(Command::new("kill").args([name, &process.to_string()]).status().unwrap().success());
}

fn report(word: &str, number: u64) {
    // The whole line in one write: a pipe takes it whole or not at all.
    std::io::stdout().write_all(format!("\n{word} {number}\n").as_bytes()).unwrap();
}

/// Does the work that it was started for, if it was started as a child.
fn work_if_child() {
    let Ok(work) = std::env::var(WORK) else { return };
    let path = std::env::var_os(PATH).unwrap();
    let path = Path::new(&path);
    match work.as_str() {
        "hold" => {
            let leases = real_leases(path);
            let lease = leases.acquire(&claim("holder", LONG), Wait::AtOnce).unwrap();
            report("epoch", lease.token().epoch().get());
            park();
        }
        "hold shortly" => {
            let leases = real_leases(path);
            let lease = leases.acquire(&claim("holder", 1_000), Wait::AtOnce).unwrap();
            report("epoch", lease.token().epoch().get());
            park();
        }
        "hold with a child" => {
            let leases = real_leases(path);
            let lease = leases.acquire(&claim("holder", LONG), Wait::AtOnce).unwrap();
            let lifeline = leases.engine().lifeline(&lease.token()).unwrap().unwrap();
            let mut child = Command::new("sleep").arg("1000").stdin(Stdio::from(lifeline)).spawn().unwrap();
            report("child", child.id().into());
            child.wait().unwrap();
            park();
        }
        "pause within the write" => {
            let host = Pauses { host: SystemHost::new().unwrap(), armed: Cell::new(true) };
            let leases = Issuer::new(anywhere().open_with(path, host).unwrap(), SystemHost::new().unwrap());
            let lease = leases.acquire(&claim("holder", LONG), Wait::AtOnce).unwrap();
            report("epoch", lease.token().epoch().get());
            park();
        }
        "again and again" => {
            let leases = real_leases(path);
            loop {
                let claim = claim("worker", LONG);
                let mut lease = leases.acquire(&claim, Wait::AtMost(Duration::from_secs(10))).unwrap();
                report("epoch", lease.token().epoch().get());
                lease.renew().unwrap();
                drop(lease);
            }
        }
        other => panic!("no such work: {other}"),
    }
}

fn park() -> ! {
    loop {
        std::thread::park();
    }
}

/// A machine whose wall clock, which is read while the record is held, lets the one who reads it wait.
struct Pauses {
    host: SystemHost,
    armed: Cell<bool>,
}

impl Host for Pauses {
    fn moment(&self) -> Result<Moment, FileError> {
        self.host.moment()
    }

    fn wall(&self) -> PhysicalTime {
        if self.armed.replace(false) {
            report("within", std::process::id().into());
            // Until the parent says so, however long the signals take that it sends meanwhile.
            let mut word = String::new();
            std::io::stdin().read_line(&mut word).unwrap();
        }
        self.host.wall()
    }
}

/// Waits until `done` says so, and not for ever.
fn eventually(what: &str, mut done: impl FnMut() -> bool) {
    for _ in 0..2_000 {
        if done() {
            return;
        }
        std::thread::sleep(Duration::from_millis(10));
    }
    panic!("never: {what}");
}

fn is_held(leases: &Issuer<Directory, SystemHost>) -> bool {
    match leases.acquire(&claim("next", LONG), Wait::AtOnce) {
        Err(NotAcquired::Held { .. }) => true,
        Ok(_) => false,
        Err(why) => panic!("{why:?}"),
    }
}

#[test]
fn a_dead_holder_is_noticed_before_its_time_is_over() {
    work_if_child();
    let scratch = Scratch::new();
    let test = "file::processes::a_dead_holder_is_noticed_before_its_time_is_over";
    let mut holder = Worker::start(test, "hold", scratch.path());
    let epoch = holder.report("epoch").unwrap();
    let leases = real_leases(scratch.path());
    assert!(is_held(&leases));
    holder.kill();
    let next = leases.acquire(&claim("next", LONG), Wait::AtOnce).unwrap();
    assert_eq!(next.token().epoch().get(), epoch + 1);
    let folder = leases.engine().folder(resource());
    let files =
        std::fs::read_dir(folder).unwrap().filter_map(|found| found.unwrap().file_name().into_string().ok());
    assert_eq!(files.filter(|name| name.starts_with("alive.")).count(), 1, "what the dead left is gone");
}

#[test]
fn a_holder_whose_file_was_removed_counts_as_alive_until_its_time_is_over() {
    work_if_child();
    let scratch = Scratch::new();
    let test = "file::processes::a_holder_whose_file_was_removed_counts_as_alive_until_its_time_is_over";
    let mut holder = Worker::start(test, "hold", scratch.path());
    holder.report("epoch").unwrap();
    let leases = real_leases(scratch.path());
    for found in std::fs::read_dir(leases.engine().folder(resource())).unwrap() {
        let found = found.unwrap();
        if found.file_name().to_str().unwrap().starts_with("alive.") {
            std::fs::remove_file(found.path()).unwrap();
        }
    }
    holder.kill();
    assert!(is_held(&leases), "what is not there tells nothing");
}

#[test]
fn a_child_that_inherited_the_life_of_a_dead_holder_keeps_the_lease() {
    work_if_child();
    let scratch = Scratch::new();
    let test = "file::processes::a_child_that_inherited_the_life_of_a_dead_holder_keeps_the_lease";
    let mut holder = Worker::start(test, "hold with a child", scratch.path());
    let child = u32::try_from(holder.report("child").unwrap()).unwrap();
    let leases = real_leases(scratch.path());
    holder.kill();
    assert!(is_held(&leases), "the child lives");
    signal(child, "-KILL");
    eventually("the death of the child is noticed", || !is_held(&leases));
}

#[test]
fn a_stopped_holder_is_alive_until_its_time_is_over_and_then_it_is_not_asked() {
    work_if_child();
    let scratch = Scratch::new();
    let test = "file::processes::a_stopped_holder_is_alive_until_its_time_is_over_and_then_it_is_not_asked";
    let mut holder = Worker::start(test, "hold shortly", scratch.path());
    let epoch = holder.report("epoch").unwrap();
    holder.signal("-STOP");
    let leases = real_leases(scratch.path());
    let next = leases.acquire(&claim("next", LONG), Wait::AtMost(Duration::from_secs(20))).unwrap();
    assert_eq!(next.token().epoch().get(), epoch + 1);
    holder.signal("-CONT");
    assert!(is_held(&leases));
}

#[test]
fn a_process_stopped_within_a_write_keeps_the_others_out_and_is_named() {
    work_if_child();
    let scratch = Scratch::new();
    // The resource is there already, so that it is the record that is held.
    drop(real_leases(scratch.path()).acquire(&claim("before", LONG), Wait::AtOnce).unwrap());
    let test = "file::processes::a_process_stopped_within_a_write_keeps_the_others_out_and_is_named";
    let mut stopped = Worker::start(test, "pause within the write", scratch.path());
    let process = u32::try_from(stopped.report("within").unwrap()).unwrap();
    stopped.signal("-STOP");
    let state = format!("/proc/{process}/stat");
    let is_stopped =
        || std::fs::read_to_string(&state).unwrap().rsplit(") ").next().unwrap().starts_with('T');
    eventually("it is stopped", is_stopped);
    let impatient = anywhere().patience(Duration::from_millis(50)).open(scratch.path()).unwrap();
    let leases = Issuer::new(impatient, SystemHost::new().unwrap());
    let why = leases.acquire(&claim("next", LONG), Wait::AtOnce).unwrap_err();
    let NotAcquired::Failed(FileError::Busy { process: found }) = why else { panic!("{why:?}") };
    // Not every kernel and container lists its locks.
    assert_eq!(found.unwrap_or(process), process);
    stopped.signal("-CONT");
    stopped.go_on();
    assert_eq!(stopped.report("epoch"), Some(2), "it goes on as if nothing had been");
    assert!(is_held(&leases));
}

#[test]
fn epochs_rise_and_no_entry_is_lost_however_often_the_workers_are_killed() {
    work_if_child();
    let kills = std::env::var(KILLS).map_or(40_u64, |kills| kills.parse().unwrap());
    let scratch = Scratch::new();
    let test = "file::processes::epochs_rise_and_no_entry_is_lost_however_often_the_workers_are_killed";
    let (mut seen, mut last) = (0_u64, 0);
    let mut noted = None;
    let mut spins = 12_345_u64;
    for kill in 0..kills {
        let mut worker = Worker::start(test, "again and again", scratch.path());
        for _ in 0..kill % 7 {
            let epoch = worker.report("epoch").expect("the worker ended by itself");
            assert!(epoch > last, "kill {kill}: epoch {epoch} after {last}");
            (last, seen) = (epoch, seen + 1);
        }
        // Where it is by then is up to the scheduler.
        spins = spins.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        (0..spins >> 45).for_each(|_| core::hint::spin_loop());
        worker.process.kill().unwrap();
        while let Some(epoch) = worker.report("epoch") {
            assert!(epoch > last, "kill {kill}: epoch {epoch} after {last}");
            (last, seen) = (epoch, seen + 1);
        }
        worker.process.wait().unwrap();
        let leases = real_leases(scratch.path());
        let known = leases.current(&resource()).unwrap().record().epoch();
        assert!(known >= Epoch::new(last), "kill {kill}: {known:?} after {last}");
        let verified =
            leases.engine().verify(resource(), noted).unwrap_or_else(|why| panic!("kill {kill}: {why}"));
        assert_eq!(verified.missing(), None);
        noted = Some(verified.head());
    }
    println!("{seen} epochs seen over {kills} kills, the last was {last}");
    assert!(seen > kills, "the workers hardly worked");
}
