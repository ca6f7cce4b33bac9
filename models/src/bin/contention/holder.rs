//! A holder: takes leases, lets effects be applied under them, and ends them in all ways there are.

use alloc::sync::Arc;
use core::mem;
use core::sync::atomic::{AtomicBool, Ordering};
use core::time::Duration;
use std::io::{self, BufReader};
use std::os::unix::net::UnixStream;
use std::path::PathBuf;
use std::{process, thread};

use epoch_fence::engine::file::{Directory, FileError, SystemHost};
use epoch_fence::protocol::{Claim, Pending, Ttl};
use epoch_fence::{
    BootClock as _, Ended, FencingToken, Issuer, Lease, NotAcquired, NotChanged, NotEnded, Resolution, Wait,
};
use fastrand::Rng;

use crate::host::FalseHost;
use crate::message::{self, Answer, Ask, End, HolderPart, Obstacle, Order, Rejection, Said, Who};
use crate::{Failure, cast};

/// How long an attempt goes on. Short, so that the pauses within it stay short.
const ROUND: Duration = Duration::from_millis(200);

/// Nothing that the resource does takes longer, unless it hangs.
const TO_ANSWER: Duration = Duration::from_secs(20);

/// Between two tries of whatever may be tried again.
const PAUSE: Duration = Duration::from_millis(5);

/// How often it is tried again before the run has failed: a minute of pauses, which is longer than any fault.
const TRIES: u32 = 12_000;

/// How often the end of a lease is tried again.
const ENDINGS: u32 = 3;

/// The longest pause within an effect, but for one that lingers.
const EFFECT_MICROS: u64 = 2_000;

/// The longest pause between two effects.
const THOUGHT_MICROS: u64 = 2_000;

/// How long an effect takes that lingers: longer than it takes to find its holder dead, and to take over.
const LINGER_MICROS: u64 = 400_000;

/// A lease of which less is left is renewed. A holder believes in a new one for 350 ms.
const RENEW_BELOW: Duration = Duration::from_millis(250);

/// Effects between two looks at the lease. A holder that is stopped among them does not know it.
const BATCH: u64 = 6;

type Store = Directory<FalseHost>;
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
    ttl: Ttl,
    clock: SystemHost,
    orders: Arc<Orders>,
    socket: PathBuf,
    stream: Option<BufReader<UnixStream>>,
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
    let holder = Holder {
        who: part.who,
        ttl: cast::ttl()?,
        clock,
        orders,
        socket: part.socket,
        stream: None,
        random: Rng::with_seed(part.seed),
        number: 0,
        known: None,
    };
    Ok((holder, Issuer::new(cast::file_options().open_with(&part.leases, host)?, clock)))
}

impl Holder {
    fn contend(&mut self, issuer: &Issuer<Store, SystemHost>) -> Result<(), Failure> {
        while !self.orders.finish.load(Ordering::Relaxed) {
            let mut claim = Claim::new(cast::resource(), cast::holder_id(self.who.holder)?, self.ttl);
            if let Some(known) = self.known {
                claim = claim.with_known_epoch(known.realm(), known.epoch());
            }
            let obstacle = match issuer.acquire(&claim, Wait::AtMost(ROUND)) {
                Ok(lease) => {
                    self.tenure(lease)?;
                    continue;
                }
                Err(NotAcquired::Held { .. }) => Obstacle::Held,
                Err(NotAcquired::Reserved { .. }) => Obstacle::Reserved,
                Err(NotAcquired::Contended) => Obstacle::Contended,
                Err(NotAcquired::Superseded) => Obstacle::Superseded,
                Err(NotAcquired::Failed(FileError::Busy { .. })) => Obstacle::Busy,
                Err(NotAcquired::Indeterminate(pending, _)) => match self.resolve(issuer, pending)? {
                    Some(lease) => {
                        self.tenure(lease)?;
                        continue;
                    }
                    None => Obstacle::Superseded,
                },
                Err(why) => return Err(why.to_string().into()),
            };
            say(&Said::NotGranted(obstacle))?;
        }
        Ok(())
    }

    fn resolve<'i>(
        &self,
        issuer: &'i Issuer<Store, SystemHost>,
        mut pending: Pending,
    ) -> Result<Option<Held<'i>>, Failure> {
        for _ in 0..TRIES {
            match issuer.resolve(pending) {
                Ok(Resolution::Granted(lease)) => return Ok(Some(lease)),
                Ok(Resolution::NotGranted | Resolution::Superseded) => return Ok(None),
                Err(unresolved) => pending = unresolved.into_pending(),
            }
            self.clock.pause(PAUSE);
        }
        Err("an attempt that could not be resolved".into())
    }

    fn tenure(&mut self, mut lease: Held<'_>) -> Result<(), Failure> {
        let token = lease.token();
        self.known = Some(token);
        say(&Said::Granted(token))?;
        for effect in 1..=self.random.u64(1..60) {
            if effect % BATCH == 0 && !self.look_after(&mut lease)? {
                break;
            }
            if self.orders.finish.load(Ordering::Relaxed) || self.ask(token)? == Asked::Refused {
                break;
            }
            self.clock.pause(Duration::from_micros(self.random.u64(0..THOUGHT_MICROS)));
        }
        let end = match self.random.u32(0..100) {
            0..50 => ended(lease.release()),
            50..75 => {
                let to = cast::holder_id(self.random.u32(0..cast::HOLDERS))?;
                ended(lease.hand_over(to, self.ttl))
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
        if lease.remaining() > RENEW_BELOW {
            return Ok(true);
        }
        match lease.renew() {
            Ok(_) => say(&Said::Renewed)?,
            Err(NotChanged::Failed(FileError::Busy { .. }) | NotChanged::Contended) => say(&Said::Busy)?,
            Err(NotChanged::Indeterminate(_)) => {}
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
        let pause_micros = if lingers { LINGER_MICROS } else { self.random.u64(0..EFFECT_MICROS) };
        let ask = Ask { token, who: self.who, number: self.number, pause_micros };
        for _ in 0..TRIES {
            match self.exchange(&ask) {
                Ok(Answer::Applied { value }) => {
                    say(&Said::Applied { effect: ask.effect(), value })?;
                    return Ok(Asked::Applied);
                }
                Ok(Answer::Rejected(why)) => {
                    let drains = why == Rejection::Draining;
                    say(&Said::Rejected { effect: ask.effect(), why })?;
                    if !drains {
                        return Ok(Asked::Refused);
                    }
                    self.clock.pause(PAUSE);
                }
                // A connection ends with the resource's process, and with it all that it did.
                Err(error) if is_gone(&error) => {
                    self.stream = None;
                    say(&Said::Unanswered)?;
                    return Ok(Asked::Unanswered);
                }
                Err(error) => return Err(error.into()),
            }
        }
        Err("the gate drains for ever".into())
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

/// What the store says of the end of a lease, asked a few times.
fn ended(first: Result<Ended, NotEnded<'_, Store, SystemHost>>) -> End {
    let mut answer = first;
    for _ in 0..ENDINGS {
        match answer {
            Ok(Ended::Released) => return End::Released,
            Ok(Ended::HandedOver) => return End::HandedOver,
            Ok(Ended::AlreadyLost) => return End::AlreadyLost,
            Err(not_ended) => answer = not_ended.retry(),
        }
    }
    End::Unknown
}
