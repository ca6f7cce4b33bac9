//! Operation sequences on the durable clocks of `hlc` and `lamport`, over a register on a simulated disk that fails,
//! against a naive model. Whatever becomes of the disk, no life issues what an earlier one did, nothing is above the
//! bound, and a refused call leaves clock and bound as they were.

use core::num::NonZeroU32;
use std::sync::Arc;

use arbitrary::{Arbitrary, Unstructured};
use high_water::{Fate, Fault, FaultMedium, FileMark, Identity, Options};
use hlc::{Timestamp, source::ManualSource};
use lamport::Time;

const OPTIONS: Options = Options::new(Identity::from_bytes(*b"a durable clock."));

#[derive(Arbitrary, Debug)]
struct Script {
    physical: bool,
    shared: bool,
    steps: Vec<Step>,
}

#[derive(Arbitrary, Clone, Copy, Debug)]
enum Step {
    /// The physical clock goes on, or back, by so many milliseconds.
    Wall(i16),
    Tick,
    Reserve(u8),
    Observe(Remote),
    Merge(Remote),
    Committed(Remote),
    Upkeep,
    /// A call to the disk fails, so many calls from now.
    Fault {
        after: u8,
        errno: bool,
    },
    /// The next sync fails, and the cache keeps what the disk may not have. At most one between two acknowledgements,
    /// as FORMAT.md of `high-water` assumes.
    FailSync(u8),
    Reopen,
    Kill,
    PowerCut(u16),
}

#[derive(Arbitrary, Clone, Copy, Debug)]
enum Remote {
    Anywhere(u64),
    /// So far from the last number.
    Near(i32),
    /// So far from the greatest one that the limit lets through.
    AtLimit(i8),
}

const MAX_STEPS: usize = 60;
const EIO: i32 = 5;
const START_MILLIS: u64 = 1_800_000_000_000;
const SKEW_MILLIS: u64 = 500;
const WINDOW_MILLIS: u64 = 250;
const JUMP: u64 = 1 << 40;
const END: u64 = u64::MAX;

/// Why a call was refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Refused {
    ByBound,
    ByRule,
}

/// What all four clocks do, in numbers.
trait Durable {
    /// The last of `count` consecutive numbers.
    fn reserve(&mut self, count: NonZeroU32) -> Result<u64, Refused>;
    fn observe(&mut self, remote: u64) -> Result<u64, Refused>;
    fn merge(&mut self, remote: u64) -> Result<(), Refused>;
    fn committed(&mut self, remote: u64) -> Result<(), Refused>;
    fn upkeep(&mut self) -> bool;
    fn last(&self) -> u64;
    fn bound(&self) -> u64;
}

type Mark = FileMark<FaultMedium>;

macro_rules! physical {
    ($clock:ident) => {
        impl Durable for hlc::$clock<Arc<ManualSource>, Mark> {
            fn reserve(&mut self, count: NonZeroU32) -> Result<u64, Refused> {
                let block = if count == NonZeroU32::MIN {
                    hlc::$clock::tick(self).map(Timestamp::to_bits)
                } else {
                    hlc::$clock::reserve(self, count).map(|block| block.last().map_or(0, Timestamp::to_bits))
                };
                block.map_err(|error| by(matches!(error, hlc::TickError::Bound(_))))
            }
            fn observe(&mut self, remote: u64) -> Result<u64, Refused> {
                let remote = Timestamp::from_bits(remote).ok_or(Refused::ByRule)?;
                let stamp = hlc::$clock::observe(self, remote).map(Timestamp::to_bits);
                stamp.map_err(|error| by(matches!(error, hlc::ObserveError::Bound(_))))
            }
            fn merge(&mut self, remote: u64) -> Result<(), Refused> {
                let remote = Timestamp::from_bits(remote).ok_or(Refused::ByRule)?;
                hlc::$clock::merge(self, remote)
                    .map_err(|error| by(matches!(error, hlc::ObserveError::Bound(_))))
            }
            fn committed(&mut self, remote: u64) -> Result<(), Refused> {
                let remote = Timestamp::from_bits(remote).ok_or(Refused::ByRule)?;
                hlc::$clock::merge_committed(self, remote)
                    .map_err(|error| by(matches!(error, hlc::ObserveError::Bound(_))))
            }
            fn upkeep(&mut self) -> bool {
                hlc::$clock::upkeep(self).is_ok()
            }
            fn last(&self) -> u64 {
                hlc::$clock::last(self).map_or(0, Timestamp::to_bits)
            }
            fn bound(&self) -> u64 {
                self.snapshot().bound().map_or(0, Timestamp::to_bits)
            }
        }
    };
}
physical!(DurableClock);
physical!(AtomicDurableClock);

