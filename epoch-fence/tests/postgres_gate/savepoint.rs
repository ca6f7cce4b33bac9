//! Savepoints: rolling back to one ends the locks that were taken after it.

use epoch_fence::PostgresGateError;
use tokio_postgres::IsolationLevel;

use crate::stage::{IMPATIENT, LEVELS, act, begin, code, gate, play, token, word};

#[test]
fn nobody_is_admitted_inside_a_savepoint() {
    play("inside", async |stage| {
        let (mut writer, new) = (stage.writer().await, stage.client(IMPATIENT).await);
        gate().advance(&writer, &token(1)).await.unwrap();
        for level in LEVELS {
            for written in [false, true] {
                let mut outer = begin(&mut writer, level).await;
                if written {
                    act(&outer, &token(1), "before the savepoint").await;
                }
                let nested = outer.transaction().await.unwrap();
                let told = gate().admit(&nested, &token(1)).await;
                assert!(matches!(told, Err(PostgresGateError::Savepoint)), "{level:?}: {told:?}");
                nested.rollback().await.unwrap();
                // The transaction goes on, and has no permit.
                act(&outer, &token(1), "after the savepoint").await;
                outer.rollback().await.unwrap();
            }
        }
        gate().advance(&new, &token(2)).await.unwrap();
    });
}

#[test]
fn nobody_is_admitted_inside_a_block_that_catches_errors() {
    play("inside_a_block", async |stage| {
        let writer = stage.writer().await;
        gate().advance(&writer, &token(1)).await.unwrap();
        let admit = format!("PERFORM epoch_fence.fence_admit('{}', '\\x{}');", token(1), gate().resource());
        let caught =
            format!("DO $$ BEGIN BEGIN {admit} EXCEPTION WHEN division_by_zero THEN NULL; END; END $$");
        assert_eq!(code(&writer.batch_execute(&caught).await.unwrap_err()), "FE007");
        writer.batch_execute(&format!("DO $$ BEGIN BEGIN {admit} END; END $$")).await.unwrap();
    });
}

#[test]
fn a_permit_from_before_a_savepoint_outlives_its_rollback() {
    play("before", async |stage| {
        let (mut writer, new) = (stage.writer().await, stage.client(IMPATIENT).await);
        gate().advance(&new, &token(1)).await.unwrap();
        let mut outer = begin(&mut writer, IsolationLevel::ReadCommitted).await;
        // One that was released is none any more.
        let released = outer.transaction().await.unwrap();
        act(&released, &token(1), "released").await;
        released.commit().await.unwrap();
        gate().admit(&outer, &token(1)).await.unwrap();
        let nested = outer.transaction().await.unwrap();
        act(&nested, &token(1), "rolled back").await;
        nested.rollback().await.unwrap();
        assert_eq!(word(gate().advance(&new, &token(2)).await), "Draining");
        outer.commit().await.unwrap();
        gate().advance(&new, &token(2)).await.unwrap();
        assert_eq!(stage.effects().await, 1);
    });
}
