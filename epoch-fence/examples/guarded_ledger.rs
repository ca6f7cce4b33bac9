//! A ledger that one worker at a time may write to, and a former one never again.
//!
//! Workers take turns by leases in a directory. The ledger does not believe them: it asks its gate about the token of each
//! write. A worker that was stopped while it held the lease, and wakes later, is refused, also by a ledger that was
//! restarted meanwhile. Where a reply is lost, the attempt is resolved and not guessed at.
//!
//! Run: `cargo run -p epoch-fence --features file --example guarded_ledger`. `docs/guard-a-resource.md` walks through it.

use core::{error::Error, time::Duration};
use std::{env, fs, io::Write as _, path::PathBuf};

use epoch_fence::engine::Engine;
use epoch_fence::engine::file::{Directory, FileOptions, SystemHost};
use epoch_fence::protocol::{Claim, Ttl};
use epoch_fence::{
    BootClock, DurableGate, Epoch, FencingToken, Issuer, Lease, NotAcquired, NotAdmitted, RealmId, Rejected,
    Resolution, ResourceId, Wait,
};
use high_water::Options;

type Outcome<T> = Result<T, Box<dyn Error>>;

/// Becomes the holder; `None` while another one is. An attempt of which nobody knows whether it landed is resolved, as
/// often as it takes and `patience` allows.
#[expect(clippy::result_large_err, reason = "what is still unknown is handed on, with the attempt")]
fn become_holder<'i, E: Engine, C: BootClock>(
    issuer: &'i Issuer<E, C>,
    claim: &Claim,
    patience: u32,
) -> Result<Option<Lease<'i, E, C>>, NotAcquired<E::Error>> {
    let (mut pending, why) = match issuer.acquire(claim, Wait::AtOnce) {
        Ok(lease) => return Ok(Some(lease)),
        Err(NotAcquired::Held { .. } | NotAcquired::Reserved { .. } | NotAcquired::Contended) => {
            return Ok(None);
        }
        Err(NotAcquired::Indeterminate(pending, why)) => (pending, why),
        Err(other) => return Err(other),
    };
    for _ in 0..patience {
        match issuer.resolve(pending) {
            Ok(Resolution::Granted(lease)) => return Ok(Some(lease)),
            Ok(Resolution::NotGranted | Resolution::Superseded) => return Ok(None),
            Err(unresolved) => pending = unresolved.into_pending(),
        }
    }
    // Neither yes nor no. Whoever gets this keeps the attempt, and resolves it later.
    Err(NotAcquired::Indeterminate(pending, why))
}

/// The resource: lines in a file, and the gate before it, which remembers over restarts whom it has admitted.
struct Ledger {
    gate: DurableGate,
    file: PathBuf,
}

impl Ledger {
    fn open(folder: &std::path::Path, resource: ResourceId, realm: RealmId) -> Outcome<Self> {
        // An example's directory may be in memory; a ledger's own is not.
        let options = Options::new(DurableGate::identity(resource))
            .allow_volatile_file_system()
            .allow_unknown_file_system();
        let register = options.open_or_create(folder.join("ledger.gate"))?;
        let gate = DurableGate::new(register, realm, resource, Epoch::FIRST)?;
        Ok(Self { gate, file: folder.join("ledger") })
    }

    /// Appends a line for the holder of the token. The permit lives for as long as the effect, and no longer.
    fn append(&self, token: &FencingToken, line: &str) -> Outcome<()> {
        self.gate.run(token, |permit| {
            let mut file = fs::OpenOptions::new().create(true).append(true).open(&self.file)?;
            writeln!(file, "{} {line}", permit.epoch())
        })??;
        Ok(())
    }

    fn lines(&self) -> Outcome<Vec<String>> {
        Ok(fs::read_to_string(&self.file)?.lines().map(str::to_owned).collect())
    }
}

/// Whether the gate refused because a newer holder has been there.
fn is_stale(outcome: &Outcome<()>) -> bool {
    let why = outcome.as_ref().err().and_then(|why| why.downcast_ref::<NotAdmitted>());
    matches!(why, Some(NotAdmitted::Rejected(Rejected::Stale { .. })))
}

