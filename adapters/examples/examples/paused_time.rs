//! A day of a service in a few milliseconds: clocks of `hlc` under `tokio::time::pause`.
//!
//! Two ways. A source that reads tokio's own clock needs no hand: where every task waits, tokio's time jumps to the next
//! deadline, and the stamps with it. A `ManualSource` beside it is moved by hand, together with tokio's time or against
//! it: only that way a wall clock can step back, which tokio's time never does.
#![expect(
    clippy::arithmetic_side_effects,
    clippy::std_instead_of_core,
    reason = "written as a test of its reader would be"
)]

use std::{error::Error, io::Write as _, time::Duration};

use hlc::{AtomicClock, PhysicalTime, Source, SourceError, Timestamp, source, source::ManualSource};
use tokio::{
    sync::mpsc,
    time::{self, Instant},
};

type Outcome<T> = Result<T, Box<dyn Error>>;

const MIDNIGHT: PhysicalTime = PhysicalTime::from_secs(1_700_006_400);
const HOUR: Duration = Duration::from_secs(3_600);

/// A physical clock that shows `start` now, and goes on as tokio's time does, paused or not.
fn tokio_time(start: PhysicalTime) -> impl Source {
    let begun = Instant::now();
    source::from_fn(move || {
        start.checked_add(begun.elapsed()).ok_or(SourceError::Unavailable("after the end of time"))
    })
}

/// A client asks every ten minutes for a day; each question is on its way for 100 ms, and one that does not
/// come for an hour ends the day.
async fn day_of_questions() -> Outcome<Vec<Timestamp>> {
    // The server's wall clock is 300 ms behind.
    let client = AtomicClock::new(tokio_time(MIDNIGHT));
    let behind = MIDNIGHT.checked_sub(Duration::from_millis(300)).ok_or("before 1970")?;
    let server = AtomicClock::new(tokio_time(behind));
    let (send, mut receive) = mpsc::channel::<Timestamp>(1);

    let asking = async {
        let mut every = time::interval(Duration::from_secs(600));
        for _ in 0..144 {
            every.tick().await;
            send.send(client.tick()?).await?;
        }
        drop(send);
        Outcome::Ok(())
    };
    let answering = async {
        let mut stamps = Vec::new();
        while let Some(asked) = time::timeout(HOUR, receive.recv()).await? {
            time::sleep(Duration::from_millis(100)).await;
            stamps.extend([asked, server.observe(asked)?]);
        }
        Outcome::Ok(stamps)
    };
    let (asked, answered) = tokio::join!(asking, answering);
    asked?;
    answered
}

/// One hand that moves tokio's time and a wall clock together.
async fn pass(wall: &ManualSource, by: Duration) {
    time::advance(by).await;
    wall.advance(by);
}

/// A wall clock is set back by an hour while a lease of half an hour runs: the timeout is tokio's, and comes in time; the
/// stamps go on rising.
async fn hour_that_comes_twice() -> Outcome<[Timestamp; 4]> {
    let wall = ManualSource::at(MIDNIGHT);
    let clock = AtomicClock::new(&wall);
    let lease = time::sleep(HOUR / 2);
    tokio::pin!(lease);

    let begun = clock.tick()?;
    pass(&wall, HOUR / 4).await;
    let before = clock.tick()?;
    wall.set(MIDNIGHT.checked_sub(HOUR * 3 / 4).ok_or("before 1970")?);
    let after = clock.tick()?;
    assert!(!lease.is_elapsed());
    pass(&wall, HOUR / 4).await;
    lease.await;
    Ok([begun, before, after, clock.tick()?])
}

fn paused<T>(scene: impl Future<Output = Outcome<T>>) -> Outcome<T> {
    tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build()?.block_on(scene)
}

fn main() -> Outcome<()> {
    let mut out = std::io::stdout().lock();
    let day = paused(day_of_questions())?;
    for stamp in [day.first(), day.last()].into_iter().flatten() {
        writeln!(out, "{stamp}  {}", stamp.human())?;
    }
    writeln!(out, "a day, {} stamps", day.len())?;
    for stamp in paused(hour_that_comes_twice())? {
        writeln!(out, "{stamp}  {}", stamp.human())?;
    }
    writeln!(out, "half an hour in which the wall clock went back by one")?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stamps_follow_paused_time_to_the_millisecond() {
        let day = paused(day_of_questions()).unwrap();
        assert_eq!(day.len(), 2 * 144);
        for (number, question) in (0..).zip(day.chunks(2)) {
            let asked = MIDNIGHT.checked_add(Duration::from_secs(600) * number).unwrap();
            assert_eq!(question[0].physical_time(), asked);
            // By the server's wall clock it came 200 ms before it was sent.
            assert_eq!(Some(question[1]), question[0].checked_next());
        }
        assert!(day.is_sorted_by(|earlier, later| earlier < later), "causes before effects");
    }

    #[test]
    fn two_runs_give_the_same_stamps() {
        assert_eq!(paused(day_of_questions()).unwrap(), paused(day_of_questions()).unwrap());
    }

    #[test]
    fn a_wall_clock_that_is_set_back_moves_neither_timeouts_nor_stamps() {
        let [begun, before, after, ended] = paused(hour_that_comes_twice()).unwrap();
        assert!(begun < before && before < after && after < ended);
        assert_eq!(before.duration_since(begun), Some(HOUR / 4));
        assert_eq!(ended.duration_since(before), Some(Duration::ZERO), "the wall clock has not caught up");
        assert_eq!((after.counter(), ended.counter()), (1, 2));
    }

    #[tokio::test(start_paused = true)]
    async fn a_source_that_reads_tokios_time_stands_still_with_it() {
        let clock = AtomicClock::new(tokio_time(MIDNIGHT));
        let (first, second) = (clock.tick().unwrap(), clock.tick().unwrap());
        assert_eq!(first.physical_time(), second.physical_time());
        time::advance(Duration::from_millis(5)).await;
        assert_eq!(clock.tick().unwrap().duration_since(first), Some(Duration::from_millis(5)));
    }

    #[test]
    fn the_program_runs() {
        main().unwrap();
    }
}
