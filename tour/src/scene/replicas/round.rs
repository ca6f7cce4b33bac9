//! A round: two replicas take writes of one key that know nothing of each other, a third hears of the end before
//! the beginning.

use super::{
    cast::{Link, REPLICAS},
    group::{Client, Group},
};
use crate::failure::Failure;

/// The most clients that write concurrently through one replica.
const MAX_CLIENTS: usize = 3;

/// Plays all rounds, and returns what happened in the first, line by line.
pub(crate) fn play_all(group: &mut Group<'_>) -> Result<Vec<String>, Failure> {
    let rounds = group.stage.options.rounds;
    let mut random = fastrand::Rng::with_seed(group.stage.options.seed);
    let mut first = Vec::new();
    for round in 0..rounds {
        group.stage.progress.show(&format!("replicas: {round} of {rounds} rounds played"));
        if round == rounds.div_ceil(2) {
            group.stage.note("half of the rounds are played");
        }
        let tale = play(group, &mut random)?;
        if round == 0 {
            first = tale;
            group.first_round_is_over();
        }
    }
    Ok(first)
}

/// Plays one round.
fn play(group: &mut Group<'_>, random: &mut fastrand::Rng) -> Result<Vec<String>, Failure> {
    let mut tale = Vec::new();
    let mut cast: Vec<u32> = (0..REPLICAS).collect();
    random.shuffle(&mut cast);
    let [one, other, late] = *cast.as_slice() else { return Err(Failure::out_of_turn("not three replicas")) };
    let between = [Link { from: one, to: other }, Link { from: other, to: one }];
    let news = Link { from: one, to: late };
    for link in between.into_iter().chain([news]) {
        group.hold(link)?;
    }
    tale.push(format!(
        "replicas {one} and {other} are cut off from each other, and {late} does not hear from {one}"
    ));

    // All read before any of them writes: no write knows of another, whether through one replica or through two.
    let mut clients = Vec::new();
    for replica in [one, other] {
        for _ in 0..random.usize(1..=MAX_CLIENTS) {
            clients.push((replica, group.client(replica)?));
        }
    }
    random.shuffle(&mut clients);
    for (replica, client) in &clients {
        tale.push(written(group, *replica, client)?);
    }
    group.settle()?;

    for link in between {
        group.release(link)?;
    }
    group.settle()?;
    tale.push(format!("replicas {one} and {other} meet"));
    for replica in [one, other] {
        tale.push(shown(group, replica)?);
    }

    let both_seen = group.client(other)?;
    tale.push(written(group, other, &both_seen)?);
    group.settle()?;
    if let Some((write, missing)) = group.waiting(late) {
        tale.push(format!("replica {late}: #{write} has arrived, and waits for {}", list(missing)));
    }
    tale.push(shown(group, late)?);

    group.release(news)?;
    group.settle()?;
    tale.push(format!("replica {late} hears from {one}, in another order and of everything twice"));
    for replica in 0..REPLICAS {
        tale.push(shown(group, replica)?);
    }
    Ok(tale)
}

/// Has a client write, and says so.
fn written(group: &mut Group<'_>, replica: u32, client: &Client) -> Result<String, Failure> {
    let write = group.write(client)?;
    let seen = list(client.reading.values.iter().copied());
    Ok(format!("replica {replica} takes #{write} of a client that has read {seen}"))
}

/// Has a client read, and says what.
fn shown(group: &mut Group<'_>, replica: u32) -> Result<String, Failure> {
    let values = group.read(replica)?.values;
    Ok(format!("replica {replica} shows {}", list(values)))
}

fn list(writes: impl IntoIterator<Item = u32>) -> String {
    let mut writes: Vec<u32> = writes.into_iter().collect();
    writes.sort_unstable();
    let names: Vec<_> = writes.iter().map(|write| format!("#{write}")).collect();
    if names.is_empty() { "nothing".into() } else { names.join(", ") }
}
