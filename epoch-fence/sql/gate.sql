-- The gate of epoch-fence for tables of this database: whoever changes them shows the token of its tenure in the same
-- transaction, and a holder of an older epoch commits nothing after a newer one has advanced.
--
-- Run it as the role that shall own it, in one transaction (psql -1 -f gate.sql). Run again, it changes nothing. All of it
-- is in the schema epoch_fence, which nobody else may use before the owner says so:
--
--   GRANT USAGE ON SCHEMA epoch_fence TO writer;
--   GRANT EXECUTE ON FUNCTION epoch_fence.fence_resource(text, text),
--     epoch_fence.fence_announce(bytea, bytea, bigint, bytea), epoch_fence.fence_announce(text, bytea),
--     epoch_fence.fence_advance(bytea, bytea, bigint, bytea), epoch_fence.fence_advance(text, bytea),
--     epoch_fence.fence_admit(bytea, bytea, bigint, bytea), epoch_fence.fence_admit(text, bytea) TO writer;
--
-- A writer needs no right on the tables, which these functions use in their owner's name. An operator's role needs these
-- besides:
--
--   GRANT EXECUTE ON FUNCTION epoch_fence.fence_adopt(bytea, bigint), epoch_fence.fence_prune(timestamptz) TO operator;
--   GRANT SELECT ON epoch_fence.gate, epoch_fence.gate_tenure, epoch_fence.gate_announced TO operator; -- to look
--
-- What is refused has an SQLSTATE of its own:
--
--   FE001  stale: a newer epoch has been here; DETAIL has the floor
--   FE002  conflict: another grant advanced to this epoch
--   FE003  advance first: this epoch has not been advanced to, or not before this transaction's snapshot
--   FE004  the token is of another realm than the gate's
--   FE005  the epoch is too far above the floor; DETAIL has how far, and the limit
--   FE006  the token is for another resource
--   FE007  inside a savepoint: rolling back to it would end the permit before the transaction
--   FE008  no realm has been adopted yet
--   FE009  an argument is no value of its kind
--   FE010  a timeout that the gate needs is not set
--   FE011  the floor for a new realm is not above all that was admitted; DETAIL has the least
--   FE012  the issuer of this realm is not in this database, so that nothing may be pruned
--   25001  not in a transaction of its own, or not at READ COMMITTED
--
-- and of PostgreSQL's own: 55P03 (lock_timeout) is "draining": permits of older epochs are alive; 40001 is a
-- transaction whose snapshot is older than the newest epoch.

-- Two at once would both find nothing, and one of them fail. The number is `epoch_fe` in ASCII.
DO 'BEGIN PERFORM pg_catalog.pg_advisory_xact_lock(7309464667965843045); END';

CREATE SCHEMA IF NOT EXISTS epoch_fence;

CREATE TABLE IF NOT EXISTS epoch_fence.gate (
  one boolean PRIMARY KEY DEFAULT true CHECK (one),
  realm bytea NOT NULL CHECK (octet_length(realm) = 16 AND realm <> decode(repeat('00', 16), 'hex')),
  floor bigint NOT NULL CHECK (floor > 0),
  max_advance bigint NOT NULL DEFAULT 4294967296 CHECK (max_advance > 0)
);
COMMENT ON TABLE epoch_fence.gate IS 'The realm whose tokens are admitted: one row, made by fence_adopt.';
COMMENT ON COLUMN epoch_fence.gate.floor IS 'The least epoch to which a resource without a tenure may advance.';
COMMENT ON COLUMN epoch_fence.gate.max_advance IS 'How far above a floor an epoch may be. It catches rot, not forgers.';

CREATE TABLE IF NOT EXISTS epoch_fence.gate_tenure (
  resource bytea CONSTRAINT gate_tenure_pkey PRIMARY KEY CHECK (octet_length(resource) = 32),
  realm bytea NOT NULL CHECK (octet_length(realm) = 16),
  epoch bigint NOT NULL CHECK (epoch > 0),
  grant_id bytea NOT NULL CHECK (octet_length(grant_id) = 16),
  advanced_at timestamptz NOT NULL
) WITH (fillfactor = 50);
COMMENT ON TABLE epoch_fence.gate_tenure IS
  'Who may change a resource: the newest epoch, and its grant. A permit is a lock FOR SHARE on the row. Deleting a '
  'row by hand lets older epochs in again: fence_prune raises the floor with it.';