fn take_turns(folder: &std::path::Path) -> Outcome<()> {
    let resource = ResourceId::of("billing", "ledger");
    let options = FileOptions::new().allow_volatile_file_system().allow_unknown_file_system();
    let directory: Directory = options.open_or_create(folder.join("leases"))?;
    let issuer = Issuer::new(directory, SystemHost::new()?);
    let ttl = Ttl::new(Duration::from_secs(60)).ok_or("not a time to live")?;
    let claim = |holder: &str| Ok::<_, Box<dyn Error>>(Claim::new(resource, holder.parse()?, ttl));

    let first = become_holder(&issuer, &claim("worker 1")?, 8)?.ok_or("nobody else is here")?;
    let token = first.token(); // goes with each request to the ledger: 74 bytes, or text in a header
    let ledger = Ledger::open(folder, resource, token.realm())?;
    ledger.append(&token, "opened")?;
    assert!(become_holder(&issuer, &claim("worker 2")?, 8)?.is_none(), "one at a time");

    // Worker 1 is stopped in the middle of a write: its permit is alive, and its lease is ended by an operator.
    let writing = ledger.gate.enter(&token)?;
    let _evicted = issuer.evict(&resource, token.grant())?;
    let second = become_holder(&issuer, &claim("worker 2")?, 8)?.ok_or("worker 1 was evicted")?;
    let waits = ledger.gate.enter(&second.token());
    assert!(
        matches!(waits, Err(NotAdmitted::Rejected(Rejected::Draining { in_flight: 1 }))),
        "the new holder waits for the write that was admitted"
    );
    drop(waits);
    drop(writing); // the write is over
    ledger.append(&second.token(), "continued")?;

    // Worker 1 wakes. It does not know, and asks again.
    assert!(is_stale(&ledger.append(&token, "overwritten")), "fenced");
    assert_eq!(ledger.gate.snapshot().stale, 1, "and counted");
    drop(ledger); // the process of the ledger dies
    let ledger = Ledger::open(folder, resource, token.realm())?;
    assert!(is_stale(&ledger.append(&token, "overwritten")), "fenced, also after a restart");
    ledger.append(&second.token(), "closed")?;

    let epoch = |token: &FencingToken| token.epoch();
    let (one, two) = (epoch(&token), epoch(&second.token()));
    assert!(one < two, "a later tenure has a greater epoch");
    let expected = [format!("{one} opened"), format!("{two} continued"), format!("{two} closed")];
    assert_eq!(ledger.lines()?, expected, "what is in the ledger follows the epochs");
    Ok(())
}

fn main() -> Outcome<()> {
    let folder = env::temp_dir().join(format!("epoch-fence-example-ledger-{}", std::process::id()));
    fs::create_dir_all(&folder)?;
    let outcome = take_turns(&folder);
    fs::remove_dir_all(&folder)?;
    outcome
}

#[cfg(test)]
mod tests {
    #[test]
    fn a_former_holder_writes_nothing_after_a_newer_one_also_after_a_restart() {
        super::main().unwrap();
    }

    /// What a lost reply leaves: the request was served, or never arrived, or is still under way.
    #[cfg(feature = "test-engine")]
    #[test]
    fn an_attempt_whose_reply_is_lost_is_resolved_to_what_became_of_it() {
        use super::*;
        use epoch_fence::engine::memory::{Fault, Memory};

        let ttl = Ttl::new(Duration::from_secs(10)).unwrap();
        let claim = Claim::new(ResourceId::of("billing", "ledger"), "worker 1".parse().unwrap(), ttl);
        for (fault, holds) in [(Fault::ReplyLost, true), (Fault::RequestLost, false), (Fault::Delayed, false)]
        {
            let store = Memory::new(RealmId::from_random_bits(1).unwrap());
            let issuer = Issuer::new(&store, &store);
            store.script([Fault::None, fault]); // the look, and then the write
            let lease = become_holder(&issuer, &claim, 8).unwrap();
            assert_eq!(lease.is_some(), holds, "{fault:?}");
            if fault == Fault::Delayed {
                assert_eq!(store.deliver(), Some(false), "what was resolved as not granted never lands");
            }
        }
        // A store that does not answer either leaves the attempt with the caller.
        let store = Memory::new(RealmId::from_random_bits(1).unwrap());
        let issuer = Issuer::new(&store, &store);
        store.script([Fault::None, Fault::ReplyLost, Fault::RequestLost]);
        let Err(NotAcquired::Indeterminate(pending, _)) = become_holder(&issuer, &claim, 1) else {
            panic!("nobody could know");
        };
        assert!(matches!(issuer.resolve(pending), Ok(Resolution::Granted(_))));
    }
}
