//! The server goes down and comes back.

use clock_testing::postgres::Postgres as Server;
use epoch_fence::engine::postgres::{Postgres, PostgresError};
use epoch_fence::engine::{AsyncEngine as _, Failure};
use epoch_fence::protocol::Swap;

use crate::stage::{acquire, block_on, land, options, realm, renew, resource};

#[test]
fn a_lease_survives_a_restart_and_a_kill_of_the_server_and_its_client_finds_it_again() {
    let mut server = match Server::start(&[]) {
        Ok(server) => server,
        Err(missing) => return missing.not_run(),
    };
    let store = block_on(async {
        let store = Postgres::connect(&server.url(), options()).await.unwrap();
        store.migrate().await.unwrap();
        store.init_with(realm(1)).await.unwrap();
        store
    });
    let resource = resource("r");
    let mut last = block_on(land(&store, &resource, acquire(1)));
    for kill in [false, true, true] {
        if kill {
            server.kill();
        } else {
            server.stop_fast();
        }
        // While it is down, nothing is known to have happened.
        let swap = Swap::prepare(&last, &renew(1)).unwrap();
        let down = block_on(store.load(&resource));
        assert!(down.is_err(), "{down:?}");
        let sent = block_on(store.swap(&resource, &swap));
        assert!(matches!(sent, Err(Failure::Definite(PostgresError::Connect(_)))), "{sent:?}");
        server.restart();
        let view = block_on(store.load(&resource)).unwrap();
        assert_eq!(view.record(), last.record(), "kill: {kill}");
        let renewed = block_on(land(&store, &resource, renew(1)));
        assert!(renewed.record().version() > last.record().version());
        last = renewed;
    }
}
