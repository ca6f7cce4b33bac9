-- Leases in PostgreSQL: the tables of the issuer, and what an operator calls.
--
-- Run it as the role that shall own the schema, in one transaction (psql -1 -f issuer.sql). Run again, it changes
-- nothing. The schema is always `epoch_fence`, whatever the search_path: two programs that looked along different paths
-- would be two issuers. Several applications in one database are told apart by their namespace.
--
-- A holder's role needs no more than this, and then it cannot initialise, recover or accept:
--
--   GRANT USAGE ON SCHEMA epoch_fence TO holder;
--   GRANT SELECT ON epoch_fence.realm TO holder;
--   GRANT SELECT, INSERT, UPDATE ON epoch_fence.lease TO holder;
--   GRANT USAGE ON SEQUENCE epoch_fence.version TO holder;
--
-- and what is everybody's unless it was taken away: EXECUTE on pg_control_system(), pg_walfile_name(pg_lsn) and
-- pg_current_wal_lsn().
--
-- An operator's role needs these besides:
--
--   GRANT EXECUTE ON FUNCTION epoch_fence.init(text, bytea), epoch_fence.accept(text),
--     epoch_fence.recover(text, bytea, bigint),
--     epoch_fence.recover(text, bytea, bytea, bigint, bytea, bigint, bigint) TO operator;
--   GRANT DELETE ON epoch_fence.lease TO operator; -- to clear away what is of no use any more

-- Two at once would both find nothing, and one of them fail. The number is `epoch_fe` in ASCII.
DO 'BEGIN PERFORM pg_catalog.pg_advisory_xact_lock(7309464667965843045); END';

CREATE SCHEMA IF NOT EXISTS epoch_fence;

-- The one clock that judges every lease. A function, so that a test may put another in its place; that takes the
-- owner's rights.
CREATE OR REPLACE FUNCTION epoch_fence.clock() RETURNS timestamptz
  LANGUAGE sql VOLATILE
  AS 'SELECT pg_catalog.clock_timestamp()';

COMMENT ON FUNCTION epoch_fence.clock() IS
  'The time by which leases are judged: that of the server at the moment of the call.';

CREATE TABLE IF NOT EXISTS epoch_fence.realm (
  ns       text   PRIMARY KEY CHECK (octet_length(ns) BETWEEN 1 AND 200),
  realm    bytea  NOT NULL CHECK (octet_length(realm) = 16 AND realm <> '\x00000000000000000000000000000000'),
  floor    bigint NOT NULL CHECK (floor >= 0),
  system   bigint NOT NULL,
  timeline text   NOT NULL CHECK (timeline ~ '^[0-9A-F]{8}$')
);

COMMENT ON TABLE epoch_fence.realm IS
  'One row for each namespace: which history its leases belong to. Made by epoch_fence.init.';
COMMENT ON COLUMN epoch_fence.realm.realm IS
  'The history that tokens name. Another one after epoch_fence.recover.';
COMMENT ON COLUMN epoch_fence.realm.floor IS
  'Every epoch to come is greater. Raised when leases are deleted, and by epoch_fence.recover and epoch_fence.accept.';
COMMENT ON COLUMN epoch_fence.realm.system IS
  'The system identifier of the cluster that was accepted. A logical copy is in another one.';
COMMENT ON COLUMN epoch_fence.realm.timeline IS
  'The timeline that was accepted, as the names of its WAL files begin. A promotion begins another one.';

CREATE TABLE IF NOT EXISTS epoch_fence.lease (
  ns           text        NOT NULL REFERENCES epoch_fence.realm,
  resource     bytea       NOT NULL CHECK (octet_length(resource) = 32),
  realm        bytea       NOT NULL CHECK (octet_length(realm) = 16),
  version      bigint      NOT NULL CHECK (version > 0),
  epoch        bigint      CHECK (epoch > 0),
  grant_id     bytea       CHECK (octet_length(grant_id) = 16),
  holder       text        CHECK (octet_length(holder) BETWEEN 1 AND 64),
  reserved_for text        CHECK (octet_length(reserved_for) BETWEEN 1 AND 64),
  ends_at      timestamptz,
  touched      timestamptz NOT NULL,
  PRIMARY KEY (ns, resource),
  CONSTRAINT tenure CHECK (
    (grant_id IS NULL) = (holder IS NULL)
    AND (grant_id IS NULL OR reserved_for IS NULL)
    AND (ends_at IS NULL) = (grant_id IS NULL AND reserved_for IS NULL)
    AND (epoch IS NOT NULL OR ends_at IS NULL)
  )
) WITH (fillfactor = 50); -- no index has to follow an update

