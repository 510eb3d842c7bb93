mod body;

use std::sync::Arc;

use application::ports::read_models::{Found, RunView};
use application::use_cases::{RunOutcome, RunRequest};
use application::{AppError, IdempotencyKey, RequestContext};
use chrono::NaiveDate;
use domain::ids::RunId;
use poem::web::Data;
use poem_openapi::param::{Path, Query};
use poem_openapi::payload::Json;
use poem_openapi::{ApiResponse, Object, OpenApi};
use serde_json::{Value, json};
use uuid::Uuid;

use self::body::{FoundRun, RunBody, RunList};
use super::Chapter;
use super::body::Shown;
use super::recorded::{headers, seen_after};
use crate::AppState;
use crate::cursor::{After, PageLimit, page_request};
use crate::headers::{Sent, VersionTag, entity_tag, key, key_and_version};
use crate::idempotency::receipt;
use crate::identity::SignedInUser;
use crate::input::{Input, both, one};
use crate::limits::api_limit;
use crate::problem::ApiError;

/// The days of a report, as the company counts days.
#[derive(Object)]
#[oai(write_only_all)]
struct StartRun {
    /// First day.
    from: Input<NaiveDate>,
    /// Last day, included; 92 days in all at most.
    to: Input<NaiveDate>,
}

/// What became of a command.
#[derive(Object)]
struct RunCommandAnswer {
    /// The run.
    id: Uuid,
    /// The run after the command, as it is when this is answered. `null` where the command was recorded, but cannot be
    /// shown within two seconds; look at it under `Location` then.
    #[oai(nullable)]
    run: Option<RunBody>,
}

#[derive(ApiResponse)]
enum Accepted {
    /// Recorded for good; the pipeline acts on it from here on.
    #[oai(status = 202)]
    Accepted(
        Json<RunCommandAnswer>,
        /// The run's address.
        #[oai(header = "Location")]
        String,
        /// The command's place in the log; absent where there was nothing to change.
        #[oai(header = "Synkro-Position")]
        Option<String>,
        /// `true` where the request was a repeat, and this is its first outcome; absent otherwise.
        #[oai(header = "Idempotent-Replayed")]
        Option<String>,
    ),
}

impl Accepted {
    async fn after(state: &AppState, context: &RequestContext, outcome: RunOutcome) -> Result<Self, AppError> {
        let RunOutcome { run_id: id, position, replayed } = outcome;
        let run = seen_after(state, position, state.read_runs.get(context, id)).await?;
        let answer = Json(RunCommandAnswer { id: id.uuid(), run: run.map(|found| found.item.into()) });
        let (position, replayed) = headers(position, replayed);
        Ok(Self::Accepted(answer, format!("/api/v1/runs/{id}"), position, replayed))
    }
}

#[derive(ApiResponse)]
enum RunShown {
    /// What was asked for.
    #[oai(status = 200)]
    Ok(
        Json<FoundRun>,
        /// The run's version: the number of its last event that this answer has seen. Send it as `If-Match` with a
        /// command that shall be decided on this version only.
        #[oai(header = "ETag")]
        String,
    ),
}

impl From<Found<RunView>> for RunShown {
    fn from(found: Found<RunView>) -> Self {
        let version = entity_tag(found.item.version);
        Self::Ok(Json(found.into()), version)
    }
}

pub(super) struct RunsApi;

#[OpenApi(prefix_path = "/api/v1", tag = "Chapter::Runs")]
impl RunsApi {
    /// Start a run
    ///
    /// Makes a report over whole days. Needs the right `runs:start`, an active company, its time zone, and all its
    /// integrations; `409` names everything that is missing. Send an `Idempotency-Key`, so that a repeat starts no
    /// second run.
    #[oai(path = "/runs", method = "post", operation_id = "start_run", transform = "api_limit")]
    async fn start(
        &self,
        state: Data<&Arc<AppState>>,
        user: SignedInUser,
        /// Your name for this request: a repeat under it is answered with the first outcome, for 30 days.
        #[oai(name = "Idempotency-Key")]
        idempotency_key: Sent<IdempotencyKey>,
        days: Json<StartRun>,
    ) -> Result<Accepted, ApiError> {
        let key = key(idempotency_key)?;
        let Json(StartRun { from, to }) = days;
        let (first_day, last_day) = both(("from", from), ("to", to))?;
        let asked = json!({"from": first_day.to_string(), "to": last_day.to_string()});
        let context = user.0.repeatable(receipt(key, "start_run", &[], &asked));
        let outcome = state.runs.start(&context, RunRequest { id: None, first_day, last_day }).await?;
        Ok(Accepted::after(&state, &context, outcome).await?)
    }

