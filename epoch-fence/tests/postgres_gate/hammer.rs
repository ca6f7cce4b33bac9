//! Many holders at once, none of which stops before it is told so; and a checker of what they left.

use alloc::collections::{BTreeMap, BTreeSet};
use alloc::sync::Arc;
// Counters of a test: nothing is published with them.
use core::sync::atomic::{AtomicU64, Ordering};
use core::time::Duration;
use std::sync::Mutex;

use clock_testing::{Dice, tally};
use epoch_fence::{FencingToken, PostgresGate, PostgresGateError};
use tokio_postgres::{Client, IsolationLevel};

use crate::stage::{LEVELS, PATIENT, Stage, begin, code, connect, gate, play, token, word};

const HOLDERS: u64 = 3;
const WRITERS_PER_HOLDER: u64 = 2;
const TENURES: u64 = 60;

/// The register, and a row for each effect that was done to it.
const TABLES: &str = "
    CREATE TABLE register (value bigint NOT NULL);
    INSERT INTO register VALUES (0);
    CREATE TABLE journal (epoch bigint, writer bigint, number bigint, read bigint, wrote bigint)";

/// One effect: whose, and what it read and wrote.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Effect {
    wrote: i64,
    read: i64,
    epoch: i64,
    writer: i64,
    number: i64,
}

/// What holders know when the run is over.
#[derive(Debug, Default)]
struct Evidence {
    /// How many older effects there were when the advance to an epoch had returned.
    older_at_advance: BTreeMap<i64, i64>,
    /// Effects whose commit was acknowledged.
    acknowledged: BTreeSet<Effect>,
    /// What was refused, and how often.
    refusals: BTreeMap<String, u64>,
}

/// What must not be, in words.
fn violations(journal: &BTreeSet<Effect>, evidence: &Evidence) -> Vec<String> {
    let mut found = Vec::new();
    for (epoch, counted) in &evidence.older_at_advance {
        let older = journal.iter().filter(|effect| effect.epoch < *epoch).count();
        if i64::try_from(older).unwrap() != *counted {
            found.push(format!(
                "stale: {older} effects below epoch {epoch}, {counted} when it was advanced to"
            ));
        }
    }
    let (mut value, mut newest) = (0, 0);
    for effect in journal {
        if effect.epoch < newest {
            found.push(format!("stale: {effect:?} after epoch {newest}"));
        }
        if (effect.read, effect.wrote) != (value, value + 1) {
            found.push(format!("torn: {effect:?} after {value}"));
        }
        (value, newest) = (effect.wrote, newest.max(effect.epoch));
    }
    found.extend(evidence.acknowledged.difference(journal).map(|effect| format!("lost: {effect:?}")));
    found
}

/// What all of a run share.
struct Run {
    url: String,
    seed: u64,
    /// The last epoch that was given out.
    issued: AtomicU64,
    /// How many effects were acknowledged.
    effects: AtomicU64,
    evidence: Mutex<Evidence>,
}

impl Run {
    fn refused(&self, why: &str) {
        *self.evidence.lock().unwrap().refusals.entry(why.to_owned()).or_default() += 1;
    }

    /// One holder: takes the next epoch when it likes, whether or not the one before has ended.
    async fn hold(self: Arc<Self>, holder: u64) {
        let mut dice = Dice::new(self.seed ^ (holder << 32));
        let client = connect(&self.url, PATIENT).await.unwrap();
        while self.issued.load(Ordering::Relaxed) < TENURES {
            // Before it is under way: a connection takes longer than a tenure.
            let mut clients = Vec::new();
            for _ in 0..WRITERS_PER_HOLDER {
                clients.push(connect(&self.url, PATIENT).await.unwrap());
            }
            self.wait_for_effects(1 + dice.roll(6)).await;
            let token = token(self.issued.fetch_add(1, Ordering::Relaxed) + 1);
            match gate().advance(&client, &token).await {
                Ok(()) => {}
                Err(PostgresGateError::Stale { .. }) => {
                    self.refused("advance: Stale");
                    continue;
                }
                Err(why) => panic!("{why:?}"),
            }
            let epoch = i64::try_from(token.epoch().get()).unwrap();
            let count = "SELECT count(*) FROM journal WHERE epoch < $1";
            let older = client.query_one(count, &[&epoch]).await.unwrap().get(0);
            self.evidence.lock().unwrap().older_at_advance.insert(epoch, older);
            for (client, writer) in clients.into_iter().zip(holder * WRITERS_PER_HOLDER..) {
                drop(tokio::spawn(Arc::clone(&self).write(client, token, writer)));
            }
        }
    }

