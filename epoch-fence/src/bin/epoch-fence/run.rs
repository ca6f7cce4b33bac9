//! `run`: a command while a resource is held.

use core::time::Duration;
use std::ffi::OsString;
use std::fs;

use epoch_fence::engine::Engine;
use epoch_fence::engine::file::SystemHost;
use epoch_fence::protocol::{Claim, Pending, Ttl};
use epoch_fence::{BootClock, Ended, FencingToken, HolderId, Issuer, NotAcquired, Resolution, Wait};

use crate::engine::{Store, StoreError};
use crate::exit::{BUSY, FAILED, Failure, INDETERMINATE, LOST, say};
use crate::name::{Name, harmless};
use crate::options::Run;
use crate::output::lasting;
use crate::process::{Group, Inherited, Renewer, Supervisor, Watch};
use crate::store;

pub(crate) type Lease = epoch_fence::Lease<'static, Store, SystemHost>;
type Tenures = Issuer<Store, SystemHost>;

/// How often an attempt of unknown outcome is looked for, and the first pause in between, which doubles.
const LOOKS: u32 = 6;
const PAUSE: Duration = Duration::from_millis(50);

pub(crate) fn run(options: &Run, inherited: Inherited) -> Result<u8, Failure> {
    let name = Name::new(&options.namespace.namespace, &options.resource)?;
    let grace = grace(options.ttl, options.grace)?;
    let holder = options.holder.unwrap_or_else(default_holder);
    let store = options.server.open_or_create(&options.place, options.ttl.get())?;
    let environment = options.server.environment(&options.place, &store);
    let claim = Claim::new(name.id(), holder, options.ttl);
    // For as long as the process lives: a renewal may still be under way when everything else is over.
    let issuer: &'static Tenures = Box::leak(Box::new(Issuer::new(store, SystemHost::new()?)));

    let clock = SystemHost::new()?;
    let lease = acquire(issuer, &clock, &claim, options.waiting.limit(), StoreError::is_busy)
        .map_err(|why| why.during(&name))?;
    let token = lease.token();
    let directory = issuer.engine().directory();
    if let Some(Err(why)) = directory.map(|directory| name.keep(&directory.folder(token.resource()))) {
        say(format!("{name}: `inspect` will not know the name: {why}"));
    }
    if directory.is_none() {
        make_guard_ready(options, &token);
    }
    // Inherited by the command: as long as it runs, others wait for the end of the lease, also if this process dies.
    let _lifeline = directory.and_then(|directory| directory.lifeline(&token)).transpose()?;
    if let Some(lifeline) = &_lifeline {
        rustix::io::fcntl_setfd(lifeline, rustix::io::FdFlags::empty()).map_err(std::io::Error::from)?;
    }
    let environment: Vec<(&str, OsString)> = [
        (store::TOKEN, token.to_string().into()),
        (store::EPOCH, token.epoch().to_string().into()),
        (store::RESOURCE, options.resource.clone()),
    ]
    .into_iter()
    .chain(environment)
    .collect();

    let supervisor = Supervisor::new(inherited)?;
    let lost = || Failure::new(LOST, format!("{name}: the lease of epoch {} was lost", token.epoch()));
    // It may have been stopped since the lease was granted.
    if lease.lost() {
        return Err(lost());
    }
    let child = match supervisor.spawn(&options.command, &environment, Group::Own) {
        Ok(child) => child,
        Err(why) => {
            let _held = release(lease, &name);
            return Err(why);
        }
    };
    let renewer = Renewer::start(lease, options.ttl)?;
    let shown = name.to_string();
    let ended = supervisor.hold(child, &Watch { believed: renewer.believed(), grace, name: &shown });
    // Whatever went wrong, nothing of the command may run on when the resource is given back.
    supervisor.sweep(child, grace);
    let held = match renewer.stop() {
        Some(lease) => release(lease, &name),
        None => {
            say(format!("{name}: not released, since the store does not answer; the lease ends by itself"));
            true
        }
    };
    let ended = ended?;
    if !held || ended.lost {
        return Err(lost());
    }
    if ended.interrupted {
        supervisor.interrupt()?;
    }
    Ok(ended.code())
}

/// Begins the guard of this host, while it is known where the leases are: its first call would have to ask, and may not be
/// able to. Where there can be no guard here, there will be none.
fn make_guard_ready(options: &Run, token: &FencingToken) {
    if let Ok(directory) = options.place.open_or_create() {
        let _begun = directory.gate(token.resource()).begin_at(token.realm(), token.epoch());
    }
}

/// How long before the loss of the lease the command is told to stop.
///
/// By default as long as the margin, but never so long that one failed renewal would be the end.
fn grace(ttl: Ttl, asked: Option<Duration>) -> Result<Duration, Failure> {
    let window = ttl.get().saturating_sub(ttl.margin());
    let share = |parts| window.checked_div(parts).unwrap_or(window);
    let most = share(2);
    match asked {
        Some(asked) if asked > most => Err(Failure::new(
            FAILED,
            format!("a grace of {asked:?} leaves no time for renewals: {most:?} at most, or a longer ttl"),
        )),
        Some(asked) => Ok(asked),
        None => Ok(ttl.margin().min(share(4))),
    }
}

