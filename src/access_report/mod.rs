//! Whether every role of a company can do exactly what it may: each operation is asked as each role, and what came is
//! compared with the rights of the role and the right that the operation says it needs.
//!
//! The caller of a role is made up: a token for a user and a session that do not exist, which no store knows. The requests
//! are such that they change nothing whoever sends them (`requests.rs`), so that a report can be made of a company at work.

mod requests;

use std::sync::Arc;
use std::time::Duration;

use application::ports::identity::TokenSubject;
use application::{PortError, Principal};
use domain::access::{Permission, Rights, RoleName};
use domain::ids::{SessionId, TenantId, UserId};
use poem::http::{StatusCode, header};
use poem::{Endpoint, EndpointExt as _, IntoResponse, Request};
use secrecy::{ExposeSecret, SecretString};
use serde_json::{Value, json};

use self::requests::{Operation, operations};
use crate::wire::System;

/// How often is looked whether the process knows by now which tokens are revoked, and how often at most.
const LOOK_EVERY: Duration = Duration::from_millis(50);
const MOST_LOOKS: u32 = 200;

/// Why there is no report.
#[derive(Debug, thiserror::Error)]
pub enum ReportError {
    /// A part of the system did not answer.
    #[error(transparent)]
    Port(#[from] PortError),
    /// An operation that the report has no harmless request for.
    #[error("the report does not know how to ask {0} without changing anything")]
    Unknown(String),
}

/// What was found of a company's roles.
pub struct Report {
    /// By role.
    pub roles: Vec<RoleReport>,
}

/// What was found of one role.
pub struct RoleReport {
    /// The role.
    pub role: RoleName,
    /// Every operation.
    pub checks: Vec<Check>,
}

/// What was found of one operation, asked as one role.
pub struct Check {
    /// The operation.
    pub operation: String,
    /// The right that it says it needs.
    pub right: Option<Permission>,
    /// Whether the role should get past the question for the right.
    pub expected: bool,
    /// The answer's status.
    pub status: u16,
    /// Whether the role got past it; none where the operation failed.
    pub found: Option<bool>,
}

impl Check {
    /// Whether what was found is what was expected.
    pub fn conforms(&self) -> bool {
        self.found == Some(self.expected)
    }
}

impl RoleReport {
    /// How many operations did as they should.
    pub fn conforming(&self) -> usize {
        self.checks.iter().filter(|check| check.conforms()).count()
    }

    /// The same of a hundred, rounded down.
    pub fn percent(&self) -> usize {
        self.conforming() * 100 / self.checks.len().max(1)
    }
}

impl Report {
    /// Whether every role can do exactly what it may.
    pub fn conforms(&self) -> bool {
        self.roles.iter().all(|role| role.checks.iter().all(Check::conforms))
    }

    /// For programs.
    pub fn json(&self) -> Value {
        let word = |open: bool| if open { "allowed" } else { "refused" };
        let check = |check: &Check| {
            json!({
                "operation": check.operation, "right": check.right.map(Permission::name),
                "expected": word(check.expected), "found": check.found.map(word), "status": check.status,
                "conforms": check.conforms(),
            })
        };
        let role = |role: &RoleReport| {
            let checks: Vec<Value> = role.checks.iter().map(check).collect();
            json!({"role": role.role.as_str(), "percent": role.percent(), "checks": checks})
        };
        json!({"conforms": self.conforms(), "roles": self.roles.iter().map(role).collect::<Vec<_>>()})
    }

