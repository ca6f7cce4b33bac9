//! `inspect`, `history` and `verify`: reading, without changing anything.

use alloc::collections::VecDeque;
use std::io::{self, Write as _};
use std::time::SystemTime;

use epoch_fence::audit::Entry;
use epoch_fence::engine::Engine as _;
use epoch_fence::engine::file::{Directory, NotVerified, SystemHost};
use epoch_fence::protocol::{Action, Standing, Tenure, Version, View};
use epoch_fence::{Epoch, FileGateError, FileGateSnapshot, ResourceId};
use serde_json::{Value, json};

use crate::engine::Remote;
use crate::exit::{DAMAGED, FAILED, Failure, say};
use crate::name::{Name, harmless};
use crate::options::{History, Inspect, Verify};
use crate::output::{self, at, finished, lasting, millis};
use crate::store;

pub(crate) fn inspect(options: &Inspect) -> Result<u8, Failure> {
    let named =
        options.resource.as_ref().map(|name| Name::new(&options.namespace.namespace, name)).transpose()?;
    if let Some(address) = &options.server.engine {
        let id = named.as_ref().map(Name::id).or(options.id);
        let id = id.ok_or_else(|| Failure::new(FAILED, "say --resource or --id, with --engine"))?;
        return inspect_remote(&address.open(None)?, options, id, named.as_ref());
    }
    let directory = options.place.open()?;
    let resources = match (named.as_ref().map(Name::id), options.id) {
        (Some(id), _) | (None, Some(id)) => vec![id],
        // One whose first write failed, of a full disk, left a folder and nothing else.
        (None, None) => {
            directory.resources()?.into_iter().filter(|id| !never_written(&directory, id)).collect()
        }
    };
    let host = SystemHost::new()?;
    if !options.form.json && options.resource.is_none() && options.id.is_none() {
        let nothing = if resources.is_empty() { ": nothing was ever acquired here" } else { "" };
        finished(writeln!(io::stdout(), "{}{nothing}", harmless(directory.path().as_os_str())))?;
    }
    let mut code = 0;
    let mut documents = Vec::new();
    for id in resources {
        let name = named.clone().or_else(|| Name::of(&directory.folder(id), id));
        match (look(&directory, &host, id, name.as_ref()), options.form.json) {
            (Ok((document, _)), true) => documents.push(document),
            (Ok((_, text)), false) => {
                if let Err(why) = write!(io::stdout(), "{text}") {
                    return finished(Err(why));
                }
            }
            (Err(why), json) => {
                code = FAILED;
                let shown = name.as_ref().map_or_else(|| id.to_string(), Name::to_string);
                say(format!("{shown}: {}", why.why()));
                if json {
                    documents.push(
                        json!({ "id": id.to_string(), "name": text_of(name.as_ref()), "error": why.why() }),
                    );
                }
            }
        }
    }
    if options.form.json {
        finished(output::json(&Value::Array(documents)))?;
    }
    Ok(code)
}

/// One resource of a server, and the guard of this host, if there is one.
fn inspect_remote(
    remote: &Remote,
    options: &Inspect,
    id: ResourceId,
    name: Option<&Name>,
) -> Result<u8, Failure> {
    let host = SystemHost::new()?;
    let shown = name.map_or_else(|| id.to_string(), Name::to_string);
    // The guard first: whatever it knows by then, the record has to know now.
    let gate = match options.place.open() {
        Ok(directory) => directory.gate(id).snapshot(),
        Err(_) => Ok(None),
    };
    let view = remote.load(&id).map_err(|why| Failure::new(FAILED, why).during(remote.shown()))?;
    if view.record().epoch().is_none() {
        return Err(Failure::new(FAILED, "nobody ever acquired it there").during(shown));
    }
    let (document, text) = describe(&view, &gate, &host, id, name);
    finished(if options.form.json {
        output::json(&Value::Array(vec![document]))
    } else {
        write!(io::stdout(), "{}\n{text}", remote.shown())
    })
}

fn text_of(name: Option<&Name>) -> Option<String> {
    name.map(|name| name.name.to_string_lossy().into_owned())
}

fn never_written(directory: &Directory, id: &ResourceId) -> bool {
    directory.load(id).is_ok_and(|view| view.record().version() == Version::ABSENT)
}

/// A resource as it is now, in both forms.
fn look(
    directory: &Directory,
    host: &SystemHost,
    id: ResourceId,
    name: Option<&Name>,
) -> Result<(Value, String), Failure> {
    // The guard first: whatever it knows by then, the record has to know now.
    let gate = directory.gate(id).snapshot();
    let view = directory.load(&id)?;
    if view.record().version() == Version::ABSENT {
        return Err(Failure::new(FAILED, "nobody ever acquired it in this directory"));
    }
    Ok(describe(&view, &gate, host, id, name))
}