fn default_holder() -> HolderId {
    let host = fs::read_to_string("/proc/sys/kernel/hostname").unwrap_or_default();
    let host: String = host.chars().filter(|letter| letter.is_ascii_graphic()).take(40).collect();
    let host = if host.is_empty() { "a host" } else { &host };
    let process = std::process::id();
    HolderId::try_new(&format!("{host}, process {process}"))
        .unwrap_or_else(|_| unreachable!("short, and printable"))
}

/// Becomes the holder, also where somebody is stopped at the store meanwhile, as `busy` tells.
fn acquire<'i, E: Engine<Error: Into<Failure>>, C: BootClock>(
    issuer: &'i Issuer<E, C>,
    clock: &impl BootClock,
    claim: &Claim,
    limit: Duration,
    busy: impl Fn(&E::Error) -> bool,
) -> Result<epoch_fence::Lease<'i, E, C>, Failure> {
    let until = clock.now().saturating_add(limit);
    let why = loop {
        let left = clock.now().until(until);
        let wait = if left.is_zero() { Wait::AtOnce } else { Wait::AtMost(left) };
        match issuer.acquire(claim, wait) {
            Ok(lease) => return Ok(lease),
            // Somebody is stopped within a write. Each try has the patience of the directory.
            Err(NotAcquired::Failed(why)) if busy(&why) && clock.now() < until => {}
            Err(why) => break why,
        }
    };
    match why {
        NotAcquired::Held { holder, remaining } => Err(Failure::new(
            BUSY,
            format!(
                "held by {}; its lease ends in {} unless renewed",
                harmless(holder.as_str().as_ref()),
                lasting(remaining)
            ),
        )),
        NotAcquired::Reserved { .. } | NotAcquired::Contended | NotAcquired::Superseded => {
            Err(Failure::new(BUSY, why))
        }
        NotAcquired::Failed(why) => Err(why.into()),
        NotAcquired::Indeterminate(pending, why) => resolve(issuer, clock, pending, why),
        _ => Err(Failure::new(FAILED, why)),
    }
}

/// Finds out what became of an attempt; else it is neither granted nor not.
fn resolve<'i, E: Engine<Error: Into<Failure>>, C: BootClock>(
    issuer: &'i Issuer<E, C>,
    clock: &impl BootClock,
    mut pending: Pending,
    why: E::Error,
) -> Result<epoch_fence::Lease<'i, E, C>, Failure> {
    let mut pause = PAUSE;
    for _ in 0..LOOKS {
        pending = match issuer.resolve(pending) {
            Ok(Resolution::Granted(lease)) => return Ok(lease),
            Ok(Resolution::NotGranted) => return Err(why.into().during("not acquired")),
            Ok(Resolution::Superseded) => return Err(Failure::new(BUSY, "others wrote first")),
            Err(unresolved) => unresolved.into_pending(),
        };
        clock.pause(pause);
        pause = pause.saturating_mul(2);
    }
    let why: Failure = why.into();
    Err(Failure::new(
        INDETERMINATE,
        format!("not known whether acquired: {}; if it was, the lease ends by itself", why.why()),
    ))
}

/// Gives the resource back; whether it was held until then, as far as anybody knows.
fn release(lease: Lease, name: &Name) -> bool {
    if lease.lost() {
        return false;
    }
    let remaining = lease.remaining();
    let ended = lease.release().or_else(epoch_fence::NotEnded::retry);
    match ended {
        Ok(Ended::Released | Ended::HandedOver) => {}
        Ok(Ended::AlreadyLost) => return false,
        Err(why) => say(format!(
            "{name}: not released: {}; the lease ends by itself in {}",
            why.why(),
            lasting(remaining)
        )),
    }
    true
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_grace_leaves_time_for_renewals() {
        let seconds = Duration::from_secs;
        let ttl = Ttl::new(seconds(24)).unwrap();
        let window = seconds(24) - ttl.margin();
        assert_eq!(grace(ttl, Some(window / 2)).unwrap(), window / 2, "just so long");
        assert_eq!(grace(ttl, Some(Duration::ZERO)).unwrap(), Duration::ZERO);
        let refused = grace(ttl, Some(window / 2 + Duration::from_nanos(1))).unwrap_err();
        assert_eq!(refused.code(), FAILED);
        assert!(
            refused.why().ends_with("leaves no time for renewals: 10.5s at most, or a longer ttl"),
            "{refused:?}"
        );
        for length in [1, 2, 10, 24, 86_400].map(seconds) {
            let ttl = Ttl::new(length).unwrap();
            let usual = grace(ttl, None).unwrap();
            assert_eq!(usual, ttl.margin().min((length - ttl.margin()) / 4), "{length:?}");
            assert!(!usual.is_zero());
        }
    }
}

#[cfg(test)]
#[cfg(feature = "test-engine")]
mod doubt {
    //! What becomes of an attempt whose reply does not come, of a store whose faults are a script.

    use epoch_fence::engine::memory::{Fault, Memory, MemoryError};
    use epoch_fence::{Epoch, RealmId, ResourceId};

