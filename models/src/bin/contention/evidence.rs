//! `Evidence`: what is left of a run, and what everybody said in it.

use alloc::collections::BTreeSet;
use core::time::Duration;

use epoch_fence::audit::{Entry, LogHead};
use epoch_fence::engine::file::Directory;
use epoch_fence::protocol::{Action, Moment, Tenure, Version, View};
use epoch_fence::{Epoch, GrantId};

use crate::cast::Kind;
use crate::journal::Note;
use crate::message::{Effect, Grant, Who};
use crate::{Failure, cast};

/// What is left of a run, and what everybody said in it.
#[derive(Clone, Debug, Default)]
pub(crate) struct Evidence {
    /// Of a store that keeps one.
    pub(crate) log: Option<AuditLog>,
    /// The record as the parent read it during the run, where that disturbs nobody; in order, changes alone.
    pub(crate) samples: Vec<Sample>,
    /// From when until when the store could not write anything, in time since boot.
    pub(crate) outages: Vec<(Duration, Duration)>,
    /// What was done to the register, in order.
    pub(crate) journal: Vec<Note>,
    /// What holders were told to have.
    pub(crate) granted: Vec<(Who, Grant)>,
    /// Grants of which holders were told that they never land.
    pub(crate) never: BTreeSet<GrantId>,
    /// Effects that were acknowledged to holders, and the register after each.
    pub(crate) acknowledged: Vec<(Effect, u64)>,
    /// Refusals of the gate that no correct issuer causes.
    pub(crate) wrong: Vec<(Effect, String)>,
}

/// The audit log of a directory.
#[derive(Clone, Debug, Default)]
pub(crate) struct AuditLog {
    /// From its beginning.
    pub(crate) writes: Vec<Logged>,
    /// Why it is not as it was written, where the engine finds so.
    pub(crate) fault: Option<String>,
    /// Heads that were noted during the run.
    pub(crate) noted: Vec<LogHead>,
}

/// A look at the record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Sample {
    pub(crate) version: Version,
    pub(crate) epoch: Option<Epoch>,
    pub(crate) grant: Option<GrantId>,
}

impl From<&View> for Sample {
    fn from(view: &View) -> Self {
        let record = view.record();
        Self { version: record.version(), epoch: record.epoch(), grant: record.grant() }
    }
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

impl AuditLog {
    /// Notes the head, as an operator would from time to time.
    pub(crate) fn note_head(&mut self, leases: &Directory) {
        match leases.verify(cast::resource(), None).map(|verified| verified.head()) {
            Ok(head) if self.noted.last() == Some(&head) => {}
            Ok(head) => self.noted.push(head),
            Err(why) => self.fault = Some(format!("in the midst of the run: {why}")),
        }
    }

    /// Reads the whole log.
    pub(crate) fn gather(&mut self, leases: &Directory) -> Result<(), Failure> {
        let resource = cast::resource();
        for found in leases.history(resource)? {
            match found {
                Ok(entry) => self.writes.push(Logged::from(&entry)),
                Err(why) => self.fault = Some(why.to_string()),
            }
        }
        if let Err(why) = leases.verify(resource, self.noted.first().copied()) {
            self.fault = Some(why.to_string());
        }
        Ok(())
    }

    /// How holders followed each other.
    ///
    /// When somebody came follows from the end of its lease, because all leases have one length.
    pub(crate) fn takeovers(&self) -> Takeovers {
        let ttl = u64::try_from(Kind::File.ttl().as_nanos()).unwrap_or(u64::MAX);
        let mut takeovers = Takeovers::default();
        let mut before = Tenure::Free;
        for write in &self.writes {
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
}

impl Evidence {
    pub(crate) fn effects_done(&self) -> usize {
        self.journal.iter().filter(|note| matches!(note, Note::Done { .. })).count()
    }
}
