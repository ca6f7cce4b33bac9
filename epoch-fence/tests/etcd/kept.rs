//! A lease that is kept in the background.

use std::sync::Arc;

use epoch_fence::engine::AsyncEngine as _;
use epoch_fence::protocol::Standing;
use epoch_fence::{AsyncIssuer, Loss, SystemClock, Wait};

use crate::stage::{Raw, claim, fresh, ledger, runtime, server, until};

#[test]
fn a_kept_lease_is_renewed_until_it_is_taken_away_and_its_holder_hears_of_that() {
    let Some(server) = server() else { return };
    let (store, namespace) = fresh(server);
    let raw = Raw::of(server, &namespace);
    let issuer = AsyncIssuer::new(Arc::clone(store.engine()), SystemClock::new());
    let lease =
        runtime().block_on(async { issuer.acquire(&claim("a", 6_000), Wait::AtOnce).await.unwrap().keep() });
    let revision = || raw.get("record").unwrap().mod_revision();
    let (first, deadline) = (revision(), lease.deadline());
    until("it is renewed", || revision() > first && lease.deadline() > deadline);
    let grant = lease.token().grant();
    let view = runtime().block_on(store.engine().load(&ledger())).unwrap();
    assert!(matches!(view.standing(), Standing::Live { grant: live, .. } if live == grant));
    raw.revoke(raw.marked());
    let loss = runtime().block_on(lease.loss());
    assert!(matches!(loss, Loss::Over), "{loss:?}");
}
