//! `Ground`: the store that a run stands on, with whatever happens to it.

use std::path::Path;

use epoch_fence::engine::file::{Directory, SystemHost};
use fastrand::Rng;

use crate::Failure;
use crate::cast::{self, Kind};
use crate::evidence::{AuditLog, Evidence};
use crate::havoc::{Havoc, Word};
use crate::host::FalseHost;
use crate::servers::Servers;
use crate::store::{Store, StorePart};
use crate::witness::Witness;

/// The store that a run stands on.
#[derive(Debug)]
pub(crate) struct Ground {
    /// As holders open it.
    part: StorePart,
    /// As the parent has it, whatever happens between holders and servers.
    store: Store,
    scenery: Scenery,
}

#[derive(Debug)]
enum Scenery {
    Files(Directory),
    /// Prepared, and not yet begun.
    Calm(Servers),
    Stormy {
        havoc: Havoc,
        witness: Witness,
    },
    Over,
}

impl Ground {
    /// Makes a store of this kind, with nothing in it.
    pub(crate) fn prepare(kind: Kind, folder: &Path, clock: SystemHost) -> Result<Self, Failure> {
        let host = FalseHost::new(clock);
        if kind == Kind::File {
            let path = folder.join("leases");
            let leases = cast::file_options().open_or_create(&path)?;
            let part = StorePart::File(path);
            return Ok(Self { store: part.open(host)?, part, scenery: Scenery::Files(leases) });
        }
        let servers = Servers::start(kind)?;
        let store = servers.directly().open(host)?;
        store.begin()?;
        Ok(Self { part: servers.through_proxies(), store, scenery: Scenery::Calm(servers) })
    }

    pub(crate) fn part(&self) -> StorePart {
        self.part.clone()
    }

    pub(crate) const fn engine(&self) -> &Store {
        &self.store
    }

    /// Lets the parent look at the record, and faults happen to the store, if they have to.
    pub(crate) fn begin(
        &mut self,
        faults: bool,
        random: Rng,
        evidence: &mut Evidence,
    ) -> Result<(), Failure> {
        self.scenery = match core::mem::replace(&mut self.scenery, Scenery::Over) {
            Scenery::Calm(servers) => {
                let witness = Witness::start(servers.directly().open(FalseHost::new(SystemHost::new()?))?);
                Scenery::Stormy { havoc: Havoc::start(servers, faults, random)?, witness }
            }
            other => {
                evidence.log = Some(AuditLog::default());
                other
            }
        };
        Ok(())
    }

    /// Ends what happens to the store, in a while.
    pub(crate) fn calm(&mut self) {
        if let Scenery::Stormy { havoc, .. } = &mut self.scenery {
            havoc.calm();
        }
    }

    pub(crate) fn is_calm(&self) -> bool {
        match &self.scenery {
            Scenery::Stormy { havoc, .. } => havoc.is_calm(),
            Scenery::Files(_) | Scenery::Calm(_) | Scenery::Over => true,
        }
    }

    /// What happened to the store since the last look.
    pub(crate) fn words(&mut self) -> Result<Vec<Word>, Failure> {
        match &mut self.scenery {
            Scenery::Stormy { havoc, .. } => havoc.words(),
            Scenery::Files(_) | Scenery::Calm(_) | Scenery::Over => Ok(Vec::new()),
        }
    }

    /// Takes note of what the store keeps for that.
    pub(crate) fn note(&self, evidence: &mut Evidence) {
        if let (Scenery::Files(leases), Some(log)) = (&self.scenery, &mut evidence.log) {
            log.note_head(leases);
        }
    }

    /// Hands over what the store and the parent's looks at it tell, and gives the store up.
    pub(crate) fn gather(self, evidence: &mut Evidence) -> Result<(), Failure> {
        match self.scenery {
            Scenery::Files(leases) => match &mut evidence.log {
                Some(log) => log.gather(&leases),
                None => Ok(()),
            },
            Scenery::Stormy { witness, .. } => {
                evidence.samples = witness.end()?;
                Ok(())
            }
            Scenery::Calm(_) | Scenery::Over => Ok(()),
        }
    }
}
