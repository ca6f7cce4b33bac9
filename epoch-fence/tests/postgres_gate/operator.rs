//! What an operator does: installs the gate, adopts a realm, grants rights; and a server that is killed.

use clock_testing::postgres::Postgres as Server;
use epoch_fence::{FencingToken, PostgresGate, PostgresGateError};
use tokio_postgres::{Client, IsolationLevel};

use crate::paused::overlap;
use crate::stage::{
    IMPATIENT, LEVELS, PATIENT, act, begin, code, connect, epoch, gate, grant, ledger, play, realm, token,
    word,
};

/// The token of an epoch in another realm.
fn moved(number: u64) -> FencingToken {
    FencingToken::new(realm(2), ledger(), epoch(number), grant(number.into()))
}

/// What an admission comes to, in a transaction of its own.
async fn admit(client: &mut Client, token: &FencingToken) -> String {
    let transaction = begin(client, IsolationLevel::ReadCommitted).await;
    word(gate().admit(&transaction, token).await)
}

#[test]
fn installing_at_once_is_no_error_and_installing_again_changes_nothing() {
    play("install", async |stage| {
        let mut owner = stage.writer().await;
        owner.batch_execute("DROP SCHEMA epoch_fence CASCADE").await.unwrap();
        for told in [
            word(gate().advance(&owner, &token(1)).await),
            admit(&mut owner, &token(1)).await,
            word(PostgresGate::adopt(&owner, realm(1), epoch(1)).await),
            word(PostgresGate::prune(&owner, core::time::Duration::ZERO).await),
        ] {
            assert_eq!(told, "NotInstalled");
        }
        let installers = [(); 4].map(|()| {
            let url = stage.url.clone();
            tokio::spawn(async move { PostgresGate::install(&connect(&url, "").await.unwrap()).await })
        });
        for installer in installers {
            installer.await.unwrap().unwrap();
        }
        assert_eq!(word(gate().advance(&owner, &token(1)).await), "NotAdopted");
        assert_eq!(admit(&mut owner, &token(1)).await, "NotAdopted");
        PostgresGate::adopt(&owner, realm(1), epoch(3)).await.unwrap();
        assert_eq!(word(gate().advance(&owner, &token(2)).await), "Stale");
        gate().advance(&owner, &token(3)).await.unwrap();
        PostgresGate::install(&owner).await.unwrap();
        assert_eq!(admit(&mut owner, &token(3)).await, "admitted");
        assert_eq!(word(gate().advance(&owner, &token(2)).await), "Stale");
    });
}

#[test]
fn another_realm_is_adopted_above_all_that_was_admitted_and_the_old_one_is_refused_from_then_on() {
    play("adopt", async |stage| {
        let (mut owner, mut writer) = (stage.client(IMPATIENT).await, stage.writer().await);
        gate().advance(&owner, &token(7)).await.unwrap();
        let permit = begin(&mut writer, IsolationLevel::ReadCommitted).await;
        gate().admit(&permit, &token(7)).await.unwrap();
        assert_eq!(word(gate().advance(&owner, &token(9)).await), "Draining");
        assert_eq!(word(PostgresGate::adopt(&owner, realm(2), epoch(100)).await), "Draining");
        permit.commit().await.unwrap();
        // Nine was asked for, and seven was admitted.
        let told = PostgresGate::adopt(&owner, realm(2), epoch(8)).await;
        assert!(
            matches!(told, Err(PostgresGateError::FloorTooLow { least }) if least == epoch(9)),
            "{told:?}"
        );
        gate().advance(&owner, &token(9)).await.unwrap();
        assert_eq!(word(PostgresGate::adopt(&owner, realm(2), epoch(9)).await), "FloorTooLow");
        PostgresGate::adopt(&owner, realm(2), epoch(10)).await.unwrap();
        PostgresGate::adopt(&owner, realm(2), epoch(5)).await.unwrap();
        for old in [token(9), token(11)] {
            assert_eq!(word(gate().advance(&owner, &old).await), "WrongRealm");
            assert_eq!(admit(&mut owner, &old).await, "WrongRealm");
        }
        assert_eq!(admit(&mut owner, &moved(9)).await, "Stale");
        assert_eq!(word(gate().advance(&owner, &moved(9)).await), "Stale");
        assert_eq!(admit(&mut owner, &moved(10)).await, "AdvanceFirst");
        gate().advance(&owner, &moved(10)).await.unwrap();
        assert_eq!(admit(&mut owner, &moved(10)).await, "admitted");
        // A higher floor in the same realm.
        PostgresGate::adopt(&owner, realm(2), epoch(20)).await.unwrap();
        assert_eq!(admit(&mut owner, &moved(10)).await, "Stale");
        gate().advance(&owner, &moved(20)).await.unwrap();
    });
}

