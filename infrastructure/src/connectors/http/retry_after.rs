//! `Retry-After` in both of its forms (RFC 9110 §10.2.3).

use std::time::Duration;

use chrono::{DateTime, Utc};
use reqwest::header::{DATE, HeaderMap, RETRY_AFTER};

/// How long the service wants to be left alone.
///
/// A date is compared with the answer's own `Date`, so that the two clocks need not agree; without one it says nothing.
pub(super) fn retry_after(headers: &HeaderMap) -> Option<Duration> {
    let text = headers.get(RETRY_AFTER)?.to_str().ok()?.trim();
    if let Ok(seconds) = text.parse::<f64>() {
        return Duration::try_from_secs_f64(seconds).ok();
    }
    let then = http_date(text)?;
    let now = http_date(headers.get(DATE)?.to_str().ok()?.trim())?;
    Some((then - now).to_std().unwrap_or_default())
}

/// An IMF-fixdate, the one form of a date that is still written.
fn http_date(text: &str) -> Option<DateTime<Utc>> {
    DateTime::parse_from_rfc2822(text).ok().map(|at| at.to_utc())
}

#[cfg(test)]
mod tests {
    use reqwest::header::HeaderValue;

    use super::*;

    fn wait(retry_after: &'static str, date: Option<&'static str>) -> Option<Duration> {
        let value = HeaderValue::from_static;
        let date = date.map(|date| (DATE, value(date)));
        super::retry_after(&date.into_iter().chain([(RETRY_AFTER, value(retry_after))]).collect())
    }

    #[test]
    fn seconds_are_read() {
        assert_eq!(wait("7", None), Some(Duration::from_secs(7)));
        assert_eq!(wait("0.5", None), Some(Duration::from_millis(500)));
        for odd in ["-1", "soon", "NaN", ""] {
            assert_eq!(wait(odd, Some("Fri, 20 Nov 2026 08:15:00 GMT")), None, "{odd}");
        }
    }

    /// Seen to fail with seconds as the only form.
    #[test]
    fn a_date_is_read_by_the_services_own_clock() {
        let then = "Fri, 20 Nov 2026 08:15:30 GMT";
        assert_eq!(wait(then, Some("Fri, 20 Nov 2026 08:15:00 GMT")), Some(Duration::from_secs(30)));
        assert_eq!(wait(then, Some("Fri, 20 Nov 2026 09:15:00 GMT")), Some(Duration::ZERO));
        assert_eq!(wait(then, None), None);
    }
}