macro_rules! logical {
    ($clock:ident) => {
        impl Durable for lamport::$clock<Mark> {
            fn reserve(&mut self, count: NonZeroU32) -> Result<u64, Refused> {
                let block = if count == NonZeroU32::MIN {
                    lamport::$clock::tick(self).map(Time::get)
                } else {
                    lamport::$clock::reserve(self, count).map(|times| times.last().map_or(0, Time::get))
                };
                block.map_err(|error| by(matches!(error, lamport::TickError::Bound(_))))
            }
            fn observe(&mut self, remote: u64) -> Result<u64, Refused> {
                let time = lamport::$clock::observe(self, Time::new(remote)).map(Time::get);
                time.map_err(|error| by(matches!(error, lamport::ObserveError::Bound(_))))
            }
            fn merge(&mut self, remote: u64) -> Result<(), Refused> {
                lamport::$clock::merge(self, Time::new(remote))
                    .map_err(|error| by(matches!(error, lamport::MergeError::Bound(_))))
            }
            fn committed(&mut self, remote: u64) -> Result<(), Refused> {
                lamport::$clock::merge_committed(self, Time::new(remote))
                    .map_err(|error| by(matches!(error, lamport::MergeError::Bound(_))))
            }
            fn upkeep(&mut self) -> bool {
                lamport::$clock::upkeep(self).is_ok()
            }
            fn last(&self) -> u64 {
                lamport::$clock::last(self).get()
            }
            fn bound(&self) -> u64 {
                self.snapshot().bound.get()
            }
        }
    };
}
logical!(DurableClock);
logical!(AtomicDurableClock);

fn by(bound: bool) -> Refused {
    if bound { Refused::ByBound } else { Refused::ByRule }
}

/// What a clock is told.
#[derive(Clone, Copy, Debug)]
enum Call {
    Reserve(NonZeroU32),
    Observe(u64),
    Merge(u64),
    Committed(u64),
}

/// The rule as the documentation tells it, in wide numbers: what the clock then stands at, or `None`.
fn naive(physical: bool, now: u64, last: u64, call: Call) -> Option<u64> {
    let last = u128::from(last);
    let floor = if physical { u128::from(now) << 16 } else { 0 };
    let ceiling = if physical { (u128::from(now + SKEW_MILLIS) << 16) | 0xffff } else { 0 };
    // The receipt of a message has to be at or below the limit of `hlc`; that of `lamport` is for the message itself.
    let admits = |remote: u64| {
        let remote = u128::from(remote);
        let within = if physical {
            remote < ceiling
        } else {
            remote - last.min(remote) <= u128::from(JUMP) && remote < 1 << 63
        };
        remote <= last || within
    };
    let after = match call {
        Call::Reserve(count) => {
            let new = last.max(floor.saturating_sub(1)) + u128::from(count.get());
            // A block is held to what peers accept.
            (!physical || count == NonZeroU32::MIN || new <= ceiling).then_some(new)
        }
        Call::Observe(remote) => {
            admits(remote).then(|| last.max(remote.into()).max(floor.saturating_sub(1)) + 1)
        }
        Call::Merge(remote) => admits(remote).then(|| last.max(remote.into())),
        // The end is known to a clock that has issued it, and to no other.
        Call::Committed(remote) => {
            (!physical || remote < END || u128::from(remote) <= last).then(|| last.max(remote.into()))
        }
    };
    after.and_then(|after| u64::try_from(after).ok())
}

