//! amoCRM's API v4 for one account (amoCRM sheet §3–5).

mod errors;
mod leads;
mod oauth;
mod people;
mod query;
mod throttle;

use std::sync::Arc;

use poem::http::{Method, StatusCode};
use serde_json::{Value, json};

use crate::{
    accounts::{Accounts, Secret},
    http::{Answer, Incoming, Reply},
    limits::Limits,
    world::{UNASSIGNED_USER, World},
};
use errors::Problem;
pub use oauth::AmocrmGrants;
use throttle::Throttle;

const HAL: &str = "application/hal+json";
const ACCOUNT_ID: i64 = 32_499_146;
const SUBDOMAIN: &str = "demo";

/// The account: its token, its data, and the patience it has with callers.
pub(crate) struct Amocrm {
    world: Arc<World>,
    token: Secret,
    grants: AmocrmGrants,
    throttle: Throttle,
}

impl Amocrm {
    pub(crate) fn new(world: Arc<World>, accounts: &Accounts, limits: Limits, grants: AmocrmGrants) -> Self {
        let throttle = Throttle::new(limits.amocrm_per_second);
        Self { world, token: accounts.amocrm_token.clone(), grants, throttle }
    }

    fn route(&self, call: &Incoming) -> Result<Reply, Problem> {
        if call.segments().first().is_some_and(|part| part.starts_with("oauth")) {
            return Ok(self.grants.answer(call));
        }
        self.throttle.pass()?;
        let host = call.header("host").unwrap_or_default();
        let token = call.bearer().unwrap_or_default();
        if token != self.token.expose() && !self.grants.accepts(host, token) {
            return Err(Problem::Unauthorized);
        }
        if call.method != Method::GET {
            return Err(Problem::MethodNotAllowed);
        }
        match call.segments().as_slice() {
            ["api", "v4", "account"] => Ok(hal(&self.account(call))),
            ["api", "v4", "users"] => Ok(people::users(&self.world, call)),
            ["api", "v4", "contacts"] => Ok(people::contacts(&self.world, call)),
            ["api", "v4", "contacts", id] => people::contact(&self.world, call, id),
            ["api", "v4", "leads"] => Ok(leads::list(&self.world, call)),
            ["api", "v4", "leads", id] => leads::one(&self.world, call, id),
            ["api", "v4", "leads", id, "links"] => leads::links(&self.world, call, id),
            _ => Err(Problem::NotFound),
        }
    }

    fn account(&self, call: &Incoming) -> Value {
        let since = self.world.cases.iter().map(|case| self.world.dialogue(case).first_at().timestamp()).min();
        json!({
            "id": ACCOUNT_ID, "name": "Demo", "subdomain": SUBDOMAIN,
            "created_at": since, "created_by": 0, "updated_at": since, "updated_by": 0,
            "current_user_id": UNASSIGNED_USER,
            "country": "US", "currency": "USD", "currency_symbol": "$", "customers_mode": "unavailable",
            "is_unsorted_on": false, "mobile_feature_version": 0, "is_loss_reason_enabled": false,
            "is_helpbot_enabled": false, "is_technical_account": false, "contact_name_display_order": 1,
            "language": "en",
            "_links": {"self": {"href": format!("{}{}", call.origin(), call.target())}},
        })
    }
}

impl Answer for Amocrm {
    fn answer(&self, call: &Incoming) -> Reply {
        self.route(call).unwrap_or_else(Problem::into_reply)
    }
}

fn hal(body: &Value) -> Reply {
    Reply::typed(StatusCode::OK, HAL, body)
}

/// A page of a list; an empty one is 204 without a body (§3.1).
fn hal_list(call: &Incoming, kind: &str, page: &query::Page, items: &[Value]) -> Reply {
    if items.is_empty() {
        return Reply::empty(StatusCode::NO_CONTENT);
    }
    hal(&json!({ "_page": page.number, "_links": page.links(call), "_embedded": { kind: items } }))
}

fn self_link(call: &Incoming, kind: &str, id: i64) -> Value {
    json!({"self": {"href": format!("{}/api/v4/{kind}/{id}", call.origin())}})
}