COMMENT ON TABLE epoch_fence.lease IS
  'One row for each resource that was ever acquired: who has it, and until when.';
COMMENT ON COLUMN epoch_fence.lease.resource IS
  'The hash of the resource''s namespace and name.';
COMMENT ON COLUMN epoch_fence.lease.realm IS
  'The realm in which the row was written. Of another one than that of the namespace, the row is free.';
COMMENT ON COLUMN epoch_fence.lease.version IS
  'The number of this state. Each write gives a greater one, and none is ever given again.';
COMMENT ON COLUMN epoch_fence.lease.epoch IS
  'The number of the latest tenure. It never falls.';
COMMENT ON COLUMN epoch_fence.lease.grant_id IS
  'The attempt that got the resource, if somebody has it.';
COMMENT ON COLUMN epoch_fence.lease.holder IS
  'Who made that attempt, for people.';
COMMENT ON COLUMN epoch_fence.lease.reserved_for IS
  'Who alone may acquire until ends_at, after a hand-over.';
COMMENT ON COLUMN epoch_fence.lease.ends_at IS
  'When the lease or the reservation is over, by epoch_fence.clock.';
COMMENT ON COLUMN epoch_fence.lease.touched IS
  'When the row was written. A clock that was set back stands still here until it has caught up.';

CREATE SEQUENCE IF NOT EXISTS epoch_fence.version AS bigint MINVALUE 1 NO CYCLE CACHE 1;

COMMENT ON SEQUENCE epoch_fence.version IS
  'Where versions come from, so that they go on also when a row is deleted and made again.';

-- Deleting leases.
--
-- What was deleted must not be granted again: the floor of the namespace rises to the greatest epoch that goes, and by
-- one at least, so that nothing lands that was prepared for a row that was not there. Writers of leases hold ROW
-- EXCLUSIVE on the table, and take it before they look; so whoever holds SHARE ROW EXCLUSIVE meets none who has looked
-- already.

CREATE OR REPLACE FUNCTION epoch_fence.alone() RETURNS trigger
  LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
  AS $$
BEGIN
  LOCK TABLE epoch_fence.lease IN SHARE ROW EXCLUSIVE MODE;
  RETURN NULL;
END
$$;

CREATE OR REPLACE FUNCTION epoch_fence.deleted() RETURNS trigger
  LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
  AS $$
BEGIN
  PERFORM setval('epoch_fence.version', g.version)
    FROM (SELECT max(gone.version) AS version FROM gone) g, epoch_fence.version s
   WHERE g.version > s.last_value;
  UPDATE epoch_fence.realm n
     SET floor = greatest(n.floor + (n.floor < 9223372036854775807)::int, g.epoch)
    FROM (SELECT gone.ns, max(gone.epoch) AS epoch FROM gone GROUP BY gone.ns) g
   WHERE n.ns = g.ns;
  RETURN NULL;
END
$$;

CREATE OR REPLACE FUNCTION epoch_fence.truncated() RETURNS trigger
  LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
  AS $$
BEGIN
  PERFORM setval('epoch_fence.version', g.version)
    FROM (SELECT max(l.version) AS version FROM epoch_fence.lease l) g, epoch_fence.version s
   WHERE g.version > s.last_value;
  UPDATE epoch_fence.realm n
     SET floor = greatest(n.floor + (n.floor < 9223372036854775807)::int, g.epoch)
    FROM (SELECT l.ns, max(l.epoch) AS epoch FROM epoch_fence.lease l GROUP BY l.ns) g
   WHERE n.ns = g.ns;
  RETURN NULL;
