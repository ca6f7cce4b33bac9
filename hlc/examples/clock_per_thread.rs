//! One clock a thread, each with a node id of its own: what scales with the cores, where one shared clock cannot.
//!
//! Threads send each other messages, and the stamps of all of them together are as those of one clock: none twice, and each
//! receipt after what it received. Within a process a thread is a node like any other.

use core::error::Error;
use std::{
    sync::mpsc::{Receiver, Sender, channel},
    thread,
};

use hlc::{Clock, NodeId, Stamp, source::SystemSource};

const THREADS: usize = 4;
const ROUNDS: usize = 1_000;
/// Local events between two messages.
const EVENTS: usize = 20;

/// A clock in lines of the cache of its own, wherever it is kept: a neighbour's writes would cost it each of its own.
/// On the stack of its thread, as here, it would be apart as well; in an array of clocks it would not.
#[repr(align(128))]
struct Apart<T>(T);

/// What one thread stamped, in its order, and each receipt beside what was received.
struct Log {
    stamps: Vec<Stamp>,
    receipts: Vec<(Stamp, Stamp)>,
}

type Outcome<T> = Result<T, Box<dyn Error + Send + Sync>>;

fn node(number: u64, inbox: &Receiver<Stamp>, next: &Sender<Stamp>) -> Outcome<Log> {
    let me = NodeId::new(number)?;
    let mut clock = Apart(Clock::new(SystemSource::new()));
    let mut log = Log { stamps: Vec::new(), receipts: Vec::new() };
    for _ in 0..ROUNDS {
        for _ in 0..EVENTS {
            log.stamps.push(clock.0.tick()?.at_node(me));
        }
        let sent = clock.0.tick()?.at_node(me);
        log.stamps.push(sent);
        next.send(sent)?;

        let heard = inbox.recv()?;
        let received = clock.0.observe(heard.timestamp())?.at_node(me);
        log.stamps.push(received);
        log.receipts.push((heard, received));
    }
    Ok(log)
}

fn main() -> Outcome<()> {
    // A ring: each thread sends to the next.
    let (senders, inboxes): (Vec<_>, Vec<_>) = (0..THREADS).map(|_| channel::<Stamp>()).unzip();
    let nexts = senders.iter().cycle().skip(1).cloned();
    let threads: Vec<_> = (1..)
        .zip(inboxes.into_iter().zip(nexts))
        .map(|(number, (inbox, next))| thread::spawn(move || node(number, &inbox, &next)))
        .collect();
    drop(senders);

    let mut all = Vec::new();
    for thread in threads {
        let log = thread.join().map_err(|_| "a thread panicked")??;
        assert!(log.stamps.is_sorted_by(|earlier, later| earlier < later), "monotonic, on each thread");
        for (sent, received) in log.receipts {
            assert!(received > sent, "causal: {received} was received, {sent} was sent");
        }
        all.extend(log.stamps);
    }
    let count = all.len();
    all.sort_unstable();
    all.dedup();
    assert_eq!(all.len(), count, "unique, over all threads");
    assert_eq!(count, THREADS * ROUNDS * (EVENTS + 2), "and none is missing");
    Ok(())
}

#[cfg(test)]
mod tests {
    #[test]
    fn the_stamps_of_all_threads_are_unique_and_causal() {
        super::main().unwrap();
    }
}
