//! Which of two transactions comes first, and at which isolation level.

use epoch_fence::PostgresGateError;
use tokio_postgres::IsolationLevel;

use crate::stage::{LEVELS, PATIENT, act, begin, code, gate, play, token, word};

/// What an old writer is told at a level, whose snapshot is older than the newer epoch.
fn too_late(level: IsolationLevel) -> &'static str {
    if matches!(level, IsolationLevel::ReadCommitted) { "Stale" } else { "Serialization" }
}

#[test]
fn a_writer_that_was_admitted_commits_and_the_newer_epoch_comes_after_it_and_sees_what_it_did() {
    play("admitted_first", async |stage| {
        let (mut old, mut new) = (stage.writer().await, stage.writer().await);
        for (round, level) in LEVELS.into_iter().enumerate() {
            let epochs = 2 * round as u64;
            let (older, newer) = (token(epochs + 1), token(epochs + 2));
            gate().advance(&old, &older).await.unwrap();
            let admitted = begin(&mut old, level).await;
            gate().admit(&admitted, &older).await.unwrap();
            act(&admitted, &older, "admitted").await;
            let (gate, advancing) = (gate(), stage.client(PATIENT).await);
            let advance = tokio::spawn(async move { gate.advance(&advancing, &newer).await });
            stage.until_waiting(1).await;
            assert!(!advance.is_finished(), "{level:?}");
            admitted.commit().await.unwrap();
            advance.await.unwrap().unwrap();
            let next = begin(&mut new, level).await;
            gate.admit(&next, &newer).await.unwrap();
            let seen: i64 = next.query_one("SELECT count(*) FROM effect", &[]).await.unwrap().get(0);
            assert_eq!(usize::try_from(seen).unwrap(), round + 1, "{level:?}");
            next.rollback().await.unwrap();
        }
    });
}

#[test]
fn an_old_writer_that_began_first_is_stale_or_cannot_serialize_and_leaves_nothing() {
    play("began_first", async |stage| {
        let (mut old, new) = (stage.writer().await, stage.writer().await);
        let mut number = 1;
        for level in LEVELS {
            for (first, told) in [("SELECT", "Stale"), ("SELECT count(*) FROM effect", too_late(level))] {
                let (older, newer) = (token(number), token(number + 1));
                number += 2;
                gate().advance(&new, &older).await.unwrap();
                let late = begin(&mut old, level).await;
                if first != "SELECT" {
                    // Its snapshot is from here on, and so is what it did.
                    late.query(first, &[]).await.unwrap();
                    act(&late, &older, "before it asked").await;
                }
                gate().advance(&new, &newer).await.unwrap();
                assert_eq!(word(gate().admit(&late, &older).await), told, "{level:?} after {first}");
                // Nothing more can be done in it, and nothing of it stays.
                assert_eq!(code(&late.execute("DELETE FROM effect", &[]).await.unwrap_err()), "25P02");
                late.commit().await.unwrap();
            }
        }
        assert_eq!(stage.effects().await, 0);
    });
}

#[test]
fn an_old_writer_that_waits_while_the_gate_is_raised_is_not_admitted() {
    play("waits_at_the_gate", async |stage| {
        let raiser = stage.writer().await;
        for (round, level) in LEVELS.into_iter().enumerate() {
            let (older, newer) = (token(2 * round as u64 + 1), token(2 * round as u64 + 2));
            gate().advance(&raiser, &older).await.unwrap();
            raise_in_a_transaction(&raiser, newer.to_string()).await;
            let mut late = stage.writer().await;
            let waiting = tokio::spawn(async move {
                let transaction = begin(&mut late, level).await;
                let told = word(gate().admit(&transaction, &older).await);
                drop(transaction);
                told
            });
            stage.until_waiting(1).await;
            raiser.batch_execute("COMMIT").await.unwrap();
            assert_eq!(waiting.await.unwrap(), too_late(level), "{level:?}");
        }
    });
}

