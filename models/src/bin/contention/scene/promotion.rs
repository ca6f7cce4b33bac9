//! The primary dies with grants that its standby never heard of. The standby is promoted; later the primary comes back.

use core::net::{Ipv4Addr, SocketAddr};
use std::io::Write;
use std::path::Path;

use epoch_fence::engine::postgres::PostgresError;
use epoch_fence::protocol::RECOVERY_STRIDE;
use epoch_fence::{DurableGate, NotAcquired, Rejected};

use super::{Set, Told, acquire, admit, claim, hold, issuer};
use crate::Failure;
use crate::servers::Servers;
use crate::store::StoreError;

pub(super) fn play(folder: &Path, told: &mut Told<'_, impl Write>) -> Result<(), Failure> {
    let (mut set, first) = Set::build(folder)?;
    let standby = set.servers.postgres()?.standby();
    set.servers.postgres()?.wait_for(&standby);
    told.say(&format!("the standby has epoch {}", first.epoch()))?;

    // From now on the standby hears nothing.
    standby.execute("postgres", "ALTER SYSTEM SET primary_conninfo = ''");
    standby.execute("postgres", "SELECT pg_reload_conf()");
    let away = || standby.execute("postgres", "SELECT count(*) FROM pg_stat_wal_receiver").trim() == "0";
    for _ in 0..1_000 {
        if away() {
            break;
        }
        std::thread::sleep(core::time::Duration::from_millis(10));
    }
    let lost = (set.act()?, set.act()?).1;
    told.say(&format!(
        "the primary grants up to epoch {}, acknowledged and admitted, and dies",
        lost.epoch()
    ))?;
    set.servers.kill(0);
    let proxy = set.servers.proxies().first().ok_or("no proxy")?;
    proxy.set_upstream(SocketAddr::from((Ipv4Addr::LOCALHOST, standby.port())));
    proxy.cut();

    let on_standby = acquire(&set.issuer, &claim()?);
    told.fact(
        "a standby grants nothing",
        matches!(&on_standby, Err(NotAcquired::Failed(StoreError::Postgres(PostgresError::Standby)))),
    )?;
    standby.promote();
    let refused = acquire(&set.issuer, &claim()?);
    told.fact(
        "a promoted server grants nothing until an operator accepts it",
        matches!(&refused, Err(NotAcquired::Failed(StoreError::Postgres(PostgresError::Promoted { .. })))),
    )?;
    if let Err(why) = &refused {
        told.say(&why.to_string())?;
    }
    drop((on_standby, refused));
    let floor = set.issuer.engine().accept()?;
    told.say(&format!("the operator accepts; epochs go on above {}", floor.map_or(0, |floor| floor.get())))?;

    let after = hold(&set.issuer)?;
    let token = after.token();
    told.fact(
        "the epochs go on far above those that were lost",
        token.epoch().get() >= first.epoch().get().saturating_add(RECOVERY_STRIDE)
            && token.epoch() > lost.epoch(),
    )?;
    told.fact("the realm stays", token.realm() == set.realm)?;
    told.fact("the gate admits the new tenure", admit(&set.gate, &token).is_ok())?;
    told.fact(
        "the gate refuses the tenure that was lost",
        matches!(admit(&set.gate, &lost), Err(Rejected::Stale { .. })),
    )?;

    old_primary(&mut set.servers, &set.gate, told)?;
    after.release().map_err(|why| why.to_string())?;
    let known = claim()?.with_known_epoch(set.realm, token.epoch());
    told.fact("who remembers the last epoch is not refused", acquire(&set.issuer, &known).is_ok())
}

/// The old primary comes back, and nobody told it.
fn old_primary(
    servers: &mut Servers,
    gate: &DurableGate,
    told: &mut Told<'_, impl Write>,
) -> Result<(), Failure> {
    servers.restart(0);
    let beside = hold(&issuer(&servers.directly())?)?.token();
    told.say(&format!("the old primary comes back and grants epoch {} beside the new one", beside.epoch()))?;
    told.fact(
        "the gate refuses what the old primary grants",
        matches!(admit(gate, &beside), Err(Rejected::Stale { .. })),
    )
}