    /// List runs
    ///
    /// The company's runs with their steps, newest first. Needs the right `runs:read`.
    #[oai(path = "/runs", method = "get", operation_id = "list_runs", transform = "api_limit")]
    async fn list(
        &self,
        state: Data<&Arc<AppState>>,
        user: SignedInUser,
        /// How many runs at most.
        limit: Query<Option<Input<PageLimit>>>,
        /// The `next` of the answer before.
        cursor: Query<Option<Input<After>>>,
    ) -> Result<Shown<RunList>, ApiError> {
        let page = page_request(limit.0, cursor.0)?;
        Ok(Shown::new(state.read_runs.list(&user.0.context(), page).await?))
    }

    /// Look at a run
    ///
    /// Where the run stands, and what each of its steps did, how long it took, and why it failed. Needs the right
    /// `runs:read`.
    #[oai(path = "/runs/:id", method = "get", operation_id = "get_run", transform = "api_limit")]
    async fn get(
        &self,
        state: Data<&Arc<AppState>>,
        user: SignedInUser,
        /// The run.
        id: Path<Input<Uuid>>,
    ) -> Result<RunShown, ApiError> {
        let id = RunId::from(one("id", id.0)?);
        Ok(state.read_runs.get(&user.0.context(), id).await?.into())
    }

    /// Cancel a run
    ///
    /// Final: a cancelled run does not go on. A step in progress is told within a second. Cancelling twice changes
    /// nothing. Needs the right `runs:start`.
    #[oai(path = "/runs/:id/cancel", method = "post", operation_id = "cancel_run", transform = "api_limit")]
    async fn cancel(
        &self,
        state: Data<&Arc<AppState>>,
        user: SignedInUser,
        /// The run.
        id: Path<Input<Uuid>>,
        /// Your name for this request: a repeat under it is answered with the first outcome, for 30 days.
        #[oai(name = "Idempotency-Key")]
        idempotency_key: Sent<IdempotencyKey>,
        /// The `ETag` that the run must still have, else `409` says which version it is at and nothing is recorded. `*`
        /// is any version.
        #[oai(name = "If-Match")]
        if_match: Sent<VersionTag>,
    ) -> Result<Accepted, ApiError> {
        let (key, expect) = key_and_version(idempotency_key, if_match)?;
        let id = RunId::from(one("id", id.0)?);
        let context = user.0.repeatable(receipt(key, "cancel_run", &[id.to_string()], &Value::Null));
        let outcome = state.cancel.cancel(&context, id, expect).await?;
        Ok(Accepted::after(&state, &context, outcome).await?)
    }

    /// Send a run's notification again
    ///
    /// For a notification that failed or is *uncertain*: cut off after it was sent, so that nobody knows whether it
    /// arrived. Synkro never repeats such a message on its own. Needs the right `runs:start`.
    #[oai(
        path = "/runs/:id/notification",
        method = "post",
        operation_id = "resend_notification",
        transform = "api_limit"
    )]
    async fn resend(
        &self,
        state: Data<&Arc<AppState>>,
        user: SignedInUser,
        /// The run.
        id: Path<Input<Uuid>>,
        /// Your name for this request: a repeat under it is answered with the first outcome, for 30 days.
        #[oai(name = "Idempotency-Key")]
        idempotency_key: Sent<IdempotencyKey>,
        /// The `ETag` that the run must still have, else `409` says which version it is at and nothing is recorded. `*`
        /// is any version.
        #[oai(name = "If-Match")]
        if_match: Sent<VersionTag>,
    ) -> Result<Accepted, ApiError> {
        let (key, expect) = key_and_version(idempotency_key, if_match)?;
        let id = RunId::from(one("id", id.0)?);
        let context = user.0.repeatable(receipt(key, "resend_notification", &[id.to_string()], &Value::Null));
        let outcome = state.resend.resend(&context, id, expect).await?;
        Ok(Accepted::after(&state, &context, outcome).await?)
    }
}
