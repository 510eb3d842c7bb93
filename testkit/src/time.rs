//! A clock that stands still until a test moves it, and ids that come in order.

use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};

use application::ports::clock::{Clock, Ids};
use chrono::{DateTime, TimeDelta, Utc};
use uuid::Uuid;

/// A clock that stands still until a test moves it.
pub struct TestClock(AtomicI64);

impl TestClock {
    /// A clock that shows `now`, cut to whole microseconds as the database keeps time.
    pub fn at(now: DateTime<Utc>) -> Self {
        Self(AtomicI64::new(now.timestamp_micros()))
    }

    /// A clock that shows an RFC 3339 time.
    ///
    /// # Panics
    /// Where the text is none.
    pub fn at_text(now: &str) -> Self {
        Self::at(now.parse().unwrap_or_else(|error| panic!("{now:?} is no RFC 3339 time: {error}")))
    }

    /// Sets it to a time.
    pub fn set(&self, now: DateTime<Utc>) {
        self.0.store(now.timestamp_micros(), Ordering::SeqCst);
    }

    /// Moves it forward, or back where `by` is negative.
    ///
    /// # Panics
    /// Where `by` is longer than 290,000 years.
    pub fn advance(&self, by: TimeDelta) {
        let micros = by.num_microseconds().unwrap_or_else(|| panic!("{by} is too long a time"));
        self.0.fetch_add(micros, Ordering::SeqCst);
    }
}

impl Clock for TestClock {
    fn now(&self) -> DateTime<Utc> {
        let micros = self.0.load(Ordering::SeqCst);
        DateTime::from_timestamp_micros(micros).unwrap_or_else(|| panic!("{micros} lies outside of the calendar"))
    }
}

/// UUIDs of version 7 that count up from 1, always at the same time; chance is always one half.
#[derive(Default)]
pub struct TestIds(AtomicU64);

impl Ids for TestIds {
    fn next(&self) -> Uuid {
        let number = self.0.fetch_add(1, Ordering::SeqCst) + 1;
        let mut rest = [0; 10];
        rest[2..].copy_from_slice(&number.to_be_bytes());
        uuid::Builder::from_unix_timestamp_millis(1_780_000_000_000, &rest).into_uuid()
    }

    fn chance(&self) -> f64 {
        0.5
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_clock_moves_only_when_told() {
        let clock = TestClock::at_text("2026-06-02T01:00:00.123456789Z");
        assert_eq!(clock.now(), "2026-06-02T01:00:00.123456Z".parse::<DateTime<Utc>>().unwrap());
        clock.advance(TimeDelta::days(1));
        assert_eq!(clock.now(), "2026-06-03T01:00:00.123456Z".parse::<DateTime<Utc>>().unwrap());
    }

    #[test]
    fn ids_are_of_version_7_and_in_order() {
        let ids = TestIds::default();
        let drawn: Vec<Uuid> = (0..300).map(|_| ids.next()).collect();
        assert!(drawn.is_sorted_by(|earlier, later| earlier < later));
        assert!(drawn.iter().all(|id| id.get_version_num() == 7));
    }
}
