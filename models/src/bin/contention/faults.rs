//! The fault loop: who is paused, killed, restarted and given a wrong wall clock, and when.

use core::time::Duration;
use std::path::PathBuf;

use epoch_fence::engine::file::{Directory, SystemHost};
use epoch_fence::protocol::{BootTime, Claim};
use epoch_fence::{BootClock as _, Issuer, RealmId, Wait};
use fastrand::Rng;

use crate::evidence::Evidence;
use crate::message::{Order, Rejection, Said, Who};
use crate::sightings::{Fault, Sightings, count};
use crate::troupe::{Due, Heard, Troupe};
use crate::{Failure, cast};

/// What is to be played.
#[derive(Debug)]
pub(crate) struct Run {
    /// An empty folder.
    pub(crate) folder: PathBuf,
    /// How long faults go on.
    pub(crate) length: Duration,
    pub(crate) seed: u64,
    pub(crate) gate: bool,
}

/// How often the head of the log is noted.
const TO_NOTE: Duration = Duration::from_millis(500);

/// How long everybody runs after the last fault, undisturbed.
const QUIET: Duration = Duration::from_secs(2);

/// How long the end of all holders may take.
const TO_FINISH: Duration = Duration::from_secs(30);

/// The parent hears, and looks what is due, at least this often.
const BEAT: Duration = Duration::from_millis(20);

/// For how long a holder is held up when the resource begins again.
const HELD_UP: Duration = Duration::from_millis(100);

/// Wall clocks are wrong by one of these, in seconds: a little, a leap of daylight saving, decades either way.
const WALL_SECONDS: [i64; 8] = [1, -1, 90, -90, 3_600, -3_600, 2_000_000_000, -2_000_000_000];

/// Plays a run, and returns what is left of it.
pub(crate) fn play(run: &Run) -> Result<(Evidence, Sightings), Failure> {
    let leases = cast::file_options().open_or_create(run.folder.join("leases"))?;
    let mut evidence = Evidence::default();
    let realm = first_tenure(&leases, &mut evidence)?;
    let mut director = Director {
        clock: SystemHost::new()?,
        random: Rng::with_seed(run.seed),
        troupe: Troupe::new(&run.folder, run.gate.then_some(realm)),
        leases,
        evidence,
        sightings: Sightings::default(),
        phase: Phase::Faults,
    };
    director.play(run.length)?;
    let Director { troupe, leases, evidence, sightings, .. } = director;
    drop(troupe);
    Ok((evidence.gather(&run.folder, &leases)?, sightings))
}

