//! Requests that change nothing, whoever sends them: they name things that do not exist, or ask for what is refused after the
//! question for the right.

use domain::access::Permission;
use poem::http::Method;
use serde_json::{Value, json};

use super::ReportError;

/// What no thing is called. The last digits are not random, so no generator makes it.
const NOTHING: &str = "00000000-0000-7000-8000-000000000000";

/// Where no event is.
const NO_POSITION: &str = "1-0-0";

/// What no service that can be connected is called.
const NO_KIND: &str = "none";

/// An address that cannot exist (RFC 2606 §2).
const NOBODY: &str = "nobody@synkro.invalid";

/// An operation, and a request of it that changes nothing.
pub(super) struct Operation {
    pub(super) id: String,
    pub(super) method: Method,
    pub(super) path: String,
    pub(super) body: Option<Value>,
    /// The right that the OpenAPI document says it needs.
    pub(super) right: Option<Permission>,
    /// Whether it is for the platform's staff alone.
    pub(super) platform: bool,
}

/// Every operation of the OpenAPI document.
pub(super) fn operations() -> Result<Vec<Operation>, ReportError> {
    let unreadable = || ReportError::Unknown("an operation that the OpenAPI document does not describe".into());
    let document: Value = serde_json::from_str(&api::openapi_json()).map_err(|_| unreadable())?;
    let mut operations = Vec::new();
    for (path, item) in document["paths"].as_object().ok_or_else(unreadable)? {
        for (method, described) in item.as_object().ok_or_else(unreadable)? {
            let id = described["operationId"].as_str().ok_or_else(unreadable)?;
            let method: Method = method.to_uppercase().parse().map_err(|_| unreadable())?;
            let body = match described.get("requestBody") {
                None => None,
                Some(_) if described.get("security").is_none() => Some(json!({})),
                Some(_) => Some(body(id).ok_or_else(|| ReportError::Unknown(id.to_owned()))?),
            };
            let query = if id == "revoke_permission" { "?permission=reports:read" } else { "" };
            let platform = path.starts_with("/api/v1/platform/");
            let named = ["{id}", "{session_id}", "{user_id}", "{impersonation_id}"];
            let path = named.into_iter().fold(path.clone(), |path, part| path.replace(part, NOTHING));
            let path = path.replace("{position}", NO_POSITION).replace("{kind}", NO_KIND);
            let path = path.replace("{slug}", "no-such-company") + query;
            let right = match described["x-synkro-right"].as_str().filter(|_| !platform) {
                Some(name) => Some(right(name).ok_or_else(unreadable)?),
                None => None,
            };
            operations.push(Operation { id: id.to_owned(), method, path, body, right, platform });
        }
    }
    operations.sort_by(|one, other| one.id.cmp(&other.id));
    Ok(operations)
}

fn right(name: &str) -> Option<Permission> {
    let (resource, action) = name.split_once(':')?;
    Permission::find(resource, action)
}

fn body(operation: &str) -> Option<Value> {
    Some(match operation {
        "open_impersonation" => json!({"user_id": NOTHING, "reason": "None."}),
        "create_api_key" => {
            json!({"name": "None", "scopes": ["no_such_service:read"], "expires_at": "2000-01-01T00:00:00Z"})
        }
        "begin_totp" => json!({"password": "nobody's password"}),
        "confirm_totp" | "disable_totp" | "renew_recovery_codes" => json!({"code": "000000"}),
        "start_run" => json!({"from": "2000-01-02", "to": "2000-01-01"}),
        "invite_user" | "invite_tenant_user" => json!({"email": NOBODY, "role": "no_such_role"}),
        "change_user" => json!({"name": "Nobody"}),
        "change_password" => json!({"old_password": "nobody's password", "new_password": "nobody's next password"}),
        "request_email_change" => json!({"email": NOBODY, "password": "nobody's password"}),
        "define_role" => {
            json!({"name": "no_such_role", "title": "None", "level": 1, "permissions": ["no_such_service:read"]})
        }
        "change_role" => json!({"title": "None", "level": 1, "may_manage": []}),
        "grant_permission" => json!({"permission": "reports:read"}),
        "add_service" => json!({"name": "reports", "title": "Built in"}),
        "add_action" => json!({"name": "read", "title": "Built in"}),
        "add_permission" => json!({"service": "no_such_service", "action": "read", "title": "None"}),
        "change_service" | "change_action" | "change_permission" => json!({"title": "None"}),
        "check_access" => json!({"checks": [{"user_id": NOTHING, "resource": "reports", "action": "read"}]}),
        "provision_tenant" => json!({"name": "None", "slug": "no-such-company"}),
        "rename_tenant" => json!({"name": "None"}),
        "suspend_tenant" | "offboard_tenant" | "reset_staff_totp" => json!({"reason": "None."}),
        "close_tenant" => json!({"confirm_slug": "no-such-company"}),
        "add_staff" => json!({"email": NOBODY, "name": "Nobody", "role": "auditor"}),
        "change_staff_role" => json!({"role": "auditor"}),
        "define_automation" | "save_integration" | "test_integration" => json!({}),
        _ => return None,
    })
}
