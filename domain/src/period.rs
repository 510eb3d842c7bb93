//! The time that a report covers, and what counts as a day for a tenant.

use chrono::{DateTime, Days, LocalResult, NaiveDate, NaiveTime, TimeDelta, TimeZone, Utc};
use chrono_tz::Tz;
use serde::{Deserialize, Serialize};

use crate::error::FieldError;

/// A half-open interval of time, `from` included and `to` excluded.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Period {
    /// First instant.
    pub from: DateTime<Utc>,
    /// First instant after it.
    pub to: DateTime<Utc>,
}

/// The longest period of one report, in days.
pub const LONGEST_PERIOD_DAYS: i64 = 92;

/// What a tenant calls a day: its time zone and the hour at which its day begins.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct DayBorder {
    /// IANA time zone.
    pub time_zone: Tz,
    /// Local time at which a new day begins, for example 00:00.
    pub starts_at: NaiveTime,
}

impl DayBorder {
    /// The tenant's days `first` to `last`, both included.
    ///
    /// # Errors
    /// Every bad field: `last` before `first`, or a period longer than [`LONGEST_PERIOD_DAYS`].
    pub fn days(&self, first: NaiveDate, last: NaiveDate) -> Result<Period, Vec<FieldError>> {
        if last < first {
            return Err(vec![FieldError::new("to", "must not lie before `from`")]);
        }
        if last.signed_duration_since(first).num_days() >= LONGEST_PERIOD_DAYS {
            return Err(vec![FieldError::new(
                "to",
                format!("a report covers at most {LONGEST_PERIOD_DAYS} days; choose a later `from` or an earlier `to`"),
            )]);
        }
        let after = last
            .checked_add_days(Days::new(1))
            .ok_or_else(|| vec![FieldError::new("to", "lies too far in the future")])?;
        Ok(Period { from: self.start_of(first), to: self.start_of(after) })
    }

    /// The tenant's day in which an instant lies.
    pub fn day_of(&self, at: DateTime<Utc>) -> NaiveDate {
        let local = at.with_timezone(&self.time_zone).naive_local();
        if local.time() >= self.starts_at { local.date() } else { local.date() - TimeDelta::days(1) }
    }

    /// A local time that a clock change skips begins where the clock goes on; one that it repeats begins the first time.
    fn start_of(&self, day: NaiveDate) -> DateTime<Utc> {
        let mut local = day.and_time(self.starts_at);
        loop {
            match self.time_zone.from_local_datetime(&local) {
                LocalResult::Single(at) | LocalResult::Ambiguous(at, _) => return at.with_timezone(&Utc),
                LocalResult::None => local += TimeDelta::minutes(15),
            }
        }
    }
}

impl Period {
    /// True where the instant lies within the period.
    pub fn contains(&self, at: DateTime<Utc>) -> bool {
        self.from <= at && at < self.to
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn date(text: &str) -> NaiveDate {
        text.parse().unwrap()
    }

    fn border(zone: &str, starts_at: &str) -> DayBorder {
        DayBorder { time_zone: zone.parse().unwrap(), starts_at: starts_at.parse().unwrap() }
    }

    #[test]
    fn one_day_runs_from_border_to_border() {
        let period = border("Asia/Tashkent", "03:00:00").days(date("2026-06-01"), date("2026-06-01")).unwrap();
        assert_eq!(period.from.to_rfc3339(), "2026-05-31T22:00:00+00:00");
        assert_eq!(period.to.to_rfc3339(), "2026-06-01T22:00:00+00:00");
    }

    #[test]
    fn a_day_with_a_clock_change_has_23_or_25_hours() {
        let berlin = border("Europe/Berlin", "00:00:00");
        let hours = |day| {
            let period = berlin.days(date(day), date(day)).unwrap();
            (period.to - period.from).num_hours()
        };
        assert_eq!((hours("2026-03-29"), hours("2026-10-25")), (23, 25));
    }

    #[test]
    fn a_border_that_the_clock_skips_moves_to_where_it_goes_on() {
        let period = border("Europe/Berlin", "02:30:00").days(date("2026-03-29"), date("2026-03-29")).unwrap();
        assert_eq!(period.from.to_rfc3339(), "2026-03-29T01:00:00+00:00");
    }

    #[test]
    fn the_hours_before_the_border_belong_to_the_day_before() {
        let tashkent = border("Asia/Tashkent", "03:00:00");
        let at = |text: &str| text.parse::<DateTime<Utc>>().unwrap();
        assert_eq!(tashkent.day_of(at("2026-05-31T21:59:59Z")), date("2026-05-31"));
        assert_eq!(tashkent.day_of(at("2026-05-31T22:00:00Z")), date("2026-06-01"));
    }

    #[test]
    fn reversed_and_endless_periods_are_refused() {
        let utc = border("UTC", "00:00:00");
        assert_eq!(utc.days(date("2026-06-02"), date("2026-06-01")).unwrap_err()[0].field, "to");
        assert!(utc.days(date("2026-01-01"), date("2026-12-31")).is_err());
    }
}
