//! `Postgres`: a PostgreSQL server of a test's own, which can be killed, paused, copied and promoted.
//!
//! ```no_run
//! use clock_testing::postgres::Postgres;
//!
//! let mut server = match Postgres::start(&[("fsync", "off")]) {
//!     Ok(server) => server,
//!     Err(missing) => return missing.not_run(),
//! };
//! server.execute("postgres", "CREATE TABLE kept (value int); INSERT INTO kept VALUES (7)");
//! server.kill();
//! server.restart();
//! assert_eq!(server.execute("postgres", "SELECT value FROM kept"), "7\n");
//! ```

mod programs;

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::{Child, Command};
use std::thread;

use rustix::process::Signal;

use crate::NotInstalled;
use crate::folder::{self, Folder};
use crate::server::{self, TRIES, free_port, until};
use programs::{Programs, run};

/// Written before the caller's settings, which win.
const SETTINGS: [(&str, &str); 6] = [
    ("listen_addresses", "127.0.0.1"),
    ("shared_buffers", "16MB"),
    // Else a server that is killed leaves its segments in memory, outside of its folder.
    ("dynamic_shared_memory_type", "mmap"),
    ("min_wal_size", "8MB"),
    ("max_wal_size", "64MB"),
    ("log_line_prefix", "%m [%p] "),
];

/// A server on a free port of 127.0.0.1, with its data in a temporary folder.
///
/// The superuser `postgres` needs no password. The server does not run as root: if the test does, as the user `postgres`
/// or `nobody`. It is killed, and its folder removed, when this is dropped and when the test process ends in any way.
#[derive(Debug)]
pub struct Postgres {
    programs: Programs,
    settings: Vec<(String, String)>,
    port: u16,
    process: Option<Child>,
    // The last field: when it is dropped, the server has to be there still.
    folder: Folder,
}

/// A copy of a server's data, as of one moment.
#[derive(Debug)]
pub struct Backup {
    programs: Programs,
    settings: Vec<(String, String)>,
    folder: Folder,
}

impl Postgres {
    /// Makes a new cluster and starts a server on it. The settings are those of `postgresql.conf`; what is not named
    /// has the server's own default, `fsync` and `synchronous_commit` too.
    ///
    /// # Errors
    ///
    /// [`NotInstalled`] when the server's programs are not on this machine.
    ///
    /// # Panics
    ///
    /// When the server does not start; the message has its log.
    pub fn start(settings: &[(&str, &str)]) -> Result<Self, NotInstalled> {
        let programs = Programs::find()?;
        let settings =
            settings.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        let folder = new_folder(&programs);
        let data = folder.path().join("data");
        // Small segments: a copy of the cluster is then a third of the size.
        run(programs.command("initdb", folder.path()).arg("--pgdata").arg(&data).args([
            "--username=postgres",
            "--auth=trust",
            "--encoding=UTF8",
            "--no-locale",
            "--no-sync",
            "--wal-segsize=1",
        ]));
        Ok(Self::on(programs, settings, folder))
    }

    /// Starts a server on what is in the folder, on a port of its own.
    fn on(programs: Programs, settings: Vec<(String, String)>, folder: Folder) -> Self {
        let mut server = Self { programs, settings, port: 0, process: None, folder };
        for _ in 0..TRIES {
            server.port = free_port();
            if server.try_start() {
                return server;
            }
        }
        server.fail("it does not start");
    }

    /// Returns a URL of the database `postgres`, for the superuser.
    #[must_use]
    pub fn url(&self) -> String {
        self.url_of("postgres")
    }

    /// Returns a URL of a database, for the superuser.
    #[must_use]
    pub fn url_of(&self, database: &str) -> String {
        format!("postgres://postgres@127.0.0.1:{}/{database}", self.port)
    }

    /// Returns the port on 127.0.0.1. It stays the same for as long as this value lives.
    #[must_use]
    pub const fn port(&self) -> u16 {
        self.port
    }

    /// Returns the folder of the server's socket.
    #[must_use]
    pub fn socket_folder(&self) -> &Path {
        self.folder.path()
    }

    /// Returns the folder of the server's data.
    #[must_use]
    pub fn data(&self) -> PathBuf {
        self.folder.path().join("data")
    }

