//! `CachedSource` and its `Ticker`. No test waits for a time: the source that the ticker asks waits for the
//! test.

extern crate alloc;

use alloc::sync::Arc;
use std::sync::mpsc;

use hlc::{
    PhysicalTime, Source, SourceError,
    source::{self, CachedSource, ManualSource, Ticker},
};

use super::{Duration, FAILS, millis};

fn is_unavailable(cache: &CachedSource) -> bool {
    matches!(cache.now(), Err(SourceError::Unavailable(_)))
}

#[test]
fn it_reads_what_the_last_refresh_found() {
    let (cache, wall) = (CachedSource::new(), ManualSource::at_millis(1_000));
    assert!(is_unavailable(&cache));
    assert_eq!(cache.refresh(&wall), Ok(millis(1_000)));
    wall.set(PhysicalTime::new(1_700_000_000, 999_999_999).unwrap());
    assert_eq!(cache.now(), Ok(millis(1_000)));
    assert_eq!(cache.refresh(&wall), wall.now());
    assert_eq!(cache.now(), wall.now());
    wall.set_millis(500);
    cache.refresh(&wall).unwrap();
    assert_eq!(cache.now(), Ok(millis(500)), "a step back is not covered up");
    cache.clear();
    assert!(is_unavailable(&cache));
    assert_eq!(cache.failed_refreshes(), 0);
}

#[test]
fn a_failed_refresh_is_an_error_of_the_readings_until_the_next() {
    let (cache, wall) = (CachedSource::new(), ManualSource::at_millis(1_000));
    cache.refresh(&wall).unwrap();
    assert_eq!(cache.refresh(&source::from_fn(|| Err(FAILS))), Err(FAILS));
    let failed = SourceError::Unavailable("the last refresh of the cache found no time");
    assert_eq!(cache.now(), Err(failed));
    assert_eq!(cache.failed_refreshes(), 1);
    cache.clear();
    let unset = SourceError::Unavailable("the cache has not been refreshed");
    assert_eq!(
        [cache.now(), CachedSource::new().now(), CachedSource::default().now()],
        [Err(unset), Err(unset), Err(unset)]
    );
    cache.refresh(&wall).unwrap();
    assert_eq!(cache.now(), wall.now());
}

#[test]
fn the_last_time_that_fits_is_in_the_year_2514() {
    let cache = CachedSource::new();
    let end = PhysicalTime::new((1 << 34) - 1, 999_999_999).unwrap();
    cache.refresh(&source::from_fn(|| Ok(end))).unwrap();
    assert_eq!(cache.now(), Ok(end));
    for late in [PhysicalTime::from_secs(1 << 34), PhysicalTime::MAX] {
        assert!(cache.refresh(&source::from_fn(|| Ok(late))).is_err());
        assert!(is_unavailable(&cache), "it is not made an earlier time");
    }
    assert_eq!(cache.failed_refreshes(), 2);
}

/// A source that says that it is asked, waits for its answer, and says when it is dropped.
struct Asked {
    questions: mpsc::Sender<&'static str>,
    answers: mpsc::Receiver<Result<PhysicalTime, SourceError>>,
}

impl Source for Asked {
    fn now(&self) -> Result<PhysicalTime, SourceError> {
        // Whoever asked may have gone: the test has ended.
        let _ = self.questions.send("asked");
        self.answers.recv().unwrap()
    }
}

impl Drop for Asked {
    fn drop(&mut self) {
        let _ = self.questions.send("dropped");
    }
}

#[test]
fn a_ticker_shows_each_outcome_and_clears_the_cache_at_its_end() {
    let cache = Arc::new(CachedSource::new());
    // Dropped after the channels, so that a failure of this test ends the thread.
    let ticker;
    let ((questions, asked), (answer, answers)) = (mpsc::channel(), mpsc::channel());
    answer.send(Ok(millis(1))).unwrap();
    ticker = Ticker::start(Arc::clone(&cache), Asked { questions, answers }, Duration::ZERO).unwrap();
    assert_eq!(cache.now(), Ok(millis(1)), "it is refreshed before the first period");
    assert_eq!(asked.recv(), Ok("asked"));

    for (outcome, expected) in
        [(Ok(millis(2)), Some(millis(2))), (Err(FAILS), None), (Ok(millis(3)), Some(millis(3)))]
    {
        assert_eq!(asked.recv(), Ok("asked"));
        answer.send(outcome).unwrap();
        // The next question comes after the answer was kept; its own answer is the same again.
        assert_eq!(asked.recv(), Ok("asked"));
        assert_eq!(cache.now().ok(), expected);
        answer.send(outcome).unwrap();
    }
    assert_eq!(cache.failed_refreshes(), 2);

    // The thread waits for an answer, and dropping the ticker waits for the thread.
    assert_eq!(asked.recv(), Ok("asked"));
    let (stops, stopped) = mpsc::channel();
    let stopper = std::thread::spawn(move || {
        stops.send(()).unwrap();
        drop(ticker);
        is_unavailable(&cache)
    });
    stopped.recv().unwrap();
    answer.send(Ok(millis(4))).unwrap();
    while asked.recv() == Ok("asked") {
        answer.send(Ok(millis(4))).unwrap_or_default();
    }
    assert!(stopper.join().unwrap(), "a stopped clock is not read as if it ran");
}

#[test]
fn a_source_that_panics_makes_readings_unavailable() {
    static CACHE: CachedSource = CachedSource::new();
    let ticker;
    let ((questions, asked), (answer, answers)) = (mpsc::channel(), mpsc::channel());
    answer.send(Ok(millis(1))).unwrap();
    ticker = Ticker::start(&CACHE, Asked { questions, answers }, Duration::ZERO).unwrap();
    assert_eq!(CACHE.now(), Ok(millis(1)));

    // It has no answer left, and panics; its drop comes after all that the thread does.
    drop(answer);
    while asked.recv() != Ok("dropped") {}
    assert!(is_unavailable(&CACHE));
    drop(ticker);
}