-- An exclusive locker waits behind every holder of a share lock, and new sharers do not wait behind it: without this
-- mark, transactions of the old epoch that overlap would keep the new one out for ever.
CREATE TABLE IF NOT EXISTS epoch_fence.gate_announced (
  resource bytea CONSTRAINT gate_announced_pkey PRIMARY KEY CHECK (octet_length(resource) = 32),
  epoch bigint NOT NULL CHECK (epoch > 0),
  announced_at timestamptz NOT NULL
) WITH (fillfactor = 50);
COMMENT ON TABLE epoch_fence.gate_announced IS
  'Epochs that wait for older permits to end. No new permit is given below them.';

-- Rows here never outlive the statement that made them. It is unlogged: what it tells is told at once.
CREATE UNLOGGED TABLE IF NOT EXISTS epoch_fence.gate_probe (
) WITH (autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 10000);
COMMENT ON TABLE epoch_fence.gate_probe IS 'Written to, to learn whether a transaction is inside a savepoint.';

-- Private: refuses what is no token. NULL too: a strict function would return NULL, and the caller go on.
CREATE OR REPLACE FUNCTION epoch_fence.gate_need_token(resource bytea, realm bytea, epoch bigint, grant_id bytea)
RETURNS void LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
  zero CONSTANT bytea := '\x00000000000000000000000000000000';
BEGIN
  IF octet_length(resource) = 32 AND octet_length(realm) = 16 AND realm <> zero AND epoch > 0
    AND octet_length(grant_id) = 16 AND grant_id <> zero
  THEN
    RETURN;
  END IF;
  RAISE EXCEPTION 'no token: it takes 32 bytes of resource, 16 of realm and grant, not all zero, and an epoch above zero'
    USING ERRCODE = 'FE009';
END
$$;

-- Private: refuses a session that would wait for ever, or, with `idle`, keep its successor waiting for ever.
CREATE OR REPLACE FUNCTION epoch_fence.gate_need_timeouts(idle boolean)
RETURNS void LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
  IF current_setting('lock_timeout') = '0' THEN
    RAISE EXCEPTION 'lock_timeout is not set' USING ERRCODE = 'FE010',
      HINT = 'Set it below the time to live of a lease: SET lock_timeout = ''2s''.';
  END IF;
  IF idle AND current_setting('idle_in_transaction_session_timeout') = '0'
    AND coalesce(current_setting('transaction_timeout', true), '0') = '0'
  THEN
    RAISE EXCEPTION 'idle_in_transaction_session_timeout is not set' USING ERRCODE = 'FE010',
      HINT = 'Without it a writer that is paused keeps its successor out for ever: '
        'SET idle_in_transaction_session_timeout = ''5s''.';
  END IF;
END
$$;

-- Private: whether the caller is inside a savepoint, or inside what works like one: a block with EXCEPTION, a nested
-- transaction of a client. A row bears the number of the innermost of them that wrote it.
CREATE OR REPLACE FUNCTION epoch_fence.gate_in_savepoint()
RETURNS boolean LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
  place tid;
  writer xid;
BEGIN
  INSERT INTO epoch_fence.gate_probe DEFAULT VALUES RETURNING ctid, xmin INTO place, writer;
  DELETE FROM epoch_fence.gate_probe WHERE ctid = place;
  RETURN writer <> pg_current_xact_id()::xid;
END
$$;

-- Private: refuses what is not a transaction of its own at READ COMMITTED, as far as that can be seen: one that has
-- written, and one inside a savepoint. A snapshot from before a wait would not show what was waited for.
CREATE OR REPLACE FUNCTION epoch_fence.gate_need_own_transaction()
RETURNS void LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
  IF current_setting('transaction_isolation') NOT IN ('read committed', 'read uncommitted') THEN
    RAISE EXCEPTION 'at isolation level %', current_setting('transaction_isolation')
      USING ERRCODE = '25001', HINT = 'It takes READ COMMITTED, in a transaction of its own.';
  END IF;
  IF pg_current_xact_id_if_assigned() IS NOT NULL OR epoch_fence.gate_in_savepoint() THEN
    RAISE EXCEPTION 'inside another transaction' USING ERRCODE = '25001', HINT = 'It takes one of its own.';
  END IF;
  -- What has been promised to a newer epoch must not be lost with the machine.
  IF current_setting('synchronous_commit') = 'off' THEN
    PERFORM set_config('synchronous_commit', 'on', true);
  END IF;