    /// Begins a command line of `psql` for a database, without anybody's settings; the first error ends it.
    #[must_use]
    pub fn psql(&self, database: &str) -> Command {
        let mut command = self.client("psql");
        command.args(["--no-psqlrc", "--quiet", "--no-align", "--tuples-only", "--set=ON_ERROR_STOP=1"]);
        command.args(["--set=VERBOSITY=verbose", "--dbname", database]);
        command
    }

    /// Runs statements in a database, in one transaction unless they say otherwise, and returns the rows as `psql`
    /// prints them: a line a row, `|` between the columns.
    ///
    /// # Panics
    ///
    /// When one fails.
    pub fn execute(&self, database: &str, statements: &str) -> String {
        run(self.psql(database).args(["--command", statements]))
    }

    /// Makes an empty database, and returns its URL.
    ///
    /// # Panics
    ///
    /// When there is one of that name.
    pub fn create_database(&self, name: &str) -> String {
        self.execute("postgres", &format!("CREATE DATABASE {name}"));
        self.url_of(name)
    }

    /// Changes a setting for the next start.
    pub fn set(&mut self, name: &str, value: &str) {
        self.settings.push((name.to_owned(), value.to_owned()));
    }

    /// Ends the server in order: sessions are cut off, what is committed is written. Nothing happens if it is down.
    ///
    /// # Panics
    ///
    /// When it does not end.
    pub fn stop_fast(&mut self) {
        let Some(mut process) = self.process.take() else { return };
        self.resume();
        folder::send(process.id(), Signal::INT);
        let ended = until(|| process.try_wait().unwrap().is_some() && self.folder.processes().is_empty());
        assert!(ended, "the server does not stop\n{}", self.log());
    }

    /// Kills the postmaster and all of its processes at once, as when a machine loses its power but not what it has
    /// written. Returns when none is left.
    ///
    /// # Panics
    ///
    /// When one does not die.
    pub fn kill(&mut self) {
        let Some(mut process) = self.process.take() else { return };
        // The postmaster first, so that it starts nothing more.
        process.kill().unwrap();
        process.wait().unwrap();
        assert!(until(|| self.folder.signal(Signal::KILL) == 0), "a process of the server does not die");
    }

    /// Stops every process of the server where it stands. Returns when all of them are stopped: connections stay open,
    /// and nobody answers.
    ///
    /// # Panics
    ///
    /// When the server is down, or does not stop.
    pub fn pause(&self) {
        let postmaster = self.process.as_ref().expect("the server runs").id();
        folder::send(postmaster, Signal::STOP);
        assert!(until(|| folder::is_stopped(postmaster)), "the postmaster does not stop");
        self.folder.signal(Signal::STOP);
        assert!(until(|| self.folder.is_stopped()), "a process of the server does not stop");
    }

    /// Lets every process of the server go on.
    pub fn resume(&self) {
        self.folder.signal(Signal::CONT);
    }

    /// Starts the server on its data and its port, after [`stop_fast`](Self::stop_fast) if it runs. Returns when it
    /// takes connections.
    ///
    /// # Panics
    ///
    /// When it does not start.
    pub fn restart(&mut self) {
        self.stop_fast();
        for _ in 0..TRIES {
            if self.try_start() {
                return;
            }
            // Its port may be somebody's for a moment.
            thread::sleep(server::PAUSE);
        }
        self.fail("it does not start again");
    }

    /// Makes a standby leave recovery; it goes on in a new timeline. Returns when it takes writes.
    ///
    /// # Panics
    ///
    /// When it is none.
    pub fn promote(&self) {
        assert_eq!(self.execute("postgres", "SELECT pg_promote(true, 90)"), "t\n", "it is not promoted");
    }

    /// Starts a standby of this server, with the same settings. Returns when it takes queries.
    ///
    /// # Panics
    ///
    /// When the server is down, or the standby does not start.
    #[must_use]
    pub fn standby(&self) -> Self {
        let folder = new_folder(&self.programs);
        run(self.base_backup(&folder.path().join("data")).arg("--write-recovery-conf"));
        Self::on(self.programs.clone(), self.settings.clone(), folder)
    }

    /// Waits until a standby has replayed all that this server has written by now.
    ///
    /// # Panics
    ///
    /// When it does not in time.
    pub fn wait_for(&self, standby: &Self) {
        let written = self.execute("postgres", "SELECT pg_current_wal_flush_lsn()");
        let replayed = format!("SELECT pg_last_wal_replay_lsn() >= '{}'", written.trim());
        assert!(until(|| standby.execute("postgres", &replayed) == "t\n"), "the standby does not follow");
    }