    use super::*;

    impl From<MemoryError> for Failure {
        fn from(why: MemoryError) -> Self {
            Self::new(FAILED, why)
        }
    }

    const TTL: Duration = Duration::from_secs(10);

    fn claim_of(holder: &str, ttl: Duration) -> Claim {
        Claim::new(ResourceId::of("", "r"), HolderId::try_new(holder).unwrap(), Ttl::new(ttl).unwrap())
    }

    fn claim(holder: &str) -> Claim {
        claim_of(holder, TTL)
    }

    fn store() -> Memory {
        Memory::new(RealmId::random().unwrap())
    }

    /// Acquires without waiting; what was answered, and when.
    fn acquired(memory: &Memory) -> (Result<Epoch, (u8, String)>, Duration) {
        let issuer = Issuer::new(memory, memory);
        let result = acquire(&issuer, memory, &claim("me"), Duration::ZERO, |_| false);
        let result = match result {
            Ok(lease) => Ok(lease.token().epoch()),
            Err(why) => Err((why.code(), why.why().to_owned())),
        };
        (result, memory.now().since_start())
    }

    #[test]
    fn an_attempt_whose_reply_was_lost_is_found_out_about() {
        let memory = store();
        memory.script([Fault::None, Fault::ReplyLost]);
        assert_eq!(acquired(&memory), (Ok(Epoch::FIRST), Duration::ZERO), "it had landed");

        let memory = store();
        memory.script([Fault::None, Fault::RequestLost]);
        let (result, _) = acquired(&memory);
        let (code, why) = result.unwrap_err();
        assert_eq!((code, why.as_str()), (FAILED, "not acquired: scripted fault: RequestLost"));

        // Two looks that fail, and one that does not.
        let memory = store();
        memory.script([Fault::None, Fault::ReplyLost, Fault::RequestLost, Fault::RequestLost]);
        assert_eq!(acquired(&memory), (Ok(Epoch::FIRST), PAUSE * 3), "the pause doubles");
    }

    #[test]
    fn an_attempt_that_nobody_can_be_asked_about_is_neither_granted_nor_not() {
        let memory = store();
        memory.script([Fault::None, Fault::ReplyLost]);
        memory.script((0..LOOKS).map(|_| Fault::RequestLost));
        let (result, waited) = acquired(&memory);
        let (code, why) = result.unwrap_err();
        assert_eq!(code, INDETERMINATE);
        assert_eq!(
            why,
            "not known whether acquired: scripted fault: ReplyLost; if it was, the lease ends by itself"
        );
        assert_eq!(waited, PAUSE * 63);
    }

    #[test]
    fn an_attempt_that_landed_and_was_over_before_anybody_said_so_may_be_made_again() {
        let memory = store();
        memory.script([Fault::None, Fault::ReplyLost]);
        memory.script((1..LOOKS).map(|_| Fault::RequestLost));
        let issuer = Issuer::new(&memory, &memory);
        let claim = claim_of("me", Duration::from_secs(1));
        let refused = acquire(&issuer, &&memory, &claim, Duration::ZERO, |_| false).unwrap_err();
        assert_eq!((refused.code(), refused.why()), (BUSY, "others wrote first"));
    }

    #[test]
    fn an_attempt_that_the_record_forbids_is_no_case_for_another_one() {
        let memory = store();
        memory.set_epoch_floor(Epoch::MAX_ISSUED);
        let (code, why) = acquired(&memory).0.unwrap_err();
        assert_eq!((code, why.as_str()), (FAILED, "no epoch is left up to 9223372036854775807"));
    }

    #[test]
    fn who_is_kept_out_by_another_may_try_again() {
        let memory = store();
        let issuer = Issuer::new(&memory, &memory);
        let other = issuer.acquire(&claim("Alice"), Wait::AtOnce).unwrap();
        let (code, why) = acquired(&memory).0.unwrap_err();
        assert_eq!(code, BUSY);
        assert!(
            why.starts_with("held by \"Alice\"; its lease ends in ") && why.ends_with(" unless renewed"),
            "{why}"
        );
        let ended = other.hand_over(HolderId::try_new("Bob").unwrap(), Ttl::new(TTL).unwrap());
        assert_eq!(ended.unwrap(), Ended::HandedOver);
        let (code, why) = acquired(&memory).0.unwrap_err();
        assert_eq!(code, BUSY);
        assert!(why.contains("Bob"), "{why}");
    }

    #[test]
    fn only_who_may_wait_and_finds_somebody_at_the_store_tries_again() {
        let memory = store();
        let issuer = Issuer::new(&memory, &memory);
        let tried = |busy, limit| {
            memory.script([Fault::Refused]);
            let lease = acquire(&issuer, &&memory, &claim("me"), limit, |_| busy);
            lease.map(|lease| lease.token().epoch().get()).map_err(|why| why.code())
        };
        assert_eq!(tried(true, Duration::ZERO), Err(FAILED), "no time is left");
        assert_eq!(tried(false, TTL), Err(FAILED), "another failure stays one");
        assert_eq!(tried(true, TTL), Ok(1));
    }
}