END
$$;

-- Private: whether the gate has to be raised for a token; refuses one that it would not be raised for.
CREATE OR REPLACE FUNCTION epoch_fence.gate_judge(resource bytea, realm bytea, epoch bigint, grant_id bytea)
RETURNS boolean LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
  gate epoch_fence.gate;
  tenure epoch_fence.gate_tenure;
  least_epoch bigint;
BEGIN
  SELECT * INTO gate FROM epoch_fence.gate;
  IF NOT FOUND THEN
    RAISE EXCEPTION 'the gate has no realm' USING ERRCODE = 'FE008', HINT = 'Its operator calls fence_adopt.';
  ELSIF gate.realm <> gate_judge.realm THEN
    RAISE EXCEPTION 'the token is of another realm than the gate' USING ERRCODE = 'FE004';
  END IF;
  SELECT * INTO tenure FROM epoch_fence.gate_tenure AS t WHERE t.resource = gate_judge.resource;
  SELECT greatest(max(a.epoch), tenure.epoch) INTO least_epoch
    FROM epoch_fence.gate_announced AS a WHERE a.resource = gate_judge.resource;
  IF tenure.epoch IS NULL THEN
    least_epoch := greatest(least_epoch, gate.floor);
  END IF;
  IF epoch < least_epoch THEN
    RAISE EXCEPTION 'the token is older than the gate''s floor'
      USING ERRCODE = 'FE001', DETAIL = format('floor %s', least_epoch);
  ELSIF epoch = tenure.epoch THEN
    IF grant_id <> tenure.grant_id THEN
      RAISE EXCEPTION 'another grant was admitted under the token''s epoch' USING ERRCODE = 'FE002';
    END IF;
    RETURN false;
  ELSIF epoch - least_epoch > gate.max_advance THEN
    RAISE EXCEPTION 'the token is too far above the gate''s floor'
      USING ERRCODE = 'FE005', DETAIL = format('ahead %s limit %s', epoch - least_epoch, gate.max_advance);
  END IF;
  RETURN true;
END
$$;

-- Makes older tokens stale for transactions that begin from now on. It waits for no permit. Call it before
-- fence_advance, which then waits for permits that were given already, and not for an unending row of them.
CREATE OR REPLACE FUNCTION epoch_fence.fence_announce(resource bytea, realm bytea, epoch bigint, grant_id bytea)
RETURNS void LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
  PERFORM epoch_fence.gate_need_token(resource, realm, epoch, grant_id);
  PERFORM epoch_fence.gate_need_timeouts(false);
  PERFORM epoch_fence.gate_need_own_transaction();
  -- Against fence_adopt and fence_prune, and before the realm and the floor are read.
  LOCK TABLE epoch_fence.gate_tenure IN ROW EXCLUSIVE MODE;
  IF epoch_fence.gate_judge(resource, realm, epoch, grant_id) THEN
    INSERT INTO epoch_fence.gate_announced AS a
      VALUES (fence_announce.resource, fence_announce.epoch, clock_timestamp())
      ON CONFLICT ON CONSTRAINT gate_announced_pkey
      DO UPDATE SET epoch = excluded.epoch, announced_at = excluded.announced_at WHERE a.epoch < excluded.epoch;
  END IF;
END
$$;

-- Raises the gate to the token's epoch, and waits until the last permit of an older one has ended, or for lock_timeout.
-- When it has returned and its transaction is committed, no transaction of an older epoch commits any more. A token to
-- which the gate was raised already is no error, so it may be called again after a lost reply.
CREATE OR REPLACE FUNCTION epoch_fence.fence_advance(resource bytea, realm bytea, epoch bigint, grant_id bytea)
RETURNS void LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
  PERFORM epoch_fence.gate_need_token(resource, realm, epoch, grant_id);
  PERFORM epoch_fence.gate_need_timeouts(false);
  PERFORM epoch_fence.gate_need_own_transaction();
  LOCK TABLE epoch_fence.gate_tenure IN ROW EXCLUSIVE MODE;
  IF epoch_fence.gate_judge(resource, realm, epoch, grant_id) THEN
    INSERT INTO epoch_fence.gate_tenure AS t
      VALUES (fence_advance.resource, fence_advance.realm, fence_advance.epoch, fence_advance.grant_id,
        clock_timestamp())
      ON CONFLICT ON CONSTRAINT gate_tenure_pkey
      DO UPDATE SET realm = excluded.realm, epoch = excluded.epoch, grant_id = excluded.grant_id,
        advanced_at = excluded.advanced_at
      WHERE t.epoch < excluded.epoch;
    -- Somebody else was first, with this epoch or a later one: this is then refused, if not for the same token.
    IF NOT FOUND AND epoch_fence.gate_judge(resource, realm, epoch, grant_id) THEN
      RAISE EXCEPTION 'the gate was changed by hand' USING ERRCODE = '40001';
    END IF;
    DELETE FROM epoch_fence.gate_announced AS a
      WHERE a.resource = fence_advance.resource AND a.epoch <= fence_advance.epoch;
  END IF;