/// What a record and the guard say, in both forms.
fn describe(
    view: &View,
    gate: &Result<Option<FileGateSnapshot>, FileGateError>,
    host: &SystemHost,
    id: ResourceId,
    name: Option<&Name>,
) -> (Value, String) {
    let record = view.record();
    let now = output::wall(host);
    let ends = |remaining| now.checked_add(remaining).map_or_else(String::new, at);
    let (state, holder, remaining, sentence) = match view.standing() {
        Standing::Free => ("free", None, None, "free".to_owned()),
        Standing::Lapsed { .. } => {
            ("lapsed", None, None, "free: the last lease is over or its holder died".to_owned())
        }
        Standing::Reserved { to, remaining } => {
            let who = harmless(to.as_str().as_ref());
            let sentence = format!("kept for {who} until {} (in {})", ends(remaining), lasting(remaining));
            ("reserved", Some(to), Some(remaining), sentence)
        }
        Standing::Live { holder, remaining, .. } => {
            let who = harmless(holder.as_str().as_ref());
            let sentence =
                format!("held by {who} until {} (in {}) unless renewed", ends(remaining), lasting(remaining));
            ("held", Some(holder), Some(remaining), sentence)
        }
    };
    let (gate_document, gate_sentence) = match gate {
        Ok(None) => (Value::Null, "never asked".to_owned()),
        Err(why) => (json!({ "error": why.to_string() }), format!("refuses everybody: {why}")),
        Ok(Some(FileGateSnapshot { realm, gate: seen, holders, .. })) => {
            let admitted =
                seen.admitted.map_or_else(|| "nobody".to_owned(), |epoch| format!("epoch {epoch}"));
            let waits =
                if seen.closed && seen.admitted.is_some() { ", newer ones wait for their end" } else { "" };
            let alive = match &**holders {
                [] => "no permit alive".to_owned(),
                some => format!("{} permits alive{waits}, taken by {some:?}", some.len()),
            };
            let wrong = if *realm != record.realm() {
                "; it is of another realm: recover"
            } else if seen.floor > record.epoch().unwrap_or(Epoch::FIRST) {
                "; it is ahead of the record, which was put back, or it believed a forged token: recover"
            } else {
                ""
            };
            (
                json!({
                    "realm": realm.to_string(),
                    "floor": seen.floor.get(),
                    "admitted": seen.admitted.map(Epoch::get),
                    "permits": holders.len(),
                    "processes": holders,
                }),
                format!("admits from epoch {}, has admitted {admitted}, {alive}{wrong}", seen.floor),
            )
        }
    };
    let epoch = record.epoch().map_or_else(|| "none".to_owned(), |epoch| epoch.to_string());
    let shown = name.map_or_else(|| "(name not known)".to_owned(), Name::to_string);
    let grant = record.grant().map_or_else(String::new, |grant| format!("  grant     {grant}\n"));
    let text = format!(
        "{shown}\n  state     {sentence}\n  epoch     {epoch}\n{grant}  guard     {gate_sentence}\n  realm     {}\n  id        {id}\n",
        record.realm()
    );
    let document = json!({
        "id": id.to_string(),
        "namespace": name.map(|name| name.namespace.to_string_lossy().into_owned()),
        "name": text_of(name),
        "realm": record.realm().to_string(),
        "epoch": record.epoch().map(Epoch::get),
        "version": record.version().get(),
        "state": state,
        "holder": holder.map(|holder| holder.to_string()),
        "grant": record.grant().map(|grant| grant.to_string()),
        "remaining_ms": remaining.map(millis),
        "ends_at": remaining.map(ends),
        "gate": gate_document,
    });
    (document, text)
}

pub(crate) fn history(options: &History) -> Result<u8, Failure> {
    let target = &options.target;
    keeps_a_log()?;
    let (directory, id, shown) = target.open()?;
    let mut kept = VecDeque::new();
    let mut broken = None;
    for found in directory.history(id).map_err(|why| refused(&shown, &why))? {
        match found {
            Ok(entry) => match options.last {
                Some(last) => {
                    kept.push_back(entry);
                    if kept.len() > last {
                        kept.pop_front();
                    }
                }
                None => {
                    if let Err(why) = print(&entry, target.form.json) {
                        return finished(Err(why));
                    }
                }
            },
            Err(why) => broken = Some(refused(&shown, &why)),
        }
    }
    let printed = kept.iter().try_for_each(|entry| print(entry, target.form.json));
    match broken {
        Some(why) => Err(why),
        None => finished(printed),
    }
}

/// A directory does; an empty one beside a server would look like an empty past.
fn keeps_a_log() -> Result<(), Failure> {
    match std::env::var_os(store::ENGINE) {
        Some(engine) if !engine.is_empty() => Err(Failure::new(
            FAILED,
            "a server keeps no history; unset $EPOCH_FENCE_ENGINE to look at the directory",
        )),
        _ => Ok(()),
    }
}

