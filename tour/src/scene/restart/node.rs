//! `Node`: a process that issues durable stamps as fast as it can say them, until it is killed.

use core::time::Duration;
use std::sync::mpsc;

use high_water::{Identity, Mark, MemoryMark, Options};
use hlc::{DurableClock, Packed, Source, SourceError, source};

use super::{
    Sabotage,
    cast::{Issued, Part},
};
use crate::{failure::Failure, parent};

/// How long the parent may take to say what the part is.
const TO_BE_TOLD: Duration = Duration::from_secs(5);

/// Plays the role; a kill ends it, or the end of the parent.
pub(crate) fn play() -> Result<(), Failure> {
    let (to, told) = mpsc::sync_channel::<Part>(1);
    parent::listen(to, |part| part);
    let part = told.recv_timeout(TO_BE_TOLD).map_err(|_| Failure::late("a part to play"))?;
    let real = source::SystemSource::new();
    let back = Duration::from_secs(part.seconds_back);
    let wall = source::from_fn(move || real.now()?.checked_sub(back).ok_or(SourceError::BeforeUnixEpoch));
    if part.sabotage == Some(Sabotage::ForgetBound) {
        return issue(&wall, MemoryMark::new(0));
    }
    // The directory for temporary files may be in memory: what is shown is a kill, not a power cut.
    let options = Options::new(Identity::from_bytes(*b"tour: restart  1"))
        .allow_volatile_file_system()
        .allow_unknown_file_system()
        .allow_network_file_system();
    let register = options.open_or_create(&part.file).map_err(Failure::clock)?;
    issue(&wall, register.into_mark())
}

fn issue(wall: &impl Source, mark: impl Mark) -> Result<(), Failure> {
    let mut clock = DurableClock::new(wall, mark);
    loop {
        let read = wall.now().map_err(Failure::clock)?;
        let stamp = clock.tick().map_err(Failure::clock)?.to_bits();
        let bound = clock.snapshot().bound().map_or(0, Packed::to_bits);
        let wall_micros = u64::try_from(read.to_duration().as_micros()).unwrap_or(u64::MAX);
        parent::say(Issued { wall_micros, stamp, bound })?;
    }
}
