//! One read of the log for all projections of a process, which mostly stand at the same position.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use application::ports::commands::LogPosition;
use tokio::sync::Mutex;
use tokio::time::Instant;

use crate::event_store::{LogReader, LoggedEvent};

/// Batches that are kept for those who come later.
const KEPT: usize = 8;

/// How long what was read may be given to others: less than a server needs to take over from one that it was copied from,
/// and that may have told of events which the new one lacks.
const FRESH: Duration = Duration::from_secs(1);

/// Reads the log; whoever comes first to a position reads for those who come after.
///
/// Behind the horizon nothing changes, so what was read after a position is always a beginning of what follows it. That
/// nothing was read says so for the moment at which the read began.
pub(super) struct SharedReader {
    log: LogReader,
    recent: Mutex<Recent>,
}

#[derive(Default)]
struct Recent {
    /// What follows a position, oldest read first; never nothing.
    batches: VecDeque<Batch>,
    /// Where nothing followed, and when that was asked.
    end: Option<(LogPosition, Instant)>,
}

struct Batch {
    after: LogPosition,
    asked: Instant,
    events: Arc<[LoggedEvent]>,
}

impl Batch {
    fn serves(&self, position: LogPosition, limit: i64) -> bool {
        let fits = i64::try_from(self.events.len()).is_ok_and(|length| length <= limit);
        self.after == position && fits && self.asked.elapsed() < FRESH
    }
}

impl Recent {
    fn find(&self, position: LogPosition, limit: i64, asked: Instant) -> Option<Arc<[LoggedEvent]>> {
        if self.end.is_some_and(|(end, at)| end == position && at >= asked) {
            return Some(Arc::default());
        }
        let found = self.batches.iter().find(|batch| batch.serves(position, limit));
        found.map(|batch| Arc::clone(&batch.events))
    }

    fn keep(&mut self, batch: Batch) {
        if batch.events.is_empty() {
            self.end = Some((batch.after, batch.asked));
            return;
        }
        if self.batches.len() == KEPT {
            self.batches.pop_front();
        }
        self.batches.push_back(batch);
    }
}

impl SharedReader {
    pub(super) fn new(log: LogReader) -> Self {
        Self { log, recent: Mutex::default() }
    }

    /// The next events after a position, oldest first, as [`LogReader::after`] gives them.
    pub(super) async fn after(&self, position: LogPosition, limit: i64) -> Result<Arc<[LoggedEvent]>, sqlx::Error> {
        let asked = Instant::now();
        // Held while the log is read, so that those who come meanwhile find what was read.
        let mut recent = self.recent.lock().await;
        if let Some(found) = recent.find(position, limit, asked) {
            return Ok(found);
        }
        let asked = Instant::now();
        let events: Arc<[LoggedEvent]> = self.log.after(position, limit).await?.into();
        recent.keep(Batch { after: position, asked, events: Arc::clone(&events) });
        Ok(events)
    }
}
