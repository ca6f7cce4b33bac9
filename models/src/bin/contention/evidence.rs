//! `Evidence`: what is left of a run, and what everybody said in it.

use std::path::Path;

use epoch_fence::audit::{Entry, LogHead};
use epoch_fence::engine::file::Directory;
use epoch_fence::protocol::{Action, Moment, Tenure};
use epoch_fence::{Epoch, FencingToken, GrantId};

use crate::journal::{self, Note};
use crate::message::{Effect, Who};
use crate::{Failure, cast};

/// What is left of a run, and what everybody said in it.
#[derive(Clone, Debug, Default)]
pub(crate) struct Evidence {
    /// The audit log, from its beginning.
    pub(crate) log: Vec<Logged>,
    /// Why the log is not as it was written, where the engine finds so.
    pub(crate) log_fault: Option<String>,
    /// Heads of the log that were noted during the run.
    pub(crate) noted: Vec<LogHead>,
    /// What was done to the register, in order.
    pub(crate) journal: Vec<Note>,
    /// What holders were told to have.
    pub(crate) granted: Vec<(Who, FencingToken)>,
    /// Effects that were acknowledged to holders, and the register after each.
    pub(crate) acknowledged: Vec<(Effect, u64)>,
    /// Refusals of the gate that no correct issuer causes.
    pub(crate) wrong: Vec<(Effect, String)>,
}

/// A write of the record, as the audit log has it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Logged {
    pub(crate) action: Action,
    pub(crate) epoch: Option<Epoch>,
    pub(crate) tenure: Tenure,
    pub(crate) head: LogHead,
}

impl From<&Entry> for Logged {
    fn from(entry: &Entry) -> Self {
        let record = entry.record();
        Self {
            action: entry.anchor().action(),
            epoch: record.epoch(),
            tenure: *record.tenure(),
            head: entry.head(),
        }
    }
}

impl Logged {
    /// The epoch and the grant that this write began, where it is an acquire.
    pub(crate) fn granted(&self) -> Option<(Epoch, GrantId)> {
        match self.tenure {
            Tenure::Held { grant, .. } if self.action == Action::Acquire => Some((self.epoch?, grant)),
            Tenure::Held { .. } | Tenure::Free | Tenure::Reserved { .. } => None,
        }
    }
}

/// How holders followed each other.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Takeovers {
    /// The one before had released, or nobody was before.
    pub(crate) of_a_free_resource: u64,
    /// The one before had handed over.
    pub(crate) of_a_reserved_resource: u64,
    /// The one before had let its lease lapse.
    pub(crate) after_expiry: u64,
    /// The one before was found dead before its lease was over.
    pub(crate) after_death: u64,
}

impl Evidence {
    /// Reads what is left in the folder of a run, beside what was said in it.
    pub(crate) fn gather(mut self, folder: &Path, leases: &Directory) -> Result<Self, Failure> {
        let resource = cast::resource();
        for found in leases.history(resource)? {
            match found {
                Ok(entry) => self.log.push(Logged::from(&entry)),
                Err(why) => self.log_fault = Some(why.to_string()),
            }
        }
        if let Err(why) = leases.verify(resource, self.noted.first().copied()) {
            self.log_fault = Some(why.to_string());
        }
        self.journal = journal::read(&folder.join("journal"))?;
        Ok(self)
    }

    /// How holders followed each other, by the log.
    ///
    /// When somebody came follows from the end of its lease, because all leases have one length.
    pub(crate) fn takeovers(&self) -> Takeovers {
        let ttl = u64::try_from(cast::TTL.as_nanos()).unwrap_or(u64::MAX);
        let mut takeovers = Takeovers::default();
        let mut before = Tenure::Free;
        for write in &self.log {
            if let (Action::Acquire, Tenure::Held { expiry, .. }) = (write.action, write.tenure) {
                let came = Moment::new(expiry.era(), expiry.nanos().saturating_sub(ttl));
                let kind = match before {
                    Tenure::Free => &mut takeovers.of_a_free_resource,
                    Tenure::Reserved { .. } => &mut takeovers.of_a_reserved_resource,
                    Tenure::Held { expiry, .. } if came.until(expiry).is_some() => &mut takeovers.after_death,
                    Tenure::Held { .. } => &mut takeovers.after_expiry,
                };
                *kind = kind.saturating_add(1);
            }
            before = write.tenure;
        }
        takeovers
    }

    pub(crate) fn effects_done(&self) -> usize {
        self.journal.iter().filter(|note| matches!(note, Note::Done { .. })).count()
    }
}
