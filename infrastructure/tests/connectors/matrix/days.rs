//! What may befall a call.

use std::time::Duration;

use simulator::FaultKind;

/// A bad day, or a good one.
pub(super) struct Day {
    pub(super) name: &'static str,
    pub(super) kind: fn() -> Option<FaultKind>,
    /// How many calls it befalls; none for all.
    pub(super) times: Option<u32>,
    /// The service is slower than the caller waits.
    pub(super) tries_patience: bool,
}

const fn day(name: &'static str, times: Option<u32>, kind: fn() -> Option<FaultKind>) -> Day {
    Day { name, kind, times, tries_patience: false }
}

const fn slow(name: &'static str, kind: fn() -> Option<FaultKind>) -> Day {
    Day { name, kind, times: None, tries_patience: true }
}

pub(super) const DAYS: [Day; 23] = [
    day("good", None, || None),
    day("429 once", Some(1), || status(429, "", &[])),
    day("429", None, || status(429, "", &[])),
    day("429 after 1 s once", Some(1), || status(429, "", &[("retry-after", "1")])),
    day("429 after 600 s", None, || status(429, "", &[("retry-after", "600")])),
    day("500", None, || status(500, r#"{"message":"boom"}"#, &[])),
    day("503 once", Some(1), || status(503, "", &[])),
    day("503", None, || status(503, "<html>maintenance</html>", &[])),
    day("402 unpaid", None, || status(402, "", &[])),
    day("302 elsewhere", None, || status(302, "", &[("location", "http://169.254.169.254/")])),
    day("400 refused", None, || status(400, r#"{"message":"no such field"}"#, &[])),
    day("web page", None, || status(200, "<html>Sign in</html>", &[("content-type", "text/html")])),
    day("malformed", None, || Some(FaultKind::MalformedBody)),
    day("truncated", None, || Some(FaultKind::TruncatedBody)),
    day("reset once", Some(1), || Some(FaultKind::Reset)),
    day("reset", None, || Some(FaultKind::Reset)),
    day("answer lost once", Some(1), || Some(FaultKind::DropAnswer)),
    day("expired token", None, || Some(FaultKind::ExpiredToken)),
    day("revoked token", None, || Some(FaultKind::RevokedToken)),
    day("wrong account", None, || Some(FaultKind::WrongAccount)),
    day("quota used up", None, || Some(FaultKind::QuotaUsedUp)),
    slow("late", || Some(FaultKind::Delay(Duration::from_secs(5)))),
    slow("slow drip", || Some(FaultKind::SlowDrip(Duration::from_millis(250)))),
];

#[expect(clippy::unnecessary_wraps, reason = "every day says what it brings in the same form")]
fn status(status: u16, body: &str, headers: &[(&str, &str)]) -> Option<FaultKind> {
    let headers = headers.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
    Some(FaultKind::Status { status, body: body.to_owned(), headers })
}