END
$$;

-- Gives this transaction a permit until it ends: call it first in each transaction that changes the resource. Not
-- within a savepoint, and outside of it for changes within.
CREATE OR REPLACE FUNCTION epoch_fence.fence_admit(resource bytea, realm bytea, epoch bigint, grant_id bytea)
RETURNS void LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
  tenure epoch_fence.gate_tenure;
  announced bigint;
BEGIN
  PERFORM epoch_fence.gate_need_token(resource, realm, epoch, grant_id);
  PERFORM epoch_fence.gate_need_timeouts(true);
  IF epoch_fence.gate_in_savepoint() THEN
    RAISE EXCEPTION 'inside a savepoint' USING ERRCODE = 'FE007',
      HINT = 'Rolling back to it would end the permit. Admit before the savepoint.';
  END IF;
  -- The permit. What is compared is what was locked: above READ COMMITTED, a row that is newer than the snapshot is
  -- an error of serialization.
  SELECT * INTO tenure FROM epoch_fence.gate_tenure AS t WHERE t.resource = fence_admit.resource FOR SHARE;
  IF NOT FOUND THEN
    PERFORM epoch_fence.gate_judge(resource, realm, epoch, grant_id);
  ELSIF tenure.realm <> realm THEN
    RAISE EXCEPTION 'the token is of another realm than the gate' USING ERRCODE = 'FE004';
  ELSIF tenure.epoch > epoch THEN
    RAISE EXCEPTION 'the token is older than the gate''s floor'
      USING ERRCODE = 'FE001', DETAIL = format('floor %s', tenure.epoch);
  ELSIF tenure.epoch = epoch THEN
    IF tenure.grant_id <> grant_id THEN
      RAISE EXCEPTION 'another grant was admitted under the token''s epoch' USING ERRCODE = 'FE002';
    END IF;
    SELECT a.epoch INTO announced FROM epoch_fence.gate_announced AS a
      WHERE a.resource = fence_admit.resource AND a.epoch > fence_admit.epoch;
    IF FOUND THEN
      RAISE EXCEPTION 'the token is older than the gate''s floor'
        USING ERRCODE = 'FE001', DETAIL = format('floor %s', announced);
    END IF;
    RETURN;
  END IF;
  RAISE EXCEPTION 'the gate was not raised to the token''s epoch' USING ERRCODE = 'FE003',
    HINT = 'Call fence_advance in a transaction of its own, then begin this one again.';
END
$$;

-- The id of a resource, as every issuer makes it of a namespace and a name.
CREATE OR REPLACE FUNCTION epoch_fence.fence_resource(namespace text, name text)
RETURNS bytea LANGUAGE sql IMMUTABLE STRICT SET search_path = pg_catalog, pg_temp
AS $$
  SELECT sha256(
    convert_to(E'epoch-fence resource id\n', 'UTF8') || int8send(octet_length(convert_to(namespace, 'UTF8')))
    || convert_to(namespace, 'UTF8') || convert_to(name, 'UTF8'))
$$;

-- Private: the parts of a token's text, if it is for this resource.
CREATE OR REPLACE FUNCTION epoch_fence.gate_read(
  token text, expected bytea, OUT resource bytea, OUT realm bytea, OUT epoch bigint, OUT grant_id bytea)
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
  parts text[] := string_to_array(token, '-');
