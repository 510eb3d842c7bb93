//! Reads a chat backwards in time, page by page.

use std::collections::HashMap;

use application::ports::services::ChatMessage;
use chrono::{DateTime, SecondsFormat, TimeDelta, Utc};
use domain::period::Period;

/// The state of reading one chat from the end of a period to its beginning.
///
/// It is not known whether `until` includes its own instant (sheet §2), and several messages may share one. So every
/// page overlaps the one before by a millisecond, and messages are told apart by id.
pub(super) struct Backwards {
    period: Period,
    page_size: usize,
    until: Option<DateTime<Utc>>,
    /// The messages that the next page may hold again.
    again: HashMap<String, DateTime<Utc>>,
}

const STEP: TimeDelta = TimeDelta::milliseconds(1);

impl Backwards {
    pub(super) fn over(period: Period, page_size: usize) -> Self {
        Self { period, page_size, until: Some(period.to), again: HashMap::new() }
    }

    /// Where the next page ends; `None` when the beginning is reached.
    pub(super) fn until(&self) -> Option<String> {
        self.until.map(|until| until.to_rfc3339_opts(SecondsFormat::Millis, false))
    }

    /// Takes a page, newest first, and gives those of its messages that are new and of the period, oldest first. `None` where
    /// the service goes back no further.
    pub(super) fn take(&mut self, page: impl Iterator<Item = ChatMessage>) -> Option<Vec<ChatMessage>> {
        let before = self.until.take().unwrap_or(self.period.from);
        let (mut length, mut oldest, mut news) = (0, DateTime::<Utc>::MAX_UTC, Vec::new());
        for message in page {
            length += 1;
            oldest = oldest.min(message.at);
            if message.at <= before && !self.again.contains_key(&message.id) {
                self.again.insert(message.id.clone(), message.at);
                news.push(message);
            }
        }
        if length >= self.page_size && oldest >= self.period.from {
            let until = if news.is_empty() { oldest - STEP } else { oldest + STEP + STEP };
            if news.is_empty() && until >= before {
                return None;
            }
            self.again.retain(|_, at| *at <= until);
            self.until = Some(until);
        }
        news.retain(|message| self.period.contains(message.at));
        news.reverse();
        news.sort_by_key(|message| message.at);
        Some(news)
    }
}

#[cfg(test)]
mod tests {
    use application::ports::services::in_order;
    use domain::metrics::Sender;

    use super::*;

    fn at(millis: i64) -> DateTime<Utc> {
        DateTime::from_timestamp_millis(millis).unwrap()
    }

    fn message(id: usize, millis: i64) -> ChatMessage {
        ChatMessage {
            id: id.to_string(),
            chat_id: 1,
            at: at(millis),
            from: Sender::Customer,
            text: String::new(),
            kind: "text".into(),
        }
    }

    /// Reads through a service whose `until` includes its instant, or does not.
    fn read(all: &[ChatMessage], period: Period, inclusive: bool) -> (Vec<String>, usize) {
        let mut reading = Backwards::over(period, 3);
        let (mut calls, mut pages) = (0, Vec::new());
        while let Some(until) = reading.until() {
            calls += 1;
            assert!(calls < 50, "reading does not end");
            let until: DateTime<Utc> = until.parse().unwrap();
            let fits = |message: &&ChatMessage| if inclusive { message.at <= until } else { message.at < until };
            let page: Vec<_> = all.iter().rev().filter(fits).take(3).cloned().collect();
            pages.push(reading.take(page.into_iter()).unwrap());
            assert!(reading.again.len() <= 6, "messages of pages that are done are kept");
        }
        (in_order(pages).into_iter().map(|message| message.id).collect(), calls)
    }

    #[test]
    fn all_messages_of_the_period_come_once_and_in_order() {
        let all: Vec<_> = (0..20).map(|n| message(n, 1_000 + 10 * i64::try_from(n).unwrap())).collect();
        let period = Period { from: at(1_050), to: at(1_150) };
        let expected: Vec<_> = (5..15).map(|n| n.to_string()).collect();
        for inclusive in [true, false] {
            assert_eq!(read(&all, period, inclusive).0, expected);
        }
    }

    #[test]
    fn messages_of_one_millisecond_are_not_lost() {
        let all = [message(0, 999), message(1, 1_005), message(2, 1_005), message(3, 1_009), message(4, 1_010)];
        let period = Period { from: at(0), to: at(2_000) };
        for inclusive in [true, false] {
            assert_eq!(read(&all, period, inclusive).0, ["0", "1", "2", "3", "4"]);
        }
    }

    #[test]
    fn a_page_full_of_one_instant_does_not_stop_the_reading() {
        let mut all = vec![message(0, 500)];
        all.extend((1..4).map(|n| message(n, 1_000)));
        let (read, _) = read(&all, Period { from: at(0), to: at(2_000) }, true);
        assert_eq!(read, ["0", "1", "2", "3"]);
    }

    #[test]
    fn a_service_that_always_gives_its_newest_page_is_found_out() {
        let newest: Vec<_> = (0..3).map(|n| message(n, 5_000 + 10 * i64::try_from(n).unwrap())).collect();
        let mut reading = Backwards::over(Period { from: at(0), to: at(9_000) }, 3);
        let taken: Vec<_> = (0..5).map(|_| reading.take(newest.iter().rev().cloned()).map(|page| page.len())).collect();
        assert_eq!(taken, [Some(3), Some(0), None, None, None]);
    }

    #[test]
    fn reading_stops_where_the_period_begins() {
        let all: Vec<_> = (0..300).map(|n| message(n, 10 * i64::try_from(n).unwrap())).collect();
        let (read, calls) = read(&all, Period { from: at(2_960), to: at(10_000) }, true);
        assert_eq!(read.len(), 4);
        assert!(calls <= 3, "{calls} calls");
    }
}
