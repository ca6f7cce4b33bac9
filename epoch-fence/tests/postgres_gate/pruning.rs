//! Pruned rows, in a database that has the issuer too.

use core::time::Duration;

use epoch_fence::engine::postgres::{Postgres, PostgresOptions};
use epoch_fence::engine::{AsyncEngine as _, Swapped};
use epoch_fence::protocol::{Command, Swap, Ttl};
use epoch_fence::{FencingToken, PostgresGate, ResourceId};
use tokio_postgres::{Client, IsolationLevel};

use crate::stage::{LEVELS, Stage, begin, code, epoch, gate, grant, ledger, play, realm, token, word};

/// The issuer of the stage's realm.
async fn issuer(stage: &Stage) -> Postgres {
    let options = PostgresOptions::new().request_timeout(Duration::from_secs(60));
    let issuer = Postgres::connect(&stage.url, options).await.unwrap();
    issuer.migrate().await.unwrap();
    assert_eq!(issuer.init_with(realm(1)).await.unwrap(), realm(1));
    issuer
}

/// Does something to a resource at the issuer, which lands; the token that it has then.
async fn change(issuer: &Postgres, resource: &ResourceId, command: Command) -> FencingToken {
    let view = issuer.load(resource).await.unwrap();
    let swap = Swap::prepare(&view, &command).unwrap();
    let Swapped::Landed(view) = issuer.swap(resource, &swap).await.unwrap() else {
        panic!("nobody else is here")
    };
    let record = view.record();
    FencingToken::new(record.realm(), *resource, record.epoch().unwrap(), record.grant().unwrap_or(grant(1)))
}

async fn acquire(issuer: &Postgres, resource: &ResourceId, bits: u128) -> FencingToken {
    let ttl = Ttl::new(Duration::from_secs(3_600)).unwrap();
    let holder = "test".parse().unwrap();
    change(issuer, resource, Command::Acquire { grant: grant(bits), holder, ttl }).await
}

async fn release(issuer: &Postgres, resource: &ResourceId, bits: u128) {
    change(issuer, resource, Command::Release { grant: grant(bits) }).await;
}

async fn admit(client: &mut Client, token: &FencingToken) -> String {
    let transaction = begin(client, IsolationLevel::ReadCommitted).await;
    word(PostgresGate::new(token.resource()).admit(&transaction, token).await)
}

#[test]
fn a_token_from_before_the_pruning_stays_out_and_the_issuer_goes_on_above_it() {
    play("pruned", async |stage| {
        let (issuer, mut client) = (issuer(stage).await, stage.writer().await);
        // Five tenures, each of which was released.
        let mut old = Vec::new();
        for bits in 1..=5 {
            old.push(acquire(&issuer, &ledger(), bits).await);
            gate().advance(&client, &old[old.len() - 1]).await.unwrap();
            release(&issuer, &ledger(), bits).await;
        }
        for longer in [Duration::from_secs(3_600), Duration::MAX] {
            assert_eq!(PostgresGate::prune(&client, longer).await.unwrap(), 0, "it is new");
        }
        assert_eq!(admit(&mut client, &old[4]).await, "admitted");
        assert_eq!(PostgresGate::prune(&client, Duration::ZERO).await.unwrap(), 1);
        assert_eq!(PostgresGate::prune(&client, Duration::ZERO).await.unwrap(), 0);
        for token in &old {
            assert_eq!(admit(&mut client, token).await, "Stale");
            assert_eq!(word(gate().advance(&client, token).await), "Stale");
        }
        let next = acquire(&issuer, &ledger(), 6).await;
        assert!(next.epoch() > old[4].epoch());
        gate().advance(&client, &next).await.unwrap();
        assert_eq!(admit(&mut client, &next).await, "admitted");
        // A resource that nobody ever acquired begins above the floor as well.
        let fresh = ResourceId::of("billing", "fresh");
        let first = acquire(&issuer, &fresh, 7).await;
        assert!(first.epoch() > old[4].epoch());
        PostgresGate::new(fresh).advance(&client, &first).await.unwrap();
        assert_eq!(admit(&mut client, &first).await, "admitted");
    });
}

#[test]
fn what_is_held_or_being_changed_or_waited_for_is_not_pruned() {
    play("not_pruned", async |stage| {
        let (issuer, client) = (issuer(stage).await, stage.writer().await);
        let [held, busy, waited, unused] =
            ["held", "busy", "waited", "unused"].map(|name| ResourceId::of("billing", name));
        for resource in [held, busy, waited, unused] {
            let token = acquire(&issuer, &resource, 1).await;
            PostgresGate::new(resource).advance(&client, &token).await.unwrap();
        }
        for resource in [busy, waited, unused] {
            release(&issuer, &resource, 1).await;
        }
        let of = |resource, number| FencingToken::new(realm(1), resource, epoch(number), grant(1));
        let mut writer = stage.writer().await;
        let permit = begin(&mut writer, IsolationLevel::ReadCommitted).await;
        PostgresGate::new(busy).admit(&permit, &of(busy, 1)).await.unwrap();
        // Announced in the future, so that it is later than whatever is asked for.
        let announced =
            "INSERT INTO epoch_fence.gate_announced VALUES ($1, 3, clock_timestamp() + interval '1 hour')";
        client.execute(announced, &[&&waited.to_bytes()[..]]).await.unwrap();
        assert_eq!(PostgresGate::prune(&client, Duration::ZERO).await.unwrap(), 1);
        permit.commit().await.unwrap();
        let mut left = stage.writer().await;
        assert_eq!(admit(&mut left, &of(held, 1)).await, "admitted");
        assert_eq!(admit(&mut left, &of(unused, 1)).await, "Stale");
        assert_eq!(PostgresGate::prune(&client, Duration::ZERO).await.unwrap(), 1, "the busy one");
        client
            .execute("UPDATE epoch_fence.gate_announced SET announced_at = clock_timestamp()", &[])
            .await
            .unwrap();
        assert_eq!(
            PostgresGate::prune(&client, Duration::ZERO).await.unwrap(),
            1,
            "the one that was waited for"
        );
        // What was announced there is not forgotten.
        for number in [1, 2, 3] {
            let told = word(PostgresGate::new(waited).advance(&client, &of(waited, number)).await);
            assert_eq!(told, if number < 3 { "Stale" } else { "admitted" });
        }
    });
}

