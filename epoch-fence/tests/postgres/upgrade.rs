//! Two releases on one database: what the later one adds to the tables, and the shipped file run beside holders.

use epoch_fence::engine::postgres::ISSUER_SQL;
use epoch_fence::protocol::Standing;

use crate::stage::{Stage, acquire, block_on, grant, land, release, renew, resource};

/// The later release is played by columns with defaults: that is all that it may add without a new name.
#[test]
fn columns_of_a_later_release_are_kept_through_a_whole_tenure_of_this_one_whose_sessions_go_on() {
    let Some(stage) = Stage::own("upgrade") else { return };
    let (before, kept) = (stage.store(), resource("kept"));
    // Statements of this session are prepared before the tables change.
    block_on(land(&before, &kept, acquire(1)));
    stage.execute(
        "ALTER TABLE epoch_fence.lease ADD COLUMN later text NOT NULL DEFAULT 'none'; \
         ALTER TABLE epoch_fence.realm ADD COLUMN later bigint NOT NULL DEFAULT 0; \
         UPDATE epoch_fence.lease SET later = 'written by a later release'; \
         UPDATE epoch_fence.realm SET later = 7",
    );
    let later = |resource: epoch_fence::ResourceId| {
        let client = stage.session();
        let row = block_on(client.query_one(
            "SELECT l.later, n.later FROM epoch_fence.lease l JOIN epoch_fence.realm n USING (ns) WHERE l.resource = $1",
            &[&&resource.to_bytes()[..]],
        ));
        let row = row.unwrap();
        (row.get::<_, String>(0), row.get::<_, i64>(1))
    };

    block_on(land(&before, &kept, renew(1)));
    let after = stage.store();
    block_on(land(&after, &kept, release(1)));
    block_on(land(&before, &kept, acquire(2)));
    assert_eq!(later(kept), ("written by a later release".to_owned(), 7));
    // A first write by a session of each age, and the deletion that a later release or an operator makes.
    for (store, name) in [(&before, "new to the older"), (&after, "new to the newer")] {
        block_on(land(store, &resource(name), acquire(3)));
        assert_eq!(later(resource(name)), ("none".to_owned(), 7));
    }
    stage.execute("DELETE FROM epoch_fence.lease WHERE holder = 'test' AND later = 'none'");
    let view = block_on(land(&before, &resource("new to the older"), acquire(4)));
    assert!(matches!(view.standing(), Standing::Live { grant: found, .. } if found == grant(4)));
}

#[test]
fn the_shipped_file_is_run_again_beside_holders_who_keep_their_leases() {
    let Some(stage) = Stage::own("migrated") else { return };
    let (store, held) = (stage.store(), resource("held"));
    let granted = block_on(land(&store, &held, acquire(1)));
    stage.execute(ISSUER_SQL);
    block_on(store.migrate()).unwrap();
    let renewed = block_on(land(&store, &held, renew(1)));
    assert_eq!(renewed.record().epoch(), granted.record().epoch());
    assert_eq!(renewed.record().realm(), granted.record().realm());
    assert!(renewed.record().version() > granted.record().version());
}
