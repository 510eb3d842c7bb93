//! Errors as `google.rpc.Status` (Gemini sheet §5).

use std::time::Duration;

use poem::http::StatusCode;
use serde_json::{Value, json};

use crate::http::Reply;

const BAD_KEY: &str = "API key not valid. Please pass a valid API key.";

/// Why a call fails.
pub(super) enum Status {
    NoKey,
    BadKey,
    NoSuchPath,
    NoSuchModel { id: String },
    NotSupported { id: String },
    Invalid { message: String },
    Quota { model: String, quota: u32, wait: Duration },
}

impl Status {
    pub(super) fn invalid(message: impl Into<String>) -> Self {
        Self::Invalid { message: message.into() }
    }

    pub(super) fn into_reply(self) -> Reply {
        let (status, name, message, details) = match self {
            Self::NoKey => {
                let message = "The caller is not identified. Pass an API key.".to_owned();
                (StatusCode::FORBIDDEN, "PERMISSION_DENIED", message, json!([]))
            }
            Self::BadKey => (StatusCode::BAD_REQUEST, "INVALID_ARGUMENT", BAD_KEY.to_owned(), bad_key()),
            Self::NoSuchPath => (StatusCode::NOT_FOUND, "NOT_FOUND", "There is no such method.".to_owned(), json!([])),
            Self::NoSuchModel { id } => {
                let message = format!("models/{id} is not found for API version v1beta.");
                (StatusCode::NOT_FOUND, "NOT_FOUND", message, json!([]))
            }
            Self::NotSupported { id } => {
                let message = format!("models/{id} is not supported for generateContent.");
                (StatusCode::NOT_FOUND, "NOT_FOUND", message, json!([]))
            }
            Self::Invalid { message } => (StatusCode::BAD_REQUEST, "INVALID_ARGUMENT", message, json!([])),
            Self::Quota { model, quota, wait } => {
                let message = "You exceeded your current quota of requests per minute.".to_owned();
                (StatusCode::TOO_MANY_REQUESTS, "RESOURCE_EXHAUSTED", message, exhausted(&model, quota, wait))
            }
        };
        let mut error = json!({"code": status.as_u16(), "message": message, "status": name});
        if details.as_array().is_some_and(|details| !details.is_empty()) {
            error["details"] = details;
        }
        Reply::json(status, &json!({ "error": error }))
    }
}

fn bad_key() -> Value {
    json!([
        {"@type": "type.googleapis.com/google.rpc.ErrorInfo", "reason": "API_KEY_INVALID", "domain": "googleapis.com",
         "metadata": {"service": "generativelanguage.googleapis.com"}},
        {"@type": "type.googleapis.com/google.rpc.LocalizedMessage", "locale": "en-US", "message": BAD_KEY},
    ])
}

fn exhausted(model: &str, quota: u32, wait: Duration) -> Value {
    json!([
        {"@type": "type.googleapis.com/google.rpc.QuotaFailure", "violations": [{
            "quotaMetric": "generativelanguage.googleapis.com/generate_content_requests",
            "quotaId": "GenerateRequestsPerMinutePerProjectPerModel",
            "quotaDimensions": {"location": "global", "model": model}, "quotaValue": quota.to_string(),
        }]},
        {"@type": "type.googleapis.com/google.rpc.RetryInfo",
         "retryDelay": format!("{}.{:03}s", wait.as_secs(), wait.subsec_millis())},
    ])
}
