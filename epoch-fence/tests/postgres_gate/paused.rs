//! Writers that are paused, or never end.

use core::pin::pin;
use core::time::Duration;

use epoch_fence::PostgresGateError;
use tokio::sync::oneshot;
use tokio::time::timeout;
use tokio_postgres::{Client, IsolationLevel, Transaction};

use crate::stage::{IMPATIENT, Stage, act, begin, epoch, gate, play, token, word};

#[test]
fn while_a_writer_is_paused_the_newer_epoch_is_draining_and_older_tokens_are_stale_at_once() {
    play("draining", async |stage| {
        let (mut paused, mut old) = (stage.writer().await, stage.writer().await);
        let new = stage.client(IMPATIENT).await;
        gate().advance(&new, &token(1)).await.unwrap();
        let permit = begin(&mut paused, IsolationLevel::ReadCommitted).await;
        gate().admit(&permit, &token(1)).await.unwrap();
        act(&permit, &token(1), "paused").await;
        for _ in 0..2 {
            assert_eq!(word(gate().advance(&new, &token(2)).await), "Draining");
            let late = begin(&mut old, IsolationLevel::ReadCommitted).await;
            let told = gate().admit(&late, &token(1)).await;
            assert!(matches!(told, Err(PostgresGateError::Stale { floor }) if floor == epoch(2)), "{told:?}");
        }
        // What was admitted may end as it likes.
        permit.commit().await.unwrap();
        gate().advance(&new, &token(2)).await.unwrap();
        assert_eq!(stage.effects().await, 1);
    });
}

#[test]
fn a_paused_writer_loses_its_transaction_when_its_idle_time_is_over_and_the_newer_epoch_gets_in() {
    play("freed", async |stage| {
        let settings = "SET lock_timeout = '60s'; SET idle_in_transaction_session_timeout = '400ms'";
        let (mut paused, new) = (stage.client(settings).await, stage.writer().await);
        gate().advance(&new, &token(1)).await.unwrap();
        let permit = begin(&mut paused, IsolationLevel::ReadCommitted).await;
        gate().admit(&permit, &token(1)).await.unwrap();
        act(&permit, &token(1), "paused").await;
        gate().advance(&new, &token(2)).await.unwrap();
        assert!(permit.commit().await.is_err(), "it is gone");
        assert_eq!(stage.effects().await, 0);
    });
}

#[test]
fn without_timeouts_nobody_is_admitted_nor_raises_the_gate() {
    play("no_timeouts", async |stage| {
        let owner = stage.writer().await;
        gate().advance(&owner, &token(1)).await.unwrap();
        for settings in ["", "SET lock_timeout = '1s'", "SET idle_in_transaction_session_timeout = '1s'"] {
            let mut writer = stage.client(settings).await;
            let transaction = begin(&mut writer, IsolationLevel::ReadCommitted).await;
            assert_eq!(word(gate().admit(&transaction, &token(1)).await), "TimeoutNotSet", "{settings}");
        }
        for settings in ["", "SET idle_in_transaction_session_timeout = '1s'"] {
            let writer = stage.client(settings).await;
            assert_eq!(word(gate().advance(&writer, &token(2)).await), "TimeoutNotSet", "{settings}");
        }
        // No transaction of its own is idle in one.
        let writer = stage.client("SET lock_timeout = '60s'").await;
        gate().advance(&writer, &token(2)).await.unwrap();
    });
}

#[test]
fn transactions_of_the_old_epoch_that_overlap_do_not_keep_the_newer_one_out() {
    play("overlapping", async |stage| {
        let new = stage.writer().await;
        gate().advance(&new, &token(1)).await.unwrap();
        let (under_way, begun) = oneshot::channel();
        let overlapping = tokio::spawn(overlap([stage.writer().await, stage.writer().await], under_way));
        begun.await.unwrap();
        // Else it waits for one of them after the other, until the scene is over.
        gate().advance(&new, &token(2)).await.unwrap();
        assert_eq!(overlapping.await.unwrap(), "Stale");
    });
}

/// Is admitted again and again, in one session before it ends in the other, so that at each moment there is a permit. What
/// it was told at last.
pub(crate) async fn overlap([mut one, mut other]: [Client; 2], under_way: oneshot::Sender<()>) -> String {
    let mut under_way = Some(under_way);
    let mut first = begin(&mut one, IsolationLevel::ReadCommitted).await;
    let mut told = word(gate().admit(&first, &token(1)).await);
    while told == "admitted" {
        let second = begin(&mut other, IsolationLevel::ReadCommitted).await;
        told = next(&second, first).await;
        first = begin(&mut one, IsolationLevel::ReadCommitted).await;
        if told == "admitted" {
            told = next(&first, second).await;
        }
        under_way.take().map(|begun| begun.send(()));
    }
    told
}

/// Is admitted, and then ends the one before; but ends that one first where all have to wait. What it was told.
async fn next(transaction: &Transaction<'_>, before: Transaction<'_>) -> String {
    let mut before = Some(before);
    let (gate, token) = (gate(), token(1));
    let mut admitted = pin!(gate.admit(transaction, &token));
    let told = match timeout(Duration::from_millis(500), &mut admitted).await {
        Ok(told) => told,
        Err(_) => {
            before.take().unwrap().commit().await.unwrap();
            admitted.await
        }
    };
    if let Some(before) = before {
        before.commit().await.unwrap();
    }
    word(told)
}

#[test]
fn a_server_that_cannot_be_reached_is_no_refusal() {
    play("cut", async |stage| {
        let client = stage.writer().await;
        kill_sessions(stage, &client).await;
        let told = gate().advance(&client, &token(1)).await;
        assert!(matches!(told, Err(PostgresGateError::Database(_))), "{told:?}");
        // Told twice is told once.
        let again = stage.writer().await;
        gate().advance(&again, &token(1)).await.unwrap();
        gate().advance(&again, &token(1)).await.unwrap();
    });
}

/// Ends a session, and waits until its client knows.
async fn kill_sessions(stage: &Stage, client: &Client) {
    let pid: i32 = client.query_one("SELECT pg_backend_pid()", &[]).await.unwrap().get(0);
    stage.writer().await.execute("SELECT pg_terminate_backend($1)", &[&pid]).await.unwrap();
    while !client.is_closed() {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}
