//! `Etcd`: an etcd of a test's own, of one member or three, which can be killed, paused, and put back to an older copy.
//!
//! ```no_run
//! use clock_testing::etcd::Etcd;
//!
//! let mut cluster = match Etcd::start(3, &[]) {
//!     Ok(cluster) => cluster,
//!     Err(missing) => return missing.not_run(),
//! };
//! cluster.execute(&["put", "kept", "7"]);
//! cluster.kill(cluster.leader().unwrap());
//! assert_eq!(cluster.execute(&["get", "kept", "--print-value-only"]), "7\n");
//! ```
#![expect(clippy::indexing_slicing, reason = "a test names the members that it started")]

use std::env;
use std::fs::{self, File};
use std::io::{self, Read as _, Write as _};
use std::net::{Ipv4Addr, SocketAddr, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use rustix::process::Signal;

use crate::NotInstalled;
use crate::folder::{self, Folder, OwnGroup as _};
use crate::server::{TRIES, free_port, until};

/// What a server and its copies take.
const NEEDED: [&str; 2] = ["etcd", "etcdctl"];

/// Written before the caller's settings, which win.
const SETTINGS: [(&str, &str); 3] =
    [("logger", "zap"), ("log-outputs", "stderr"), ("initial-cluster-token", "clock-testing")];

/// How long a member may take to answer one question.
const PATIENCE: Duration = Duration::from_secs(5);

/// A cluster on free ports of 127.0.0.1, with its data in a temporary folder.
///
/// It is killed, and its folder removed, when this is dropped and when the test process ends in any way.
#[derive(Debug)]
pub struct Etcd {
    settings: Vec<(String, String)>,
    members: Vec<Member>,
    // The last field: when it is dropped, the members have to be there still.
    folder: Folder,
}

#[derive(Debug)]
struct Member {
    name: String,
    client: u16,
    peer: u16,
    process: Option<Child>,
}

/// A copy of a cluster's keys, as of one moment.
#[derive(Debug)]
pub struct Snapshot {
    folder: Folder,
}

impl Etcd {
    /// Starts a new cluster of so many members. The settings are those of `etcd`'s command line, without the dashes.
    ///
    /// # Errors
    ///
    /// [`NotInstalled`] when the programs are not on this machine.
    ///
    /// # Panics
    ///
    /// When the cluster does not start; the message has the log of a member.
    pub fn start(size: usize, settings: &[(&str, &str)]) -> Result<Self, NotInstalled> {
        find()?;
        let settings: Vec<(String, String)> =
            settings.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        for _ in 0..TRIES {
            let member = |number| Member {
                name: format!("m{number}"),
                client: free_port(),
                peer: free_port(),
                process: None,
            };
            let members = (0..size).map(member).collect();
            let mut cluster = Self { settings: settings.clone(), members, folder: Folder::new("etcd") };
            if cluster.try_start() {
                return Ok(cluster);
            }
            // Another process took one of the ports.
            assert!((0..size).any(|member| cluster.log(member).contains("address already in use")), "{}", {
                cluster.log(0)
            });
        }
        panic!("no port stays free");
    }

    /// Returns how many members there are, be they up or down.
    #[must_use]
    pub const fn size(&self) -> usize {
        self.members.len()
    }

    /// Returns the folder in which the members work.
    #[must_use]
    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// Returns where a member listens to clients. It stays the same for as long as this value lives.
    ///
    /// # Panics
    ///
    /// When there is no such member.
    #[must_use]
    pub fn address(&self, member: usize) -> SocketAddr {
        (Ipv4Addr::LOCALHOST, self.members[member].client).into()
    }

    /// Returns where all of the members listen to clients.
    #[must_use]
    pub fn addresses(&self) -> Vec<SocketAddr> {
        (0..self.size()).map(|member| self.address(member)).collect()
    }

    /// Returns which member leads, as a member that is up sees it; `None` while nobody does.
    #[must_use]
    pub fn leader(&self) -> Option<usize> {
        let status = |member| self.ask(member, "POST /v3/maintenance/status");
        let known: Vec<_> = (0..self.size()).map(status).collect();
        let leader =
            known.iter().flatten().find_map(|status| field(status, "leader").filter(|id| *id != 0))?;
        let is_leader = |status: &Option<String>| {
            status.as_ref().and_then(|status| field(status, "member_id")) == Some(leader)
        };
        known.iter().position(is_leader)
    }

    /// Waits until a member leads, and returns which.
    ///
    /// # Panics
    ///
    /// When none comes to lead.
    #[must_use]
    pub fn wait_for_leader(&self) -> usize {
        let mut leader = None;
        let found = until(|| {
            leader = self.leader();
            leader.is_some()
        });
        assert!(found, "nobody comes to lead");
        leader.unwrap()
    }

    /// Runs `etcdctl` on the members that are up, and returns what it prints.
    ///
    /// # Panics
    ///
    /// When it fails.
    pub fn execute(&self, arguments: &[&str]) -> String {
        run(self.ctl().args(arguments))
    }

    /// Begins a command line of `etcdctl`, for the members that are up.
    #[must_use]
    pub fn ctl(&self) -> Command {
        let up = self.members.iter().filter(|member| member.process.is_some());
        let endpoints: Vec<_> = up.map(|member| format!("127.0.0.1:{}", member.client)).collect();
        let mut command = client();
        command.arg(format!("--endpoints={}", endpoints.join(",")));
        command
    }

    /// Ends a member in order; one that leads hands that over first. Nothing happens if it is down.
    ///
    /// # Panics
    ///
    /// When it does not end.
    pub fn stop(&mut self, member: usize) {
        let Some(mut process) = self.members[member].process.take() else { return };
        folder::send(process.id(), Signal::CONT);
        folder::send(process.id(), Signal::TERM);
        assert!(until(|| process.try_wait().unwrap().is_some()), "it does not stop\n{}", self.log(member));
    }

    /// Kills a member, as when its machine loses its power but not what it has written. Nothing happens if it is down.
    ///
    /// # Panics
    ///
    /// When it does not die.
    pub fn kill(&mut self, member: usize) {
        let Some(mut process) = self.members[member].process.take() else { return };
        process.kill().unwrap();
        process.wait().unwrap();
    }

    /// Stops a member where it stands: connections stay open, and nobody answers.
    ///
    /// # Panics
    ///
    /// When it is down, or does not stop.
    pub fn pause(&self, member: usize) {
        let process = self.process(member);
        folder::send(process, Signal::STOP);
        assert!(until(|| folder::is_stopped(process)), "it does not stop");
    }

    /// Lets a paused member go on.
    ///
    /// # Panics
    ///
    /// When it is down.
    pub fn resume(&self, member: usize) {
        folder::send(self.process(member), Signal::CONT);
    }

    /// Starts a member that is down, and waits until it answers: so that a majority has to be up with it. One that is up
    /// is ended first.
    ///
    /// # Panics
    ///
    /// When it does not come up.
    pub fn restart(&mut self, member: usize) {
        self.launch(member);
        self.wait_until_well(member);
    }

    /// Starts a member that is down, and does not wait. One that is up is ended first.
    ///
    /// # Panics
    ///
    /// When the system gives no process.
    pub fn launch(&mut self, member: usize) {
        self.stop(member);
        self.spawn(member);
    }

    /// Waits until a member answers what only a majority can.
    ///
    /// # Panics
    ///
    /// When it does not come to that.
    pub fn wait_until_well(&self, member: usize) {
        assert!(until(|| self.is_well(member)), "it does not come up\n{}", self.log(member));
    }

    /// Copies the keys.
    ///
    /// # Panics
    ///
    /// When the copy fails.
    #[must_use]
    pub fn snapshot(&self) -> Snapshot {
        let snapshot = Snapshot { folder: Folder::new("etcd") };
        let up = self.members.iter().position(|member| member.process.is_some()).unwrap();
        let endpoint = format!("--endpoints={}", self.address(up));
        run(client().arg(endpoint).args(["snapshot", "save"]).arg(snapshot.file()));
        snapshot
    }

    /// Puts a copy back in the place of every member's data, and starts the members on it, on the same ports: what a
    /// client sees after a restore.
    ///
    /// # Panics
    ///
    /// When the copy fails, or the cluster does not start.
    pub fn put_back(&mut self, snapshot: &Snapshot) {
        let cluster = self.initial_cluster();
        for member in 0..self.size() {
            self.kill(member);
            let data = self.data(member);
            fs::remove_dir_all(&data).unwrap();
            let Member { name, peer, .. } = &self.members[member];
            let mut restore = client();
            restore.args(["snapshot", "restore"]).arg(snapshot.file()).arg("--data-dir").arg(&data);
            restore.args(["--name", name, "--initial-cluster-token", "clock-testing", "--initial-cluster"]);
            restore.args([&cluster, "--initial-advertise-peer-urls", &format!("http://127.0.0.1:{peer}")]);
            run(&mut restore);
        }
        assert!(self.try_start(), "it does not start\n{}", self.log(0));
    }

    /// Returns what a member has written to its log.
    #[must_use]
    pub fn log(&self, member: usize) -> String {
        fs::read_to_string(self.home(member).join("log")).unwrap_or_default()
    }

    /// Starts every member. Whether all of them came up; if not, all are down.
    fn try_start(&mut self) -> bool {
        (0..self.size()).for_each(|member| self.spawn(member));
        let well = until(|| {
            let ended = |member: &mut Member| {
                member.process.as_mut().is_none_or(|process| process.try_wait().unwrap().is_some())
            };
            self.members.iter_mut().any(ended) || (0..self.size()).all(|member| self.is_well(member))
        });
        let well = well && (0..self.size()).all(|member| self.is_well(member));
        if !well {
            (0..self.size()).for_each(|member| self.kill(member));
        }
        well
    }

    fn spawn(&mut self, member: usize) {
        let (cluster, home, data) = (self.initial_cluster(), self.home(member), self.data(member));
        fs::create_dir_all(&home).unwrap();
        let log = File::options().create(true).append(true).open(home.join("log")).unwrap();
        let Member { name, client, peer, .. } = &self.members[member];
        let (client, peer) = (format!("http://127.0.0.1:{client}"), format!("http://127.0.0.1:{peer}"));
        let mut command = Command::new("etcd");
        command.env_clear().env("PATH", env::var_os("PATH").unwrap_or_default());
        command.current_dir(home).stdin(Stdio::null()).own_group();
        command.args(["--name", name, "--data-dir"]).arg(data);
        command.args(["--listen-client-urls", &client, "--advertise-client-urls", &client]);
        command.args(["--listen-peer-urls", &peer, "--initial-advertise-peer-urls", &peer]);
        command.args(["--initial-cluster", &cluster]);
        let settings = self.settings.iter().map(|(name, value)| (&**name, &**value));
        for (name, value) in SETTINGS.into_iter().chain(settings) {
            command.arg(format!("--{name}={value}"));
        }
        let process = command.stdout(log.try_clone().unwrap()).stderr(log).spawn().unwrap();
        self.members[member].process = Some(process);
    }

    fn initial_cluster(&self) -> String {
        let each = |member: &Member| format!("{}=http://127.0.0.1:{}", member.name, member.peer);
        self.members.iter().map(each).collect::<Vec<_>>().join(",")
    }

    /// Where a member works.
    fn home(&self, member: usize) -> PathBuf {
        self.folder.path().join(&self.members[member].name)
    }

    fn data(&self, member: usize) -> PathBuf {
        self.home(member).join("data")
    }

    fn process(&self, member: usize) -> u32 {
        self.members[member].process.as_ref().expect("the member runs").id()
    }

    /// Whether a member has a leader, and reads what a majority has written.
    fn is_well(&self, member: usize) -> bool {
        self.ask(member, "GET /health").is_some_and(|health| health.contains(r#""health":"true""#))
    }

    /// Asks a member by HTTP; `None` when it does not answer.
    fn ask(&self, member: usize, what: &str) -> Option<String> {
        let ask = || -> io::Result<String> {
            let mut stream = TcpStream::connect_timeout(&self.address(member), PATIENCE)?;
            stream.set_read_timeout(Some(PATIENCE))?;
            let head = "HTTP/1.0\r\nHost: localhost\r\nContent-Length: 2\r\n\r\n{}";
            stream.write_all(format!("{what} {head}").as_bytes())?;
            let mut answer = String::new();
            stream.read_to_string(&mut answer)?;
            Ok(answer)
        };
        ask().ok()
    }
}

impl Drop for Etcd {
    fn drop(&mut self) {
        (0..self.size()).for_each(|member| self.kill(member));
    }
}

impl Snapshot {
    fn file(&self) -> PathBuf {
        self.folder.path().join("snapshot.db")
    }
}

fn find() -> Result<(), NotInstalled> {
    let path = env::var_os("PATH").unwrap_or_default();
    let is_there = |name: &&str| env::split_paths(&path).any(|folder| folder.join(name).is_file());
    if NEEDED.iter().all(is_there) {
        Ok(())
    } else {
        Err(NotInstalled { what: "etcd (etcd, etcdctl)".to_owned() })
    }
}

/// Begins a command line of `etcdctl`, which learns nothing from the variables of the test.
fn client() -> Command {
    let mut command = Command::new("etcdctl");
    let path = env::var_os("PATH").unwrap_or_default();
    command.env_clear().env("PATH", path).env("ETCDCTL_API", "3").stdin(Stdio::null());
    command
}

/// Runs a command to its end, and returns what it wrote.
fn run(command: &mut Command) -> String {
    let output = command.output().unwrap();
    let complaint = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{command:?}: {}\n{complaint}", output.status);
    String::from_utf8(output.stdout).unwrap()
}

/// A number in an answer, where etcd writes it as a text: `"name":"7"`.
fn field(answer: &str, name: &str) -> Option<u64> {
    let (_, rest) = answer.split_once(&format!("\"{name}\":\""))?;
    rest.split_once('"')?.0.parse().ok()
}
