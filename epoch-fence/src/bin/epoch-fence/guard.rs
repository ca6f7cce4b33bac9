//! `guard` and `check`: the gate for scripts.

use epoch_fence::engine::Engine as _;
use epoch_fence::engine::file::{Directory, FileError, SystemHost};
use epoch_fence::{BootClock as _, Epoch, FencingToken, FileGateError, Gate, RealmId, Rejected};
use high_water::OpenError;
use serde_json::json;

use crate::exit::{FAILED, Failure};
use crate::name::Name;
use crate::options::{Check, Guard, Server};
use crate::output::{self, finished};
use crate::process::{Group, Inherited, Supervisor};

/// Runs a command under a permit, which it inherits.
pub(crate) fn guard(options: &Guard, inherited: Inherited) -> Result<u8, Failure> {
    let token = options.token.token;
    let directory = options.server.directory(&options.place)?;
    let gate = directory.gate(token.resource());
    let clock = SystemHost::new()?;
    let until = clock.now().saturating_add(options.waiting.limit());
    let permit = loop {
        match gate.enter_waiting(&token, clock.now().until(until)) {
            Ok(permit) => break permit,
            // Somebody is stopped at the gate. Each try has the patience of the directory.
            Err(
                FileGateError::Register(OpenError::Held { .. })
                | FileGateError::Record(FileError::Busy { .. }),
            ) if clock.now() < until => {}
            // Asked for the first time, where the leases are elsewhere.
            Err(FileGateError::NoRecord) if options.server.engine.is_some() => {
                let (realm, floor) = elsewhere(&options.server, &token)?;
                gate.begin_at(realm, floor)?;
            }
            Err(why) => return Err(explained(&directory, &token, why)),
        }
    };
    permit.inherit()?;
    let supervisor = Supervisor::new(inherited)?;
    // In the group of this process: whoever stops a group stops both, and the terminal is theirs together.
    let child = supervisor.spawn(&options.command, &[], Group::Shared)?;
    let ended = supervisor.wait(child)?;
    drop(permit);
    Ok(ended.code())
}

/// The realm and the epoch at which the leases of a resource are, in a server.
fn elsewhere(server: &Server, token: &FencingToken) -> Result<(RealmId, Epoch), Failure> {
    let address = server.engine.as_ref().ok_or_else(|| Failure::new(FAILED, "no --engine"))?;
    let remote = address.open(None)?;
    let view = remote.load(&token.resource()).map_err(|why| Failure::new(FAILED, why))?;
    let epoch = view.record().epoch().ok_or_else(|| {
        Failure::new(FAILED, "nobody ever acquired this resource there").during(remote.shown())
    })?;
    Ok((view.record().realm(), epoch))
}

/// Says what `guard` would answer.
pub(crate) fn check(options: &Check) -> Result<u8, Failure> {
    let token = options.token.token;
    let directory = options.server.directory(&options.place)?;
    let answer = match directory.gate(token.resource()).check(&token) {
        // A guard would begin there.
        Err(FileGateError::NoRecord) if options.server.engine.is_some() => {
            let (realm, floor) = elsewhere(&options.server, &token)?;
            Gate::new(realm, token.resource(), floor).check(&token).map_err(FileGateError::Rejected)
        }
        answer => answer,
    };
    let failure = answer.err().map(|why| explained(&directory, &token, why));
    let code = failure.as_ref().map_or(0, Failure::code);
    if options.form.json {
        let name = Name::of(&directory.folder(token.resource()), token.resource());
        finished(output::json(&json!({
            "admitted": failure.is_none(),
            "why": failure.as_ref().map(Failure::why),
            "exit_status": code,
            "resource": token.resource().to_string(),
            "name": name.map(|name| name.name.to_string_lossy().into_owned()),
            "epoch": token.epoch().get(),
        })))?;
        return Ok(code);
    }
    failure.map_or(Ok(0), Err)
}

/// Whether the gate has seen an epoch that the record, read after it, does not know to have been granted.
fn is_ahead(directory: &Directory, token: &FencingToken, floor: Epoch) -> bool {
    directory.load(&token.resource()).is_ok_and(|view| {
        view.record().realm() == token.realm() && view.record().epoch().unwrap_or(Epoch::FIRST) < floor
    })
}

/// What a refusal means for a script, and what can be done.
fn explained(directory: &Directory, token: &FencingToken, why: FileGateError) -> Failure {
    let epoch = token.epoch();
    let advice = match why {
        FileGateError::Rejected(Rejected::Stale { floor }) if is_ahead(directory, token, floor) => {
            "; a newer holder was here, of which the record knows nothing: it was put back, or a token was forged: stop, and \
             have an operator `epoch-fence recover`"
        }
        FileGateError::Rejected(Rejected::Stale { .. }) => "; a newer holder was here: stop",
        FileGateError::Rejected(Rejected::Draining { .. }) => {
            "; `epoch-fence inspect` shows what took them; end those processes and their children, or wait"
        }
        FileGateError::Rejected(Rejected::Conflict) => {
            "; two holders have one epoch: stop, and have an operator look at `epoch-fence verify`"
        }
        FileGateError::Rejected(Rejected::WrongRealm) => {
            "; the resource was recovered or begun anew: an old holder must stop, and an operator lets the guard follow \
             with `epoch-fence recover`"
        }
        FileGateError::NoRecord => "; is it the directory that `run` uses?",
        FileGateError::PermitsReplaced => " with `epoch-fence recover --rebuild-gate`",
        _ => "",
    };
    let failure = Failure::from(why);
    let text = format!("epoch {epoch} is not admitted: {}{advice}", failure.why());
    Failure::new(failure.code(), text)
}
