//! Time, ids and chance, so that tests can fix them.

use chrono::{DateTime, Utc};
use uuid::Uuid;

/// The time.
pub trait Clock: Send + Sync {
    /// Now, in whole microseconds as the database keeps it.
    fn now(&self) -> DateTime<Utc>;
}

/// New ids and random numbers.
pub trait Ids: Send + Sync {
    /// A UUID v7.
    fn next(&self) -> Uuid;

    /// A number from 0 up to and without 1.
    fn chance(&self) -> f64;
}