/// What the world knows of the clock.
struct World {
    physical: bool,
    shared: bool,
    wall: Arc<ManualSource>,
    now: u64,
    medium: FaultMedium,
    /// The greatest number that was issued.
    greatest: u64,
    /// Nothing that was done moves the bound of a life above this.
    cap: u64,
    /// Nothing that was asked for, acknowledged or not, moves the mark above this.
    asked: u64,
    /// Faults planned on this machine.
    planned: u64,
    sync_fails: bool,
    /// Whether anything may have gone wrong in this life.
    faulted: bool,
}

impl World {
    fn new(script: &Script) -> Self {
        let medium = FaultMedium::new();
        OPTIONS.create_on(medium.clone(), 0, b"").expect("a healthy disk refuses a register");
        Self {
            physical: script.physical,
            shared: script.shared,
            wall: Arc::new(ManualSource::at_millis(START_MILLIS)),
            now: START_MILLIS,
            medium,
            greatest: 0,
            cap: 0,
            asked: 0,
            planned: 0,
            sync_fails: false,
            faulted: false,
        }
    }

    /// Opens the register, again where calls were made to fail, and makes a clock of it.
    fn live(&mut self) -> Box<dyn Durable> {
        let register = (0..4).find_map(|_| OPTIONS.open_on(self.medium.clone()).ok());
        let register = register.expect("one failed call does not lose a register");
        assert!(self.greatest <= register.get(), "what was issued is not covered");
        assert!(register.get() <= self.asked, "the mark is above all that was asked for");
        self.cap = self.cap.max(register.get());
        self.faulted = self.pending();
        let (wall, mark) = (Arc::clone(&self.wall), register.into_mark());
        match (self.physical, self.shared) {
            (true, false) => Box::new(hlc::DurableClock::new(wall, mark)),
            (true, true) => Box::new(hlc::AtomicDurableClock::new(wall, mark)),
            (false, false) => Box::new(lamport::DurableClock::new(mark)),
            (false, true) => Box::new(lamport::AtomicDurableClock::new(mark)),
        }
    }

    /// Whether a planned fault has not struck yet.
    fn pending(&self) -> bool {
        self.sync_fails || self.medium.struck() < self.planned
    }

    /// Another machine, as it is after a crash of this one.
    fn restart(&mut self, medium: FaultMedium) {
        (self.medium, self.planned, self.sync_fails) = (medium, 0, false);
    }

    /// How far above a number the bound may be raised for it.
    fn above(&self, number: u64) -> u64 {
        // An eighth of the window and a unit; a block.
        let step = if self.physical { (WINDOW_MILLIS / 8 + 2) << 16 } else { 1 << 16 };
        let window = if self.physical { (self.now + WINDOW_MILLIS) << 16 } else { 0 };
        number.saturating_add(step).max(window)
    }

    fn call(&mut self, clock: &mut dyn Durable, call: Call) {
        let before = (clock.last(), clock.bound());
        let expected = naive(self.physical, self.now, before.0, call);
        let done = match call {
            Call::Reserve(count) => clock.reserve(count),
            Call::Observe(remote) => clock.observe(remote),
            Call::Merge(remote) => clock.merge(remote).map(|()| clock.last()),
            Call::Committed(remote) => clock.committed(remote).map(|()| clock.last()),
        };
        let allowed = expected.map_or(0, |expected| self.above(expected));
        self.asked = self.asked.max(allowed);
        match done {
            Ok(new) => {
                assert_eq!(Some(new), expected, "{call:?} on {before:?}");
                assert!(clock.last() == new && new <= clock.bound(), "{call:?}: {new} is above the bound");
                let issued = match call {
                    Call::Reserve(count) => u64::from(count.get()),
                    Call::Observe(_) => 1,
                    Call::Merge(_) | Call::Committed(_) => 0,
                };
                if issued > 0 {
                    assert!(new - (issued - 1) > self.greatest, "{call:?} issued again, up to {new}");
                    self.greatest = new;
                }
            }
            Err(refused) => {
                assert_eq!((clock.last(), clock.bound()), before, "{call:?} was refused and left something");
                let above = expected.is_some_and(|expected| expected > before.1);
                assert_eq!(refused == Refused::ByBound, above, "{call:?} on {before:?} was {refused:?}");
                let extends = !self.shared || matches!(call, Call::Committed(_));
                assert!(
                    !(above && extends) || self.faulted,
                    "{call:?} was refused by a bound that can be raised"
                );
            }
        }
        // What was agreed on and refused moves nothing, now or at the next upkeep.
        if done.is_ok() || !matches!(call, Call::Committed(_)) {
            self.cap = self.cap.max(allowed);
        }
        // Something was acknowledged, and so the sync that was to fail has been.
        self.sync_fails &= clock.bound() == before.1;
    }

