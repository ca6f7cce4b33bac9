//! Many want one resource at once.

use alloc::collections::BTreeMap;
use alloc::sync::Arc;

use epoch_fence::Epoch;
use epoch_fence::engine::postgres::Postgres;
use epoch_fence::engine::{AsyncEngine as _, Swapped};
use epoch_fence::protocol::Swap;

use crate::stage::{Stage, acquire, block_on, release, resource, runtime};

const RACERS: u128 = 8;
const ROUNDS: u128 = 25;

/// Acquires and releases, until it was granted so many times. Returns the epochs.
async fn race(store: Arc<Postgres>, racer: u128) -> Vec<(Epoch, u128)> {
    let resource = resource("r");
    let mut won = Vec::new();
    let mut attempt = 0;
    while won.len() < usize::try_from(ROUNDS).unwrap() {
        attempt += 1;
        let bits = racer << 64 | attempt;
        let view = store.load(&resource).await.unwrap();
        let Ok(swap) = Swap::prepare(&view, &acquire(bits)) else {
            tokio::task::yield_now().await;
            continue;
        };
        let Swapped::Landed(held) = store.swap(&resource, &swap).await.unwrap() else { continue };
        swap.check_landed(&held).unwrap();
        won.push((held.record().epoch().unwrap(), bits));
        let release = Swap::prepare(&held, &release(bits)).unwrap();
        let released = store.swap(&resource, &release).await.unwrap();
        assert!(matches!(released, Swapped::Landed(_)), "nobody but the holder writes: {released:?}");
    }
    won
}

fn every_epoch_once(stage: &Stage, stores: impl Iterator<Item = Arc<Postgres>>) {
    let racers: Vec<_> =
        stores.zip(1..=RACERS).map(|(store, racer)| runtime().spawn(race(store, racer))).collect();
    let mut epochs = BTreeMap::new();
    for racer in racers {
        for (epoch, bits) in block_on(racer).unwrap() {
            assert_eq!(epochs.insert(epoch, bits), None, "epoch {epoch} twice");
        }
    }
    // One after the other: none was granted and not told.
    let all: Vec<_> = (1..).map_while(Epoch::new).take(epochs.len()).collect();
    assert_eq!(epochs.into_keys().collect::<Vec<_>>(), all);
    assert_eq!(u128::try_from(all.len()).unwrap(), RACERS * ROUNDS);
    let last = block_on(stage.store().load(&resource("r"))).unwrap();
    assert_eq!(last.record().epoch(), all.last().copied());
}

#[test]
fn of_eight_clients_one_is_granted_each_epoch() {
    let Some(stage) = Stage::shared("race_clients") else { return };
    every_epoch_once(&stage, core::iter::repeat_with(|| Arc::new(stage.store())).take(8));
}

#[test]
fn of_eight_tasks_on_one_session_one_is_granted_each_epoch() {
    let Some(stage) = Stage::shared("race_tasks") else { return };
    let store = Arc::new(stage.store());
    every_epoch_once(&stage, core::iter::repeat(store));
}
