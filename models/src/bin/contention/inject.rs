//! What the director does to holders and the resource, and when it takes it back.

use core::ops::Range;
use core::time::Duration;

use crate::Failure;
use epoch_fence::BootClock as _;

use crate::cast::{self, Kind};
use crate::director::{Director, Phase};
use crate::message::Order;
use crate::sightings::Fault;
use crate::troupe::Due;

/// For how long a holder is held up when the resource begins again.
const HELD_UP: Duration = Duration::from_millis(100);

/// Wall clocks are wrong by one of these, in seconds: a little, a leap of daylight saving, decades either way.
const WALL_SECONDS: [i64; 8] = [1, -1, 90, -90, 3_600, -3_600, 2_000_000_000, -2_000_000_000];

impl Director {
    /// Does something to somebody, where there is somebody to whom nothing is done yet.
    pub(crate) fn inject(&mut self) -> Result<(), Failure> {
        if self.kind.is_server() && !self.gate {
            return self.make_stale();
        }
        match self.random.u32(0..100) {
            0..7 => return self.disturb_the_resource(),
            // No server looks at a holder's wall clock.
            7..22 if self.kind == Kind::File => {
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

    /// Stops whoever holds past its lease, or in the midst of an effect that takes as long. Leases of a server are long, and
    /// a run without the gate is short: all of it goes to what the gate is there for.
    fn make_stale(&mut self) -> Result<(), Failure> {
        let holds = (0..).zip(&self.troupe.holders).find(|(_, slot)| slot.is_idle() && slot.holds);
        let Some((holder, _)) = holds else { return Ok(()) };
        if self.random.bool() {
            let pause = self.past_a_lease();
            self.stop(holder, Fault::HolderPausedPastItsLease, pause)
        } else {
            self.troupe.holder(holder)?.tell(Order::Linger);
            Ok(())
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

    pub(crate) fn millis(&mut self, range: Range<u64>) -> Duration {
        Duration::from_millis(self.random.u64(range))
    }

    fn past_a_lease(&mut self) -> Duration {
        self.kind.ttl().saturating_add(self.millis(50..1_500))
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

    pub(crate) fn tend_the_resource(&mut self) -> Result<(), Failure> {
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

    pub(crate) fn do_what_is_due(&mut self, holder: u32) -> Result<(), Failure> {
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
}
