//! What firmware logs through `defmt`: every kind of value, and the refusals it will see. The frames are read on the
//! host, by `clock-firmware-host`.
#![no_std]
#![no_main]

use core::{num::NonZeroU64, panic::PanicInfo};

use clock_firmware::Chip;
use cortex_m as _;
use cortex_m_semihosting::debug;
use defmt::println;
use defmt_semihosting as _;
use epoch_fence::{Epoch, FencingToken, Gate, GrantId, HolderId, RealmId, ResourceId};
use high_water::{FlashMark, Identity, MemoryMark, Outcome, Reserver};
use hlc::{Clock, DurableClock, NodeId, PhysicalTime, SkewPolicy, Stamp, TickError, Timestamp, source};
use vector_clock::{CausalBuffer, Fixed, VectorClock, VersionVector};

#[cortex_m_rt::entry]
fn main() -> ! {
    let logged = hybrid()
        .and_then(|()| logical())
        .and_then(|()| vectors())
        .and_then(|()| durable())
        .and_then(|()| fencing());
    debug::exit(if logged.is_some() { debug::EXIT_SUCCESS } else { debug::EXIT_FAILURE });
    loop {
        cortex_m::asm::wfi();
    }
}

#[panic_handler]
fn on_panic(_: &PanicInfo<'_>) -> ! {
    debug::exit(debug::EXIT_FAILURE);
    loop {
        cortex_m::asm::wfi();
    }
}

fn hybrid() -> Option<()> {
    let now = PhysicalTime::from_millis(1_700_000_000_000);
    let mut clock = Clock::new(source::from_fn(|| Ok(now)));
    let sent = clock.tick().ok()?.at_node(NodeId::new(42).ok()?);
    println!("hlc sent {} by node {} at {}", sent, sent.node(), now);
    let ahead = Timestamp::from_parts(1_700_000_000_501, 0).ok()?;
    println!("hlc refused {} under {}", clock.observe(ahead).err()?, SkewPolicy::DEFAULT);
    let unset: Result<Timestamp, TickError> =
        Clock::new(source::from_fn(|| Err(hlc::SourceError::Unavailable("no battery")))).tick();
    println!("hlc ticked {}, counts {}", unset, clock.snapshot());
    println!("hlc decoded {}", Stamp::<NodeId>::from_envelope(&[2; 17]).err()?);
    println!("hlc read {}", Stamp::<NodeId>::from_text(b"018BCFE568000007-000000000000002A").err()?);
    Some(())
}

fn logical() -> Option<()> {
    let mut clock = lamport::Clock::new();
    let sent = clock.tick().ok()?.at_node(7_u64);
    println!("lamport sent {}", sent);
    println!("lamport refused {}", clock.observe(lamport::Time::MAX).err()?);
    println!("lamport counts {}", clock.snapshot());
    Some(())
}

fn vectors() -> Option<()> {
    let mut clock = VectorClock::<u16, Fixed<2>>::new(1);
    let sent = clock.tick().ok()?;
    println!("vector sent {}", sent);
    let mut full = VersionVector::<u16, Fixed<2>>::new();
    for actor in 7..9 {
        full.tick(actor).ok()?;
    }
    println!("vector refused {} and is {} to {}", full.tick(9).err()?, full.causality(sent.vector()), full);
    let mut buffer = CausalBuffer::<_, Fixed<2>>::new();
    println!("vector stranger {}", buffer.receive((sent, ())).err()?);
    println!(
        "vector decoded {}",
        VersionVector::<u16, Fixed<2>>::decode(&[9], &vector_clock::Limits::new()).err()?
    );
    Some(())
}

fn durable() -> Option<()> {
    let ours = Identity::from_bytes(*b"report, commands");
    println!("flash {} for {}", FlashMark::open(Chip, 0..7, ours).err()?, ours);
    let failing = MemoryMark::scripted(0, |_| Outcome::NotRaised);
    let mut clock = DurableClock::new(source::from_fn(|| Ok(PhysicalTime::from_secs(1))), failing);
    println!("durable refused {}", clock.tick().err()?);
    let numbers = Reserver::new(MemoryMark::new(0), NonZeroU64::new(16)?);
    println!("numbers {} {}", numbers.draw().err()?, numbers.snapshot());
    Some(())
}

fn fencing() -> Option<()> {
    let (realm, valve) = (RealmId::from_random_bits(0x5eed)?, ResourceId::of("plant", "valve/7"));
    let token = FencingToken::new(realm, valve, Epoch::new(33)?, GrantId::from_random_bits(1)?);
    let gate = Gate::new(realm, valve, Epoch::new(34)?);
    println!("gate refused {} from {}", gate.enter(&token).err()?, HolderId::try_new("pump").ok()?);
    println!("gate token {}", token);
    println!("gate counts {}", gate.snapshot());
    println!("gate decoded {}", FencingToken::from_bytes(&[1, 0]).err()?);
    Some(())
}
