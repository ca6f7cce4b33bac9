//! Many at once.

use std::sync::Arc;

use core::time::Duration;

use epoch_fence::protocol::Claim;
use epoch_fence::{AsyncIssuer, ResourceId, SystemClock, Wait};
use tokio::task::JoinSet;

use crate::stage::{namespace, options, runtime, server, store, ttl};

#[test]
fn many_resources_that_are_written_for_the_first_time_at_once_are_all_granted() {
    const RESOURCES: usize = 80;
    let Some(server) = server() else { return };
    let store = store(options(server, &namespace()).timeout(Duration::from_secs(60)));
    let issuer = AsyncIssuer::new(Arc::clone(store.engine()), SystemClock::new());
    let granted = runtime().block_on(async {
        let mut holders = JoinSet::new();
        for number in 0..RESOURCES {
            let resource = ResourceId::of("many", number.to_string());
            let (issuer, claim) = (issuer.clone(), Claim::new(resource, "a".parse().unwrap(), ttl(60_000)));
            holders
                .spawn(async move { issuer.acquire(&claim, Wait::AtOnce).await.map(|lease| lease.token()) });
        }
        holders.join_all().await
    });
    let refused: Vec<_> = granted.iter().filter_map(|granted| granted.as_ref().err()).collect();
    assert!(refused.is_empty(), "{refused:?}");
}
