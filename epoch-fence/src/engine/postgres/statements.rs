//! The statements: each one round trip and one transaction, which looks, judges and writes in one step.

use super::row::column;

/// What a statement sees of its namespace and of the server. Columns 0 to 5.
macro_rules! ground {
    () => {
        "n.realm, n.floor, n.timeline, \
         left(pg_walfile_name(pg_current_wal_lsn()), 8), \
         current_setting('synchronous_commit'), current_setting('transaction_isolation')"
    };
}

/// The ground of a write, under names. A write lands only on sound ground, whatever was found at the load.
macro_rules! on_sound_ground {
    () => {
        concat!(
            "WITH n (realm, floor, kept, found, commits, isolation) AS MATERIALIZED (SELECT ",
            ground!(),
            " FROM epoch_fence.realm n WHERE n.ns = $1::text), \
             sound AS MATERIALIZED (SELECT * FROM n WHERE n.realm = $3::bytea AND n.kept = n.found \
              AND n.commits <> 'off' AND n.isolation = 'read committed')"
        )
    };
}

/// What a write left, beside the ground on which it was to land: columns 6 to 13, the first NULL if it did not.
macro_rules! what_landed {
    () => {
        " SELECT n.*, w.touched, w.realm, w.version, w.epoch, w.grant_id, w.holder, w.reserved_for, w.ends_at \
         FROM n LEFT JOIN w ON true"
    };
}

/// What every write sets, but for the columns of its tenure. The version is not below the one asked for, and where the
/// epoch rises it rises above the floor of now.
macro_rules! written {
    () => {
        "realm = sound.realm, version = greatest(nextval('epoch_fence.version'), $5::bigint), \
         epoch = CASE WHEN $7::boolean THEN greatest($6::bigint, sound.floor + 1) ELSE $6::bigint END, \
         grant_id = $8::bytea, holder = $9::text, reserved_for = $10::text, ends_at = $11::timestamptz"
    };
}

/// Whether the settings of the server keep what it acknowledges, and whether it is the one to ask.
pub(super) const SETTINGS: &str = "\
SELECT pg_is_in_recovery(), current_setting('fsync'), current_setting('full_page_writes'), \
       current_setting('zero_damaged_pages'), current_setting('synchronous_commit'), \
       current_setting('transaction_isolation'), \
       (SELECT bool_and(c.relpersistence = 'p') FROM pg_class c JOIN pg_namespace s ON s.oid = c.relnamespace \
         WHERE s.nspname = 'epoch_fence' AND c.relname IN ('realm', 'lease', 'version'))";

/// Everything that a view is made of. One row always; no realm in it: no such namespace.
///
/// A standby writes no WAL, and to ask it which is an error.
pub(super) const LOAD: &str = "\
SELECT n.realm, n.floor, n.timeline, \
       CASE WHEN s.standby THEN NULL ELSE left(pg_walfile_name(pg_current_wal_lsn()), 8) END, \
       current_setting('synchronous_commit'), current_setting('transaction_isolation'), \
       greatest(epoch_fence.clock(), CASE WHEN l.realm = n.realm THEN l.touched END), \
       l.realm, l.version, l.epoch, l.grant_id, l.holder, l.reserved_for, l.ends_at, \
       l.resource IS NOT NULL, s.standby, n.system, \
       (SELECT c.system_identifier FROM pg_control_system() c), \
       current_setting('fsync'), current_setting('full_page_writes') \
  FROM (SELECT pg_is_in_recovery() AS standby) s \
  LEFT JOIN epoch_fence.realm n ON n.ns = $1::text \
  LEFT JOIN epoch_fence.lease l ON l.ns = n.ns AND l.resource = $2::bytea";

/// The first write of a resource. An epoch that is not above the floor was prepared before a row was deleted.
///
/// The table is locked before the statement looks, so that no deletion comes between.
pub(super) const CREATE: &str = concat!(
    on_sound_ground!(),
    ", w AS (INSERT INTO epoch_fence.lease AS l \
      (ns, resource, realm, version, epoch, grant_id, holder, reserved_for, ends_at, touched) \
      SELECT $1::text, $2::bytea, sound.realm, greatest(nextval('epoch_fence.version'), $5::bigint), $6::bigint, \
             $8::bytea, $9::text, $10::text, $11::timestamptz, epoch_fence.clock() \
        FROM sound WHERE $4::bigint = 0 AND (NOT $7::boolean OR sound.floor < $6::bigint) \
      ON CONFLICT (ns, resource) DO NOTHING RETURNING l.*)",
    what_landed!()
);

/// Every other write but a renewal. It asks no clock: what it does was judged at the load, and the version says that
/// nothing has changed since.
///
/// Where it waits for the row, it judges by the version that it finds then.
pub(super) const CHANGE: &str = concat!(
    on_sound_ground!(),
    ", w AS (UPDATE epoch_fence.lease l SET ",
    written!(),
    ", touched = greatest(epoch_fence.clock(), CASE WHEN l.realm = sound.realm THEN l.touched END) \
      FROM sound WHERE l.ns = $1::text AND l.resource = $2::bytea AND l.version = $4::bigint RETURNING l.*)",
    what_landed!()
);

/// A renewal, which lands only while the lease is live: the clock is asked when the row is locked. An update by itself
/// asks it before it waits for the row, and does not ask again where nobody changed it.
pub(super) const RENEW: &str = concat!(
    on_sound_ground!(),
    ", held AS MATERIALIZED (SELECT l.realm, l.ends_at, l.touched FROM epoch_fence.lease l \
      WHERE l.ns = $1::text AND l.resource = $2::bytea AND l.version = $4::bigint FOR NO KEY UPDATE), \
     w AS (UPDATE epoch_fence.lease l SET ",
    written!(),
    ", touched = greatest(epoch_fence.clock(), held.touched) \
      FROM sound, held WHERE l.ns = $1::text AND l.resource = $2::bytea AND l.version = $4::bigint \
       AND held.realm = sound.realm AND held.ends_at > greatest(epoch_fence.clock(), held.touched) RETURNING l.*)",
    what_landed!()
);

/// The recovery of a namespace, as a write of one of its leases.
pub(super) const RECOVER: &str =
    "SELECT r.version, r.epoch, r.written FROM epoch_fence.recover($1, $2, $3, $4, $5, $6, $7) r";

/// The recovery of a namespace by itself.
pub(super) const RECOVER_ALL: &str = "SELECT epoch_fence.recover($1, $2, $3)";

/// Makes a namespace.
pub(super) const INIT: &str = "SELECT epoch_fence.init($1, $2)";

/// Accepts the server after a promotion.
pub(super) const ACCEPT: &str = "SELECT epoch_fence.accept($1)";

const _: () = assert!(
    column::TOUCHED == 6 && column::ENDS_AT == 13 && column::FULL_PAGE_WRITES == 19,
    "the columns of a load and of what a write left are the same ones"
);
