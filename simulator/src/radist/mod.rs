//! Radist.Online's API v2 for one company with one connection (Radist sheet §2).

mod chats;
mod messages;

use std::{sync::Arc, time::Duration};

use chrono::{DateTime, SecondsFormat, Utc};
use poem::http::{Method, StatusCode};
use serde_json::json;

use crate::{
    accounts::{Accounts, Secret},
    http::{Answer, Incoming, Reply},
    limits::{Limits, Window, whole_seconds},
    world::{CONNECTION, World},
};
use chats::ChatList;

const MAX_LIMIT: usize = 100;

/// The company: its key, its chats, its pace.
pub(crate) struct Radist {
    world: Arc<World>,
    chats: ChatList,
    key: Secret,
    company: i64,
    requests: Window<()>,
}

/// Why a call is refused. The vendor documents no error bodies; this is one of the shapes that clients have met.
enum Refusal {
    BadKey,
    ForeignCompany,
    NotFound,
    MethodNotAllowed,
    BadParameter(&'static str),
    TooMany(Duration),
}

impl Radist {
    pub(crate) fn new(world: Arc<World>, accounts: &Accounts, limits: Limits) -> Self {
        Self {
            chats: ChatList::of(&world),
            world,
            key: accounts.radist_key.clone(),
            company: accounts.radist_company_id,
            requests: Window::new(limits.radist_per_second, Duration::from_secs(1)),
        }
    }

    fn route(&self, call: &Incoming) -> Result<Reply, Refusal> {
        if call.header("x-api-key") != Some(self.key.expose()) {
            return Err(Refusal::BadKey);
        }
        self.requests.pass(()).map_err(Refusal::TooMany)?;
        if call.method != Method::GET {
            return Err(Refusal::MethodNotAllowed);
        }
        let segments = call.segments();
        let ["v2", "companies", rest @ ..] = segments.as_slice() else { return Err(Refusal::NotFound) };
        let [company, rest @ ..] = rest else { return Ok(self.companies(call)) };
        if *company != self.company.to_string() {
            return Err(Refusal::ForeignCompany);
        }
        match rest {
            ["connections"] => Ok(ok(&json!({"connections": [
                {"id": CONNECTION, "name": "WhatsApp", "type": "whatsapp"},
            ]}))),
            ["messaging", "chats", "sources"] => Ok(ok(&json!([{"connection_id": CONNECTION, "type": "whatsapp"}]))),
            ["messaging", "chats", "with_contacts"] => self.chats.page(&self.world, call),
            ["messaging", "messages"] => messages::page(&self.world, call),
            _ => Err(Refusal::NotFound),
        }
    }

    fn companies(&self, call: &Incoming) -> Reply {
        let is_first_page = limit(call) > 0 && call.param("offset").is_none_or(|offset| offset == "0");
        let companies = if is_first_page { vec![json!({"id": self.company, "name": "Demo"})] } else { Vec::new() };
        ok(&json!({ "companies": companies }))
    }
}

impl Answer for Radist {
    fn answer(&self, call: &Incoming) -> Reply {
        self.route(call).unwrap_or_else(Refusal::into_reply)
    }
}

impl Refusal {
    fn into_reply(self) -> Reply {
        let (status, detail) = match &self {
            Self::BadKey => (StatusCode::UNAUTHORIZED, "The API key is not valid"),
            Self::ForeignCompany => (StatusCode::FORBIDDEN, "The API key has no access to this company"),
            Self::NotFound => (StatusCode::NOT_FOUND, "Not found"),
            Self::MethodNotAllowed => (StatusCode::METHOD_NOT_ALLOWED, "Method not allowed"),
            Self::BadParameter(detail) => (StatusCode::BAD_REQUEST, *detail),
            Self::TooMany(_) => (StatusCode::TOO_MANY_REQUESTS, "Too many requests"),
        };
        let reply = Reply::json(status, &json!({ "detail": detail }));
        match self {
            Self::TooMany(wait) => reply.header("retry-after", whole_seconds(wait).to_string()),
            _ => reply,
        }
    }
}

fn ok(body: &serde_json::Value) -> Reply {
    Reply::json(StatusCode::OK, body)
}

/// `limit`, 100 at most and by default.
fn limit(call: &Incoming) -> usize {
    call.param("limit").and_then(|limit| limit.parse().ok()).unwrap_or(MAX_LIMIT).min(MAX_LIMIT)
}

fn shown(at: DateTime<Utc>) -> String {
    at.to_rfc3339_opts(SecondsFormat::Millis, false)
}