BEGIN
  -- The first byte is the version, the second has flags, of which the upper four are critical and unknown.
  IF token !~ '^010[0-9a-f]-[0-9a-f]{32}-[0-9a-f]{64}-[0-9a-f]{16}-[0-9a-f]{32}$' OR token IS NULL THEN
    RAISE EXCEPTION 'no token of a known version' USING ERRCODE = 'FE009';
  END IF;
  realm := decode(parts[2], 'hex');
  resource := decode(parts[3], 'hex');
  epoch := ('x' || parts[4])::bit(64)::bigint;
  grant_id := decode(parts[5], 'hex');
  IF resource IS DISTINCT FROM expected THEN
    RAISE EXCEPTION 'the token is for another resource' USING ERRCODE = 'FE006';
  ELSIF epoch < 0 THEN
    RAISE EXCEPTION 'the token''s epoch is above all that an issuer gives' USING ERRCODE = 'FE005';
  END IF;
END
$$;

-- The same verbs for a token's text, and the resource that the caller is about to change.
CREATE OR REPLACE FUNCTION epoch_fence.fence_announce(token text, resource bytea)
RETURNS void LANGUAGE sql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
  SELECT epoch_fence.fence_announce(t.resource, t.realm, t.epoch, t.grant_id)
    FROM epoch_fence.gate_read(token, resource) AS t
$$;

CREATE OR REPLACE FUNCTION epoch_fence.fence_advance(token text, resource bytea)
RETURNS void LANGUAGE sql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
  SELECT epoch_fence.fence_advance(t.resource, t.realm, t.epoch, t.grant_id)
    FROM epoch_fence.gate_read(token, resource) AS t
$$;

CREATE OR REPLACE FUNCTION epoch_fence.fence_admit(token text, resource bytea)
RETURNS void LANGUAGE sql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
  SELECT epoch_fence.fence_admit(t.resource, t.realm, t.epoch, t.grant_id)
    FROM epoch_fence.gate_read(token, resource) AS t
$$;

-- For the operator: admits tokens of this realm, and of no other, to which no resource advances below `floor`. The first
-- time it names the issuer's realm, with floor 1 where nobody ever changed the resources. After a recovery of the
-- issuer it takes the new realm, and a floor above all that was admitted. It waits until every permit has ended, or for
-- lock_timeout, and lets nobody in meanwhile. The realm that it has, with a floor it has, changes nothing.
CREATE OR REPLACE FUNCTION epoch_fence.fence_adopt(realm bytea, floor bigint)
RETURNS void LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
  gate epoch_fence.gate;
  least_floor numeric;
BEGIN
  -- Any resource and grant: only the realm and the number are looked at.
  PERFORM epoch_fence.gate_need_token(sha256(''), realm, floor, substr(sha256(''), 1, 16));
  PERFORM epoch_fence.gate_need_timeouts(false);
  PERFORM epoch_fence.gate_need_own_transaction();
  -- Its queue is a fair one: who comes later waits behind it.
  LOCK TABLE epoch_fence.gate_tenure IN EXCLUSIVE MODE;
  SELECT * INTO gate FROM epoch_fence.gate;
  IF NOT FOUND THEN
    INSERT INTO epoch_fence.gate (realm, floor) VALUES (fence_adopt.realm, fence_adopt.floor);
    RETURN;
  ELSIF gate.realm = realm THEN
    IF floor > gate.floor THEN
      UPDATE epoch_fence.gate AS g SET floor = fence_adopt.floor;
      DELETE FROM epoch_fence.gate_tenure AS t WHERE t.epoch < fence_adopt.floor;
      DELETE FROM epoch_fence.gate_announced AS a WHERE a.epoch < fence_adopt.floor;
    END IF;
    RETURN;
  END IF;
  SELECT greatest(
    gate.floor,
    (SELECT max(t.epoch)::numeric + 1 FROM epoch_fence.gate_tenure AS t),
    (SELECT max(a.epoch) FROM epoch_fence.gate_announced AS a)) INTO least_floor;
  IF floor < least_floor THEN
    RAISE EXCEPTION 'the floor is not above all that was admitted'
      USING ERRCODE = 'FE011', DETAIL = format('least %s', least_floor);
  END IF;
  UPDATE epoch_fence.gate AS g SET realm = fence_adopt.realm, floor = fence_adopt.floor;
  DELETE FROM epoch_fence.gate_tenure;
  DELETE FROM epoch_fence.gate_announced;
END
$$;

