mod access;
mod accounts;
mod api_keys;
mod integrations;
mod memory;
mod oauth;
mod people;
mod ports;
mod services;
mod staff;

use std::sync::Arc;

use api::{AppState, TrustedProxies, routes};
use application::use_cases::{
    CancelRun, CheckAccess, ManageCatalogue, OpenAccount, ReadAudit, ReadInsights, ReadMatrix, ReadReports, ReadRuns,
    ResendNotification, RunStarter,
};
use domain::job_run::RetryPolicy;
use poem::http::{HeaderMap, Method};
use poem::{Endpoint, Request};
use serde_json::Value;

use self::access::Untouched;
use self::accounts::Accounts;
pub(crate) use self::api_keys::KEY;
pub(crate) use self::memory::{Memory, OWNER, PASSWORD, READER, STRANGER};

/// The API over a memory that the test can reach into.
pub(crate) struct Api {
    pub(crate) memory: Arc<Memory>,
    state: Arc<AppState>,
}

/// What a client got.
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) headers: HeaderMap,
    pub(crate) text: String,
}

impl Answer {
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.text).unwrap()
    }

    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).and_then(|value| value.to_str().ok())
    }

    /// The code of a problem document with this status.
    pub(crate) fn problem(&self, status: u16) -> String {
        assert_eq!(self.status, status, "{}", self.text);
        assert_eq!(self.header("content-type"), Some("application/problem+json"));
        self.json()["code"].as_str().unwrap().to_owned()
    }

    /// The names of the bad fields.
    pub(crate) fn bad_fields(&self) -> Vec<String> {
        assert_eq!(self.problem(422), "input.invalid");
        let body = self.json();
        body["fields"].as_array().unwrap().iter().map(|field| field["field"].as_str().unwrap().to_owned()).collect()
    }
}

impl Api {
    pub(crate) fn new() -> Self {
        let memory = Arc::new(Memory::new());
        let accounts = Accounts::of(&memory);
        let invite = Arc::new(people::invite(&memory));
        let state = Arc::new(AppState {
            authentication: accounts.authentication,
            sign_in: accounts.sign_in,
            refresh: accounts.refresh,
            read_sessions: accounts.read_sessions,
            change_password: accounts.change_password,
            staff: Arc::new(staff::staff(&memory, &accounts.end_sessions)),
            tenants: Arc::new(staff::tenants(&memory)),
            provisioning: Arc::new(staff::provisioning(&memory)),
            tenant_users: Arc::new(staff::tenant_users(&accounts.users, &invite)),
            users: accounts.users,
            reset_password: Arc::new(people::reset_password(&memory, &accounts.end_sessions)),
            change_email: Arc::new(people::change_email(&memory)),
            second_factor: Arc::new(people::second_factor(&memory, &accounts.end_sessions)),
            invite,
            accept: Arc::new(people::accept(&memory)),
            registration: Arc::new(people::registration(&memory)),
            outbox: Arc::new(Untouched),
            api_keys: Arc::new(api_keys::manage_api_keys(&memory)),
            clock: memory.clone(),
            end_sessions: accounts.end_sessions,
            runs: Arc::new(RunStarter {
                runs: memory.clone(),
                automations: memory.clone(),
                integrations: memory.clone(),
                tenants: memory.clone(),
                policy: RetryPolicy::default(),
                clock: memory.clone(),
                ids: memory.clone(),
            }),
            authorize: Arc::new(oauth::authorize(&memory)),
            cancel: Arc::new(CancelRun { runs: memory.clone(), clock: memory.clone() }),
            resend: Arc::new(ResendNotification { runs: memory.clone(), clock: memory.clone() }),
            read_runs: Arc::new(ReadRuns { runs: memory.clone() }),
            read_reports: Arc::new(ReadReports {
                reports: memory.clone(),
                accounts: Arc::new(OpenAccount { tokens: oauth::tokens(&memory), vault: memory.clone() }),
                connectors: memory.clone(),
            }),
            read_audit: Arc::new(ReadAudit { trail: Arc::new(Untouched) }),
            impersonate: Arc::new(staff::impersonate(&memory)),
            read_insights: Arc::new(ReadInsights { insights: Arc::new(Untouched) }),
            matrix: Arc::new(Untouched),
            manage_roles: Arc::new(access::manage_roles(&memory)),
            manage_catalogue: Arc::new(ManageCatalogue { catalogues: Arc::new(Untouched), clock: memory.clone() }),
            read_matrix: Arc::new(ReadMatrix { roles: Arc::new(Untouched), entries: Arc::new(Untouched) }),
            check_access: Arc::new(CheckAccess { users: memory.clone(), matrix: Arc::new(Untouched) }),
            integrations: integrations::integrations(&memory),
            progress: memory.clone(),
            standings: memory.clone(),
            circuits: memory.clone(),
            health: memory.clone(),
            limits: memory.clone(),
            proxies: TrustedProxies { ranges: vec!["10.0.0.0/8".parse().unwrap()], ..TrustedProxies::default() },
            ids: memory.clone(),
        });
        Self { memory, state }
    }

    pub(crate) fn state(&self) -> Arc<AppState> {
        Arc::clone(&self.state)
    }

    pub(crate) async fn send(&self, request: Request) -> Answer {
        let response = Box::pin(routes(self.state()).get_response(request)).await;
        let (status, headers) = (response.status().as_u16(), response.headers().clone());
        Answer { status, headers, text: response.into_body().into_string().await.unwrap() }
    }

    pub(crate) async fn get(&self, path: &str, user: &str) -> Answer {
        self.send(request(Method::GET, path, user).finish()).await
    }

    pub(crate) async fn post(&self, path: &str, user: &str, body: &Value) -> Answer {
        let body = body.to_string();
        self.send(request(Method::POST, path, user).content_type("application/json").body(body)).await
    }

    /// Starts a run over one day and gives its id.
    pub(crate) async fn started_run(&self) -> String {
        let days = serde_json::json!({"from": "2026-06-01", "to": "2026-06-01"});
        let answer = self.post("/api/v1/runs", OWNER, &days).await;
        assert_eq!(answer.status, 202, "{}", answer.text);
        answer.json()["id"].as_str().unwrap().to_owned()
    }
}

/// A request of a user; of nobody where the name is empty.
pub(crate) fn request(method: Method, path: &str, user: &str) -> poem::RequestBuilder {
    let request = Request::builder().method(method).uri_str(path);
    if user.is_empty() { request } else { request.header("authorization", format!("Bearer token-of-{user}")) }
}
