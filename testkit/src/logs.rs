//! What the program logs, kept for a test to read.

use std::io;
use std::sync::{Arc, Mutex, PoisonError};

use tracing::level_filters::LevelFilter;
use tracing::subscriber::DefaultGuard;
use tracing_subscriber::fmt::MakeWriter;
use tracing_subscriber::layer::SubscriberExt as _;
use tracing_subscriber::{Layer, Registry};

/// The log of this thread at every level, for as long as it lives. Tests on a runtime of one thread see all of it.
pub struct CapturedLog {
    buffer: Buffer,
    _guard: DefaultGuard,
}

impl CapturedLog {
    /// Begins to keep the log.
    pub fn start() -> Self {
        Self::through(LevelFilter::TRACE)
    }

    /// The same, as far as the program would log it that is asked for this.
    ///
    /// # Panics
    /// Where the text is no filter.
    pub fn of_program(asked: &str) -> Self {
        Self::through(synkro::cli::log_filter(asked).expect("a filter"))
    }

    fn through(filter: impl Layer<Registry> + Send + Sync) -> Self {
        let buffer = Buffer::default();
        let lines = tracing_subscriber::fmt::layer().with_ansi(false).with_writer(buffer.clone());
        let subscriber = tracing_subscriber::registry().with(filter).with(lines);
        Self { buffer, _guard: tracing::subscriber::set_default(subscriber) }
    }

    /// What has been logged so far.
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.buffer.0.lock().unwrap_or_else(PoisonError::into_inner)).into_owned()
    }
}

#[derive(Clone, Default)]
struct Buffer(Arc<Mutex<Vec<u8>>>);

impl io::Write for Buffer {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl MakeWriter<'_> for Buffer {
    type Writer = Self;

    fn make_writer(&self) -> Self {
        self.clone()
    }
}