    /// For people: a table for each role.
    pub fn text(&self) -> String {
        let word = |open: Option<bool>| open.map_or("failed", |open| if open { "allowed" } else { "refused" });
        let mut lines = Vec::new();
        for role in &self.roles {
            let (conforming, all) = (role.conforming(), role.checks.len());
            lines.push(format!("{}: {} % ({conforming} of {all} operations)", role.role, role.percent()));
            for Check { operation, right, expected, status, found } in &role.checks {
                let (right, expected) = (right.map_or("-", Permission::name), word(Some(*expected)));
                let line = format!("  {operation:<26} {right:<22} {expected:<9} {:<9} {status}", word(*found));
                lines.push(if *found == Some(expected == "allowed") { line } else { format!("{line}  differs") });
            }
        }
        lines.join("\n")
    }
}

/// Asks every operation as every role of the tenant. The system must be following its log.
///
/// # Errors
/// Where a part of the system does not answer, and for an operation that cannot be asked without changing anything.
pub async fn of(system: &System, tenant_id: TenantId) -> Result<Report, ReportError> {
    let (access, operations) = (system.state.matrix.of(tenant_id).await?, operations()?);
    let router = Arc::new(api::routes(Arc::clone(&system.state)).boxed());
    let mut roles = Vec::new();
    for (role, rights) in access.roles() {
        let token = token(system, tenant_id, role)?;
        ready(router.as_ref(), &token).await?;
        let mut checks = Vec::new();
        for operation in &operations {
            checks.push(check(router.as_ref(), operation, rights, &token).await);
        }
        roles.push(RoleReport { role: role.clone(), checks });
    }
    Ok(Report { roles })
}

/// The token of someone with this role whom nobody knows.
fn token(system: &System, tenant_id: TenantId, role: &RoleName) -> Result<SecretString, PortError> {
    let (user_id, session_id) = (UserId::from(system.ids.next()), SessionId::from(system.ids.next()));
    let principal = Principal::of_tenant(user_id, tenant_id, role.clone(), session_id);
    let subject = TokenSubject { principal, token_version: 0, csrf: None };
    Ok(system.state.authentication.tokens.issue(&subject, system.state.clock.now())?.token)
}

/// Waits until the process can tell whether a token stands.
async fn ready(router: &impl Endpoint, token: &SecretString) -> Result<(), PortError> {
    for _ in 0..MOST_LOOKS {
        let request = Request::builder().uri_str("/api/v1/users/me/sessions");
        if ask(router, request, token, None).await.0 != StatusCode::SERVICE_UNAVAILABLE {
            return Ok(());
        }
        tokio::time::sleep(LOOK_EVERY).await;
    }
    Err(PortError::internal("the process does not learn which tokens are revoked"))
}

async fn check(router: &impl Endpoint, operation: &Operation, rights: &Rights, token: &SecretString) -> Check {
    let request = Request::builder().method(operation.method.clone()).uri_str(&operation.path);
    let (status, code) = ask(router, request, token, operation.body.as_ref()).await;
    let found = match (status, code.as_deref()) {
        (StatusCode::FORBIDDEN, Some("access.forbidden")) => Some(false),
        (StatusCode::UNAUTHORIZED, _) => None,
        _ if status.is_server_error() => None,
        _ => Some(true),
    };
    let expected = !operation.platform && operation.right.is_none_or(|right| rights.allows(right));
    Check { operation: operation.id.clone(), right: operation.right, expected, status: status.as_u16(), found }
}

/// The status of the answer and, where it is a problem document, its code.
async fn ask(
    router: &impl Endpoint,
    request: poem::RequestBuilder,
    token: &SecretString,
    body: Option<&Value>,
) -> (StatusCode, Option<String>) {
    let request = request.header(header::AUTHORIZATION, format!("Bearer {}", token.expose_secret()));
    let request = match body {
        Some(body) => request.content_type("application/json").body(body.to_string()),
        None => request.finish(),
    };
    let response = match router.call(request).await {
        Ok(response) => response.into_response(),
        Err(error) => error.into_response(),
    };
    let status = response.status();
    let text = response.into_body().into_string().await.unwrap_or_default();
    let document: Option<Value> = serde_json::from_str(&text).ok();
    (status, document.and_then(|document| Some(document.get("code")?.as_str()?.to_owned())))
}
