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
    /// With the order in which they came, newest first.
    seen: HashMap<String, (usize, ChatMessage)>,
}

const STEP: TimeDelta = TimeDelta::milliseconds(1);

impl Backwards {
    pub(super) fn over(period: Period, page_size: usize) -> Self {
        Self { period, page_size, until: Some(period.to), seen: HashMap::new() }
    }

    /// Where the next page ends; `None` when the beginning is reached.
    pub(super) fn until(&self) -> Option<String> {
        self.until.map(|until| until.to_rfc3339_opts(SecondsFormat::Millis, false))
    }

    /// Takes a page, newest first.
    pub(super) fn take(&mut self, page: impl Iterator<Item = ChatMessage>) {
        let before = self.seen.len();
        let mut length = 0;
        let mut oldest = None;
        for message in page {
            length += 1;
            oldest = oldest.map_or(Some(message.at), |oldest: DateTime<Utc>| Some(oldest.min(message.at)));
            let order = self.seen.len();
            self.seen.entry(message.id.clone()).or_insert((order, message));
        }
        let progress = self.seen.len() > before;
        self.until = match oldest {
            Some(oldest) if length >= self.page_size && oldest >= self.period.from => {
                Some(if progress { oldest + STEP + STEP } else { oldest - STEP })
            }
            _ => None,
        };
    }

    /// The messages of the period, oldest first.
    pub(super) fn finish(self) -> Vec<ChatMessage> {
        let period = self.period;
        let mut messages: Vec<_> = self.seen.into_values().filter(|(_, message)| period.contains(message.at)).collect();
        messages
            .sort_by(|(order, message), (other_order, other)| message.at.cmp(&other.at).then(other_order.cmp(order)));
        messages.into_iter().map(|(_, message)| message).collect()
    }
}

#[cfg(test)]
mod tests {
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
        let mut calls = 0;
        while let Some(until) = reading.until() {
            calls += 1;
            assert!(calls < 50, "reading does not end");
            let until: DateTime<Utc> = until.parse().unwrap();
            let fits = |message: &&ChatMessage| if inclusive { message.at <= until } else { message.at < until };
            let page: Vec<_> = all.iter().rev().filter(fits).take(3).cloned().collect();
            reading.take(page.into_iter());
        }
        (reading.finish().into_iter().map(|message| message.id).collect(), calls)
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
    fn reading_stops_where_the_period_begins() {
        let all: Vec<_> = (0..300).map(|n| message(n, 10 * i64::try_from(n).unwrap())).collect();
        let (read, calls) = read(&all, Period { from: at(2_960), to: at(10_000) }, true);
        assert_eq!(read.len(), 4);
        assert!(calls <= 3, "{calls} calls");
    }
}
