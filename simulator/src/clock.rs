//! The crate's only reading of the wall clock.

use chrono::{DateTime, Utc};

/// The present moment: the simulators stand for services that run by their own clocks.
#[expect(clippy::disallowed_methods, reason = "the simulators' own clock, see above")]
pub(crate) fn now() -> DateTime<Utc> {
    Utc::now()
}
