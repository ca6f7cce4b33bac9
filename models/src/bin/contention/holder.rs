//! A holder: takes leases, lets effects be applied under them, and ends them in all ways there are.

use alloc::sync::Arc;
use core::mem;
use core::sync::atomic::{AtomicBool, Ordering};
use core::time::Duration;
use std::io::{self, BufReader};
use std::{process, thread};

use epoch_fence::engine::file::{FileError, SystemHost};
use epoch_fence::protocol::{BootTime, Claim, Pending, Ttl};
use epoch_fence::{
    BootClock as _, Ended, FencingToken, Issuer, Lease, NotAcquired, NotChanged, NotEnded, Resolution, Wait,
};
use fastrand::Rng;

use crate::cast::Kind;
use crate::connection::Connection;
use crate::host::FalseHost;
use crate::message::{
    self, Answer, Ask, Attempt, End, Grant, HolderPart, Obstacle, Order, Outcome, Rejection, Said, Who,
};
use crate::store::{Store, StoreError};
use crate::{Failure, cast};

/// How long an attempt goes on. Short, so that the pauses within it stay short.
const ROUND: Duration = Duration::from_millis(200);

/// Between two tries of whatever may be tried again.
const PAUSE: Duration = Duration::from_millis(5);

/// Between two tries to reach a store.
const AWAY: Duration = Duration::from_millis(25);

/// How often it is tried again before the run has failed: a minute of pauses, which is longer than any fault.
const TRIES: u32 = 12_000;

/// How often the end of a lease is tried again.
const ENDINGS: u32 = 3;

/// The longest pause within an effect, but for one that lingers.
const EFFECT_MICROS: u64 = 2_000;

/// The longest pause between two effects.
const THOUGHT_MICROS: u64 = 2_000;

/// Effects between two looks at the lease. A holder that is stopped among them does not know it.
const BATCH: u64 = 6;

type Held<'i> = Lease<'i, Store, SystemHost>;

/// Plays the role until it is told to finish, or its parent is gone.
pub(crate) fn play() -> Result<(), Failure> {
    let played = begin().and_then(|(mut holder, issuer)| holder.contend(&issuer));
    if let Err(why) = &played {
        say(&Said::Gave(why.to_string()))?;
    }
    played
}

fn say(what: &Said) -> io::Result<()> {
    message::write(io::stdout().lock(), what)
}

/// What the parent's orders have set.
#[derive(Debug, Default)]
struct Orders {
    linger: AtomicBool,
    finish: AtomicBool,
}

#[derive(Debug)]
struct Holder {
    who: Who,
    kind: Kind,
    ttl: Ttl,
    clock: SystemHost,
    orders: Arc<Orders>,
    resource: Connection,
    random: Rng,
    /// Effects that were asked for.
    number: u64,
    /// The last token that it had.
    known: Option<FencingToken>,
}

/// What came of asking for an effect.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Asked {
    Applied,
    /// The resource went away. The effect may have been applied or not.
    Unanswered,
    /// The tenure is over.
    Refused,
}

fn begin() -> Result<(Holder, Issuer<Store, SystemHost>), Failure> {
    let mut told = BufReader::new(io::stdin());
    let part: HolderPart = message::read(&mut told)?.ok_or("no part to play")?;
    let clock = SystemHost::new()?;
    let host = FalseHost::new(clock);
    let orders = Arc::new(Orders::default());
    let (heeded, off) = (Arc::clone(&orders), host.clone());
    thread::spawn(move || {
        while let Ok(Some(order)) = message::read(&mut told) {
            match order {
                Order::WallOffBy { seconds } => off.wall_off_by(seconds),
                Order::StopInSwap => off.stop_in_swap(true),
                Order::Linger => heeded.linger.store(true, Ordering::Relaxed),
                Order::Calm => {
                    off.stop_in_swap(false);
                    heeded.linger.store(false, Ordering::Relaxed);
                }
                Order::Finish => heeded.finish.store(true, Ordering::Relaxed),
            }
        }
        process::exit(0);
    });
    let kind = part.leases.kind();
    let holder = Holder {
        who: part.who,
        kind,
        ttl: cast::ttl(kind)?,
        clock,
        orders,
        resource: Connection::new(part.socket, clock),
        random: Rng::with_seed(part.seed),
        number: 0,
        known: None,
    };
    Ok((holder, Issuer::new(part.leases.open(host)?, clock)))
}

