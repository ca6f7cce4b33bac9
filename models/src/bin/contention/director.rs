//! `Director`: hears everybody, does what is due, and keeps what was said.

use core::time::Duration;

use epoch_fence::BootClock as _;
use epoch_fence::engine::file::SystemHost;
use epoch_fence::protocol::BootTime;
use fastrand::Rng;

use crate::cast::Kind;
use crate::evidence::Evidence;
use crate::faults::Run;
use crate::ground::Ground;
use crate::havoc::Word;
use crate::message::Order;
use crate::sightings::Sightings;
use crate::troupe::Troupe;
use crate::{Failure, cast};

/// How often the head of a log is noted.
const TO_NOTE: Duration = Duration::from_millis(500);

/// How long everybody runs after the last fault, undisturbed.
const QUIET: Duration = Duration::from_secs(2);

/// How long the end of all holders may take.
const TO_FINISH: Duration = Duration::from_secs(30);

/// For how much longer faults go on in a run that has not seen all that it must, and how often.
const LONGER: Duration = Duration::from_secs(5);
const LONGER_TIMES: u32 = 12;

/// The parent hears, and looks what is due, at least this often.
const BEAT: Duration = Duration::from_millis(20);

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Phase {
    Faults,
    /// No more faults. Holders that end by themselves begin again.
    Quiet,
    /// Whoever ends stays away.
    Finish,
}

pub(crate) struct Director {
    pub(crate) clock: SystemHost,
    pub(crate) random: Rng,
    pub(crate) troupe: Troupe,
    pub(crate) ground: Ground,
    pub(crate) kind: Kind,
    pub(crate) evidence: Evidence,
    pub(crate) sightings: Sightings,
    pub(crate) phase: Phase,
    pub(crate) gate: bool,
    next_fault: BootTime,
}

impl Director {
    pub(crate) fn new(
        run: &Run,
        clock: SystemHost,
        random: Rng,
        troupe: Troupe,
        ground: Ground,
        evidence: Evidence,
    ) -> Self {
        let next_fault = clock.now().saturating_add(TO_NOTE);
        let (kind, gate, sightings) = (run.kind, run.gate, Sightings::default());
        Self {
            clock,
            random,
            troupe,
            ground,
            kind,
            evidence,
            sightings,
            phase: Phase::Faults,
            gate,
            next_fault,
        }
    }

    /// Plays the whole run, and leaves no holder.
    pub(crate) fn play(&mut self, length: Duration) -> Result<(), Failure> {
        self.troupe.start_resource()?;
        for holder in 0..cast::HOLDERS {
            self.troupe.start_holder(holder, &mut self.random)?;
        }
        self.next_fault = self.after(TO_NOTE);
        self.disturb(length)?;
        // What a log tells is seen at the end alone. Of a run without the gate the first violation is enough.
        let mut times = 0;
        while self.kind.is_server() && self.gate && times < LONGER_TIMES && self.has_not_seen_all() {
            self.disturb(LONGER)?;
            times = times.saturating_add(1);
        }
        self.phase = Phase::Quiet;
        self.ground.calm();
        self.troupe.holders.iter_mut().for_each(|slot| slot.tell(Order::Calm));
        // What is stopped goes on, and what is dead begins again.
        self.attend(TO_FINISH, |director| Ok(!director.is_undisturbed()))?;
        if !self.is_undisturbed() {
            return Err("somebody stays stopped or away".into());
        }
        self.attend(QUIET.max(self.kind.ttl().saturating_mul(2)), |_| Ok(true))?;
        self.phase = Phase::Finish;
        self.troupe.holders.iter_mut().for_each(|slot| slot.tell(Order::Finish));
        self.attend(TO_FINISH, |director| Ok(director.troupe.holders.iter().any(|slot| slot.is_running())))?;
        if self.troupe.holders.iter().any(|slot| slot.is_running()) {
            return Err("a holder does not end".into());
        }
        self.ground.note(&mut self.evidence);
        Ok(())
    }

    /// Gives up the processes, and hands over what is left.
    pub(crate) fn finish(self) -> (Ground, Evidence, Sightings) {
        drop(self.troupe);
        (self.ground, self.evidence, self.sightings)
    }

    /// Lets faults happen for so long.
    fn disturb(&mut self, length: Duration) -> Result<(), Failure> {
        self.attend(length, |director| {
            if director.has_come(director.next_fault) {
                director.inject()?;
                let tenth = director.random.u64(3..15);
                // Without the gate the store is left well, and holders are disturbed the more: what shows is the gate.
                let kind = if director.gate { director.kind } else { Kind::File };
                let gap = Duration::from_millis(tenth.saturating_mul(kind.tenths()));
                director.next_fault = director.after(gap);
            }
            Ok(true)
        })
    }

    fn has_not_seen_all(&self) -> bool {
        !self.sightings.unseen(self.kind, &self.evidence).is_empty()
    }

    /// Hears what is said and does what is due, for so long or until `more` says no.
    fn attend(
        &mut self,
        length: Duration,
        mut more: impl FnMut(&mut Self) -> Result<bool, Failure>,
    ) -> Result<(), Failure> {
        let end = self.after(length);
        let mut next_note = self.after(TO_NOTE);
        while !self.has_come(end) && more(self)? {
            if self.has_come(next_note) {
                self.ground.note(&mut self.evidence);
                next_note = self.after(TO_NOTE);
            }
            self.hear_the_servers()?;
            for holder in 0..cast::HOLDERS {
                self.do_what_is_due(holder)?;
            }
            self.tend_the_resource()?;
            self.look();
            // What is there is taken at once, up to a bound, so that nothing of the above waits for long.
            let mut wait = BEAT;
            for _ in 0..1_000 {
                let Some((who, heard)) = self.troupe.hear(wait)? else { break };
                self.take(who, heard)?;
                self.look();
                wait = Duration::ZERO;
            }
        }
        Ok(())
    }

    /// Takes note of what happened to the servers.
    fn hear_the_servers(&mut self) -> Result<(), Failure> {
        for word in self.ground.words()? {
            match word {
                Word::Fault(fault) => self.sightings.fault(fault),
                Word::Outage(from, to) => self.evidence.outages.push((from, to)),
            }
        }
        Ok(())
    }

    /// Takes note of whether anybody could act.
    fn look(&mut self) {
        if self.phase == Phase::Faults {
            let holds = self.troupe.holders.iter().any(|slot| slot.can_act());
            self.sightings.availability.look(self.clock.now().since_start(), holds);
        }
    }

    pub(crate) fn after(&self, wait: Duration) -> BootTime {
        self.clock.now().saturating_add(wait)
    }

    pub(crate) fn has_come(&self, moment: BootTime) -> bool {
        self.clock.now() >= moment
    }

    fn is_undisturbed(&self) -> bool {
        let Troupe { holders, resource, .. } = &self.troupe;
        self.ground.is_calm() && resource.is_idle() && holders.iter().all(|slot| slot.is_idle())
    }
}