#[test]
fn who_is_rolled_back_after_it_raised_the_gate_has_not_raised_it() {
    play("raise_rolled_back", async |stage| {
        let raiser = stage.writer().await;
        gate().advance(&raiser, &token(1)).await.unwrap();
        raise_in_a_transaction(&raiser, token(2).to_string()).await;
        raiser.batch_execute("ROLLBACK").await.unwrap();
        let mut writer = stage.writer().await;
        let transaction = begin(&mut writer, IsolationLevel::ReadCommitted).await;
        gate().admit(&transaction, &token(1)).await.unwrap();
        transaction.rollback().await.unwrap();
        let transaction = begin(&mut writer, IsolationLevel::ReadCommitted).await;
        assert_eq!(word(gate().admit(&transaction, &token(2)).await), "AdvanceFirst");
    });
}

#[test]
fn a_newer_writer_whose_snapshot_is_older_than_its_own_advance_begins_again() {
    play("own_advance_later", async |stage| {
        let (mut writer, other) = (stage.writer().await, stage.writer().await);
        for (round, level) in
            [IsolationLevel::RepeatableRead, IsolationLevel::Serializable].into_iter().enumerate()
        {
            let newer = token(round as u64 + 1);
            let early = begin(&mut writer, level).await;
            early.query("SELECT count(*) FROM effect", &[]).await.unwrap();
            gate().advance(&other, &newer).await.unwrap();
            // In its snapshot there is no row at all, or an older one.
            let told = if round == 0 { "AdvanceFirst" } else { "Serialization" };
            assert_eq!(word(gate().admit(&early, &newer).await), told, "{level:?}");
            early.rollback().await.unwrap();
            let again = begin(&mut writer, level).await;
            gate().admit(&again, &newer).await.unwrap();
            again.commit().await.unwrap();
        }
    });
}

#[test]
fn writers_of_one_epoch_do_not_wait_for_each_other() {
    play("side_by_side", async |stage| {
        let (mut one, mut other) = (stage.writer().await, stage.writer().await);
        gate().advance(&one, &token(1)).await.unwrap();
        for level in LEVELS {
            let first = begin(&mut one, level).await;
            gate().admit(&first, &token(1)).await.unwrap();
            act(&first, &token(1), "one").await;
            let second = begin(&mut other, level).await;
            gate().admit(&second, &token(1)).await.unwrap();
            gate().admit(&second, &token(1)).await.unwrap();
            act(&second, &token(1), "other").await;
            second.commit().await.unwrap();
            first.commit().await.unwrap();
        }
        assert_eq!(stage.effects().await, 6);
    });
}

#[test]
fn the_gate_is_raised_at_read_committed_and_in_a_transaction_of_its_own_alone() {
    play("own_transaction", async |stage| {
        for level in ["repeatable read", "serializable"] {
            let settings = format!("{PATIENT}; SET default_transaction_isolation = '{level}'");
            let client = stage.client(&settings).await;
            assert!(
                matches!(gate().advance(&client, &token(1)).await, Err(PostgresGateError::NotAlone)),
                "{level}"
            );
        }
        let mut client = stage.writer().await;
        for verb in ["fence_announce", "fence_advance"] {
            let call = format!("SELECT epoch_fence.{verb}($1, $2)");
            let parts: [&(dyn tokio_postgres::types::ToSql + Sync); 2] =
                [&token(1).to_string(), &&ledger_bytes()[..]];
            let written = begin(&mut client, IsolationLevel::ReadCommitted).await;
            act(&written, &token(1), "before").await;
            assert_eq!(code(&written.query(&call, &parts).await.unwrap_err()), "25001", "{verb}");
            written.rollback().await.unwrap();
            let mut outer = begin(&mut client, IsolationLevel::ReadCommitted).await;
            let nested = outer.transaction().await.unwrap();
            assert_eq!(code(&nested.query(&call, &parts).await.unwrap_err()), "25001", "{verb}");
            nested.rollback().await.unwrap();
            outer.rollback().await.unwrap();
        }
        // Nothing of it was left behind.
        let none = begin(&mut client, IsolationLevel::ReadCommitted).await;
        assert_eq!(word(gate().admit(&none, &token(1)).await), "AdvanceFirst");
    });
}

fn ledger_bytes() -> [u8; 32] {
    gate().resource().to_bytes()
}

/// Raises the gate in a transaction that stays open.
async fn raise_in_a_transaction(client: &tokio_postgres::Client, token: String) {
    client.batch_execute("BEGIN").await.unwrap();
    let call = "SELECT epoch_fence.fence_advance($1, $2)";
    client.query(call, &[&token, &&ledger_bytes()[..]]).await.unwrap();
}
