//! Telegram's refusals (Telegram sheet §4).

use poem::http::StatusCode;
use serde_json::json;

use super::html::BadMarkup;
use crate::http::Reply;

/// Why a call is refused.
pub(super) enum Refusal {
    Unauthorized,
    NotFound,
    MethodNotFound,
    BadRequest(&'static str),
    ChatIdEmpty,
    ChatNotFound,
    TextEmpty,
    TextTooLong,
    CaptionTooLong,
    NoPhoto,
    FileTooLarge,
    ParseMode,
    Entities(BadMarkup),
    TooMany { retry_after: u64 },
    Storage,
}

impl Refusal {
    pub(super) fn into_reply(self) -> Reply {
        let bad = StatusCode::BAD_REQUEST;
        let (status, description) = match &self {
            Self::Unauthorized => (StatusCode::UNAUTHORIZED, "Unauthorized".to_owned()),
            Self::NotFound => (StatusCode::NOT_FOUND, "Not Found".to_owned()),
            Self::MethodNotFound => (StatusCode::NOT_FOUND, "Not Found: method not found".to_owned()),
            Self::BadRequest(reason) => (bad, format!("Bad Request: {reason}")),
            Self::ChatIdEmpty => (bad, "Bad Request: chat_id is empty".to_owned()),
            Self::ChatNotFound => (bad, "Bad Request: chat not found".to_owned()),
            Self::TextEmpty => (bad, "Bad Request: message text is empty".to_owned()),
            Self::TextTooLong => (bad, "Bad Request: message is too long".to_owned()),
            Self::CaptionTooLong => (bad, "Bad Request: message caption is too long".to_owned()),
            Self::NoPhoto => (bad, "Bad Request: there is no photo in the request".to_owned()),
            Self::FileTooLarge => (StatusCode::PAYLOAD_TOO_LARGE, "Request Entity Too Large".to_owned()),
            Self::ParseMode => (bad, "Bad Request: unsupported parse_mode".to_owned()),
            Self::Entities(markup) => (bad, format!("Bad Request: can't parse entities: {markup}")),
            Self::TooMany { retry_after } => {
                (StatusCode::TOO_MANY_REQUESTS, format!("Too Many Requests: retry after {retry_after}"))
            }
            Self::Storage => (StatusCode::INTERNAL_SERVER_ERROR, "Internal Server Error".to_owned()),
        };
        let mut body = json!({"ok": false, "error_code": status.as_u16(), "description": description});
        match self {
            Self::TooMany { retry_after } => {
                body["parameters"] = json!({ "retry_after": retry_after });
                Reply::json(status, &body).header("retry-after", retry_after.to_string())
            }
            _ => Reply::json(status, &body),
        }
    }
}