impl Holder {
    fn finishes(&self) -> bool {
        self.orders.finish.load(Ordering::Relaxed)
    }

    fn contend(&mut self, issuer: &Issuer<Store, SystemHost>) -> Result<(), Failure> {
        while !self.finishes() {
            let mut claim = Claim::new(cast::resource(), cast::holder_id(self.who.holder)?, self.ttl);
            if let Some(known) = self.known {
                claim = claim.with_known_epoch(known.realm(), known.epoch());
            }
            let asked = self.clock.now();
            match issuer.acquire(&claim, Wait::AtMost(ROUND)) {
                Ok(lease) => self.tenure(lease, asked)?,
                Err(NotAcquired::Indeterminate(pending, _)) => {
                    say(&Said::Unknown(Attempt::Acquire))?;
                    if let Some(lease) = self.resolve(issuer, pending)? {
                        self.tenure(lease, asked)?;
                    }
                }
                Err(why) => {
                    let obstacle = obstacle(why)?;
                    say(&Said::NotGranted(obstacle))?;
                    if obstacle == Obstacle::Unreachable {
                        self.clock.pause(AWAY);
                    }
                }
            }
        }
        Ok(())
    }

    /// Finds out what became of an attempt, or tries it again as it was first.
    fn resolve<'i>(
        &mut self,
        issuer: &'i Issuer<Store, SystemHost>,
        mut pending: Pending,
    ) -> Result<Option<Held<'i>>, Failure> {
        let grant = pending.grant();
        for _ in 0..TRIES {
            let outcome = if self.random.u32(0..4) == 0 {
                match issuer.retry(pending) {
                    Ok(lease) => return granted(lease),
                    Err(NotAcquired::Indeterminate(again, _)) => Err(again),
                    Err(NotAcquired::Superseded) => Ok(Outcome::Superseded),
                    Err(why) => obstacle(why).map(|_| Ok(Outcome::Overtaken))?,
                }
            } else {
                match issuer.resolve(pending) {
                    Ok(Resolution::Granted(lease)) => return granted(lease),
                    Ok(Resolution::NotGranted) => Ok(Outcome::NotGranted(grant)),
                    Ok(Resolution::Superseded) => Ok(Outcome::Superseded),
                    Err(unresolved) => Err(unresolved.into_pending()),
                }
            };
            match outcome {
                Ok(outcome) => {
                    say(&Said::Resolved(outcome))?;
                    return Ok(None);
                }
                Err(again) => pending = again,
            }
            self.clock.pause(PAUSE);
        }
        Err("an attempt that could not be resolved".into())
    }

    fn tenure(&mut self, mut lease: Held<'_>, asked: BootTime) -> Result<(), Failure> {
        let token = lease.token();
        self.known = Some(token);
        let heard = self.clock.now().since_start();
        say(&Said::Granted(Grant { token, asked: asked.since_start(), heard }))?;
        for effect in 1..=self.random.u64(1..self.kind.effects()) {
            if effect % BATCH == 0 && !self.look_after(&mut lease)? {
                break;
            }
            if self.finishes() || self.ask(token)? == Asked::Refused {
                break;
            }
            self.clock.pause(Duration::from_micros(self.random.u64(0..THOUGHT_MICROS)));
        }
        let end = match self.random.u32(0..100) {
            0..50 => ended(lease.release())?,
            50..75 => {
                let to = cast::holder_id(self.random.u32(0..cast::HOLDERS))?;
                ended(lease.hand_over(to, self.ttl))?
            }
            75..85 => {
                mem::forget(lease);
                End::Left
            }
            _ => {
                say(&Said::Ended(End::Exit))?;
                process::exit(0);
            }
        };
        say(&Said::Ended(end))?;
        Ok(())
    }

    /// Renews the lease when it is time; false when it is lost.
    fn look_after(&self, lease: &mut Held<'_>) -> Result<bool, Failure> {
        if lease.remaining() > self.kind.renew_below() {
            return Ok(true);
        }
        match lease.renew() {
            Ok(_) => say(&Said::Renewed)?,
            Err(NotChanged::Failed(why)) if why.passes() => say(&Said::NotRenewed)?,
            Err(NotChanged::Contended) => say(&Said::NotRenewed)?,
            Err(NotChanged::Indeterminate(_)) => say(&Said::Unknown(Attempt::Renew))?,
            Err(NotChanged::Lost) => {
                say(&Said::Lost)?;
                return Ok(false);
            }
            Err(why) => return Err(why.to_string().into()),
        }
        Ok(true)
    }

    /// Asks for one effect, and again while the gate drains.
    fn ask(&mut self, token: FencingToken) -> Result<Asked, Failure> {
        self.number = self.number.saturating_add(1);
        let lingers = self.orders.linger.swap(false, Ordering::Relaxed);
        if lingers {
            say(&Said::Lingers)?;
        }
        let pause = if lingers {
            self.kind.linger()
        } else {
            Duration::from_micros(self.random.u64(0..EFFECT_MICROS))
        };
        let ask = Ask { token, who: self.who, number: self.number, pause };
        for _ in 0..TRIES {
            match self.resource.ask(&ask)? {
                Some(Answer::Applied { value }) => {
                    say(&Said::Applied { effect: ask.effect(), value })?;
                    return Ok(Asked::Applied);
                }
                Some(Answer::Rejected(why)) => {
                    let drains = why == Rejection::Draining;
                    say(&Said::Rejected { effect: ask.effect(), why })?;
                    if !drains {
                        return Ok(Asked::Refused);
                    }
                    self.clock.pause(PAUSE);
                }
                None => {
                    say(&Said::Unanswered)?;
                    return Ok(Asked::Unanswered);
                }
            }
        }
        Err("the gate drains for ever".into())
    }
}