#[test]
fn a_writer_of_the_old_realm_that_began_first_is_not_admitted_after_the_adoption() {
    play("adopt_levels", async |stage| {
        let (owner, mut writer) = (stage.writer().await, stage.writer().await);
        for (round, level) in LEVELS.into_iter().enumerate() {
            let bits = 10 * round as u64;
            let old = FencingToken::new(realm(u128::from(bits) + 1), ledger(), epoch(bits + 1), grant(1));
            gate().advance(&owner, &old).await.unwrap();
            let late = begin(&mut writer, level).await;
            late.query("SELECT count(*) FROM effect", &[]).await.unwrap();
            PostgresGate::adopt(&owner, realm(u128::from(bits) + 11), epoch(bits + 10)).await.unwrap();
            let expected =
                if matches!(level, IsolationLevel::ReadCommitted) { "WrongRealm" } else { "Serialization" };
            assert_eq!(word(gate().admit(&late, &old).await), expected, "{level:?}");
            late.rollback().await.unwrap();
        }
    });
}

#[test]
fn writers_of_the_old_realm_that_overlap_do_not_keep_the_new_one_out() {
    play("adopt_overlapping", async |stage| {
        let owner = stage.writer().await;
        gate().advance(&owner, &token(1)).await.unwrap();
        let (under_way, begun) = tokio::sync::oneshot::channel();
        let overlapping = tokio::spawn(overlap([stage.writer().await, stage.writer().await], under_way));
        begun.await.unwrap();
        PostgresGate::adopt(&owner, realm(2), epoch(2)).await.unwrap();
        assert_eq!(overlapping.await.unwrap(), "WrongRealm");
    });
}

/// The statements of the head of the file that grant something to a role of this name.
fn grants(role: &str) -> String {
    let head = PostgresGate::SQL.lines().take_while(|line| line.starts_with("--"));
    let lines: Vec<_> = head.filter_map(|line| line.strip_prefix("--   ")).collect();
    let statements = lines.join("\n");
    let granted = statements.split_inclusive(';').filter(|statement| {
        statement.trim_start().trim_start_matches("-- to look").trim_start().starts_with("GRANT")
            && statement.trim_end().ends_with(&format!("TO {role};"))
    });
    granted.collect()
}

#[test]
fn a_writer_with_the_rights_that_the_file_names_is_admitted_and_can_do_no_more() {
    play("rights", async |stage| {
        let owner = stage.writer().await;
        owner
            .batch_execute("CREATE ROLE writer LOGIN; CREATE ROLE operator LOGIN; CREATE ROLE stranger LOGIN")
            .await
            .unwrap();
        assert!(grants("writer").contains("fence_admit(text, bytea)"), "{}", grants("writer"));
        owner.batch_execute(&grants("writer")).await.unwrap();
        owner.batch_execute("GRANT USAGE ON SCHEMA epoch_fence TO operator").await.unwrap();
        owner.batch_execute(&grants("operator")).await.unwrap();
        owner.batch_execute("GRANT INSERT ON effect TO writer").await.unwrap();
        let as_role = async |role: &str| {
            connect(&stage.url.replace("postgres@", &format!("{role}@")), PATIENT).await.unwrap()
        };
        let mut writer = as_role("writer").await;
        gate().advance(&writer, &token(2)).await.unwrap();
        let transaction = begin(&mut writer, IsolationLevel::Serializable).await;
        gate().admit(&transaction, &token(2)).await.unwrap();
        act(&transaction, &token(2), "by right").await;
        transaction.commit().await.unwrap();
        let resource = format!("'\\x{}'::bytea", ledger());
        let private = [
            "UPDATE epoch_fence.gate_tenure SET epoch = 1".to_owned(),
            "DELETE FROM epoch_fence.gate".to_owned(),
            "SELECT * FROM epoch_fence.gate_tenure FOR UPDATE".to_owned(),
            "INSERT INTO epoch_fence.gate_probe DEFAULT VALUES".to_owned(),
            "SELECT epoch_fence.fence_adopt(sha256(''), 1)".to_owned(),
            "SELECT epoch_fence.fence_prune(now())".to_owned(),
            "SELECT epoch_fence.gate_in_savepoint()".to_owned(),
            format!("SELECT epoch_fence.gate_read('{}', {resource})", token(2)),
            "CREATE OR REPLACE FUNCTION epoch_fence.mine() RETURNS int LANGUAGE sql AS 'SELECT 1'".to_owned(),
        ];
        for statement in &private {
            assert_eq!(code(&writer.batch_execute(statement).await.unwrap_err()), "42501", "{statement}");
        }
        let stranger = as_role("stranger").await;
        let told = gate().advance(&stranger, &token(3)).await;
        assert_eq!(word(told), "42501");
        let operator = as_role("operator").await;
        operator.batch_execute("SELECT * FROM epoch_fence.gate, epoch_fence.gate_tenure").await.unwrap();
        PostgresGate::adopt(&operator, realm(2), epoch(3)).await.unwrap();
        assert_eq!(word(gate().advance(&operator, &moved(3)).await), "42501");
    });
}

