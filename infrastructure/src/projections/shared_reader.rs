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

/// How long what a server told is believed without asking again: less than one needs to take over from another that it was
/// copied from, and that may have told of what the new one lacks.
pub(super) const FRESH: Duration = Duration::from_secs(1);

/// The log is read no sooner than this after a read that came to its end. One event alone is read at once; of a stream,
/// what comes meanwhile makes one batch for one round of transactions, which cost more than the events in them.
const PACE: Duration = Duration::from_millis(3);

/// Reads the log; whoever comes first to a position reads for those who come after.
///
/// Behind the horizon nothing changes, so what was read after a position is always a beginning of what follows it. That
/// nothing was read says so for the moment at which the read began.
pub(super) struct SharedReader {
    log: LogReader,
    pace: Duration,
    recent: Mutex<Recent>,
}

#[derive(Default)]
struct Recent {
    /// What follows a position, oldest read first; never nothing.
    batches: VecDeque<Batch>,
    /// Where nothing followed, and when that was asked.
    end: Option<(LogPosition, Instant)>,
    /// Before that nobody reads.
    rests_until: Option<Instant>,
}

struct Batch {
    after: LogPosition,
    asked: Instant,
    events: Arc<[LoggedEvent]>,
}

impl Batch {
    fn serves(&self, position: LogPosition, limit: i64, now: Instant) -> bool {
        let fits = i64::try_from(self.events.len()).is_ok_and(|length| length <= limit);
        self.after == position && fits && now.saturating_duration_since(self.asked) < FRESH
    }
}

impl Recent {
    /// What somebody who asked at one moment is given at another.
    fn find(&self, position: LogPosition, limit: i64, (asked, now): (Instant, Instant)) -> Option<Arc<[LoggedEvent]>> {
        if self.end.is_some_and(|(end, at)| end == position && at >= asked) {
            return Some(Arc::default());
        }
        let found = self.batches.iter().find(|batch| batch.serves(position, limit, now));
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
        Self { log, pace: PACE, recent: Mutex::default() }
    }

    /// The next events after a position, oldest first, as [`LogReader::after`] gives them.
    pub(super) async fn after(&self, position: LogPosition, limit: i64) -> Result<Arc<[LoggedEvent]>, sqlx::Error> {
        let asked = Instant::now();
        loop {
            // Held while the log is read, so that those who come meanwhile find what was read.
            let mut recent = self.recent.lock().await;
            let now = Instant::now();
            if let Some(found) = recent.find(position, limit, (asked, now)) {
                return Ok(found);
            }
            if let Some(rests_until) = recent.rests_until.filter(|until| *until > now) {
                drop(recent);
                tokio::time::sleep_until(rests_until).await;
                continue;
            }
            let events: Arc<[LoggedEvent]> = self.log.after(position, limit).await?.into();
            let came_to_the_end = i64::try_from(events.len()).is_ok_and(|length| length < limit);
            recent.rests_until = came_to_the_end.then(|| now + self.pace);
            recent.keep(Batch { after: position, asked: now, events: Arc::clone(&events) });
            return Ok(events);
        }
    }
}

#[cfg(test)]
mod tests;
