//! Acquiring and releasing a lease, in whatever store.

use core::time::Duration;

use epoch_fence::engine::AsyncEngine;
use epoch_fence::protocol::{Claim, Ttl};
use epoch_fence::{AsyncIssuer, ResourceId, SystemClock, Wait};

use crate::Failure;
use crate::load::Resources;

pub(crate) type Issuer<E> = AsyncIssuer<E, SystemClock>;

/// Which resource a contender wants.
pub(crate) fn resource(resources: Resources, contender: usize) -> String {
    match resources {
        Resources::OneEach => format!("{contender}"),
        Resources::One => "all".into(),
    }
}

/// Acquires and releases once.
pub(crate) async fn once<E: AsyncEngine>(
    issuer: &Issuer<E>,
    resources: Resources,
    contender: usize,
) -> Result<(), Failure> {
    let ttl = Ttl::new(Duration::from_secs(30)).ok_or("no such time to live")?;
    let resource = ResourceId::of("engines", resource(resources, contender));
    let claim = Claim::new(resource, format!("contender {contender}").parse()?, ttl);
    let lease = issuer.acquire(&claim, Wait::AtMost(Duration::from_secs(60))).await;
    let lease = lease.map_err(|why| why.to_string())?;
    lease.release().await.map_err(|why| why.to_string())?;
    Ok(())
}
