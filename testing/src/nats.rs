//! `Nats`: a NATS server of a test's own.
//!
//! ```no_run
//! use clock_testing::nats::Nats;
//!
//! let server = match Nats::start() {
//!     Ok(server) => server,
//!     Err(missing) => return missing.not_run(),
//! };
//! println!("{}", server.url());
//! ```

use std::env;
use std::fs::{self, File};
use std::io::{self, Read as _};
use std::net::{Ipv4Addr, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use crate::NotInstalled;
use crate::folder::{Folder, OwnGroup as _};
use crate::server::{TRIES, free_port, until};

const PROGRAM: &str = "nats-server";

/// Where Debian puts it, which is not in everybody's `PATH`.
const DEBIAN: &str = "/usr/sbin";

/// What a server says first to whoever connects.
const GREETING: &[u8; 5] = b"INFO ";

/// How long it may take to say it.
const PATIENCE: Duration = Duration::from_secs(5);

/// A server on a free port of 127.0.0.1, which keeps nothing on the disk.
///
/// It is killed when this is dropped and when the test process ends in any way.
#[derive(Debug)]
pub struct Nats {
    port: u16,
    process: Child,
    // The last field: when it is dropped, the server has to be there still.
    folder: Folder,
}

impl Nats {
    /// Starts a server, and returns when it takes connections.
    ///
    /// # Errors
    ///
    /// [`NotInstalled`] when the program is not on this machine.
    ///
    /// # Panics
    ///
    /// When the server does not start; the message has its log.
    pub fn start() -> Result<Self, NotInstalled> {
        let program = find()?;
        for _ in 0..TRIES {
            let mut server = Self::spawn(&program);
            let mut ended = false;
            let ready = until(|| {
                ended = server.process.try_wait().unwrap().is_some();
                // Its own word as well, so that nobody else's greeting at this port is taken for its.
                ended || (server.log().contains("Server is ready") && server.greets())
            });
            if ready && !ended {
                return Ok(server);
            }
            // Another process took the port.
            assert!(server.log().contains("address already in use"), "it does not start\n{}", server.log());
        }
        panic!("no port stays free");
    }

    /// Returns where it listens to clients.
    #[must_use]
    pub fn url(&self) -> String {
        format!("nats://127.0.0.1:{}", self.port)
    }

    /// Returns the port on 127.0.0.1.
    #[must_use]
    pub const fn port(&self) -> u16 {
        self.port
    }

    /// Returns what it has written to its log.
    #[must_use]
    pub fn log(&self) -> String {
        fs::read_to_string(self.folder.path().join("log")).unwrap_or_default()
    }

    fn spawn(program: &Path) -> Self {
        let (port, folder) = (free_port(), Folder::new("nats"));
        let log = File::create(folder.path().join("log")).unwrap();
        let mut command = Command::new(program);
        command.env_clear().current_dir(folder.path()).stdin(Stdio::null()).own_group();
        command.args(["--addr", "127.0.0.1", "--port", &port.to_string()]);
        let process = command.stdout(log.try_clone().unwrap()).stderr(log).spawn().unwrap();
        Self { port, process, folder }
    }

    fn greets(&self) -> bool {
        let greeting = || -> io::Result<[u8; GREETING.len()]> {
            let mut stream = TcpStream::connect((Ipv4Addr::LOCALHOST, self.port))?;
            stream.set_read_timeout(Some(PATIENCE))?;
            let mut greeting = [0; GREETING.len()];
            stream.read_exact(&mut greeting)?;
            Ok(greeting)
        };
        greeting().is_ok_and(|greeting| greeting == *GREETING)
    }
}

impl Drop for Nats {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

fn find() -> Result<PathBuf, NotInstalled> {
    let path = env::var_os("PATH").unwrap_or_default();
    let folders = env::split_paths(&path).chain([PathBuf::from(DEBIAN)]);
    let missing = || NotInstalled { what: format!("NATS ({PROGRAM})") };
    folders.map(|folder| folder.join(PROGRAM)).find(|program| program.is_file()).ok_or_else(missing)
}
