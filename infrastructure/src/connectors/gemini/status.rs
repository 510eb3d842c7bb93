//! `google.rpc.Status` in JSON, as Gemini and Google's OpenAI-compatible surface answer it (sheet §5).

use std::time::Duration;

use application::ports::services::AGAIN;
use domain::job_run::FailureClass;
use serde::Deserialize;
use serde_json::Value;

use crate::connectors::http::{Refusal, Verdict};

#[derive(Debug, Deserialize)]
struct Envelope {
    error: Status,
}

#[derive(Debug, Deserialize)]
struct Status {
    #[serde(default)]
    status: String,
    #[serde(default)]
    details: Vec<Detail>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Detail {
    #[serde(default)]
    reason: Option<String>,
    #[serde(default)]
    retry_delay: Option<String>,
    #[serde(default)]
    violations: Vec<Violation>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Violation {
    #[serde(default)]
    quota_id: String,
}

/// The verdict on a refusal in Google's envelope; `None` where the status says enough.
pub(in crate::connectors) fn refine(refusal: &Refusal) -> Option<Verdict> {
    let status = read(&refusal.body)?;
    if status.details.iter().any(|detail| detail.reason.as_deref() == Some("API_KEY_INVALID")) {
        return Some(Verdict::new(
            FailureClass::Auth,
            "Gemini did not accept the API key",
            "Create a new API key in Google AI Studio and save it in Settings → AI",
        ));
    }
    match status.status.as_str() {
        "RESOURCE_EXHAUSTED" if status.exhausts_the_day() => Some(Verdict::new(
            FailureClass::Quota,
            "The day's quota of the Gemini key is used up",
            "Wait until Google resets it (midnight Pacific time), or raise the quota in Google AI Studio",
        )),
        "RESOURCE_EXHAUSTED" => {
            let wait = status.retry_delay().max(refusal.retry_after);
            let message = "Gemini refuses further calls for now: too many requests";
            let advice = format!("{AGAIN}; if it happens often, raise the quota in Google AI Studio");
            Some(Verdict::new(FailureClass::Transient, message, advice).after(wait))
        }
        "FAILED_PRECONDITION" => Some(Verdict::permanent(
            format!("Gemini is not available to this account: {}", refusal.words),
            "Switch on billing for the key's project in Google AI Studio, or use another provider in Settings → AI",
        )),
        "NOT_FOUND" => Some(Verdict::permanent(
            format!("Gemini does not know the model: {}", refusal.words),
            "Choose another model in Settings → AI",
        )),
        _ => None,
    }
}

/// The body may be wrapped in an array of one (sheet §5).
fn read(body: &Value) -> Option<Status> {
    let body = body.as_array().and_then(|items| items.first()).unwrap_or(body);
    serde_json::from_value::<Envelope>(body.clone()).ok().map(|envelope| envelope.error)
}

impl Status {
    /// The delay that comes with a daily quota misleads: it is over at midnight only (sheet §5).
    fn exhausts_the_day(&self) -> bool {
        let mut violations = self.details.iter().flat_map(|detail| &detail.violations);
        violations.any(|violation| violation.quota_id.contains("PerDay"))
    }

    fn retry_delay(&self) -> Option<Duration> {
        self.details.iter().find_map(|detail| parse_duration(detail.retry_delay.as_deref()?))
    }
}

/// A `google.protobuf.Duration` in JSON: seconds with an optional fraction and an `s`.
fn parse_duration(text: &str) -> Option<Duration> {
    let seconds: f64 = text.strip_suffix('s')?.parse().ok()?;
    let duration = Duration::try_from_secs_f64(seconds).ok()?;
    Some(Duration::from_millis(u64::try_from(duration.as_millis()).ok()?))
}

#[cfg(test)]
mod tests {
    use reqwest::StatusCode;
    use serde_json::json;

    use super::*;

    fn refusal(status: u16, body: Value) -> Refusal {
        Refusal { status: StatusCode::from_u16(status).unwrap(), retry_after: None, body, words: "words".into() }
    }

    fn exhausted(quota_id: &str) -> Value {
        json!({"error": {"code": 429, "message": "You exceeded your quota", "status": "RESOURCE_EXHAUSTED", "details": [
            {"@type": "type.googleapis.com/google.rpc.QuotaFailure", "violations": [{"quotaId": quota_id}]},
            {"@type": "type.googleapis.com/google.rpc.Help", "links": []},
            {"@type": "type.googleapis.com/google.rpc.RetryInfo", "retryDelay": "37s"}]}})
    }

    #[test]
    fn durations_are_read_to_the_millisecond() {
        for (text, millis) in [("37s", 37_000), ("12.5s", 12_500), ("0.034s", 34)] {
            assert_eq!(parse_duration(text), Some(Duration::from_millis(millis)), "{text}");
        }
        for odd in ["37", "s", "-1s", "later"] {
            assert_eq!(parse_duration(odd), None, "{odd}");
        }
    }

    #[test]
    fn a_bad_key_comes_as_a_bad_request() {
        let body = json!({"error": {"code": 400, "message": "API key not valid.", "status": "INVALID_ARGUMENT",
            "details": [{"@type": "type.googleapis.com/google.rpc.ErrorInfo", "reason": "API_KEY_INVALID"}]}});
        assert_eq!(refine(&refusal(400, body.clone())).unwrap().class, FailureClass::Auth);
        assert_eq!(refine(&refusal(400, json!([body]))).unwrap().class, FailureClass::Auth);
    }

    #[test]
    fn a_minutes_quota_passes_and_a_days_does_not() {
        let minute = refine(&refusal(429, exhausted("GenerateRequestsPerMinutePerProjectPerModel"))).unwrap();
        assert_eq!((minute.class, minute.retry_after), (FailureClass::Transient, Some(Duration::from_secs(37))));
        let day = refine(&refusal(429, exhausted("GenerateRequestsPerDayPerProjectPerModel-FreeTier"))).unwrap();
        assert_eq!((day.class, day.retry_after), (FailureClass::Quota, None));
    }

    #[test]
    fn other_envelopes_are_left_to_others() {
        assert_eq!(refine(&refusal(500, Value::Null)), None);
        assert_eq!(refine(&refusal(401, json!({"error": {"message": "no", "code": "invalid_api_key"}}))), None);
    }
}
