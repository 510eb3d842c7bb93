//! Those who call the API: `owner.get("/api/v1/users/me").await`.

#![expect(clippy::missing_panics_doc, reason = "a test fails by panicking; that is what these are for")]

use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use application::ports::commands::LogPosition;
use chrono::NaiveDate;
use reqwest::header::{AUTHORIZATION, CONTENT_TYPE, HeaderMap};
use reqwest::{Method, RequestBuilder};
use serde_json::{Value, json};
use tokio::time::Instant;

use crate::runs::RunAnswer;
use crate::secrets::Secrets;

/// How long a run may take to end.
const RUN_PATIENCE: Duration = Duration::from_mins(1);

/// How often a run is looked at.
const LOOK_EVERY: Duration = Duration::from_millis(20);

/// How long a caller asks again for what is not shown yet; other tests' transactions may hold the log's readers back.
const BEHIND_PATIENCE: Duration = Duration::from_secs(20);

/// The header of a place in the log.
const POSITION: &str = "synkro-position";

/// Someone who calls the API, signed in or not. Every answer is searched for secrets.
#[derive(Clone)]
pub struct Actor {
    client: reqwest::Client,
    address: SocketAddr,
    token: Option<String>,
    secrets: Secrets,
    recorded: Option<Recorded>,
}

/// The last place in the log that callers of one process were told: what their next requests name, as good clients do.
type Recorded = Arc<Mutex<Option<LogPosition>>>;

impl Actor {
    /// Someone who is not signed in.
    pub(crate) fn anonymous(address: SocketAddr, secrets: Secrets) -> Self {
        Self { client: reqwest::Client::new(), address, token: None, secrets, recorded: Some(Recorded::default()) }
    }

    /// The same caller with this token.
    #[must_use]
    pub fn with_token(&self, token: &str) -> Self {
        Self { token: Some(token.to_owned()), ..self.clone() }
    }

    /// The token, of someone who is signed in.
    pub fn token(&self) -> &str {
        self.token.as_deref().expect("someone who is signed in")
    }

    /// A request that can be completed by hand; [`Actor::send`] sends it.
    pub fn request(&self, method: Method, path: &str) -> RequestBuilder {
        let request = self.client.request(method, format!("http://{}{path}", self.address));
        match &self.token {
            Some(token) => request.header(AUTHORIZATION, format!("Bearer {token}")),
            None => request,
        }
    }

    /// The same caller, who takes what is shown without asking to see what was recorded before.
    #[must_use]
    pub fn careless(&self) -> Self {
        Self { recorded: None, ..self.clone() }
    }

    /// Sends a request, again where what was recorded before is not shown yet.
    pub async fn send(&self, request: RequestBuilder) -> Answer {
        let request = match self.recorded() {
            Some(position) => request.header(POSITION, position.to_string()),
            None => request,
        };
        let deadline = Instant::now() + BEHIND_PATIENCE;
        loop {
            let again = request.try_clone();
            let answer = self.send_once(again.expect("a body that can be sent again")).await;
            let is_behind = answer.status == 503 && answer.json()["code"] == "system.behind";
            if !is_behind || self.recorded.is_none() || Instant::now() > deadline {
                return answer;
            }
        }
    }

