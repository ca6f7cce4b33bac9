//! The server goes away and comes back: what is held is held, and a client finds the server again by itself.

use std::time::Duration;

use epoch_fence::engine::etcd::EtcdError;
use epoch_fence::engine::{Engine as _, Failure};
use epoch_fence::protocol::{Command, Swap};
use epoch_fence::{Ended, NotAcquired, NotChanged, Wait};

use crate::stage::{
    acquire, claim, grant, holder, issuer, land, ledger, namespace, options, own, store, ttl, until,
};

#[test]
fn a_lease_outlives_a_stop_and_a_kill_of_the_server_and_its_holder_goes_on() {
    let Some(mut server) = own(1, &[]) else { return };
    let namespace = namespace();
    let (one, two) = (store(options(&server, &namespace)), store(options(&server, &namespace)));
    let (mine, theirs) = (issuer(&one), issuer(&two));
    let mut lease = mine.acquire(&claim("a", 600_000), Wait::AtOnce).unwrap();
    for kill in [false, true] {
        if kill {
            server.kill(0);
        } else {
            server.stop(0);
        }
        let down = store_error(one.engine().namespace(), &server);
        // On a machine that is busy the time may be over before that is said.
        let said =
            matches!(down, EtcdError::Unreachable | EtcdError::Connection(_) | EtcdError::TimedOut { .. });
        assert!(said, "{down:?}");
        server.restart(0);
        // The same clients, each with a connection to a server that is gone.
        let refused = theirs.acquire(&claim("b", 500), Wait::AtOnce);
        assert!(matches!(refused, Err(NotAcquired::Held { .. })), "{refused:?}");
        lease.renew().unwrap();
    }
    let epoch = lease.token().epoch();
    assert!(matches!(lease.release(), Ok(Ended::Released)));
    assert!(theirs.acquire(&claim("b", 60_000), Wait::AtOnce).unwrap().token().epoch() > epoch);
}

/// What somebody hears who comes while the server is down.
fn store_error(namespace: &str, server: &clock_testing::etcd::Etcd) -> EtcdError {
    let options = options(server, namespace).timeout(Duration::from_secs(1));
    crate::stage::runtime().block_on(options.connect()).unwrap_err()
}

#[test]
fn a_server_that_hangs_holds_nobody_up_for_longer_than_the_timeout_and_extends_nothing() {
    let Some(server) = own(1, &[]) else { return };
    let namespace = namespace();
    let patient = store(options(&server, &namespace));
    let hasty = store(options(&server, &namespace).timeout(Duration::from_millis(300)));
    let issuer = issuer(&hasty);
    let mut lease = None;
    // On a machine that is busy even a server that does not hang may take longer; what is unknown then lapses.
    until("it is acquired", || {
        lease = issuer.acquire(&claim("a", 20_000), Wait::AtOnce).ok();
        lease.is_some()
    });
    let mut lease = lease.unwrap();
    let deadline = lease.deadline();
    server.pause(0);
    let found = hasty.load(&ledger()).unwrap_err();
    assert!(
        matches!(found, EtcdError::TimedOut { after } if after == Duration::from_millis(300)),
        "{found:?}"
    );
    let renewed = lease.renew();
    assert!(matches!(renewed, Err(NotChanged::Failed(_) | NotChanged::Indeterminate(_))), "{renewed:?}");
    assert_eq!(lease.deadline(), deadline);
    server.resume(0);
    until("it is answered again", || hasty.load(&ledger()).is_ok());
    assert!(patient.load(&ledger()).is_ok());
}

#[test]
fn a_write_that_finds_nobody_did_not_land_and_never_will() {
    let Some(mut server) = own(1, &[]) else { return };
    let namespace = namespace();
    let store = store(options(&server, &namespace).timeout(Duration::from_secs(2)));
    assert_eq!(store.engine().namespace(), namespace);
    let named = format!("Etcd {{ endpoints: [\"http://{}\"], namespace: {namespace:?}", server.address(0));
    assert!(format!("{store:?}").contains(&named), "{store:?}");
    let held = land(&store, &Command::Acquire { grant: grant(1), holder: holder("a"), ttl: ttl(600_000) });
    let on_held = |command| Swap::prepare(&held, &command).unwrap();
    let swaps = [
        // With a lease of etcd's before it, one that is there, and none.
        acquire(&held.with_ended(), 2, 600_000),
        on_held(Command::Renew { grant: grant(1), ttl: ttl(300_000) }),
        on_held(Command::Release { grant: grant(1) }),
    ];
    server.kill(0);
    // The connection that was there is gone, and heard of.
    assert!(store.load(&ledger()).is_err());
    for swap in &swaps {
        // On a machine that is busy the time may be over before it is said.
        until("nobody listens", || match store.swap(&ledger(), swap) {
            Err(Failure::Definite(EtcdError::Unreachable)) => true,
            Err(Failure::Definite(_) | Failure::Indeterminate(EtcdError::TimedOut { .. })) => false,
            other => panic!("{:?}: {other:?}", swap.action()),
        });
    }
    server.restart(0);
    until("it is answered again", || store.load(&ledger()).is_ok());
    assert_eq!(store.load(&ledger()).unwrap().record().version(), held.record().version());
}