fn granted(lease: Held<'_>) -> Result<Option<Held<'_>>, Failure> {
    say(&Said::Resolved(Outcome::Granted))?;
    Ok(Some(lease))
}

/// What is in the way of a claim; an error where it is nothing that may be.
fn obstacle(why: NotAcquired<StoreError>) -> Result<Obstacle, Failure> {
    Ok(match why {
        NotAcquired::Held { .. } => Obstacle::Held,
        NotAcquired::Reserved { .. } => Obstacle::Reserved,
        NotAcquired::Contended => Obstacle::Contended,
        NotAcquired::Superseded => Obstacle::Superseded,
        NotAcquired::Failed(StoreError::File(FileError::Busy { .. })) => Obstacle::Busy,
        NotAcquired::Failed(why) if why.passes() => Obstacle::Unreachable,
        why => return Err(why.to_string().into()),
    })
}

/// What the store says of the end of a lease, asked a few times.
fn ended(first: Result<Ended, NotEnded<'_, Store, SystemHost>>) -> Result<End, Failure> {
    let mut answer = first;
    for _ in 0..ENDINGS {
        match answer {
            Ok(Ended::Released) => return Ok(End::Released),
            Ok(Ended::HandedOver) => return Ok(End::HandedOver),
            Ok(Ended::AlreadyLost) => return Ok(End::AlreadyLost),
            Err(not_ended) => {
                if matches!(not_ended.why(), NotChanged::Indeterminate(_)) {
                    say(&Said::Unknown(Attempt::End))?;
                }
                answer = not_ended.retry();
            }
        }
    }
    Ok(End::Unknown)
}