END
$$;

CREATE OR REPLACE TRIGGER alone BEFORE DELETE ON epoch_fence.lease
  FOR EACH STATEMENT EXECUTE FUNCTION epoch_fence.alone();
CREATE OR REPLACE TRIGGER deleted AFTER DELETE ON epoch_fence.lease
  REFERENCING OLD TABLE AS gone FOR EACH STATEMENT EXECUTE FUNCTION epoch_fence.deleted();
CREATE OR REPLACE TRIGGER truncated BEFORE TRUNCATE ON epoch_fence.lease
  FOR EACH STATEMENT EXECUTE FUNCTION epoch_fence.truncated();

-- What an operator calls.

CREATE OR REPLACE FUNCTION epoch_fence.init(of_ns text, new_realm bytea) RETURNS bytea
  LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
  AS $$
BEGIN
  PERFORM epoch_fence.operable();
  INSERT INTO epoch_fence.realm (ns, realm, floor, system, timeline)
    SELECT of_ns, new_realm, 0, h.system, h.timeline FROM epoch_fence.here() h
    ON CONFLICT (ns) DO NOTHING;
  RETURN (SELECT n.realm FROM epoch_fence.realm n WHERE n.ns = of_ns);
END
$$;

COMMENT ON FUNCTION epoch_fence.init(text, bytea) IS
  'Makes a namespace with this realm, 16 random bytes, unless it is there. Returns the realm that it has.';

CREATE OR REPLACE FUNCTION epoch_fence.accept(of_ns text) RETURNS bigint
  LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
  AS $$
DECLARE
  risen bigint;
BEGIN
  PERFORM epoch_fence.operable();
  LOCK TABLE epoch_fence.lease IN SHARE ROW EXCLUSIVE MODE;
  SELECT n.floor INTO risen FROM epoch_fence.realm n, epoch_fence.here() h
   WHERE n.ns = of_ns AND n.system = h.system AND n.timeline = h.timeline;
  IF NOT FOUND THEN
    risen := epoch_fence.jump(of_ns, 0);
  END IF;
  RETURN risen;
END
$$;

COMMENT ON FUNCTION epoch_fence.accept(text) IS
  'Accepts this server, after a promotion, as the one whose leases count. The epochs go on in the same realm, far above '
  'every one there is: those that the old server gave out and this one never heard of are not given out again. Of the '
  'server that was accepted already it changes nothing. Returns the floor, or NULL of a namespace that is not there.';

CREATE OR REPLACE FUNCTION epoch_fence.recover(of_ns text, new_realm bytea, known bigint) RETURNS bigint
  LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
  AS $$
DECLARE
  risen bigint;
BEGIN
  PERFORM epoch_fence.operable();
  LOCK TABLE epoch_fence.lease IN SHARE ROW EXCLUSIVE MODE;
  SELECT n.floor INTO risen FROM epoch_fence.realm n WHERE n.ns = of_ns AND n.realm = new_realm;
  IF NOT FOUND THEN
    risen := epoch_fence.jump(of_ns, coalesce(known, 0) + 1048576);
    UPDATE epoch_fence.realm n SET realm = new_realm WHERE n.ns = of_ns;
  END IF;
  RETURN risen;
END
$$;

COMMENT ON FUNCTION epoch_fence.recover(text, bytea, bigint) IS
  'Begins a new realm of a namespace, after its leases may have lost a part of their past. Whoever holds, holds no more; '
  'the epochs go on far above every one there is, and above the one known. Accepts this server too. Of the realm that is '
  'there already it changes nothing. Returns the floor, or NULL of a namespace that is not there.';

-- The same as one write of the protocol: it lands on one version of one lease, or not at all.
CREATE OR REPLACE FUNCTION epoch_fence.recover(
    of_ns text, of_resource bytea, seen_realm bytea, seen_version bigint,
    new_realm bytea, new_epoch bigint, new_version bigint,
    OUT version bigint, OUT epoch bigint, OUT written timestamptz)
  LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
  AS $$
