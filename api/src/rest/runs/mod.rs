mod body;

use std::sync::Arc;

use application::ports::commands::LogPosition;
use application::use_cases::RunRequest;
use application::{AppError, RequestContext};
use chrono::NaiveDate;
use domain::ids::RunId;
use poem::web::Data;
use poem_openapi::param::{Path, Query};
use poem_openapi::payload::Json;
use poem_openapi::{ApiResponse, Object, OpenApi};
use uuid::Uuid;

use self::body::{FoundRun, RunBody, RunList};
use super::Chapter;
use super::body::Shown;
use crate::AppState;
use crate::cursor::{After, PageLimit, page_request};
use crate::identity::SignedInUser;
use crate::input::{Input, both, one};
use crate::position::{header, settled};
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
    /// The run after the command. `null` where it was recorded, but cannot be shown within two seconds; look at it
    /// under `Location` then.
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
    ),
}

impl Accepted {
    async fn after(
        state: &AppState,
        context: &RequestContext,
        id: RunId,
        position: Option<LogPosition>,
    ) -> Result<Self, AppError> {
        let run = if settled(state, position).await {
            Some(state.read_runs.get(context, id).await?.item.into())
        } else {
            None
        };
        let answer = RunCommandAnswer { id: id.uuid(), run };
        Ok(Self::Accepted(Json(answer), format!("/api/v1/runs/{id}"), position.map(header)))
    }
}

pub(super) struct RunsApi;

#[OpenApi(prefix_path = "/api/v1", tag = "Chapter::Runs")]
impl RunsApi {
    /// Start a run
    ///
    /// Makes a report over whole days. Needs the right `runs:start`, an active company, its time zone, and all its
    /// integrations; `409` names everything that is missing.
    #[oai(path = "/runs", method = "post", operation_id = "start_run")]
    async fn start(
        &self,
        state: Data<&Arc<AppState>>,
        user: SignedInUser,
        days: Json<StartRun>,
    ) -> Result<Accepted, ApiError> {
        let Json(StartRun { from, to }) = days;
        let (first_day, last_day) = both(("from", from), ("to", to))?;
        let context = &user.0.context;
        let (id, position) = state.runs.start(context, RunRequest { id: None, first_day, last_day }).await?;
        Ok(Accepted::after(&state, context, id, position).await?)
    }

    /// List runs
    ///
    /// The company's runs with their steps, newest first. Needs the right `runs:read`.
    #[oai(path = "/runs", method = "get", operation_id = "list_runs")]
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
        Ok(Shown::new(state.read_runs.list(&user.0.context, page).await?))
    }

    /// Look at a run
    ///
    /// Where the run stands, and what each of its steps did, how long it took, and why it failed. Needs the right
    /// `runs:read`.
    #[oai(path = "/runs/:id", method = "get", operation_id = "get_run")]
    async fn get(
        &self,
        state: Data<&Arc<AppState>>,
        user: SignedInUser,
        /// The run.
        id: Path<Input<Uuid>>,
    ) -> Result<Shown<FoundRun>, ApiError> {
        let id = RunId::from(one("id", id.0)?);
        Ok(Shown::new(state.read_runs.get(&user.0.context, id).await?))
    }

    /// Cancel a run
    ///
    /// Final: a cancelled run does not go on. A step in progress is told within a second. Cancelling twice changes
    /// nothing. Needs the right `runs:start`.
    #[oai(path = "/runs/:id/cancel", method = "post", operation_id = "cancel_run")]
    async fn cancel(
        &self,
        state: Data<&Arc<AppState>>,
        user: SignedInUser,
        /// The run.
        id: Path<Input<Uuid>>,
    ) -> Result<Accepted, ApiError> {
        let (context, id) = (&user.0.context, RunId::from(one("id", id.0)?));
        let position = state.cancel.cancel(context, id).await?;
        Ok(Accepted::after(&state, context, id, position).await?)
    }

    /// Send a run's notification again
    ///
    /// For a notification that failed or is *uncertain*: cut off after it was sent, so that nobody knows whether it
    /// arrived. Synkro never repeats such a message on its own. Needs the right `runs:start`.
    #[oai(path = "/runs/:id/notification", method = "post", operation_id = "resend_notification")]
    async fn resend(
        &self,
        state: Data<&Arc<AppState>>,
        user: SignedInUser,
        /// The run.
        id: Path<Input<Uuid>>,
    ) -> Result<Accepted, ApiError> {
        let (context, id) = (&user.0.context, RunId::from(one("id", id.0)?));
        let position = state.resend.resend(context, id).await?;
        Ok(Accepted::after(&state, context, id, position).await?)
    }
}