-- For the operator: forgets resources to which nobody advanced since then, which nobody is changing now and of which
-- nobody has a lease, and returns how many. Their epochs stay out of reach: the floor for whoever has no row rises above
-- them, here and at the issuer, in this transaction. So the issuer must be in this database too. A holder of another
-- resource that is older than the new floor and has not advanced yet is told that it is stale, and acquires again.
CREATE OR REPLACE FUNCTION epoch_fence.fence_prune(unused_since timestamptz)
RETURNS bigint LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
  gate epoch_fence.gate;
  namespace text;
  pruned bigint;
  greatest_epoch bigint;
  greatest_announced bigint;
  new_floor bigint;
BEGIN
  IF unused_since IS NULL THEN
    RAISE EXCEPTION 'no time' USING ERRCODE = 'FE009';
  END IF;
  PERFORM epoch_fence.gate_need_timeouts(false);
  PERFORM epoch_fence.gate_need_own_transaction();
  -- Against fence_advance, which reads the floor for who has no row; but not against permits.
  LOCK TABLE epoch_fence.gate_tenure IN SHARE ROW EXCLUSIVE MODE;
  SELECT * INTO gate FROM epoch_fence.gate;
  IF to_regclass('epoch_fence.realm') IS NOT NULL THEN
    -- Of the issuer: it grants nothing below a floor that rises here.
    LOCK TABLE epoch_fence.lease IN SHARE ROW EXCLUSIVE MODE;
    SELECT r.ns INTO namespace FROM epoch_fence.realm AS r WHERE r.realm = gate.realm;
  END IF;
  IF namespace IS NULL THEN
    RAISE EXCEPTION 'the issuer of the gate''s realm is not in this database' USING ERRCODE = 'FE012',
      HINT = 'Its floor would not rise with the gate''s, and new holders would be refused.';
  END IF;
  WITH unused AS MATERIALIZED (
    SELECT t.resource FROM epoch_fence.gate_tenure AS t
      -- Of the last epoch there is, nothing is above.
      WHERE t.advanced_at < unused_since AND t.epoch < 9223372036854775807
        AND NOT EXISTS (SELECT FROM epoch_fence.gate_announced AS a
          WHERE a.resource = t.resource AND a.announced_at >= unused_since)
        AND NOT EXISTS (SELECT FROM epoch_fence.lease AS l
          WHERE l.ns = namespace AND l.resource = t.resource AND l.ends_at > epoch_fence.clock())
      FOR UPDATE SKIP LOCKED
  ), gone AS (
    DELETE FROM epoch_fence.gate_tenure AS t USING unused WHERE t.resource = unused.resource RETURNING t.epoch
  )
  SELECT count(*), max(gone.epoch) INTO pruned, greatest_epoch FROM gone;
  WITH gone AS (
    DELETE FROM epoch_fence.gate_announced AS a
      WHERE a.announced_at < unused_since
        AND NOT EXISTS (SELECT FROM epoch_fence.gate_tenure AS t WHERE t.resource = a.resource)
      RETURNING a.epoch
  )
  SELECT max(gone.epoch) INTO greatest_announced FROM gone;
  new_floor := greatest(gate.floor, greatest_epoch + 1, greatest_announced);
  IF new_floor > gate.floor THEN
    UPDATE epoch_fence.gate AS g SET floor = new_floor;
    UPDATE epoch_fence.realm AS r SET floor = greatest(r.floor, new_floor - 1) WHERE r.ns = namespace;
  END IF;
  RETURN pruned;
END
$$;

-- Whoever may create a function may grant it; nobody else may call one before the owner does.
REVOKE ALL ON FUNCTION
  epoch_fence.gate_need_token(bytea, bytea, bigint, bytea),
  epoch_fence.gate_need_timeouts(boolean),
  epoch_fence.gate_in_savepoint(),
  epoch_fence.gate_need_own_transaction(),
  epoch_fence.gate_judge(bytea, bytea, bigint, bytea),
  epoch_fence.gate_read(text, bytea),
  epoch_fence.fence_resource(text, text),
  epoch_fence.fence_announce(bytea, bytea, bigint, bytea),
  epoch_fence.fence_announce(text, bytea),
  epoch_fence.fence_advance(bytea, bytea, bigint, bytea),
  epoch_fence.fence_advance(text, bytea),
  epoch_fence.fence_admit(bytea, bytea, bigint, bytea),
  epoch_fence.fence_admit(text, bytea),
  epoch_fence.fence_adopt(bytea, bigint),
  epoch_fence.fence_prune(timestamptz)
  FROM PUBLIC;
