//! Scenes: what happens to a store at most once in its life, played alone, with what is and what is not found out.

mod promotion;
mod restore;

use std::io::Write;
use std::path::Path;

use clap::ValueEnum;
use epoch_fence::engine::file::SystemHost;
use epoch_fence::protocol::Claim;
use epoch_fence::{
    DurableGate, Epoch, FencingToken, Issuer, Lease, NotAcquired, NotAdmitted, RealmId, Rejected, Wait,
};
use high_water::Options;

use crate::Failure;
use crate::cast::{self, Kind};
use crate::host::FalseHost;
use crate::servers::Servers;
use crate::store::{Store, StoreError, StorePart};

/// Which scene is played.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Scene {
    /// The primary dies with grants that its standby never heard of, the standby is promoted, and the primary comes back.
    Promotion,
    /// The server is put back to an older base backup.
    Restore,
}

/// Plays a scene in an empty folder, and tells each fact as it is seen. Whether all of them were as they must be.
pub(crate) fn play(scene: Scene, folder: &Path, out: &mut impl Write) -> Result<bool, Failure> {
    let mut told = Told { out, broken: 0 };
    match scene {
        Scene::Promotion => promotion::play(folder, &mut told)?,
        Scene::Restore => restore::play(folder, &mut told)?,
    }
    Ok(told.broken == 0)
}

/// Where facts are told.
struct Told<'o, W> {
    out: &'o mut W,
    broken: u32,
}

impl<W: Write> Told<'_, W> {
    /// Tells a fact, and whether it is one.
    fn fact(&mut self, what: &str, holds: bool) -> Result<(), Failure> {
        self.broken = self.broken.saturating_add(u32::from(!holds));
        writeln!(self.out, "{}{what}", if holds { "held    " } else { "BROKEN  " })?;
        Ok(())
    }

    /// Tells what was done, or what somebody answered.
    fn say(&mut self, what: &str) -> Result<(), Failure> {
        writeln!(self.out, "        {what}")?;
        Ok(())
    }
}

/// One holder, one gate, and a server between which nothing is in the way.
struct Set {
    servers: Servers,
    issuer: Issuer<Store, SystemHost>,
    gate: DurableGate,
    realm: RealmId,
}

impl Set {
    /// Starts all of it, with one tenure that has acted.
    fn build(folder: &Path) -> Result<(Self, FencingToken), Failure> {
        let servers = Servers::start(Kind::Postgres)?;
        servers.directly().open(FalseHost::new(SystemHost::new()?))?.begin()?;
        let issuer = issuer(&servers.through_proxies())?;
        let first = hold(&issuer)?;
        let token = first.token();
        first.release().map_err(|why| why.to_string())?;
        let register = Options::new(DurableGate::identity(cast::resource()))
            .allow_volatile_file_system()
            .allow_unknown_file_system()
            .open_or_create(folder.join("gate"))?;
        let gate = DurableGate::new(register, token.realm(), cast::resource(), Epoch::FIRST)?;
        admit(&gate, &token).map_err(|why| format!("the first tenure is refused: {why:?}"))?;
        Ok((Self { servers, issuer, gate, realm: token.realm() }, token))
    }

    /// A tenure that acts once.
    fn act(&self) -> Result<FencingToken, Failure> {
        let lease = hold(&self.issuer)?;
        let token = lease.token();
        admit(&self.gate, &token).map_err(|why| format!("a new tenure is refused: {why:?}"))?;
        lease.release().map_err(|why| why.to_string())?;
        Ok(token)
    }
}

fn issuer(part: &StorePart) -> Result<Issuer<Store, SystemHost>, Failure> {
    let clock = SystemHost::new()?;
    Ok(Issuer::new(part.open(FalseHost::new(clock))?, clock))
}

fn claim() -> Result<Claim, Failure> {
    Ok(Claim::new(cast::resource(), cast::holder_id(0)?, cast::ttl(Kind::Postgres)?))
}

type Held<'i> = Lease<'i, Store, SystemHost>;

/// Takes the resource, and waits for that as long as a lease may be in the way; a session that broke is tried again.
fn hold(issuer: &Issuer<Store, SystemHost>) -> Result<Held<'_>, Failure> {
    acquire(issuer, &claim()?).map_err(|why| why.to_string().into())
}

fn acquire<'i>(
    issuer: &'i Issuer<Store, SystemHost>,
    claim: &Claim,
) -> Result<Held<'i>, NotAcquired<StoreError>> {
    let wait = Wait::AtMost(Kind::Postgres.ttl().saturating_mul(3));
    let mut tries: u32 = 0;
    loop {
        match issuer.acquire(claim, wait) {
            Err(NotAcquired::Failed(why)) if why.passes() && tries < 20 => tries = tries.saturating_add(1),
            other => return other,
        }
    }
}

/// Lets an effect of nothing be applied.
fn admit(gate: &DurableGate, token: &FencingToken) -> Result<(), Rejected> {
    match gate.run(token, |_permit| ()) {
        Ok(()) => Ok(()),
        Err(NotAdmitted::Rejected(why)) => Err(why),
        // The folder of a scene is written by nobody else; what cannot be saved is admitted to nobody.
        Err(_) => Err(Rejected::Sealed),
    }
}
