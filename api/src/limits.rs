//! How often operations may be asked. Each operation says beside its route which class it is counted in:
//! `transform = "api_limit"`. One that says none is not limited; a test lists them.
//!
//! A request is counted for its address and, where it shows a good token or API key, for the company, both in one question.
//! Whoever shows a bad one is counted for the address. Answers say in `RateLimit` and `RateLimit-Policy`
//! (draft-ietf-httpapi-ratelimit-headers-10) where the budgets stand.

use std::fmt::Write as _;
use std::net::{IpAddr, Ipv4Addr};
use std::sync::Arc;
use std::time::Duration;

use application::ports::limits::{Budget, LimitClass, LimitSubject, Verdict};
use poem::http::{HeaderName, HeaderValue};
use poem::{Endpoint, IntoResponse, Request, Response};

use crate::AppState;
use crate::client_address::ClientAddress;
use crate::identity::recognize;
use crate::problem::{ApiError, internal};

static RATE_LIMIT: HeaderName = HeaderName::from_static("ratelimit");
static RATE_LIMIT_POLICY: HeaderName = HeaderName::from_static("ratelimit-policy");

/// Signing in, registering, links by mail.
pub fn auth_limit<E: Endpoint>(operation: E) -> impl Endpoint<Output = Response> {
    Limited { class: LimitClass::Auth, operation }
}

/// Renewing a session.
pub fn refresh_limit<E: Endpoint>(operation: E) -> impl Endpoint<Output = Response> {
    Limited { class: LimitClass::Refresh, operation }
}

/// Everything that people and programs ask otherwise.
pub fn api_limit<E: Endpoint>(operation: E) -> impl Endpoint<Output = Response> {
    Limited { class: LimitClass::Api, operation }
}

/// What other services report.
pub fn webhook_limit<E: Endpoint>(operation: E) -> impl Endpoint<Output = Response> {
    Limited { class: LimitClass::Webhook, operation }
}

struct Limited<E> {
    class: LimitClass,
    operation: E,
}

/// The budgets of a request, attached to its answer or its error.
#[derive(Clone)]
pub(crate) struct Budgets(Arc<[Budget]>);

impl<E: Endpoint> Endpoint for Limited<E> {
    type Output = Response;

    async fn call(&self, mut request: Request) -> poem::Result<Response> {
        let state = request.data::<Arc<AppState>>().cloned().ok_or_else(|| internal("the state is not attached"))?;
        // What did not come over TCP has no address; all of that is one client.
        let address = request.data().map_or(IpAddr::V4(Ipv4Addr::UNSPECIFIED), |ClientAddress(address)| *address);
        let mut subjects = vec![LimitSubject::address(address)];
        subjects.extend(recognize(&mut request, &state).await.map(LimitSubject::Tenant));
        let verdict = state.limits.take(self.class, &subjects).await;
        let budgets = Budgets(verdict.budgets().into());
        let answer = match verdict {
            Verdict::Granted(_) => self.operation.call(request).await.map(IntoResponse::into_response),
            Verdict::Refused { wait, .. } => Err(ApiError::TooMany { wait }.into()),
        };
        match answer {
            Ok(mut response) => {
                response.set_data(budgets);
                Ok(response)
            }
            Err(mut error) => {
                error.set_data(budgets);
                Err(error)
            }
        }
    }
}

impl Budgets {
    /// Writes the headers.
    pub(crate) fn describe(&self, response: &mut Response) {
        let (mut policy, mut standing) = (String::new(), String::new());
        for budget in self.0.iter() {
            let comma = if policy.is_empty() { "" } else { ", " };
            let (class, subject) = (budget.class.name(), budget.subject.kind());
            let (limit, window) = (budget.limit, whole_seconds(budget.window));
            let (remaining, full_in) = (budget.remaining, whole_seconds(budget.full_in));
            let _ = write!(policy, "{comma}\"{class}-{subject}\";q={limit};w={window}");
            let _ = write!(standing, "{comma}\"{class}-{subject}\";r={remaining};t={full_in}");
        }
        for (name, value) in [(&RATE_LIMIT_POLICY, policy), (&RATE_LIMIT, standing)] {
            if let Ok(value) = HeaderValue::from_str(&value)
                && !value.is_empty()
            {
                response.headers_mut().insert(name, value);
            }
        }
    }
}

/// Seconds, rounded up, so that nobody who waits for them comes too early.
pub(crate) fn whole_seconds(time: Duration) -> u64 {
    time.as_secs() + u64::from(time.subsec_nanos() > 0)
}