    /// What its request has to name; public operations read no position.
    fn recorded(&self) -> Option<LogPosition> {
        let recorded = self.recorded.as_ref().filter(|_| self.token.is_some())?;
        *recorded.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn record(&self, headers: &HeaderMap) {
        let position = headers.get(POSITION).and_then(|value| value.to_str().ok()?.parse().ok());
        if let Some(recorded) = &self.recorded {
            let mut recorded = recorded.lock().unwrap_or_else(PoisonError::into_inner);
            *recorded = position.max(*recorded);
        }
    }

    async fn send_once(&self, request: RequestBuilder) -> Answer {
        let response = request.send().await.expect("the API answers");
        let (status, headers) = (response.status().as_u16(), response.headers().clone());
        let text = response.text().await.expect("a whole answer of text");
        self.secrets.assert_none_in(&format!("{headers:?} {text}"), "an answer of the API");
        self.record(&headers);
        Answer { status, headers, text }
    }

    /// `GET`.
    pub async fn get(&self, path: &str) -> Answer {
        self.send(self.request(Method::GET, path)).await
    }

    /// `POST` with a JSON body.
    pub async fn post(&self, path: &str, body: &Value) -> Answer {
        self.send(self.request(Method::POST, path).json(body)).await
    }

    /// `PUT` with a JSON body.
    pub async fn put(&self, path: &str, body: &Value) -> Answer {
        self.send(self.request(Method::PUT, path).json(body)).await
    }

    /// Signs in.
    pub async fn sign_in(&self, email: &str, password: &str) -> Self {
        let body = json!({"email": email, "password": password});
        let answer = self.post("/api/v1/public/users/login", &body).await.expect(200);
        self.with_token(answer["access_token"].as_str().expect("a token"))
    }

    /// Asks for a run over these days and returns its id.
    pub async fn start_run(&self, (from, to): (NaiveDate, NaiveDate)) -> String {
        let answer = self.post("/api/v1/runs", &json!({"from": from, "to": to})).await.expect(202);
        answer["id"].as_str().expect("a run's id").to_owned()
    }

    /// Looks at a run.
    pub async fn run(&self, id: &str) -> RunAnswer {
        RunAnswer(self.get(&format!("/api/v1/runs/{id}")).await.expect(200))
    }

    /// Looks at a run until it looks right.
    pub async fn run_until(&self, id: &str, right: impl Fn(&RunAnswer) -> bool) -> RunAnswer {
        let deadline = Instant::now() + RUN_PATIENCE;
        loop {
            let run = self.run(id).await;
            if right(&run) {
                return run;
            }
            assert!(Instant::now() < deadline, "the run never came so far: {:#}", run.0);
            tokio::time::sleep(LOOK_EVERY).await;
        }
    }

    /// Waits for a run's end.
    pub async fn ended_run(&self, id: &str) -> RunAnswer {
        self.run_until(id, |run| run.status() != "running").await
    }

    /// Starts a run over these days and waits for its end.
    pub async fn run_report(&self, days: (NaiveDate, NaiveDate)) -> RunAnswer {
        let id = self.start_run(days).await;
        self.ended_run(&id).await
    }
}

/// What the API answered.
#[derive(Debug, Clone)]
pub struct Answer {
    /// The HTTP status.
    pub status: u16,
    /// The headers.
    pub headers: HeaderMap,
    /// The body.
    pub text: String,
}

impl Answer {
    /// A header's value.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).and_then(|value| value.to_str().ok())
    }

    /// The body as JSON.
    #[track_caller]
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.text).unwrap_or_else(|_| panic!("no JSON: {self:?}"))
    }

    /// The body of an answer with this status.
    #[track_caller]
    pub fn expect(&self, status: u16) -> Value {
        assert_eq!(self.status, status, "{}", self.text);
        self.json()
    }

    /// The problem document of an answer with this status and code, checked for being a whole one (RFC 9457).
    #[track_caller]
    pub fn problem(&self, status: u16, code: &str) -> Value {
        let problem = self.any_problem();
        assert_eq!((self.status, problem["code"].as_str()), (status, Some(code)), "{problem:#}");
        problem
    }

    /// A problem document of whatever kind.
    #[track_caller]
    pub fn any_problem(&self) -> Value {
        assert_eq!(self.header(CONTENT_TYPE.as_str()), Some("application/problem+json"), "{self:?}");
        let problem = self.json();
        assert_eq!(problem["status"], self.status, "{problem:#}");
        assert_eq!(problem["request_id"].as_str(), self.header("x-request-id"), "{problem:#}");
        for text in ["type", "title", "detail", "code"] {
            assert!(problem[text].as_str().is_some_and(|text| !text.is_empty()), "no {text}: {problem:#}");
        }
        problem
    }

    /// The names of the bad fields of an answer that refuses input.
    #[track_caller]
    pub fn bad_fields(&self) -> Vec<String> {
        let problem = self.problem(422, "input.invalid");
        let fields = problem["fields"].as_array().expect("a list of fields");
        let name = |field: &Value| field["field"].as_str().expect("a field's name").to_owned();
        fields.iter().map(name).collect()
    }
}
