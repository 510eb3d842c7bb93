//! How each service refuses a key that is no good any more, that belongs to somebody else, or whose quota is used up (all
//! sheets, on errors).

use poem::http::StatusCode;
use serde_json::{Value, json};

use crate::http::{Reply, Service};

/// What is wrong with the key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Trouble {
    Expired,
    Revoked,
    OtherAccount,
    /// Nothing more is given for it for a long time. A service that knows no such quota refuses as it does too many calls.
    UsedUp,
}

/// The service's refusal.
pub(crate) fn refusal(service: Service, trouble: Trouble) -> Reply {
    match service {
        Service::Amocrm => amocrm(trouble),
        Service::Radist => radist(trouble),
        Service::Supabase => supabase(trouble),
        Service::Gemini => gemini(trouble),
        Service::Openai => openai(trouble),
        Service::Telegram => telegram(trouble),
    }
}

fn amocrm(trouble: Trouble) -> Reply {
    let detail = match trouble {
        Trouble::Expired => "Token has expired",
        Trouble::Revoked => "Token has been revoked",
        Trouble::OtherAccount => "Account not found",
        Trouble::UsedUp => return too_many(),
    };
    let body = json!({"title": "Unauthorized", "type": "https://httpstatus.es/401", "status": 401, "detail": detail});
    Reply::typed(StatusCode::UNAUTHORIZED, "application/problem+json", &body)
}

fn radist(trouble: Trouble) -> Reply {
    match trouble {
        Trouble::Expired => json_of(401, &json!({"detail": "The API key has expired"})),
        Trouble::Revoked => json_of(401, &json!({"detail": "The API key is not valid"})),
        Trouble::OtherAccount => json_of(403, &json!({"detail": "The API key has no access to this company"})),
        Trouble::UsedUp => too_many(),
    }
}

/// A key of another project is unknown to the gateway; only a JWT can expire.
fn supabase(trouble: Trouble) -> Reply {
    let body = match trouble {
        Trouble::Expired => json!({"code": "PGRST303", "details": null, "hint": null, "message": "JWT expired"}),
        Trouble::Revoked | Trouble::OtherAccount => json!({
            "message": "Invalid API key", "hint": "Double check your Supabase `anon` or `service_role` API key.",
        }),
        Trouble::UsedUp => return too_many(),
    };
    json_of(401, &body).header("www-authenticate", "Bearer")
}

fn gemini(trouble: Trouble) -> Reply {
    let info = |reason: &str| json!([{"@type": "type.googleapis.com/google.rpc.ErrorInfo", "reason": reason, "domain": "googleapis.com"}]);
    let (code, status, message, details) = match trouble {
        Trouble::Expired => {
            (400, "INVALID_ARGUMENT", "API key expired. Please renew the API key.", info("API_KEY_INVALID"))
        }
        Trouble::Revoked => {
            (400, "INVALID_ARGUMENT", "API key not valid. Please pass a valid API key.", info("API_KEY_INVALID"))
        }
        Trouble::OtherAccount => (
            403,
            "PERMISSION_DENIED",
            "Generative Language API has not been used in this project or it is disabled.",
            info("SERVICE_DISABLED"),
        ),
        Trouble::UsedUp => (
            429,
            "RESOURCE_EXHAUSTED",
            "You exceeded your current quota, please check your plan and billing details.",
            json!([
                {"@type": "type.googleapis.com/google.rpc.QuotaFailure",
                 "violations": [{"quotaId": "GenerateRequestsPerDayPerProjectPerModel-FreeTier", "quotaValue": "20"}]},
                {"@type": "type.googleapis.com/google.rpc.RetryInfo", "retryDelay": "37s"},
            ]),
        ),
    };
    json_of(code, &json!({"error": {"code": code, "message": message, "status": status, "details": details}}))
}

fn openai(trouble: Trouble) -> Reply {
    let (status, message, code) = match trouble {
        Trouble::Expired => (401, "The API key has expired", "invalid_api_key"),
        Trouble::Revoked => (401, "Incorrect API key provided", "invalid_api_key"),
        Trouble::OtherAccount => (403, "The project of this API key may not use the model", "model_not_allowed"),
        Trouble::UsedUp => (429, "You exceeded your current quota", "insufficient_quota"),
    };
    let body = json!({"message": message, "type": "invalid_request_error", "param": null, "code": code});
    json_of(status, &json!({ "error": body }))
}

/// A token does not expire. One of another bot is good, but that bot is not a member of the chat.
fn telegram(trouble: Trouble) -> Reply {
    let (code, description) = match trouble {
        Trouble::Expired | Trouble::Revoked => (401, "Unauthorized"),
        Trouble::OtherAccount => (403, "Forbidden: bot is not a member of the supergroup chat"),
        Trouble::UsedUp => (429, "Too Many Requests: retry later"),
    };
    json_of(code, &json!({"ok": false, "error_code": code, "description": description}))
}

fn too_many() -> Reply {
    json_of(429, &json!({"message": "Too many requests"}))
}

fn json_of(status: u16, body: &Value) -> Reply {
    Reply::json(StatusCode::from_u16(status).unwrap_or(StatusCode::UNAUTHORIZED), body)
}
