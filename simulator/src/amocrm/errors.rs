//! amoCRM's refusals (amoCRM sheet §5).

use std::time::Duration;

use poem::http::StatusCode;
use serde_json::json;

use crate::{http::Reply, limits::whole_seconds};

/// Why a call is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Problem {
    Unauthorized,
    NotFound,
    MethodNotAllowed,
    TooMany {
        wait: Duration,
    },
    /// Too many refusals for rate: the caller is shut out for a while.
    Blocked,
}

impl Problem {
    pub(super) fn into_reply(self) -> Reply {
        let (status, title, detail) = match self {
            Self::Unauthorized => (StatusCode::UNAUTHORIZED, "Unauthorized", "The access token is not valid"),
            Self::NotFound => (StatusCode::NOT_FOUND, "Not Found", "There is no such entity"),
            Self::MethodNotAllowed => {
                (StatusCode::METHOD_NOT_ALLOWED, "Method Not Allowed", "This account can only be read")
            }
            Self::TooMany { wait } => {
                return Reply::empty(StatusCode::TOO_MANY_REQUESTS)
                    .header("retry-after", whole_seconds(wait).to_string());
            }
            Self::Blocked => (StatusCode::FORBIDDEN, "Forbidden", "Blocked for exceeding the request limit repeatedly"),
        };
        let code = status.as_u16();
        let body = json!({
            "title": title, "type": format!("https://httpstatus.es/{code}"), "status": code, "detail": detail,
        });
        Reply::typed(status, "application/problem+json", &body)
    }
}
