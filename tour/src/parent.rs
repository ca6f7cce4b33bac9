//! The child's side: what the parent tells it, and what it says.

use std::{
    io::{self, BufReader},
    process::{self, ExitCode},
    sync::mpsc::SyncSender,
    thread,
};

use serde::{Serialize, de::DeserializeOwned};

use crate::{
    children::Uttered,
    failure::Failure,
    line,
    scene::{self, Role},
};

/// The exit status of a child that could not go on: it has said why, or lost the parent to say it to.
const GAVE_UP: u8 = 3;

/// Plays the role called `scene/role`, and tells the parent where that fails.
pub(crate) fn play(name: &str) -> ExitCode {
    let played = match scene::role(name) {
        Some(Role { play, .. }) => play(),
        None => Err(Failure::out_of_turn(format_args!("there is no role {name}"))),
    };
    match played {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            // A parent that cannot be told is gone, and there is nobody else.
            let _ = utter(&Uttered::<()>::Failed(failure.to_string()));
            ExitCode::from(GAVE_UP)
        }
    }
}

/// Passes on what the parent tells, for ever, as messages of the inbox `to`.
///
/// The parent holds the other end of standard input as long as it lives. At its end, however the parent
/// ended, the child ends as well: there are no orphans, and no handler for signals is needed.
pub(crate) fn listen<T, M>(to: SyncSender<M>, wrap: fn(T) -> M)
where
    T: DeserializeOwned + 'static,
    M: Send + 'static,
{
    thread::spawn(move || {
        let mut from = BufReader::new(io::stdin());
        while let Ok(Some(told)) = line::read(&mut from) {
            if to.send(wrap(told)).is_err() {
                break;
            }
        }
        process::exit(GAVE_UP.into());
    });
}

/// Makes the system kill this process when its parent ends. One that is stopped sees no end of its input.
pub(crate) fn end_with_it_even_when_stopped() -> Result<(), Failure> {
    #[cfg(target_os = "linux")]
    rustix::process::set_parent_process_death_signal(Some(rustix::process::Signal::KILL))
        .map_err(|error| Failure::io("asking to end with the parent", error.into()))?;
    Ok(())
}

/// Says something to the parent.
pub(crate) fn say<S: Serialize>(what: S) -> Result<(), Failure> {
    utter(&Uttered::Said(what))
}

fn utter(what: &Uttered<impl Serialize>) -> Result<(), Failure> {
    line::write(&mut io::stdout().lock(), what).map_err(|error| Failure::io("talking to the parent", error))
}