    fn upkeep(&mut self, clock: &mut dyn Durable) {
        let before = (clock.last(), clock.bound());
        let allowed = self.above(before.0);
        (self.asked, self.cap) = (self.asked.max(allowed), self.cap.max(allowed));
        assert!(clock.upkeep() || self.faulted, "an upkeep fails on a healthy disk");
        assert!(clock.last() == before.0 && clock.bound() >= before.1, "an upkeep is no event");
        self.sync_fails &= clock.bound() == before.1;
    }

    fn remote(&self, last: u64, remote: Remote) -> u64 {
        // Zero is no timestamp.
        let least = u64::from(self.physical);
        least.max(match remote {
            Remote::Anywhere(bits) => bits,
            Remote::Near(away) => last.saturating_add_signed(away.into()),
            Remote::AtLimit(away) => {
                let limit = if self.physical {
                    ((self.now + SKEW_MILLIS) << 16) | 0xffff
                } else {
                    last.saturating_add(JUMP)
                };
                limit.saturating_add_signed(away.into())
            }
        })
    }
}

pub fn run(data: &[u8]) {
    let Ok(script) = Script::arbitrary(&mut Unstructured::new(data)) else { return };
    let mut world = World::new(&script);
    let mut clock = world.live();
    for step in script.steps.iter().take(MAX_STEPS) {
        let last = clock.last();
        match *step {
            Step::Wall(millis) => {
                world.now = world.now.saturating_add_signed(millis.into());
                world.wall.set_millis(world.now);
            }
            Step::Tick => world.call(&mut *clock, Call::Reserve(NonZeroU32::MIN)),
            Step::Reserve(thousands) => {
                let count = NonZeroU32::MIN.saturating_add(u32::from(thousands) * 1_000);
                world.call(&mut *clock, Call::Reserve(count));
            }
            Step::Observe(remote) => world.call(&mut *clock, Call::Observe(world.remote(last, remote))),
            Step::Merge(remote) => world.call(&mut *clock, Call::Merge(world.remote(last, remote))),
            Step::Committed(remote) => {
                world.call(&mut *clock, Call::Committed(world.remote(last, remote)));
            }
            Step::Upkeep => world.upkeep(&mut *clock),
            // At most one fault between two acknowledgements.
            Step::Fault { .. } | Step::FailSync(_) if world.faulted => {}
            Step::Fault { after, errno } => {
                let fault = if errno { Fault::Errno(EIO) } else { Fault::Short(1) };
                world.medium.fail(world.medium.calls() + u64::from(after % 16), fault);
                world.planned += 1;
                world.faulted = true;
            }
            Step::FailSync(fate) => {
                let bytes = usize::from(fate);
                let fates = [Fate::Lost, Fate::Whole, Fate::Prefix(bytes), Fate::Suffix(bytes)];
                world.medium.fail_next_sync(EIO, fates[bytes % fates.len()]);
                (world.sync_fails, world.faulted) = (true, true);
            }
            Step::Reopen | Step::Kill | Step::PowerCut(_) => {
                drop(clock);
                match *step {
                    Step::Kill => world.restart(world.medium.process_crash()),
                    Step::PowerCut(which) => {
                        let cuts = world.medium.cuts();
                        if let Some(cut) = cuts.get(usize::from(which) % cuts.len().max(1)) {
                            world.restart(world.medium.power_cut(cut));
                        }
                    }
                    _ => {}
                }
                clock = world.live();
                assert!(clock.last() >= world.greatest, "a life begins above all that was issued");
            }
        }
        assert!(
            clock.bound() <= world.cap,
            "{step:?} moved the bound to {:x}, above {:x}",
            clock.bound(),
            world.cap
        );
        assert!(clock.last() <= clock.bound(), "{step:?} left the clock above its bound");
    }
}