    /// Waits until there are so many more effects, or for as long as a holder has patience.
    async fn wait_for_effects(&self, more: u64) {
        let enough = self.effects.load(Ordering::Relaxed) + more;
        for _ in 0..300 {
            if self.effects.load(Ordering::Relaxed) >= enough {
                return;
            }
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
    }

    /// One writer: acts until it is told that it is too late.
    async fn write(self: Arc<Self>, mut client: Client, token: FencingToken, writer: u64) {
        let mut dice = Dice::new(self.seed ^ (token.epoch().get() << 16) ^ writer);
        for number in 0_i64.. {
            let level = LEVELS[usize::try_from(dice.roll(3)).unwrap()];
            match act(&mut client, level, &mut dice, &token, writer, number).await {
                Ok(effect) => {
                    self.effects.fetch_add(1, Ordering::Relaxed);
                    let mut evidence = self.evidence.lock().unwrap();
                    assert!(evidence.acknowledged.insert(effect), "{effect:?} twice");
                }
                Err(why) => {
                    self.refused(&why);
                    if why == "Stale" {
                        return;
                    }
                }
            }
        }
    }
}

/// One transaction, with pauses wherever they hurt. What it did, if it committed.
async fn act(
    client: &mut Client,
    level: IsolationLevel,
    dice: &mut Dice,
    token: &FencingToken,
    writer: u64,
    number: i64,
) -> Result<Effect, String> {
    let refused = |error: tokio_postgres::Error| code(&error).to_owned();
    let transaction = begin(client, level).await;
    // Half of them have a snapshot before they ask, as a program has that begins with a look.
    if dice.roll(2) == 0 {
        transaction.query("SELECT value FROM register", &[]).await.map_err(refused)?;
        pause(dice, 3).await;
    }
    if let Err(why) = gate().admit(&transaction, token).await {
        return Err(word::<()>(Err(why)));
    }
    pause(dice, 6).await;
    let step = "UPDATE register SET value = value + 1 RETURNING value";
    let wrote: i64 = transaction.query_one(step, &[]).await.map_err(refused)?.get(0);
    let effect = Effect {
        wrote,
        read: wrote - 1,
        epoch: i64::try_from(token.epoch().get()).unwrap(),
        writer: i64::try_from(writer).unwrap(),
        number,
    };
    let note = "INSERT INTO journal VALUES ($1, $2, $3, $4, $5)";
    let row: [&(dyn tokio_postgres::types::ToSql + Sync); 5] =
        [&effect.epoch, &effect.writer, &effect.number, &effect.read, &effect.wrote];
    transaction.execute(note, &row).await.map_err(refused)?;
    pause(dice, 3).await;
    transaction.commit().await.map_err(refused)?;
    Ok(effect)
}

/// Up to so many milliseconds, often none.
async fn pause(dice: &mut Dice, millis: u64) {
    tokio::time::sleep(Duration::from_micros(dice.roll(2) * dice.roll(millis * 1_000))).await;
}

/// Lets the holders loose on a stage. What the checker finds, and what there was.
async fn hammer(stage: &Stage, seed: u64) -> (Vec<String>, usize, Evidence) {
    stage.client("").await.batch_execute(TABLES).await.unwrap();
    let run = Arc::new(Run {
        url: stage.url.clone(),
        seed,
        issued: AtomicU64::new(0),
        effects: AtomicU64::new(0),
        evidence: Mutex::new(Evidence::default()),
    });
    let holders: Vec<_> = (0..HOLDERS).map(|holder| tokio::spawn(Arc::clone(&run).hold(holder))).collect();
    for holder in holders {
        holder.await.unwrap();
    }
    // One more tenure, of nobody who acts, makes all of them stale.
    let last = stage.writer().await;
    gate().advance(&last, &token(TENURES + HOLDERS + 1)).await.unwrap();
    while Arc::strong_count(&run) > 1 {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    let evidence = core::mem::take(&mut *run.evidence.lock().unwrap());
    let rows = last.query("SELECT wrote, read, epoch, writer, number FROM journal", &[]).await.unwrap();
    let effect = |row: &tokio_postgres::Row| Effect {
        wrote: row.get(0),
        read: row.get(1),
        epoch: row.get(2),
        writer: row.get(3),
        number: row.get(4),
    };
    let journal: BTreeSet<_> = rows.iter().map(effect).collect();
    assert_eq!(journal.len(), rows.len(), "an effect was done twice");
    (violations(&journal, &evidence), journal.len(), evidence)
}

#[test]
fn no_effect_of_an_older_epoch_commits_after_the_advance_to_a_newer_one_returned() {
    play("hammer", async |stage| {
        let seed = 7;
        let (found, effects, evidence) = hammer(stage, seed).await;
        tally(format!(
            "hammer, seed {seed}: {effects} effects under {} epochs, refused {:?}",
            evidence.older_at_advance.len(),
            evidence.refusals
        ));
        assert_eq!(found, Vec::<String>::new());
        // Else it has tried nothing: writers were stale, met each other, and met an advance above READ COMMITTED.
        assert!(effects > 20, "{effects} effects");
        assert!(evidence.refusals.contains_key("Stale"), "{:?}", evidence.refusals);
        assert!(evidence.refusals.contains_key("Serialization"), "{:?}", evidence.refusals);
    });
}

#[test]
fn the_checker_finds_what_a_gate_without_its_lock_lets_through() {
    play("hammer_without_lock", async |stage| {
        let lock = "fence_admit.resource FOR SHARE;";
        assert!(PostgresGate::SQL.contains(lock));
        let broken = PostgresGate::SQL.replace(lock, "fence_admit.resource;");
        stage.writer().await.batch_execute(&broken).await.unwrap();
        let (found, effects, _) = hammer(stage, 7).await;
        let stale = found.iter().filter(|what| what.starts_with("stale")).count();
        tally(format!("hammer without the lock: {stale} times stale in {effects} effects"));
        assert!(stale > 0, "{effects} effects");
    });
}

#[test]
fn each_kind_of_violation_is_found_by_the_checker() {
    let effect = |wrote, epoch| Effect { wrote, read: wrote - 1, epoch, writer: 0, number: wrote };
    let journal = BTreeSet::from([effect(1, 1), effect(2, 1), effect(3, 2)]);
    let evidence = || Evidence {
        older_at_advance: BTreeMap::from([(1, 0), (2, 2), (3, 3)]),
        acknowledged: journal.clone(),
        refusals: BTreeMap::new(),
    };
    assert_eq!(violations(&journal, &evidence()), Vec::<String>::new());
    let mut late = evidence();
    late.older_at_advance.insert(2, 1);
    assert_eq!(violations(&journal, &late).len(), 1);
    let mut stale = journal.clone();
    stale.insert(effect(4, 1));
    assert!(violations(&stale, &evidence()).iter().any(|what| what.contains("after epoch 2")));
    let mut torn = journal.clone();
    torn.insert(Effect { read: 7, ..effect(4, 2) });
    assert!(violations(&torn, &evidence()).iter().any(|what| what.starts_with("torn")));
    let lost = journal.iter().copied().filter(|effect| effect.wrote < 3).collect();
    assert!(violations(&lost, &evidence()).iter().any(|what| what.starts_with("lost")));
}