fn refused(shown: &str, why: &NotVerified) -> Failure {
    let code = if matches!(why, NotVerified::Damaged(_)) { DAMAGED } else { FAILED };
    Failure::new(code, why).during(shown)
}

const fn verb(action: Action) -> &'static str {
    match action {
        Action::Acquire => "acquire",
        Action::Burn => "burn",
        Action::Renew => "renew",
        Action::Release => "release",
        Action::HandOver => "hand over",
        Action::Evict => "evict",
        Action::Recover => "recover",
    }
}

fn print(entry: &Entry, json: bool) -> io::Result<()> {
    let (record, anchor) = (entry.record(), entry.anchor());
    let stamp = anchor.stamp();
    let time = at(stamp.timestamp().to_system_time().unwrap_or(SystemTime::UNIX_EPOCH));
    let process = stamp.node().as_u64();
    let (holder, grant) = match *record.tenure() {
        Tenure::Held { holder, grant, .. } => (Some(holder), Some(grant)),
        Tenure::Reserved { to, .. } => (Some(to), None),
        Tenure::Free => (None, None),
    };
    if json {
        return output::json(&json!({
            "index": anchor.index(),
            "time": time,
            "process": process,
            "action": verb(anchor.action()),
            "realm": record.realm().to_string(),
            "epoch": record.epoch().map(Epoch::get),
            "version": record.version().get(),
            "holder": holder.map(|holder| holder.to_string()),
            "grant": grant.map(|grant| grant.to_string()),
            "head": entry.head().to_string(),
        }));
    }
    let epoch = record.epoch().map_or_else(|| "none".to_owned(), |epoch| epoch.to_string());
    let who = holder.map_or_else(String::new, |holder| format!("  {}", harmless(holder.as_str().as_ref())));
    let index = anchor.index();
    writeln!(
        io::stdout(),
        "{index:>6}  {time}  {:<9}  epoch {epoch}{who}  process {process}",
        verb(anchor.action())
    )
}

pub(crate) fn verify(options: &Verify) -> Result<u8, Failure> {
    keeps_a_log()?;
    let (directory, id, shown) = options.target.open()?;
    let result = directory.verify(id, options.head);
    if options.target.form.json {
        let document = match &result {
            Ok(sound) => json!({
                "sound": true,
                "entries": sound.entries(),
                "unread": sound.unread(),
                "head": sound.head().to_string(),
                "noted_at": sound.noted_at(),
                "missing": sound.missing().is_some(),
            }),
            Err(NotVerified::Damaged(damage)) => json!({
                "sound": false,
                "why": damage.to_string(),
                "sound_entries": damage.index(),
                "file": damage.segment(),
                "byte": damage.offset(),
                "head": damage.head().to_string(),
            }),
            Err(why) => json!({ "sound": false, "why": why.to_string() }),
        };
        finished(output::json(&document))?;
    }
    let sound = result.map_err(|why| refused(&shown, &why))?;
    if options.target.form.json {
        return Ok(0);
    }
    let text = found_sound(sound.entries(), sound.unread(), sound.missing().is_some(), sound.noted_at());
    finished(writeln!(io::stdout(), "{shown}: {text}  head {}", sound.head()))
}

/// What there is to know of a log that is as it was written.
fn found_sound(entries: u64, unread: u64, missing: bool, noted_at: Option<u64>) -> String {
    let mut text = format!("{entries} entries, as they were written\n");
    if unread > 0 {
        text +=
            &format!("  the first {unread} are in files that were moved away: nothing is known of them\n");
    }
    if missing {
        text += "  the last one is missing or not whole, as after a crash; the record has it, and whoever acquires next writes it\n";
    }
    match noted_at {
        Some(at) => text += &format!("  the head that you noted was the head after {at} of them\n"),
        None => {
            text += "  note the head elsewhere: with `verify --head` it finds a past that was written anew\n"
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_entry_of_a_history_says_what_was_done() {
        let rows = [
            (Action::Acquire, "acquire"),
            (Action::Burn, "burn"),
            (Action::Renew, "renew"),
            (Action::Release, "release"),
            (Action::HandOver, "hand over"),
            (Action::Evict, "evict"),
            (Action::Recover, "recover"),
        ];
        for (action, expected) in rows {
            assert_eq!(verb(action), expected);
        }
    }

    #[test]
    fn a_sound_log_says_what_it_does_not_know() {
        let note = "  note the head elsewhere: with `verify --head` it finds a past that was written anew\n";
        let noted = "  the head that you noted was the head after 2 of them\n";
        let away = "  the first 1 are in files that were moved away: nothing is known of them\n";
        let missing = "  the last one is missing or not whole, as after a crash; the record has it, and whoever acquires next \
                       writes it\n";
        let head = "4 entries, as they were written\n";
        assert_eq!(found_sound(4, 0, false, None), format!("{head}{note}"));
        assert_eq!(found_sound(4, 1, true, Some(2)), format!("{head}{away}{missing}{noted}"));
    }
}
