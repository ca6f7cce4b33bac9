//! What the director makes of the words of holders.

use core::time::Duration;

use crate::Failure;
use crate::director::Director;
use crate::message::{Outcome, Rejection, Said, Who};
use crate::sightings::{Fault, count};
use crate::troupe::{Due, Heard};

impl Director {
    /// Keeps what a holder said, or takes note of its end.
    pub(crate) fn take(&mut self, who: Who, heard: Heard) -> Result<(), Failure> {
        let said = match heard {
            Heard::Said(said) => said,
            Heard::End => return self.ended(who),
        };
        self.follow(who, &said)?;
        let sightings = &mut self.sightings;
        let counted = match said {
            Said::Granted(grant) => {
                self.evidence.granted.push((who, grant));
                return Ok(());
            }
            Said::Unknown(attempt) => {
                count(&mut sightings.unknown, attempt);
                return Ok(());
            }
            Said::Resolved(outcome) => {
                sightings.resolved(outcome);
                if let Outcome::NotGranted(grant) = outcome {
                    self.evidence.never.insert(grant);
                }
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
            Said::NotRenewed => &mut sightings.not_renewed,
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
            | Said::NotRenewed
            | Said::Unknown(_)
            | Said::Resolved(_)
            | Said::Applied { .. }
            | Said::Rejected { .. }
            | Said::Unanswered
            | Said::Gave(_) => {}
        }
        Ok(())
    }

    /// How often it was. Of two faults that call for the same moment the one comes next that was less often.
    pub(crate) fn happened(&self, fault: Fault) -> u64 {
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
