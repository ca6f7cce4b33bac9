//! A cluster of three: one may go, and two may not.

use std::time::Duration;

use epoch_fence::engine::Engine as _;
use epoch_fence::engine::etcd::{EtcdError, EtcdOptions};
use epoch_fence::{Ended, NotAcquired, NotChanged, Wait};

use crate::stage::{claim, issuer, ledger, namespace, options, own, store, until};

#[test]
fn clients_go_on_without_the_leader_and_not_without_two_members_and_then_go_on_again() {
    let Some(mut cluster) = own(3, &[]) else { return };
    let namespace = namespace();
    // Short, because a member without a majority says so only when its own time is over.
    let options = || options(&cluster, &namespace).timeout(Duration::from_secs(3));
    let (one, two) = (store(options()), store(options()));
    let (mine, theirs) = (issuer(&one), issuer(&two));
    let mut lease = mine.acquire(&claim("a", 600_000), Wait::AtOnce).unwrap();
    let first = cluster.wait_for_leader();
    cluster.kill(first);
    until("the holder goes on", || lease.renew().is_ok());
    let refused = theirs.acquire(&claim("b", 500), Wait::AtOnce);
    assert!(matches!(refused, Err(NotAcquired::Held { .. })), "{refused:?}");
    let second = cluster.wait_for_leader();
    let last = (0..3).find(|member| ![first, second].contains(member)).unwrap();
    let lone = EtcdOptions::new([format!("http://{}", cluster.address(last))], &namespace).unwrap();
    let lone = store(lone.timeout(Duration::from_secs(1)));
    cluster.kill(second);
    until("it says that it has no leader", || matches!(lone.load(&ledger()), Err(EtcdError::Unsure(_))));
    // The one that is left knows nothing of its own: no grant, no renewal, and no answer that could be old.
    let refused = theirs.acquire(&claim("b", 500), Wait::AtOnce);
    assert!(matches!(refused, Err(NotAcquired::Failed(_))), "{refused:?}");
    let before = lease.deadline();
    let renewed = lease.renew();
    assert!(matches!(renewed, Err(NotChanged::Failed(_))), "{renewed:?}");
    assert_eq!(lease.deadline(), before);
    cluster.launch(first);
    cluster.restart(second);
    until("the holder goes on", || lease.renew().is_ok());
    let epoch = lease.token().epoch();
    assert!(matches!(lease.release(), Ok(Ended::Released)));
    let next = theirs.acquire(&claim("b", 60_000), Wait::AtOnce).unwrap();
    assert!(next.token().epoch() > epoch);
}

#[test]
fn a_member_that_hangs_is_left_for_another_within_the_timeout_of_one_call() {
    let Some(cluster) = own(3, &[]) else { return };
    let namespace = namespace();
    let store = store(options(&cluster, &namespace).timeout(Duration::from_secs(30)));
    let before = store.load(&ledger()).unwrap();
    // The first endpoint is the one that is asked. If it leads, another one does from then on.
    cluster.pause(0);
    let after = store.load(&ledger()).unwrap();
    assert_eq!(after.record(), before.record());
    let lease = issuer(&store);
    assert!(lease.acquire(&claim("a", 60_000), Wait::AtOnce).is_ok());
    cluster.resume(0);
}
