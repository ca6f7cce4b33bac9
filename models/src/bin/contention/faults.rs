//! A run: faults for so long, then quiet, then the end; and what is left of it.

use core::time::Duration;
use std::path::PathBuf;

use epoch_fence::engine::file::SystemHost;
use epoch_fence::protocol::Claim;
use epoch_fence::{BootClock as _, Issuer, RealmId, Wait};
use fastrand::Rng;

use crate::cast::Kind;
use crate::director::Director;
use crate::evidence::Evidence;
use crate::ground::Ground;
use crate::message::{Grant, Who};
use crate::sightings::Sightings;
use crate::store::Store;
use crate::troupe::Troupe;
use crate::{Failure, cast, journal};

/// What is to be played.
#[derive(Debug)]
pub(crate) struct Run {
    /// An empty folder.
    pub(crate) folder: PathBuf,
    /// How long faults go on.
    pub(crate) length: Duration,
    pub(crate) seed: u64,
    pub(crate) gate: bool,
    pub(crate) kind: Kind,
}

/// Plays a run, and returns what is left of it.
pub(crate) fn play(run: &Run) -> Result<(Evidence, Sightings), Failure> {
    let clock = SystemHost::new()?;
    let mut random = Rng::with_seed(run.seed);
    let mut ground = Ground::prepare(run.kind, &run.folder, clock)?;
    let mut evidence = Evidence::default();
    let realm = first_tenure(ground.engine(), run.kind, clock, &mut evidence)?;
    ground.begin(run.gate, random.fork(), &mut evidence)?;
    let troupe = Troupe::new(&run.folder, ground.part(), run.gate.then_some(realm));
    let mut director = Director::new(run, clock, random, troupe, ground, evidence);
    director.play(run.length)?;
    let (ground, mut evidence, sightings) = director.finish();
    evidence.journal = journal::read(&run.folder.join("journal"))?;
    ground.gather(&mut evidence)?;
    Ok((evidence, sightings))
}

/// Begins the resource's realm, which the gate must know, by a tenure in which nothing is done.
fn first_tenure(
    leases: &Store,
    kind: Kind,
    clock: SystemHost,
    evidence: &mut Evidence,
) -> Result<RealmId, Failure> {
    let issuer = Issuer::new(leases, clock);
    let claim = Claim::new(cast::resource(), cast::holder_id(cast::HOLDERS)?, cast::ttl(kind)?);
    let asked = clock.now().since_start();
    let lease = issuer.acquire(&claim, Wait::AtOnce).map_err(|why| why.to_string())?;
    let (token, heard) = (lease.token(), clock.now().since_start());
    evidence.granted.push((Who { holder: cast::HOLDERS, life: 0 }, Grant { token, asked, heard }));
    lease.release().map_err(|why| why.to_string())?;
    Ok(token.realm())
}
