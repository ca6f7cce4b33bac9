//! `recover` and `evict`: what only an operator does.

use core::time::Duration;
use std::io::{self, Write as _};

use epoch_fence::engine::Engine as _;
use epoch_fence::engine::file::{Directory, SystemHost};
use epoch_fence::{AdoptError, BootClock as _, Epoch, Evicted, FileGateError, Issuer, RealmId, ResourceId};
use serde_json::json;

use crate::engine::Store;
use crate::exit::{FAILED, Failure, say};
use crate::options::{Accept, Evict, Init, Recover};
use crate::output::{self, finished};

/// Between two tries to let the guard follow.
const PAUSE: Duration = Duration::from_millis(50);

pub(crate) fn recover(options: &Recover) -> Result<u8, Failure> {
    let target = &options.target;
    let (id, shown) = target.resource()?;
    let remote = options.server.engine.as_ref().map(|address| address.open(None)).transpose()?;
    let directory = options.server.directory(&target.place)?;
    let realm = match options.realm {
        Some(realm) => realm,
        None => RealmId::random().map_err(|why| Failure::new(FAILED, why))?,
    };
    // The guard may remember what the record has lost, also of the realm that an earlier try began.
    let at_gate = directory.gate(id).snapshot().ok().flatten().map(|guard| guard.gate.floor);
    let floor = options.floor.0.max(at_gate);
    let recovered = match remote {
        Some(remote) => remote.recover(&id, realm, floor),
        None => directory
            .recover(id, realm, floor)
            .map(|view| (view.record().realm(), view.record().epoch()))
            .map_err(Failure::from),
    };
    let (realm, epoch) = recovered.map_err(|why| why.during(&shown))?;
    let epoch = epoch.unwrap_or(Epoch::FIRST);
    let adopted = follow(&directory, id, realm, epoch, options);
    if target.form.json {
        finished(output::json(&json!({
            "id": id.to_string(),
            "realm": realm.to_string(),
            "epoch": epoch.get(),
            "gate": adopted.as_ref().copied().unwrap_or_else(Failure::why),
            "gate_follows": adopted.is_ok(),
        })))?;
    } else {
        let follows = adopted.as_ref().copied().unwrap_or("the guard does not follow yet");
        finished(writeln!(
            io::stdout(),
            "{shown}: recovered; realm {realm}, epochs go on above {epoch}; {follows}"
        ))?;
    }
    match adopted {
        Ok(_) => Ok(0),
        Err(why) => {
            say(format!("to let the guard follow, repeat this with --realm {realm}"));
            Err(why.during("the guard"))
        }
    }
}

/// Lets the guard adopt the realm; what it came to.
fn follow(
    directory: &Directory,
    id: ResourceId,
    realm: RealmId,
    epoch: Epoch,
    options: &Recover,
) -> Result<&'static str, Failure> {
    let gate = directory.gate(id);
    if options.rebuild_gate {
        return gate.rebuild(realm, epoch).map(|()| "the guard was made anew").map_err(Failure::from);
    }
    let clock = SystemHost::new()?;
    let until = clock.now().saturating_add(options.waiting.limit());
    // Ends: what is left gets less with each pause.
    loop {
        let why = match gate.adopt(realm, epoch) {
            Ok(()) => return Ok("the guard follows"),
            Err(FileGateError::Register(high_water::OpenError::NotFound)) => {
                return Ok("the guard was never asked, and will begin there");
            }
            Err(why) => why,
        };
        let left = clock.now().until(until);
        if !matches!(why, FileGateError::NotAdopted(AdoptError::Draining { .. })) || left.is_zero() {
            return Err(why.into());
        }
        clock.pause(left.min(PAUSE));
    }
}

pub(crate) fn evict(options: &Evict) -> Result<u8, Failure> {
    let target = &options.target;
    let (store, id, shown) = match &options.server.engine {
        Some(address) => {
            let (id, shown) = target.resource()?;
            (Store::Remote(address.open(None)?), id, shown)
        }
        None => {
            let (directory, id, shown) = target.open()?;
            (Store::File(directory), id, shown)
        }
    };
    let record = *store.load(&id)?.record();
    let grant = options.grant.or(record.grant());
    let evicted = match grant {
        Some(grant) => {
            let issuer = Issuer::new(store, SystemHost::new()?);
            issuer.evict(&id, grant).map_err(|why| Failure::from(why).during(&shown))?
        }
        None => Evicted::AlreadyGone,
    };
    let done = evicted == Evicted::Evicted;
    if target.form.json {
        return finished(output::json(&json!({
            "id": id.to_string(),
            "evicted": done,
            "epoch": record.epoch().map(Epoch::get),
            "grant": grant.map(|grant| grant.to_string()),
        })));
    }
    let said = if done { "evicted; anybody may acquire it" } else { "nobody holds it, or another grant" };
    finished(writeln!(io::stdout(), "{shown}: {said}"))
}

pub(crate) fn init(options: &Init) -> Result<u8, Failure> {
    let remote = options.engine.open(None)?;
    let realm = remote.init()?;
    finished(if options.form.json {
        output::json(&json!({ "realm": realm.to_string() }))
    } else {
        writeln!(io::stdout(), "{}: ready; realm {realm}", remote.shown())
    })
}

pub(crate) fn accept(options: &Accept) -> Result<u8, Failure> {
    let remote = options.engine.open(None)?;
    let floor = remote.accept()?;
    if options.form.json {
        return finished(output::json(&json!({ "floor": floor.map(Epoch::get) })));
    }
    let above = floor.map_or_else(String::new, |floor| format!("; epochs go on above {floor}"));
    finished(writeln!(io::stdout(), "{}: accepted{above}", remote.shown()))
}
