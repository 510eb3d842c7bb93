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
        Self { log, recent: Mutex::default() }
    }

    /// The next events after a position, oldest first, as [`LogReader::after`] gives them.
    pub(super) async fn after(&self, position: LogPosition, limit: i64) -> Result<Arc<[LoggedEvent]>, sqlx::Error> {
        let asked = Instant::now();
        // Held while the log is read, so that those who come meanwhile find what was read.
        let mut recent = self.recent.lock().await;
        let now = Instant::now();
        if let Some(found) = recent.find(position, limit, (asked, now)) {
            return Ok(found);
        }
        let events: Arc<[LoggedEvent]> = self.log.after(position, limit).await?.into();
        recent.keep(Batch { after: position, asked: now, events: Arc::clone(&events) });
        Ok(events)
    }
}

#[cfg(test)]
mod tests {
    use chrono::DateTime;
    use serde_json::Value;

    use super::*;

    fn at(position: i64) -> LogPosition {
        LogPosition { generation: 1, tx: 7, position }
    }

    fn batch(after: i64, events: i64, asked: Instant) -> Batch {
        let event = |position| LoggedEvent {
            position: at(position),
            tenant_id: None,
            aggregate_type: "note".into(),
            aggregate_id: "a".into(),
            sequence: position,
            event_type: "Noted".into(),
            event_version: "1".into(),
            payload: Value::Null,
            metadata: Value::Null,
            recorded_at: DateTime::UNIX_EPOCH,
        };
        Batch { after: at(after), asked, events: (after + 1..=after + events).map(event).collect() }
    }

    fn found(recent: &Recent, after: i64, limit: i64, times: (Instant, Instant)) -> Option<usize> {
        recent.find(at(after), limit, times).map(|events| events.len())
    }

    /// Seen to fail: with batches of any length for whoever asks for few; with a batch for every position; with the moment of
    /// asking for that of giving, which served what was read before a long wait.
    #[test]
    fn what_was_read_serves_the_others_at_its_position_for_a_moment() {
        let (mut recent, now) = (Recent::default(), Instant::now());
        recent.keep(batch(0, 3, now));
        let [all, elsewhere, few] =
            [(0, 3), (1, 3), (0, 2)].map(|(after, limit)| found(&recent, after, limit, (now, now)));
        assert_eq!((all, elsewhere, few), (Some(3), None, None));
        let waited = (now, now + FRESH);
        assert_eq!(found(&recent, 0, 3, waited), None, "the server may be another one by now");
    }

    /// Seen to fail: with an end that stays one, nobody reads what comes later.
    #[test]
    fn an_end_is_one_for_those_who_asked_before_it_was_read() {
        let (mut recent, read) = (Recent::default(), Instant::now());
        let moment = Duration::from_millis(1);
        recent.keep(batch(3, 0, read));
        assert_eq!(
            [read - moment, read + moment].map(|asked| found(&recent, 3, 9, (asked, read + moment))),
            [Some(0), None]
        );
    }

    #[test]
    fn only_the_latest_batches_are_kept() {
        let (mut recent, now) = (Recent::default(), Instant::now());
        for after in 0..=i64::try_from(KEPT).unwrap() {
            recent.keep(batch(after, 1, now));
        }
        assert_eq!([0, 1].map(|after| found(&recent, after, 1, (now, now))), [None, Some(1)]);
    }
}