#[test]
fn no_object_of_the_writers_own_stands_in_for_one_of_the_gates() {
    play("search_path", async |stage| {
        let mut writer = stage.writer().await;
        gate().advance(&writer, &token(2)).await.unwrap();
        // For whoever finds them, no epoch is greater than another, and all are equal.
        writer
            .batch_execute(
                "CREATE SCHEMA evil;
                CREATE FUNCTION evil.no(bigint, bigint) RETURNS boolean LANGUAGE sql IMMUTABLE AS 'SELECT false';
                CREATE FUNCTION evil.yes(bigint, bigint) RETURNS boolean LANGUAGE sql IMMUTABLE AS 'SELECT true';
                CREATE OPERATOR evil.> (LEFTARG = bigint, RIGHTARG = bigint, FUNCTION = evil.no);
                CREATE OPERATOR evil.< (LEFTARG = bigint, RIGHTARG = bigint, FUNCTION = evil.no);
                CREATE OPERATOR evil.= (LEFTARG = bigint, RIGHTARG = bigint, FUNCTION = evil.yes);
                CREATE FUNCTION evil.octet_length(bytea) RETURNS int LANGUAGE sql IMMUTABLE AS 'SELECT 16';
                CREATE TEMP TABLE gate_tenure AS SELECT * FROM epoch_fence.gate_tenure;
                UPDATE gate_tenure SET epoch = 1;
                SET search_path = evil, pg_catalog, epoch_fence",
            )
            .await
            .unwrap();
        let old = FencingToken::new(realm(1), ledger(), epoch(1), grant(2));
        assert_eq!(admit(&mut writer, &old).await, "Stale");
        assert_eq!(word(gate().advance(&writer, &old).await), "Stale");
        assert_eq!(admit(&mut writer, &token(2)).await, "admitted");
    });
}

#[test]
fn what_the_gate_was_raised_to_survives_a_kill_of_the_server_also_where_commits_need_not() {
    // For ten seconds nobody writes what a session did not write itself.
    let settings = [("wal_writer_delay", "10s"), ("synchronous_commit", "off"), ("autovacuum", "off")];
    let mut server = match Server::start(&settings) {
        Ok(server) => server,
        Err(missing) => return missing.not_run(),
    };
    let runtime = tokio::runtime::Runtime::new().unwrap();
    for round in 0..3_u64 {
        runtime.block_on(async {
            let mut client = connect(&server.url(), PATIENT).await.unwrap();
            if round == 0 {
                client.batch_execute("SET synchronous_commit = on").await.unwrap();
                PostgresGate::install(&client).await.unwrap();
                client.batch_execute("SET synchronous_commit = off").await.unwrap();
                PostgresGate::adopt(&client, realm(1), epoch(5)).await.unwrap();
                return;
            }
            let [last, next] = [token(4 + round - 1), token(4 + round)];
            assert_eq!(
                word(gate().advance(&client, &last).await),
                if round == 1 { "Stale" } else { "admitted" }
            );
            gate().advance(&client, &next).await.unwrap();
            assert_eq!(admit(&mut client, &next).await, "admitted");
        });
        server.kill();
        server.restart();
    }
    runtime.block_on(async {
        let mut client = connect(&server.url(), PATIENT).await.unwrap();
        assert_eq!(admit(&mut client, &token(5)).await, "Stale");
        assert_eq!(admit(&mut client, &token(6)).await, "admitted");
    });
}
