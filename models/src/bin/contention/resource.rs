//! The resource: a register behind a gate, in a process of its own.

use alloc::sync::Arc;
use core::sync::atomic::{AtomicU64, Ordering};
use core::time::Duration;
use std::io::{self, BufReader, Write as _};
use std::os::unix::net::{UnixListener, UnixStream};
use std::{fs, process, thread};

use epoch_fence::{DurableGate, Epoch, NotAdmitted, Rejected};
use high_water::{Options, WhenHeld};

use crate::journal::{Journal, Note};
use crate::message::{self, Answer, Ask, Rejection, ResourcePart};
use crate::{Failure, cast};

/// What it says when it takes requests.
pub(crate) const READY: &str = "ready";

/// A register of two cells that are read and written one after the other, so that whatever comes in between shows.
/// Each effect adds one.
#[derive(Debug)]
struct Resource {
    gate: Option<DurableGate>,
    cells: [AtomicU64; 2],
    journal: Journal,
}

/// Plays the role; the end of standard input ends it.
pub(crate) fn play() -> Result<(), Failure> {
    let mut told = BufReader::new(io::stdin());
    let part: ResourcePart = message::read(&mut told)?.ok_or("no part to play")?;
    let gate = match part.gate {
        Some((path, realm)) => {
            // Its last process was reaped, so nobody holds it for longer than a moment.
            let options = Options::new(DurableGate::identity(cast::resource()))
                .when_held(WhenHeld::WaitUpTo(Duration::from_secs(2)))
                .allow_volatile_file_system()
                .allow_unknown_file_system();
            let register = options.open_or_create(&path)?;
            Some(DurableGate::new(register, realm, cast::resource(), Epoch::FIRST)?)
        }
        None => None,
    };
    let (journal, value) = Journal::open(&part.journal)?;
    let cells = [AtomicU64::new(value), AtomicU64::new(value)];
    let resource = Arc::new(Resource { gate, cells, journal });
    // The name that a killed process left leads nowhere.
    let _gone = fs::remove_file(&part.socket);
    let listener = UnixListener::bind(&part.socket)?;
    message::write(io::stdout().lock(), &READY)?;
    thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            let resource = Arc::clone(&resource);
            // A holder that is gone, or a journal that cannot be written: this connection is over.
            thread::spawn(move || resource.serve(&stream));
        }
    });
    while message::read::<()>(&mut told)?.is_some() {}
    process::exit(0);
}

impl Resource {
    fn serve(&self, stream: &UnixStream) -> io::Result<()> {
        let mut asked = BufReader::new(stream);
        while let Some(ask) = message::read::<Ask>(&mut asked)? {
            let applied = match &self.gate {
                Some(gate) => gate.run(&ask.token, |_permit| self.apply(&ask)),
                None => Ok(self.apply(&ask)),
            };
            let answer = match applied {
                Ok(value) => Answer::Applied { value },
                Err(NotAdmitted::Rejected(Rejected::Stale { .. })) => Answer::Rejected(Rejection::Stale),
                Err(NotAdmitted::Rejected(Rejected::Draining { .. })) => {
                    Answer::Rejected(Rejection::Draining)
                }
                Err(why) => Answer::Rejected(Rejection::Wrong(why.to_string())),
            };
            message::write(stream, &answer)?;
        }
        Ok(())
    }

    /// Reads, waits, writes, step by step, and returns when it is durable. Nothing here keeps two of them apart.
    fn apply(&self, ask: &Ask) -> u64 {
        let (effect, pause) = (ask.effect(), ask.pause);
        let [low, high] = &self.cells;
        self.note(&Note::Begun(effect));
        let first = low.load(Ordering::Relaxed);
        thread::sleep(pause);
        let read = [first, high.load(Ordering::Relaxed)];
        let wrote = first.saturating_add(1);
        low.store(wrote, Ordering::Relaxed);
        thread::yield_now();
        high.store(wrote, Ordering::Relaxed);
        self.note(&Note::Done { effect, read, wrote });
        wrote
    }

    /// Writes to the journal. What is done is durable when it returns; that something has begun is no promise.
    fn note(&self, note: &Note) {
        let synced = || if matches!(note, Note::Done { .. }) { self.journal.sync() } else { Ok(()) };
        if let Err(error) = self.journal.note(note).and_then(|()| synced()) {
            // Half of an effect must not be taken for a torn one: this process is over, and so is the run.
            let _said = writeln!(io::stderr(), "contention: error: the journal: {error}");
            process::exit(1);
        }
    }
}
