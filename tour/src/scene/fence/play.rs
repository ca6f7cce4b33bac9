//! The play: who takes the lock, who is stopped, and what is left of it.

use core::time::Duration;
use std::{env, fs, path::PathBuf, process, thread};

use epoch_fence::{
    FencingToken,
    engine::file::{Directory, Host as _, SystemHost},
    protocol::{Action, Moment, Tenure},
};

use super::{
    Sabotage,
    cast::{self, Answer, HolderPart, ResourcePart, ResourceReport, Said, Told},
};
use crate::{children::Children, failure::Failure, scene::sabotage::Sabotage as AnySabotage, stage::Stage};

/// What the holders write.
pub(crate) const IN_TIME: &str = "first holder, in time";
pub(crate) const BY_THE_NEXT: &str = "second holder";
pub(crate) const TOO_LATE: &str = "first holder, too late";

/// For how long the first holder is stopped at least: a third as long again as its lease lasts.
const STOP: Duration = Duration::from_secs(2);

/// What is known when the play is over.
#[derive(Clone, Debug)]
pub(crate) struct Facts {
    pub(crate) first: FencingToken,
    pub(crate) second: FencingToken,
    /// How much of its lease the first holder saw, just before it was stopped.
    pub(crate) left: Duration,
    /// For how long it was stopped.
    pub(crate) stopped: Duration,
    /// What each was answered: the first in time, the second, the first too late.
    pub(crate) answers: [Answer; 3],
    /// Whether the first holder's lease was lost when it had been answered, as it could tell itself.
    pub(crate) lost: bool,
    pub(crate) report: ResourceReport,
    pub(crate) log: Log,
}

/// What the audit log of the leases says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Log {
    /// Everything but renewals, in order.
    pub(crate) writes: Vec<Logged>,
    /// The head, where the log is as it was written.
    pub(crate) verified: Result<String, String>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Logged {
    pub(crate) action: Action,
    pub(crate) token: Option<FencingToken>,
    /// How long the lease before it would still have lasted: zero where it was over.
    pub(crate) early_by: Duration,
}

/// The folder of the leases, removed with the scene.
struct Scratch(PathBuf);

impl Drop for Scratch {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

/// Plays it.
pub(crate) fn play(stage: &Stage<'_>) -> Result<Facts, Failure> {
    let scratch = Scratch(env::temp_dir().join(format!("tour-fence-{}", process::id())));
    let leases = cast::leases().open_or_create(&scratch.0).map_err(cast::leases_failed)?;
    let sabotage = stage.options.sabotage.and_then(AnySabotage::of_fence);
    let mut cast = Cast { stage, children: Children::new(), leases: scratch.0.clone() };

    stage.progress.show("fence: the first holder takes the lock");
    let first = cast.holder("first holder")?;
    let first_token = cast.granted(first)?;
    let resource = stage.start(&mut cast.children, "resource", "resource")?;
    let part = ResourcePart { realm: first_token.realm(), time_limit: stage.time_limit(), sabotage };
    cast.children.tell(resource, &Told::Resource(part))?;
    let Said::Listening { port } = cast.hear(resource, "the resource")? else {
        return Err(Failure::out_of_turn("the resource has no port"));
    };
    let write = |text: &str, under| Told::Write { port, text: text.to_owned(), under };
    cast.children.tell(first, &write(IN_TIME, None))?;
    let (in_time, _) = cast.answered(first)?;
    let second = cast.holder("second holder")?;

    cast.children.tell(first, &Told::Look)?;
    let Said::Looked { left } = cast.hear(first, "a look at the lease")? else {
        return Err(Failure::out_of_turn("the first holder has not looked"));
    };
    // It has looked, and is about to write.
    cast.children.stop(first)?;
    let clock = SystemHost::new().map_err(cast::leases_failed)?;
    let began = clock.moment().map_err(cast::leases_failed)?;
    stage.note("the first holder is stopped");
    stage.progress.show("fence: the first holder is stopped past its lease");
    cast.children.tell(first, &write(TOO_LATE, None))?;

    let second_token = cast.granted(second)?;
    let under = (sabotage == Some(Sabotage::SharedToken)).then_some(first_token);
    cast.children.tell(second, &write(BY_THE_NEXT, under))?;
    let (by_the_next, _) = cast.answered(second)?;

    let so_far = began.until(clock.moment().map_err(cast::leases_failed)?).unwrap_or_default();
    thread::sleep(STOP.saturating_sub(so_far));
    let stopped = began.until(clock.moment().map_err(cast::leases_failed)?).unwrap_or_default();
    cast.children.resume(first)?;
    let (too_late, lost) = cast.answered(first)?;
    cast.finish(first)?;
    cast.finish(second)?;
    cast.finish(resource)?;
    let Said::Report(report) = cast.hear(resource, "the report of the resource")? else {
        return Err(Failure::out_of_turn("the resource has no report"));
    };
    cast.children.finish()?;
    Ok(Facts {
        first: first_token,
        second: second_token,
        left,
        stopped,
        answers: [in_time, by_the_next, too_late],
        lost,
        report,
        log: read_log(&leases)?,
    })
}

/// The processes of the scene.
struct Cast<'s, 'o> {
    stage: &'s Stage<'o>,
    children: Children<Said>,
    leases: PathBuf,
}

impl Cast<'_, '_> {
    /// Starts a holder that wants the lock.
    fn holder(&mut self, name: &str) -> Result<usize, Failure> {
        let holder = self.stage.start(&mut self.children, name, "holder")?;
        let (leases, time_limit) = (self.leases.clone(), self.stage.time_limit());
        self.children.tell(holder, &Told::Holder(HolderPart { name: name.into(), leases, time_limit }))?;
        self.children.tell(holder, &Told::Acquire)?;
        Ok(holder)
    }

