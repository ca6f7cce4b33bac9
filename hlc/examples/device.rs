//! A device without a calendar, an allocator or an operating system, here on a simulated chip.
//!
//! Its timer wraps and begins at zero with each start, its flash loses power in the middle of a write, and the peer that
//! tells it the time may be wrong by an hour. No frame that it sends is ever below one that it sent before.
//!
//! [`device`] is what firmware takes as it is: it needs `core` and the two crates. The rest is the host's.
//!
//! Run: `cargo run -p hlc --features durable --example device`. `docs/on-a-microcontroller.md` walks through it.

use core::{cell::Cell, error::Error};

use high_water::{FaultFlash, FlashMark, Identity, Torn};
use hlc::{NodeId, Stamp, TickError, Timestamp};

use device::{Device, Refused};

/// In firmware: `#![no_std]`, with `hlc` and `high-water` without default features.
mod device {
    use core::{fmt, num::NonZeroU32};

    use high_water::Mark;
    use hlc::{
        DecodeError, DurableClock, NodeId, ObserveError, SourceError, Stamp, TickError,
        source::{Offset, Owned, Widening},
    };

    /// The frequency of the timer.
    const HZ: NonZeroU32 = NonZeroU32::MIN.saturating_add(999_999);

    /// Why a frame was not taken. After each of them the device is as it was.
    #[derive(Debug)]
    pub(super) enum Refused {
        Bytes(DecodeError),
        Clock(ObserveError),
        Timer(SourceError),
    }

    impl fmt::Display for Refused {
        fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            match self {
                Self::Bytes(why) => why.fmt(f),
                Self::Clock(why) => why.fmt(f),
                Self::Timer(why) => why.fmt(f),
            }
        }
    }

    /// One owner: the main loop. Nothing here is atomic, so it runs on a Cortex-M0 without any feature.
    pub(super) struct Device<C, M> {
        clock: DurableClock<Offset<Widening<C, Owned>, Owned>, M>,
        node: NodeId,
    }

    impl<C: Fn() -> u32, M: Mark> Device<C, M> {
        /// `timer` reads the counter of the hardware; `mark` is what the flash remembers of the life before.
        pub(super) fn new(timer: C, mark: M, node: NodeId) -> Self {
            Self { clock: DurableClock::new(Offset::owned(Widening::owned(timer, HZ)), mark), node }
        }

        /// Takes a frame of 16 bytes. The first one sets the time, and so is trusted: have it come from a peer that is.
        pub(super) fn receive(&mut self, frame: [u8; 16]) -> Result<Stamp, Refused> {
            let sent = Stamp::from_bytes(frame).map_err(Refused::Bytes)?.timestamp();
            if self.clock.source().nanos().is_none() {
                self.clock.source().set_from(sent.physical_time()).map_err(Refused::Timer)?;
            }
            Ok(self.clock.observe(sent).map_err(Refused::Clock)?.at_node(self.node))
        }

        /// Stamps a frame to send. It may have to erase a sector, unless [`idle`](Self::idle) was called in time.
        pub(super) fn send(&mut self) -> Result<[u8; 16], TickError> {
            Ok(self.clock.tick()?.at_node(self.node).to_bytes())
        }

        /// In the idle loop, at least twice in a wrap of the timer: reads it, and raises the bound ahead of need.
        pub(super) fn idle(&mut self) {
            // What fails here fails again in `send`, and says so there.
            let _ahead = self.clock.upkeep();
        }

        /// The mark, after power was lost: for the simulation alone.
        pub(super) fn into_mark(self) -> M {
            self.clock.into_mark()
        }
    }
}

type Outcome<T> = Result<T, Box<dyn Error + Send + Sync>>;
/// Two sectors of 256 bytes, in words of 4.
type Chip = FaultFlash<4, 256>;

const REGION: core::ops::Range<u32> = 0..512;
const OURS: Identity = Identity::from_bytes(*b"example/device/1");
const PEER_MILLIS: u64 = 1_700_000_000_000;
const HOUR: u64 = 3_600_000;

/// A start: what it sent last, and the chip as the power cut left it.
fn life(chip: Chip, peer_millis: u64, last: Option<Stamp>) -> Outcome<(Option<Stamp>, Chip, bool)> {
    let register = Cell::new(0_u32);
    let mark = FlashMark::open(chip, REGION, OURS)?;
    let mut device = Device::new(|| register.get(), mark, NodeId::new(7)?);
    assert!(matches!(device.send(), Err(TickError::Source(_))), "it does not know the time, and says so");

    let hello = Timestamp::from_parts(peer_millis, 0)?.at_node(NodeId::new(1)?).to_bytes();
    let (mut last, mut alive) = (last, true);
    match device.receive(hello) {
        Ok(received) => {
            assert!(Some(received) > last, "restart-safe: {received} after {last:?}");
            last = Some(received);
            assert!(matches!(device.receive([0; 16]), Err(Refused::Bytes(_))), "no stamp at all");
        }
        // The power went while the bound was raised: nothing was stamped.
        Err(Refused::Clock(_)) => alive = false,
        Err(other) => return Err(other.to_string().into()),
    }
    // A quarter of a wrap each, so that the timer wraps more than once.
    for _ in 0..if alive { 6 } else { 0 } {
        register.set(register.get().wrapping_add(1 << 30));
        device.idle();
        match device.send() {
            Ok(frame) => {
                let sent = Stamp::from_bytes(frame)?;
                assert!(Some(sent) > last, "monotonic: {sent} after {last:?}");
                last = Some(sent);
            }
            Err(TickError::Bound(_)) => {
                alive = false;
                break;
            }
            Err(other) => return Err(other.into()),
        }
    }
    if alive {
        let far = Timestamp::from_parts(peer_millis.saturating_add(10_000 * HOUR), 0)?;
        let refused = device.receive(far.at_node(NodeId::new(1)?).to_bytes());
        assert!(matches!(refused, Err(Refused::Clock(_))), "once set, it believes half a second and no more");
    }
    Ok((last, device.into_mark().into_flash(), alive))
}

fn main() -> Outcome<()> {
    let mut factory = Chip::new(2);
    FlashMark::create(&mut factory, REGION, OURS, 0)?;
    let (before, chip, alive) = life(factory, PEER_MILLIS, None)?;
    assert!(alive && before.is_some());

    // The power goes at any byte of what the second life writes; the third begins an hour back, by a peer that is wrong.
    let (mut cuts, mut survived) = (0_u32, false);
    while !survived {
        let mut chip = chip.restarted();
        chip.cut_at(chip.steps().saturating_add(cuts.into()), Torn::Unstable);
        let (last, chip, alive) = life(chip, PEER_MILLIS.saturating_add(HOUR), before)?;
        let (_, _, goes_on) = life(chip.restarted(), PEER_MILLIS, last)?;
        assert!(goes_on, "a device that lost power once works after it");
        survived = alive;
        cuts = cuts.saturating_add(7);
    }
    assert!(cuts > 1_000, "the cuts met erases and programs: {cuts}");
    Ok(())
}

#[cfg(test)]
mod tests {
    #[test]
    fn no_frame_is_below_an_earlier_one_wherever_the_power_is_cut() {
        super::main().unwrap();
    }
}