#[test]
fn an_old_writer_and_an_old_advance_that_wait_for_the_pruning_are_refused() {
    play("during_pruning", async |stage| {
        let (_issuer, pruner) = (issuer(stage).await, stage.writer().await);
        for (round, level) in LEVELS.into_iter().enumerate() {
            let old = token(2 * round as u64 + 1);
            gate().advance(&pruner, &old).await.unwrap();
            let (mut late, advancing) = (stage.writer().await, stage.writer().await);
            let began = begin(&mut late, level).await;
            began.query("SELECT count(*) FROM effect", &[]).await.unwrap();
            pruner.batch_execute("BEGIN; SELECT epoch_fence.fence_prune(clock_timestamp())").await.unwrap();
            let gate = gate();
            let advance = tokio::spawn(async move { word(gate.advance(&advancing, &old).await) });
            stage.until_waiting(1).await;
            pruner.batch_execute("COMMIT").await.unwrap();
            assert_eq!(advance.await.unwrap(), "Stale");
            let expected =
                if matches!(level, IsolationLevel::ReadCommitted) { "Stale" } else { "Serialization" };
            assert_eq!(word(gate.admit(&began, &old).await), expected, "{level:?}");
            began.rollback().await.unwrap();
        }
    });
}

#[test]
fn who_is_being_judged_while_rows_are_pruned_or_a_realm_is_adopted_brings_nothing_back() {
    play("judged_meanwhile", async |stage| {
        let (_issuer, owner, holder) = (issuer(stage).await, stage.writer().await, stage.writer().await);
        // Between the look at the floor and the look at the row, whoever is judged waits for the holder.
        let query = "SELECT pg_get_functiondef('epoch_fence.gate_judge'::regproc)";
        let judge: String = owner.query_one(query, &[]).await.unwrap().get(0);
        let look = "SELECT * INTO tenure FROM";
        assert!(judge.contains(look), "{judge}");
        let slow = judge.replace(look, &format!("PERFORM pg_advisory_xact_lock_shared(7); {look}"));
        owner.batch_execute(&slow).await.unwrap();
        let prune = "SELECT epoch_fence.fence_prune(clock_timestamp())".to_owned();
        let adopt =
            |bits: u128| format!("SELECT epoch_fence.fence_adopt('\\x{}', {})", realm(bits), 100 * bits);
        let mut epochs = 1;
        for (verb, bits, change) in [
            ("fence_advance", 1, &prune),
            ("fence_announce", 1, &prune),
            ("fence_advance", 1, &adopt(2)),
            ("fence_announce", 2, &adopt(3)),
        ] {
            let of = |number| FencingToken::new(realm(bits), ledger(), epoch(number), grant(1));
            epochs = u64::max(epochs + 2, 100 * u64::try_from(bits).unwrap() + 2);
            gate().advance(&owner, &of(epochs)).await.unwrap();
            holder.batch_execute("SELECT pg_advisory_lock(7)").await.unwrap();
            let (judged, changer) = (stage.writer().await, stage.writer().await);
            let call = format!("SELECT epoch_fence.{verb}('{}', '\\x{}')", of(epochs - 1), ledger());
            let judged = tokio::spawn(async move { judged.batch_execute(&call).await });
            stage.until_waiting(1).await;
            let statement = change.clone();
            let changing = tokio::spawn(async move { changer.batch_execute(&statement).await });
            stage.until_waiting_or(2, || changing.is_finished()).await;
            holder.batch_execute("SELECT pg_advisory_unlock(7)").await.unwrap();
            let told = judged.await.unwrap().expect_err("it is older than what was advanced to");
            assert_eq!(code(&told), "FE001", "{verb} during {change}");
            changing.await.unwrap().unwrap();
            let told = admit(&mut stage.writer().await, &of(epochs - 1)).await;
            assert_eq!(told, if change == &prune { "Stale" } else { "WrongRealm" }, "{verb} during {change}");
        }
    });
}

#[test]
fn where_the_issuer_of_the_realm_is_not_nothing_is_pruned() {
    play("no_issuer", async |stage| {
        let mut client = stage.writer().await;
        gate().advance(&client, &token(1)).await.unwrap();
        assert_eq!(word(PostgresGate::prune(&client, Duration::ZERO).await), "NoIssuer");
        let issuer = issuer(stage).await;
        drop(issuer);
        client.execute("UPDATE epoch_fence.realm SET realm = sha256('')::bytea", &[]).await.unwrap_err();
        client.execute("UPDATE epoch_fence.realm SET realm = substr(sha256(''), 1, 16)", &[]).await.unwrap();
        assert_eq!(word(PostgresGate::prune(&client, Duration::ZERO).await), "NoIssuer");
        assert_eq!(admit(&mut client, &token(1)).await, "admitted");
    });
}
