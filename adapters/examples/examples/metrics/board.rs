//! `Board`: a recorder that shows its numbers as text. In a service, an exporter takes its place.

use std::{
    collections::BTreeMap,
    fmt,
    sync::{Arc, Mutex, PoisonError, atomic::AtomicU64, atomic::Ordering},
};

use metrics::{Counter, Gauge, Histogram, Key, KeyName, Metadata, Recorder, SharedString, Unit};

/// What kind of number a name stands for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Kind {
    Counter,
    Gauge,
}

/// What has been registered: kind, name and labels, each with its word.
#[derive(Default)]
pub(crate) struct Board(Mutex<BTreeMap<(String, Kind, String), Arc<AtomicU64>>>);

impl Board {
    fn word(&self, kind: Kind, key: &Key) -> Arc<AtomicU64> {
        let labels: Vec<_> =
            key.labels().map(|label| format!("{}={:?}", label.key(), label.value())).collect();
        let place = (key.name().to_owned(), kind, labels.join(","));
        let mut words = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        Arc::clone(words.entry(place).or_default())
    }

    /// Name, kind, labels and value of each, in order.
    pub(crate) fn numbers(&self) -> Vec<(String, Kind, String, f64)> {
        let words = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let number = |kind, word: &AtomicU64| match (kind, word.load(Ordering::Relaxed)) {
            (Kind::Counter, count) => count as f64,
            (Kind::Gauge, bits) => f64::from_bits(bits),
        };
        words
            .iter()
            .map(|((name, kind, labels), word)| (name.clone(), *kind, labels.clone(), number(*kind, word)))
            .collect()
    }
}

/// As Prometheus reads it.
impl fmt::Display for Board {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut above = String::new();
        for (name, kind, labels, value) in self.numbers() {
            if name != above {
                let kind = if kind == Kind::Counter { "counter" } else { "gauge" };
                writeln!(f, "# TYPE {name} {kind}")?;
            }
            writeln!(f, "{name}{{{labels}}} {value}")?;
            above = name;
        }
        Ok(())
    }
}

impl Recorder for Board {
    fn describe_counter(&self, _: KeyName, _: Option<Unit>, _: SharedString) {}
    fn describe_gauge(&self, _: KeyName, _: Option<Unit>, _: SharedString) {}
    fn describe_histogram(&self, _: KeyName, _: Option<Unit>, _: SharedString) {}

    fn register_counter(&self, key: &Key, _: &Metadata<'_>) -> Counter {
        Counter::from_arc(self.word(Kind::Counter, key))
    }

    fn register_gauge(&self, key: &Key, _: &Metadata<'_>) -> Gauge {
        Gauge::from_arc(self.word(Kind::Gauge, key))
    }

    fn register_histogram(&self, _: &Key, _: &Metadata<'_>) -> Histogram {
        Histogram::noop()
    }
}
