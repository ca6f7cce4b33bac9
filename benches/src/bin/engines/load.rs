//! `Load`: several contenders who do one thing over and over, and how long each time took.

use alloc::sync::Arc;
use core::time::Duration;
use std::time::Instant;

use tokio::task::JoinSet;

use crate::Failure;

/// What the contenders want.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Resources {
    /// Each its own: what the store can take.
    OneEach,
    /// All the same: how they get in each other's way.
    One,
}

impl core::fmt::Display for Resources {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str(match self {
            Self::OneEach => "one each",
            Self::One => "the same",
        })
    }
}

/// The name of the rows that the others are held against.
pub(crate) const BARE: &str = "bare transactions of the same shape";

/// What came of one row.
#[derive(Clone, Debug)]
pub(crate) struct Measured {
    pub(crate) store: &'static str,
    pub(crate) what: &'static str,
    pub(crate) contenders: usize,
    pub(crate) resources: Resources,
    elapsed: Duration,
    latencies: Vec<Duration>,
}

impl Measured {
    /// An empty row.
    pub(crate) const fn new(
        store: &'static str,
        what: &'static str,
        contenders: usize,
        resources: Resources,
    ) -> Self {
        Self { store, what, contenders, resources, elapsed: Duration::ZERO, latencies: Vec::new() }
    }

    pub(crate) fn per_second(&self) -> f64 {
        let seconds = self.elapsed.as_secs_f64();
        if seconds > 0.0 { self.latencies.len() as f64 / seconds } else { 0.0 }
    }

    pub(crate) fn percentile(&self, percent: usize) -> Duration {
        let mut sorted = self.latencies.clone();
        sorted.sort_unstable();
        let at = (sorted.len().saturating_sub(1)) * percent / 100;
        sorted.get(at).copied().unwrap_or_default()
    }

    /// Bare transactions take turns on nothing, so that those of one each are the measure for both.
    pub(crate) fn is_bare_of(&self, other: &Self) -> bool {
        self.what == BARE && self.store == other.store && self.contenders == other.contenders
    }
}

/// How long each row is measured, in turns of a second.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Load {
    turns: u64,
}

impl Load {
    pub(crate) const fn new(all: Duration) -> Self {
        Self { turns: all.as_secs() }
    }

    pub(crate) const fn turns(&self) -> u64 {
        self.turns
    }

    /// Lets every contender do it over and over for a second, each by itself, and adds what came of it to a row.
    pub(crate) async fn turn<F, D>(row: &mut Measured, doing: Arc<D>) -> Result<(), Failure>
    where
        D: Fn(usize) -> F + Send + Sync + 'static,
        F: Future<Output = Result<(), Failure>> + Send,
    {
        let begun = Instant::now();
        let end = begun + Duration::from_secs(1);
        let mut contenders = JoinSet::new();
        for contender in 0..row.contenders {
            let doing = Arc::clone(&doing);
            contenders.spawn(async move {
                let mut latencies = Vec::new();
                while Instant::now() < end {
                    let one = Instant::now();
                    doing(contender).await?;
                    latencies.push(one.elapsed());
                }
                Ok::<_, Failure>(latencies)
            });
        }
        while let Some(done) = contenders.join_next().await {
            row.latencies.extend(done??);
        }
        row.elapsed += begun.elapsed();
        Ok(())
    }
}