/// Begins the resource's realm, which the gate must know, by a tenure in which nothing is done.
fn first_tenure(leases: &Directory, evidence: &mut Evidence) -> Result<RealmId, Failure> {
    let issuer = Issuer::new(leases, SystemHost::new()?);
    let claim = Claim::new(cast::resource(), cast::holder_id(cast::HOLDERS)?, cast::ttl()?);
    let lease = issuer.acquire(&claim, Wait::AtOnce).map_err(|why| why.to_string())?;
    let token = lease.token();
    evidence.granted.push((Who { holder: cast::HOLDERS, life: 0 }, token));
    lease.release().map_err(|why| why.to_string())?;
    Ok(token.realm())
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Phase {
    Faults,
    /// No more faults. Holders that end by themselves begin again.
    Quiet,
    /// Whoever ends stays away.
    Finish,
}

struct Director {
    clock: SystemHost,
    random: Rng,
    troupe: Troupe,
    leases: Directory,
    evidence: Evidence,
    sightings: Sightings,
    phase: Phase,
}

impl Director {
    fn play(&mut self, length: Duration) -> Result<(), Failure> {
        self.troupe.start_resource()?;
        for holder in 0..cast::HOLDERS {
            self.troupe.start_holder(holder, &mut self.random)?;
        }
        let mut next_fault = self.after(TO_NOTE);
        self.attend(length, |director| {
            if director.has_come(next_fault) {
                director.inject()?;
                let gap = Duration::from_millis(director.random.u64(30..150));
                next_fault = director.after(gap);
            }
            Ok(true)
        })?;
        self.phase = Phase::Quiet;
        self.troupe.holders.iter_mut().for_each(|slot| slot.tell(Order::Calm));
        // What is stopped goes on, and what is dead begins again.
        self.attend(TO_FINISH, |director| Ok(!director.is_undisturbed()))?;
        if !self.is_undisturbed() {
            return Err("somebody stays stopped or away".into());
        }
        self.attend(QUIET, |_| Ok(true))?;
        self.phase = Phase::Finish;
        self.troupe.holders.iter_mut().for_each(|slot| slot.tell(Order::Finish));
        self.attend(TO_FINISH, |director| Ok(director.troupe.holders.iter().any(|slot| slot.is_running())))?;
        if self.troupe.holders.iter().any(|slot| slot.is_running()) {
            return Err("a holder does not end".into());
        }
        self.note_head();
        Ok(())
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
                self.note_head();
                next_note = self.after(TO_NOTE);
            }
            for holder in 0..cast::HOLDERS {
                self.do_what_is_due(holder)?;
            }
            self.tend_the_resource()?;
            // What is there is taken at once, up to a bound, so that nothing of the above waits for long.
            let mut wait = BEAT;
            for _ in 0..1_000 {
                let Some((who, heard)) = self.troupe.hear(wait)? else { break };
                self.take(who, heard)?;
                wait = Duration::ZERO;
            }
        }
        Ok(())
    }

    fn after(&self, wait: Duration) -> BootTime {
        self.clock.now().saturating_add(wait)
    }

    fn has_come(&self, moment: BootTime) -> bool {
        self.clock.now() >= moment
    }

    fn is_undisturbed(&self) -> bool {
        let Troupe { holders, resource, .. } = &self.troupe;
        resource.is_idle() && holders.iter().all(|slot| slot.is_idle())
    }

    fn note_head(&mut self) {
        match self.leases.verify(cast::resource(), None).map(|verified| verified.head()) {
            Ok(head) if self.evidence.noted.last() == Some(&head) => {}
            Ok(head) => self.evidence.noted.push(head),
            Err(why) => self.evidence.log_fault = Some(format!("in the midst of the run: {why}")),
        }
    }

    /// Does something to somebody, where there is somebody to whom nothing is done yet.
    fn inject(&mut self) -> Result<(), Failure> {
        match self.random.u32(0..100) {
            0..7 => return self.disturb_the_resource(),
            7..22 => {
                let holder = self.random.u32(0..cast::HOLDERS);
                let seconds = self.random.choice(WALL_SECONDS).unwrap_or(0);
                self.troupe.holder(holder)?.tell(Order::WallOffBy { seconds });
                self.sightings.fault(Fault::WallClockStepped);
                return Ok(());
            }
            _ => {}
        }
        let Some(holder) = self.victim()? else { return Ok(()) };
        match self.random.u32(0..94) {
            0..18 => {
                let pause = self.millis(5..120);
                self.stop(holder, Fault::HolderPaused, pause)
            }
            18..36 => {
                let pause = self.past_a_lease();
                self.stop(holder, Fault::HolderPausedPastItsLease, pause)
            }
            36..52 => {
                let absence = self.millis(0..300);
                self.kill(holder, Fault::HolderKilled, absence)
            }
            52..70 => {
                self.troupe.holder(holder)?.tell(Order::StopInSwap);
                Ok(())
            }
            _ => {
                self.troupe.holder(holder)?.tell(Order::Linger);
                Ok(())
            }
        }
    }

    /// More often than not the one who holds.
    fn victim(&mut self) -> Result<Option<u32>, Failure> {
        let idle: Vec<(u32, bool)> = (0..)
            .zip(&self.troupe.holders)
            .filter(|(_, slot)| slot.is_idle())
            .map(|(holder, slot)| (holder, slot.holds))
            .collect();
        let holders = idle.iter().filter(|(_, holds)| *holds).map(|(holder, _)| *holder);
        let chosen = self.random.choice(idle.iter().map(|(holder, _)| *holder));
        Ok(if self.random.u32(0..10) < 6 {
            self.random.choice(holders.collect::<Vec<_>>()).or(chosen)
        } else {
            chosen
        })
    }

    fn millis(&mut self, range: core::ops::Range<u64>) -> Duration {
        Duration::from_millis(self.random.u64(range))
    }

    fn past_a_lease(&mut self) -> Duration {
        cast::TTL.saturating_add(self.millis(50..1_500))
    }

    fn stop(&mut self, holder: u32, fault: Fault, pause: Duration) -> Result<(), Failure> {
        let resume = (self.after(pause), Due::Resume);
        let slot = self.troupe.holder(holder)?;
        slot.stop()?;
        slot.due = Some(resume);
        self.sightings.fault(fault);
        Ok(())
    }

    fn kill(&mut self, holder: u32, fault: Fault, absence: Duration) -> Result<(), Failure> {
        let restart = (self.after(absence), Due::Restart);
        let slot = self.troupe.holder(holder)?;
        slot.kill();
        slot.due = Some(restart);
        self.sightings.fault(fault);
        Ok(())
    }

    fn disturb_the_resource(&mut self) -> Result<(), Failure> {
        if !self.troupe.resource.is_idle() {
            return Ok(());
        }
        let kills = self.happened(Fault::ResourceKilled) <= self.happened(Fault::ResourcePaused);
        let (fault, due) = if kills {
            self.troupe.resource.kill();
            let absence = self.millis(0..200);
            (Fault::ResourceKilled, (self.after(absence), Due::Restart))
        } else {
            self.troupe.resource.stop()?;
            let pause = self.millis(10..300);
            (Fault::ResourcePaused, (self.after(pause), Due::Resume))
        };
        self.troupe.resource.due = Some(due);
        self.sightings.fault(fault);
        Ok(())
    }

    fn tend_the_resource(&mut self) -> Result<(), Failure> {
        if self.troupe.resource.is_gone()? {
            return Err("the resource ended by itself".into());
        }
        let Some((_, due)) = self.troupe.resource.due.filter(|(moment, _)| self.has_come(*moment)) else {
            return Ok(());
        };
        self.troupe.resource.due = None;
        if due != Due::Restart {
            return self.troupe.resource.resume();
        }
        // Whoever holds is held up, and whoever is stopped wakes, so that an old token is the first that the new process
        // sees, where there is one.
        for holder in 0..cast::HOLDERS {
            let slot = self.troupe.holder(holder)?;
            if slot.is_idle() && slot.holds && self.phase == Phase::Faults {
                self.stop(holder, Fault::HolderPaused, HELD_UP)?;
            }
        }
        self.troupe.start_resource()?;
        let now = self.clock.now();
        for due in self.troupe.holders.iter_mut().filter_map(|slot| slot.due.as_mut()) {
            if due.1 == Due::Resume && due.0 > now.saturating_add(HELD_UP) {
                due.0 = now;
            }
        }
        Ok(())
    }

    fn do_what_is_due(&mut self, holder: u32) -> Result<(), Failure> {
        let due = self.troupe.holder(holder)?.due;
        let Some((_, due)) = due.filter(|(moment, _)| self.has_come(*moment)) else { return Ok(()) };
        self.troupe.holder(holder)?.due = None;
        match due {
            Due::Resume => {
                let again = self.after(Duration::from_millis(100));
                let slot = self.troupe.holder(holder)?;
                slot.resume()?;
                // It may have said that it stops, and been about to.
                slot.due = core::mem::take(&mut slot.in_swap).then_some((again, Due::Resume));
                Ok(())
            }
            Due::Restart if self.phase == Phase::Finish => Ok(()),
            Due::Restart => self.troupe.start_holder(holder, &mut self.random),
            Due::Kill(fault) => {
                let absence = self.millis(0..300);
                self.kill(holder, fault, absence)
            }
            Due::Stop(fault) => {
                let pause = self.past_a_lease();
                self.stop(holder, fault, pause)
            }
        }
    }

    /// Keeps what a holder said, or takes note of its end.
    fn take(&mut self, who: Who, heard: Heard) -> Result<(), Failure> {
        let said = match heard {
            Heard::Said(said) => said,
            Heard::End => return self.ended(who),
        };
        self.follow(who, &said)?;
        let sightings = &mut self.sightings;
        let counted = match said {
            Said::Granted(token) => {
                self.evidence.granted.push((who, token));
                return Ok(());
            }
            Said::NotGranted(obstacle) => {
                count(&mut sightings.obstacles, obstacle);
                return Ok(());
            }
            Said::Ended(end) => {
                count(&mut sightings.ends, end);
                return Ok(());
            }
            Said::Applied { effect, value } => {
                self.evidence.acknowledged.push((effect, value));
                &mut sightings.after_faults
            }
            Said::Rejected { effect, why: Rejection::Wrong(why) } => {
                self.evidence.wrong.push((effect, why));
                return Ok(());
            }
            Said::Rejected { why: Rejection::Stale, .. } => &mut sightings.stale,
            Said::Rejected { why: Rejection::Draining, .. } => &mut sightings.draining,
            Said::Renewed => &mut sightings.renewed,
            Said::Busy => &mut sightings.busy,
            Said::Lost => &mut sightings.lost,
            Said::Unanswered => &mut sightings.unanswered,
            Said::InSwap | Said::Lingers => return Ok(()),
            Said::Gave(why) => return Err(format!("holder {} could not go on: {why}", who.holder).into()),
        };
        *counted = counted.saturating_add(1);
        Ok(())
    }

    /// Does what a word of a holder calls for, if it is still alive.
    fn follow(&mut self, who: Who, said: &Said) -> Result<(), Failure> {
        let slot = self.troupe.holder(who.holder)?;
        if slot.life() != who.life || !slot.is_running() {
            return Ok(());
        }
        match said {
            Said::Granted(_) => slot.holds = true,
            Said::Ended(_) | Said::Lost => slot.holds = false,
            Said::InSwap => {
                slot.in_swap = true;
                if slot.due.is_none() {
                    let pause = self.millis(200..900);
                    let due = if self.happened(Fault::HolderStoppedInSwap)
                        <= self.happened(Fault::HolderKilledInSwap)
                    {
                        // It has stopped itself.
                        self.sightings.fault(Fault::HolderStoppedInSwap);
                        Due::Resume
                    } else {
                        Due::Kill(Fault::HolderKilledInSwap)
                    };
                    let moment = self.after(pause);
                    self.troupe.holder(who.holder)?.due = Some((moment, due));
                }
            }
            Said::Lingers if slot.due.is_none() => {
                let due = if self.happened(Fault::HolderKilledInEffect)
                    <= self.happened(Fault::HolderPausedInEffect)
                {
                    Due::Kill(Fault::HolderKilledInEffect)
                } else {
                    Due::Stop(Fault::HolderPausedInEffect)
                };
                let moment = self.after(Duration::from_millis(20));
                self.troupe.holder(who.holder)?.due = Some((moment, due));
            }
            Said::Lingers
            | Said::NotGranted(_)
            | Said::Renewed
            | Said::Busy
            | Said::Applied { .. }
            | Said::Rejected { .. }
            | Said::Unanswered
            | Said::Gave(_) => {}
        }
        Ok(())
    }

    /// How often it was. Of two faults that call for the same moment the one comes next that was less often.
    fn happened(&self, fault: Fault) -> u64 {
        self.sightings.faults.get(&fault).copied().unwrap_or(0)
    }

    fn ended(&mut self, who: Who) -> Result<(), Failure> {
        let slot = self.troupe.holder(who.holder)?;
        // Of one that was killed the end was expected, and its next life may have begun.
        if slot.life() != who.life || !slot.is_running() {
            return Ok(());
        }
        if !slot.ended()? {
            return Err(format!("holder {} ended by itself, and not well", who.holder).into());
        }
        let absence = self.millis(0..100);
        let restart = (self.after(absence), Due::Restart);
        self.troupe.holder(who.holder)?.due = Some(restart);
        Ok(())
    }
}
