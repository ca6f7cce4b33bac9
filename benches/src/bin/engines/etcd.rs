//! Leases in an etcd, beside its own lock.

use alloc::sync::Arc;

use clock_testing::etcd::Etcd as Server;
use epoch_fence::SystemClock;
use epoch_fence::engine::etcd::{Etcd, EtcdOptions};
use etcd_client::{Client, Compare, CompareOp, KeyValue, LockOptions, PutOptions, Txn, TxnOp, TxnOpResponse};

use crate::lease::{Issuer, once, resource};
use crate::load::{BARE, Load, Measured, Resources};
use crate::{CONTENDERS, Failure};

const STORE: &str = "etcd";

pub(crate) async fn measure(url: Option<&str>, load: &Load) -> Result<Vec<Measured>, Failure> {
    let mut own = None;
    let url = match url {
        Some(url) => url.to_owned(),
        None => match Server::start(1, &[]) {
            Ok(server) => format!("etcd://{}/load", own.insert(server).address(0)),
            Err(missing) => {
                missing.not_run();
                return Ok(Vec::new());
            }
        },
    };
    let options: EtcdOptions = url.parse()?;
    let client = Client::connect(options.endpoints(), None).await?;
    let store = options.connect().await?;
    store.init().await?;
    let issuer: Arc<Issuer<Etcd>> = Arc::new(Issuer::new(store, SystemClock::new()));
    let mut measured = Vec::new();
    for contenders in CONTENDERS {
        let row = |what, resources| Measured::new(STORE, what, contenders, resources);
        let mut rows = [
            row(BARE, Resources::OneEach),
            row("lease", Resources::OneEach),
            row("lease", Resources::One),
            row("its own lock", Resources::OneEach),
            row("its own lock", Resources::One),
        ];
        for _ in 0..load.turns() {
            for row in &mut rows {
                let (resources, what) = (row.resources, row.what);
                let (client, issuer) = (client.clone(), Arc::clone(&issuer));
                let doing = move |contender| {
                    let (client, issuer) = (client.clone(), Arc::clone(&issuer));
                    async move {
                        match what {
                            BARE => twice(client, contender).await,
                            "lease" => once(&issuer, resources, contender).await,
                            _ => lock(client, resources, contender).await,
                        }
                    }
                };
                Load::turn(row, Arc::new(doing)).await?;
            }
        }
        measured.extend(rows);
    }
    Ok(measured)
}

/// Reads, makes an etcd lease and writes two keys, as an acquisition; reads, and writes one and deletes the other, as a
/// release, and gives the etcd lease back.
async fn twice(mut client: Client, contender: usize) -> Result<(), Failure> {
    let (record, alive) = (format!("bare/{contender}"), format!("bare/{contender}/alive"));
    let value = vec![7_u8; 160];
    let lease = client.lease_grant(30, None).await?.id();
    for acquires in [true, false] {
        let keys =
            [TxnOp::get("bare", None), TxnOp::get(record.clone(), None), TxnOp::get(alive.clone(), None)];
        let found = client.txn(Txn::new().and_then(keys)).await?.op_responses();
        let second = if acquires {
            TxnOp::put(alive.clone(), value.clone(), Some(PutOptions::new().with_lease(lease)))
        } else {
            TxnOp::delete(alive.clone(), None)
        };
        let revision = match found.get(1) {
            Some(TxnOpResponse::Get(found)) => found.kvs().first().map_or(0, KeyValue::mod_revision),
            _ => return Err("a read for each question".into()),
        };
        let unchanged = Compare::mod_revision(record.clone(), CompareOp::Equal, revision);
        let writes = [TxnOp::put(record.clone(), value.clone(), None), second];
        let written = client.txn(Txn::new().when([unchanged]).and_then(writes)).await?;
        if !written.succeeded() {
            return Err("nobody else writes this key".into());
        }
    }
    client.lease_revoke(lease).await?;
    Ok(())
}

/// As its documentation has it: a lock lives as long as an etcd lease.
async fn lock(mut client: Client, resources: Resources, contender: usize) -> Result<(), Failure> {
    let lease = client.lease_grant(30, None).await?.id();
    let name = format!("lock/{}", resource(resources, contender));
    let locked = client.lock(name, Some(LockOptions::new().with_lease(lease))).await?;
    client.unlock(locked.key()).await?;
    client.lease_revoke(lease).await?;
    Ok(())
}
