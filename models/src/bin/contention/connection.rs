//! `Connection`: a holder's way to the resource, which may be away for a while.

use core::time::Duration;
use std::io::{self, BufReader};
use std::os::unix::net::UnixStream;
use std::path::PathBuf;

use epoch_fence::BootClock as _;
use epoch_fence::engine::file::SystemHost;

use crate::message::{self, Answer, Ask};

/// Nothing that the resource does takes longer, unless it hangs.
const TO_ANSWER: Duration = Duration::from_secs(20);

/// Between two tries to connect.
const PAUSE: Duration = Duration::from_millis(5);

/// How often: a minute in all, which is longer than any fault.
const TRIES: u32 = 12_000;

#[derive(Debug)]
pub(crate) struct Connection {
    socket: PathBuf,
    clock: SystemHost,
    stream: Option<BufReader<UnixStream>>,
}

impl Connection {
    pub(crate) const fn new(socket: PathBuf, clock: SystemHost) -> Self {
        Self { socket, clock, stream: None }
    }

    /// Asks for an effect. `None` when the resource went away: the effect may have been applied or not. A connection ends
    /// with the resource's process, and with it all that it did.
    pub(crate) fn ask(&mut self, ask: &Ask) -> io::Result<Option<Answer>> {
        match self.exchange(ask) {
            Ok(answer) => Ok(Some(answer)),
            Err(error) if is_gone(&error) => {
                self.stream = None;
                Ok(None)
            }
            Err(error) => Err(error),
        }
    }

    fn exchange(&mut self, ask: &Ask) -> io::Result<Answer> {
        let stream = match &mut self.stream {
            Some(stream) => stream,
            None => {
                let stream = connect(&self.socket, &self.clock)?;
                self.stream.insert(BufReader::new(stream))
            }
        };
        message::write(stream.get_ref(), ask)?;
        message::read(stream)?.ok_or_else(|| io::ErrorKind::UnexpectedEof.into())
    }
}

fn is_gone(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::BrokenPipe | io::ErrorKind::ConnectionReset | io::ErrorKind::UnexpectedEof
    )
}

/// Connects to the resource, which may just be about to begin again.
fn connect(socket: &PathBuf, clock: &SystemHost) -> io::Result<UnixStream> {
    let mut tries = 0;
    loop {
        match UnixStream::connect(socket) {
            Ok(stream) => {
                stream.set_read_timeout(Some(TO_ANSWER))?;
                return Ok(stream);
            }
            Err(error) if tries >= TRIES => return Err(error),
            Err(_) => tries = tries.saturating_add(1),
        }
        clock.pause(PAUSE);
    }
}
