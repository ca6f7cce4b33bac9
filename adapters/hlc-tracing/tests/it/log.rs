//! A log in memory.

use alloc::sync::Arc;
use std::{io, sync::Mutex};

use tracing::Subscriber;
use tracing_subscriber::{
    fmt::{self, MakeWriter, time::FormatTime},
    layer::{Layer, SubscriberExt},
    registry::{LookupSpan, Registry},
};

#[derive(Clone, Default)]
pub(crate) struct Log(Arc<Mutex<Vec<u8>>>);

impl Log {
    pub(crate) fn lines(&self) -> Vec<String> {
        let bytes = self.0.lock().unwrap().clone();
        String::from_utf8(bytes).unwrap().lines().map(str::to_owned).collect()
    }

    /// What writes into this log, with a timer.
    pub(crate) fn layer<S, T>(&self, timer: T) -> impl Layer<S> + Send + Sync + use<S, T>
    where
        S: Subscriber + for<'s> LookupSpan<'s>,
        T: FormatTime + Send + Sync + 'static,
    {
        fmt::layer().with_timer(timer).with_writer(self.clone()).with_target(false).with_ansi(false)
    }

    pub(crate) fn subscriber<T>(&self, timer: T) -> impl Subscriber + Send + Sync + use<T>
    where
        T: FormatTime + Send + Sync + 'static,
    {
        Registry::default().with(self.layer(timer))
    }
}

impl io::Write for Log {
    fn write(&mut self, line: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().write(line)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl<'w> MakeWriter<'w> for Log {
    type Writer = Self;

    fn make_writer(&'w self) -> Self {
        self.clone()
    }
}