#variable_conflict use_column
BEGIN
  PERFORM epoch_fence.operable();
  LOCK TABLE epoch_fence.lease IN SHARE ROW EXCLUSIVE MODE;
  PERFORM FROM epoch_fence.realm n LEFT JOIN epoch_fence.lease l ON l.ns = n.ns AND l.resource = of_resource
   WHERE n.ns = of_ns AND n.realm = seen_realm AND coalesce(l.version, 0) = seen_version;
  IF NOT FOUND THEN
    RETURN;
  END IF;
  epoch := epoch_fence.jump(of_ns, new_epoch);
  UPDATE epoch_fence.realm n SET realm = new_realm WHERE n.ns = of_ns;
  version := greatest(nextval('epoch_fence.version'), new_version);
  written := epoch_fence.clock();
  INSERT INTO epoch_fence.lease AS l VALUES
    (of_ns, of_resource, new_realm, recover.version, recover.epoch, NULL, NULL, NULL, NULL, recover.written)
    ON CONFLICT (ns, resource) DO UPDATE
      SET (realm, version, epoch, grant_id, holder, reserved_for, ends_at, touched) =
        (excluded.realm, excluded.version, excluded.epoch, NULL, NULL, NULL, NULL, excluded.touched);
END
$$;

-- Raises the versions, and the floor of a namespace to what is asked and far above every epoch there is, and accepts this
-- server. Its caller keeps the writers of leases away.
CREATE OR REPLACE FUNCTION epoch_fence.jump(of_ns text, asked bigint) RETURNS bigint
  LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
  AS $$
DECLARE
  risen bigint;
  last bigint;
BEGIN
  UPDATE epoch_fence.realm n
     SET floor = greatest(asked, greatest(n.floor, l.epoch) + 1048576), system = h.system, timeline = h.timeline
    FROM epoch_fence.here() h, (SELECT max(l.epoch) AS epoch FROM epoch_fence.lease l WHERE l.ns = of_ns) l
   WHERE n.ns = of_ns
  RETURNING n.floor INTO risen;
  SELECT greatest(s.last_value, l.version) INTO last
    FROM epoch_fence.version s, (SELECT max(l.version) AS version FROM epoch_fence.lease l) l;
  -- As the sequence itself would say. Of the epochs the addition says so.
  IF last > 9223372036854775807 - 1048576 THEN
    RAISE EXCEPTION 'no version is left' USING ERRCODE = '2200H';
  END IF;
  PERFORM setval('epoch_fence.version', last + 1048576);
  RETURN risen;
END
$$;

-- The cluster that this server is of, and the timeline that it writes.
CREATE OR REPLACE FUNCTION epoch_fence.here(OUT system bigint, OUT timeline text)
  LANGUAGE sql VOLATILE SET search_path = pg_catalog, pg_temp
  AS 'SELECT s.system_identifier, left(pg_walfile_name(pg_current_wal_lsn()), 8) FROM pg_control_system() s';

-- Refuses what would break the others' ground: a snapshot older than the lock, a write that a crash takes back.
CREATE OR REPLACE FUNCTION epoch_fence.operable() RETURNS void
  LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
  AS $$
BEGIN
  IF current_setting('transaction_isolation') <> 'read committed' THEN
    RAISE EXCEPTION 'epoch_fence works at READ COMMITTED only' USING ERRCODE = '25001';
  END IF;
  IF current_setting('synchronous_commit') = 'off' THEN
    RAISE EXCEPTION 'epoch_fence does not work with synchronous_commit = off' USING ERRCODE = '55000';
  END IF;
END
$$;

REVOKE ALL ON FUNCTION epoch_fence.init(text, bytea), epoch_fence.accept(text),
  epoch_fence.recover(text, bytea, bigint),
  epoch_fence.recover(text, bytea, bytea, bigint, bytea, bigint, bigint),
  epoch_fence.jump(text, bigint), epoch_fence.alone(), epoch_fence.deleted(), epoch_fence.truncated()
  FROM PUBLIC;