    /// Everybody speaks in turn.
    fn hear(&mut self, child: usize, waiting_for: &str) -> Result<Said, Failure> {
        match self.children.hear(self.stage.deadline(), waiting_for)? {
            (from, said) if from == child => Ok(said),
            (_, said) => Err(Failure::out_of_turn(said)),
        }
    }

    fn granted(&mut self, holder: usize) -> Result<FencingToken, Failure> {
        let Said::Granted(token) = self.hear(holder, "a grant")? else {
            return Err(Failure::out_of_turn("a holder without a grant"));
        };
        Ok(token)
    }

    fn answered(&mut self, holder: usize) -> Result<(Answer, bool), Failure> {
        let Said::Answered { answer, lost } = self.hear(holder, "the answer to a write")? else {
            return Err(Failure::out_of_turn("a holder without an answer"));
        };
        Ok((answer, lost))
    }

    fn finish(&mut self, child: usize) -> Result<(), Failure> {
        self.children.release(child);
        self.children.tell(child, &Told::Finish)
    }
}

fn read_log(leases: &Directory) -> Result<Log, Failure> {
    let mut writes = Vec::new();
    let mut before: Option<Moment> = None;
    for entry in leases.history(cast::ledger()).map_err(Failure::lease)? {
        let entry = entry.map_err(Failure::lease)?;
        let (action, record) = (entry.anchor().action(), entry.record());
        let (token, expiry) = match *record.tenure() {
            Tenure::Held { grant, expiry, .. } => {
                let token = |epoch| FencingToken::new(record.realm(), cast::ledger(), epoch, grant);
                (record.epoch().map(token), Some(expiry))
            }
            Tenure::Free | Tenure::Reserved { .. } => (None, None),
        };
        if action != Action::Renew {
            // All leases have one length, so that the end of this one tells when it came.
            let came = expiry.map(|end| Moment::new(end.era(), end.nanos().saturating_sub(ttl_nanos())));
            let early_by = came.zip(before).and_then(|(came, end)| came.until(end)).unwrap_or_default();
            writes.push(Logged { action, token, early_by });
        }
        before = expiry;
    }
    let verified = leases.verify(cast::ledger(), None);
    let verified = verified.map(|log| log.head().to_string()).map_err(|why| why.to_string());
    Ok(Log { writes, verified })
}

fn ttl_nanos() -> u64 {
    u64::try_from(cast::TTL.as_nanos()).unwrap_or(u64::MAX)
}
