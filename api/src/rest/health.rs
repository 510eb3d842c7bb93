use std::sync::Arc;
use std::time::Duration;

use application::ports::health::{Dependency, DependencyState};
use poem::web::Data;
use poem_openapi::payload::Json;
use poem_openapi::types::Example;
use poem_openapi::{ApiResponse, Enum, Object, OpenApi};

use super::Chapter;
use super::body::Shown;
use crate::AppState;

/// How long the dependencies may take to answer.
const PATIENCE: Duration = Duration::from_secs(3);

/// That the process is up.
#[derive(Object)]
#[oai(example)]
struct Alive {
    /// Always `ok`.
    status: String,
    /// The program's version.
    version: String,
}

impl Alive {
    fn now() -> Self {
        Self { status: "ok".into(), version: env!("CARGO_PKG_VERSION").into() }
    }
}

impl Example for Alive {
    fn example() -> Self {
        Self::now()
    }
}

/// Whether requests can be answered now.
#[derive(Object)]
#[oai(example)]
struct Readiness {
    /// True where no dependency is down.
    ready: bool,
    /// What Synkro depends on.
    dependencies: Vec<DependencyBody>,
}

/// A part that Synkro depends on.
#[derive(Object)]
struct DependencyBody {
    /// Its name.
    name: String,
    /// Whether it answers. Without a `degraded` one requests are answered all the same.
    state: State,
    /// Why it is down or degraded.
    #[oai(skip_serializing_if_is_none)]
    reason: Option<String>,
}

#[derive(Enum, PartialEq, Eq)]
#[oai(rename = "DependencyState", rename_all = "snake_case")]
enum State {
    Up,
    Degraded,
    Down,
}

impl From<Dependency> for DependencyBody {
    fn from(Dependency { name, state }: Dependency) -> Self {
        let (state, reason) = match state {
            DependencyState::Up => (State::Up, None),
            DependencyState::Degraded { reason } => (State::Degraded, Some(reason)),
            DependencyState::Down { reason } => (State::Down, Some(reason)),
        };
        Self { name: name.into(), state, reason }
    }
}

impl Example for Readiness {
    fn example() -> Self {
        let reason = Some("no answer within 3 seconds".into());
        let database = DependencyBody { name: "database".into(), state: State::Down, reason };
        Self { ready: false, dependencies: vec![database] }
    }
}

#[derive(ApiResponse)]
enum ReadinessAnswer {
    /// No dependency is down.
    #[oai(status = 200)]
    Ready(Json<Readiness>),
    /// Some dependency is down; the list says which and why.
    #[oai(status = 503)]
    NotReady(Json<Readiness>),
}

pub(super) struct HealthApi;

#[OpenApi(tag = "Chapter::Health")]
#[expect(clippy::unused_async, reason = "every operation is awaited, those that wait for nothing too")]
impl HealthApi {
    /// Is the process up?
    ///
    /// Answers without asking any dependency; for restarting a process that hangs.
    #[oai(path = "/health", method = "get", operation_id = "get_health")]
    async fn health(&self) -> Shown<Alive> {
        Shown::new(Alive::now())
    }

    /// Is the process up, as seen under the API's own path?
    ///
    /// The same as `/health`, for clients that reach `/api/v1` only.
    #[oai(path = "/api/v1/public/healthcheck", method = "get", operation_id = "get_healthcheck")]
    async fn healthcheck(&self) -> Shown<Alive> {
        Shown::new(Alive::now())
    }

    /// Can requests be answered now?
    ///
    /// Asks every dependency; for deciding whether a load balancer sends requests here.
    #[oai(path = "/ready", method = "get", operation_id = "get_readiness")]
    async fn ready(&self, state: Data<&Arc<AppState>>) -> ReadinessAnswer {
        let asked = tokio::time::timeout(PATIENCE, state.health.dependencies()).await;
        let dependencies = asked.unwrap_or_else(|_| vec![unanswered()]);
        let dependencies: Vec<DependencyBody> = dependencies.into_iter().map(DependencyBody::from).collect();
        let ready = dependencies.iter().all(|dependency| dependency.state != State::Down);
        let body = Json(Readiness { ready, dependencies });
        if ready { ReadinessAnswer::Ready(body) } else { ReadinessAnswer::NotReady(body) }
    }
}

fn unanswered() -> Dependency {
    let reason = format!("no answer within {} seconds", PATIENCE.as_secs());
    Dependency { name: "dependencies", state: DependencyState::Down { reason } }
}
