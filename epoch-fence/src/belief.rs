//! `Belief`: what a holder knows of its own lease. Written once for leases that block and those that are awaited.

use core::time::Duration;

use crate::HolderId;
use crate::issuer::{Count, NotChanged, Outcome, Tally};
use crate::lease::Ended;
use crate::protocol::{BootTime, Command, Granted, Tenure, Ttl, View};

/// What a holder knows of its own lease.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Belief {
    granted: Granted,
    state: State,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    Believed,
    /// The store said so, or the deadline came during a renewal. For ever.
    Lost,
    /// Given up by the holder, who hears of it by other means.
    Ended,
}

impl Belief {
    pub(crate) const fn new(granted: Granted) -> Self {
        Self { granted, state: State::Believed }
    }

    pub(crate) const fn granted(&self) -> &Granted {
        &self.granted
    }

    pub(crate) const fn remaining(&self, now: BootTime) -> Duration {
        match self.state {
            State::Believed => self.granted.remaining(now),
            State::Lost | State::Ended => Duration::ZERO,
        }
    }

    /// What renews the lease, unless it is lost and stays so.
    pub(crate) fn renewal<E>(&mut self, now: BootTime, tally: &Tally) -> Result<Command, NotChanged<E>> {
        if self.remaining(now).is_zero() {
            return self.is_lost(tally);
        }
        Ok(Command::Renew { grant: self.granted.token().grant(), ttl: self.granted.ttl() })
    }

    /// Takes in what came of a renewal. Nothing but one that landed, and is known at `now` to have, extends the lease.
    pub(crate) fn renewed<E>(
        &mut self,
        change: Outcome<E>,
        now: BootTime,
        tally: &Tally,
    ) -> Result<Duration, NotChanged<E>> {
        match change {
            Ok((view, sent)) => match self.granted.renewed(&view, sent, now, self.granted.ttl()) {
                Some(granted) => {
                    self.granted = granted;
                    tally.count(Count::Renewed);
                    Ok(self.remaining(now))
                }
                None => self.is_lost(tally),
            },
            Err((NotChanged::Lost, _)) => self.is_lost(tally),
            Err((why, _)) => Err(tally.counted(why)),
        }
    }

    fn is_lost<T, E>(&mut self, tally: &Tally) -> Result<T, NotChanged<E>> {
        self.state = State::Lost;
        Err(tally.counted(NotChanged::Lost))
    }

    /// Gives the lease up.
    pub(crate) const fn end(&mut self) {
        self.state = State::Ended;
    }
}

/// The way in which a holder gives its lease up. Done twice, it is as good as done once.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Parting {
    granted: Granted,
    command: Command,
}

impl Parting {
    pub(crate) const fn release(granted: Granted) -> Self {
        Self { granted, command: Command::Release { grant: granted.token().grant() } }
    }

    pub(crate) const fn hand_over(granted: Granted, to: HolderId, keep: Ttl) -> Self {
        Self { granted, command: Command::HandOver { grant: granted.token().grant(), to, keep } }
    }

    pub(crate) const fn granted(&self) -> &Granted {
        &self.granted
    }

    pub(crate) const fn command(&self) -> Command {
        self.command
    }

    pub(crate) fn done<E>(&self, change: Outcome<E>, tally: &Tally) -> Result<Ended, NotChanged<E>> {
        match change {
            Ok((view, _)) => {
                tally.count(Count::Released);
                Ok(self.ended(&view))
            }
            Err((NotChanged::Lost, Some(view))) => {
                let ended = self.ended(&view);
                tally.count(match ended {
                    Ended::AlreadyLost => Count::AlreadyLost,
                    Ended::Released | Ended::HandedOver => Count::Released,
                });
                Ok(ended)
            }
            Err((why, _)) => Err(tally.counted(why)),
        }
    }

    /// What the record says became of the lease.
    fn ended(&self, view: &View) -> Ended {
        let (record, token) = (view.record(), self.granted.token());
        let own = record.realm() == token.realm() && record.epoch() == Some(token.epoch());
        match (*record.tenure(), self.command) {
            (Tenure::Free, Command::Release { .. }) if own => Ended::Released,
            (Tenure::Reserved { to: found, .. }, Command::HandOver { to, .. }) if own && found == to => {
                Ended::HandedOver
            }
            _ => Ended::AlreadyLost,
        }
    }
}