    /// Copies the data: of a server that runs, a base backup; of one that is down, its files as they are.
    ///
    /// # Panics
    ///
    /// When the copy fails.
    #[must_use]
    pub fn backup(&self) -> Backup {
        let (programs, settings) = (self.programs.clone(), self.settings.clone());
        let folder = new_folder(&programs);
        let copy = folder.path().join("data");
        if self.process.is_some() {
            run(&mut self.base_backup(&copy));
        } else {
            copy_files(&self.data(), &copy);
        }
        Backup { programs, settings, folder }
    }

    /// Puts a copy back in the place of this server's data, and starts the server on it, on the same port: what a
    /// client sees after a restore. The server need not run.
    ///
    /// # Panics
    ///
    /// When the copy fails, or the server does not start.
    pub fn put_back(&mut self, backup: &Backup) {
        self.stop_fast();
        fs::remove_dir_all(self.data()).unwrap();
        copy_files(&backup.folder.path().join("data"), &self.data());
        self.restart();
    }

    /// Returns what the server has written to its log.
    #[must_use]
    pub fn log(&self) -> String {
        fs::read_to_string(self.folder.path().join("log")).unwrap_or_default()
    }

    /// Starts the server. Whether it takes connections; if not, it is down.
    fn try_start(&mut self) -> bool {
        let log = File::options().create(true).append(true).open(self.folder.path().join("log")).unwrap();
        let mut command = self.programs.command("postgres", self.folder.path());
        command
            .arg("-D")
            .arg(self.data())
            .arg("-k")
            .arg(self.folder.path())
            .arg("-p")
            .arg(self.port.to_string());
        let settings = self.settings.iter().map(|(name, value)| (&**name, &**value));
        for (name, value) in SETTINGS.into_iter().chain(settings) {
            command.args(["-c", &format!("{name}={value}")]);
        }
        let mut process = command.stdout(log.try_clone().unwrap()).stderr(log).spawn().unwrap();
        let number = process.id().to_string();
        let mut ended = false;
        let ready = until(|| {
            ended = process.try_wait().unwrap().is_some();
            ended || self.status().is_some_and(|(of, status)| of == number && status == "ready")
        });
        self.process = Some(process);
        if ended || !ready {
            self.kill();
        }
        self.process.is_some()
    }

    /// Whose lock is on the data, and what that server says of itself.
    fn status(&self) -> Option<(String, String)> {
        let lock = fs::read_to_string(self.data().join("postmaster.pid")).ok()?;
        let mut lines = lock.lines().map(|line| line.trim().to_owned());
        Some((lines.next()?, lines.nth(6)?))
    }

    fn base_backup(&self, target: &Path) -> Command {
        let mut command = self.client("pg_basebackup");
        // Where its folder's guardian finds it.
        command.current_dir(target.parent().unwrap());
        command.args(["--checkpoint=fast", "--wal-method=stream", "--no-sync", "--pgdata"]).arg(target);
        command
    }

    /// Begins the command line of a client of the server.
    fn client(&self, name: &str) -> Command {
        let mut command = self.programs.command(name, Path::new("/"));
        command.args(["--username=postgres", "--no-password", "--port", &self.port.to_string(), "--host"]);
        command.arg(self.folder.path());
        command
    }

    fn fail(&self, why: &str) -> ! {
        panic!("{why}\n{}", self.log())
    }
}

impl Drop for Postgres {
    fn drop(&mut self) {
        self.kill();
    }
}

impl Backup {
    /// Starts another server on a copy of this one, with the settings of the first.
    ///
    /// # Panics
    ///
    /// When it does not start.
    #[must_use]
    pub fn restore(&self) -> Postgres {
        let folder = new_folder(&self.programs);
        copy_files(&self.folder.path().join("data"), &folder.path().join("data"));
        Postgres::on(self.programs.clone(), self.settings.clone(), folder)
    }
}

fn new_folder(programs: &Programs) -> Folder {
    let folder = Folder::new("pg");
    programs.give(folder.path());
    folder
}

/// Copies files with their owners and rights, but not the lock of a server that was killed.
fn copy_files(from: &Path, to: &Path) {
    run(Command::new("cp").current_dir(to.parent().unwrap()).arg("-a").arg(from).arg(to));
    let _ = fs::remove_file(to.join("postmaster.pid"));
}
