mod automation;
mod body;
mod catalogue;
mod fields;
mod trials;

use std::sync::Arc;

use application::ports::commands::{Expect, LogPosition};
use application::ports::read_models::{Found, RecordFilter};
use application::use_cases::IntegrationDetails;
use application::{AppError, IdempotencyKey, RequestContext};
use poem::web::Data;
use poem_openapi::param::{Path, Query};
use poem_openapi::payload::Json;
use poem_openapi::types::ToJSON;
use poem_openapi::{ApiResponse, OpenApi};
use serde_json::{Value, json};

pub(super) use self::automation::AutomationApi;
use self::body::{
    CatalogueBody, CheckedBody, IntegrationBody, ModelList, SaveIntegration, SavedBody, SchemaBody, Wizard,
};
use self::trials::{PromptList, RecordList, TrialBody, TryRequest, WriteBody};
use super::Chapter;
use super::body::Shown;
use super::recorded::{headers, seen_after};
use crate::AppState;
use crate::cursor::{After, PageLimit, page_request};
use crate::headers::{Sent, VersionTag, entity_tag, key, version};
use crate::idempotency::receipt;
use crate::identity::SignedInUser;
use crate::input::Input;
use crate::limits::api_limit;
use crate::position::{header, settled};
use crate::problem::ApiError;

/// The answer of commands that call a service.
#[derive(ApiResponse)]
enum Asked<T: ToJSON> {
    /// Done, and recorded for good. A service that failed is told in the answer; it is no error of the request.
    #[oai(status = 200)]
    Done(
        Json<T>,
        /// The command's place in the log; absent where nothing was recorded.
        #[oai(header = "Synkro-Position")]
        Option<String>,
        /// `true` where the request was a repeat, and this is its first outcome; absent otherwise.
        #[oai(header = "Idempotent-Replayed")]
        Option<String>,
    ),
}

impl<T: ToJSON> Asked<T> {
    fn new(value: impl Into<T>, position: Option<LogPosition>, replayed: bool) -> Self {
        let (position, replayed) = headers(position, replayed);
        Self::Done(Json(value.into()), position, replayed)
    }

    /// The answer, once the read models show what it tells.
    async fn after(state: &AppState, value: impl Into<T>, (position, replayed): (Option<LogPosition>, bool)) -> Self {
        settled(state, position).await;
        Self::new(value, position, replayed)
    }
}

#[derive(ApiResponse)]
enum IntegrationShown {
    /// What was asked for.
    #[oai(status = 200)]
    Ok(
        Json<IntegrationBody>,
        /// The version of the settings; `"0"` where nothing is saved. Send it as `If-Match` with a change that shall be made to
        /// this version only.
        #[oai(header = "ETag")]
        String,
    ),
}

impl From<Found<IntegrationDetails>> for IntegrationShown {
    fn from(found: Found<IntegrationDetails>) -> Self {
        let version = entity_tag(found.item.step.version.into());
        Self::Ok(Json(found.into()), version)
    }
}

#[derive(ApiResponse)]
enum Saved {
    /// Saved for good, and checked. A service that does not work is told in the answer; it is no error of the request.
    #[oai(status = 200)]
    Saved(
        Json<SavedBody>,
        /// The command's place in the log; absent where nothing was recorded.
        #[oai(header = "Synkro-Position")]
        Option<String>,
    ),
}

/// The integration, once the read models show it.
async fn shown(
    state: &AppState,
    context: &RequestContext,
    kind: &str,
    position: Option<LogPosition>,
) -> Result<Option<IntegrationBody>, AppError> {
    let seen = seen_after(state, position, state.integrations.read.get(context, kind)).await?;
    Ok(seen.map(IntegrationBody::from))
}

pub(super) struct IntegrationsApi;

#[expect(clippy::unused_async, reason = "the form that every operation has")]
#[OpenApi(prefix_path = "/api/v1", tag = "Chapter::Integrations")]
impl IntegrationsApi {
    /// Look at the settings wizard
    ///
    /// Every step in the order in which a company sets them up: whether it works, why not, and what to do. Needs the right
    /// `settings:write`.
    #[oai(path = "/integrations", method = "get", operation_id = "list_integrations", transform = "api_limit")]
    async fn list(&self, state: Data<&Arc<AppState>>, user: SignedInUser) -> Result<Shown<Wizard>, ApiError> {
        Ok(Shown::new(state.integrations.read.wizard(&user.0.context()).await?))
    }

    /// List what can be connected
    ///
    /// Every provider with what to do there, the settings and secrets to fill in, and what can be tried. Needs the right
    /// `settings:write`.
    #[oai(
        path = "/integrations/catalogue",
        method = "get",
        operation_id = "get_integration_catalogue",
        transform = "api_limit"
    )]
    async fn catalogue(
        &self,
        state: Data<&Arc<AppState>>,
        user: SignedInUser,
    ) -> Result<Shown<CatalogueBody>, ApiError> {
        Ok(Shown::new(state.integrations.read.catalogue(&user.0.context())?))
    }

    /// List the models of the AI account
    ///
    /// Asked from the provider with the saved key. Needs the right `settings:write`; `409` where no AI is set up.
    #[oai(path = "/integrations/ai/models", method = "get", operation_id = "list_ai_models", transform = "api_limit")]
    async fn models(&self, state: Data<&Arc<AppState>>, user: SignedInUser) -> Result<Shown<ModelList>, ApiError> {
        Ok(Shown::new(state.integrations.read.models(&user.0.context()).await?))
    }

    /// List the versions of the prompt
    ///
    /// Every saved version of the AI's settings, newest first. Needs the right `settings:write`.
    #[oai(path = "/integrations/ai/prompts", method = "get", operation_id = "list_ai_prompts", transform = "api_limit")]
    async fn prompts(
        &self,
        state: Data<&Arc<AppState>>,
        user: SignedInUser,
        /// How many versions at most.
        limit: Query<Option<Input<PageLimit>>>,
        /// The `next` of the answer before.
        cursor: Query<Option<Input<After>>>,
    ) -> Result<Shown<PromptList>, ApiError> {
        let (page, context) = (page_request(limit.0, cursor.0)?, user.0.context());
        Ok(Shown::new(state.integrations.read.records(&context, "ai", RecordFilter::Versions, page).await?))
    }

    /// Look at the schema of the company's storage
    ///
    /// The SQL to run in the Supabase project, and which version of the tables the project has. Needs the right
    /// `settings:write`.
    #[oai(
        path = "/integrations/supabase/schema",
        method = "get",
        operation_id = "get_storage_schema",
        transform = "api_limit"
    )]
    async fn schema(&self, state: Data<&Arc<AppState>>, user: SignedInUser) -> Result<Shown<SchemaBody>, ApiError> {
        Ok(Shown::new(state.integrations.read.storage_schema(&user.0.context()).await?))
    }

    /// Look at an integration
    ///
    /// Its settings, which secrets are stored, and whether it works. Secrets are `***`; nobody is shown more. Needs the right
    /// `settings:write`.
    #[oai(path = "/integrations/:kind", method = "get", operation_id = "get_integration", transform = "api_limit")]
    async fn get(
        &self,
        state: Data<&Arc<AppState>>,
        user: SignedInUser,
        /// The kind: `supabase`, `amocrm`, `radist`, `ai` or `telegram`.
        kind: Path<String>,
    ) -> Result<IntegrationShown, ApiError> {
        Ok(state.integrations.read.get(&user.0.context(), &kind).await?.into())
    }

    /// Save an integration
    ///
    /// All bad fields are named at once, and then nothing is saved. What is saved is checked at once. Saving the same again
    /// changes nothing. Needs the right `settings:write`.
    #[oai(path = "/integrations/:kind", method = "put", operation_id = "save_integration", transform = "api_limit")]
    async fn save(
        &self,
        state: Data<&Arc<AppState>>,
        user: SignedInUser,
        /// The kind: `supabase`, `amocrm`, `radist`, `ai` or `telegram`.
        kind: Path<String>,
        /// The `ETag` that the integration must still have, else `409` says which version it is at and nothing is saved. `*` is
        /// any version.
        #[oai(name = "If-Match")]
        if_match: Sent<VersionTag>,
        form: Json<SaveIntegration>,
    ) -> Result<Saved, ApiError> {
        let expected = match version(if_match)? {
            Expect::Any => None,
            Expect::Version(version) => Some(u32::try_from(version).unwrap_or(u32::MAX)),
        };
        let context = user.0.context();
        let saved = state.integrations.save.save(&context, &kind, form.0.read(), expected).await?;
        let integration = shown(&state, &context, &kind, saved.position).await?;
        let body = SavedBody { integration, check: saved.check.map(Into::into) };
        Ok(Saved::Saved(Json(body), saved.position.map(header)))
    }

    /// Check an integration
    ///
    /// Asks the service with what is saved whether it works, and records the answer. Needs the right `settings:write`.
    #[oai(
        path = "/integrations/:kind/check",
        method = "post",
        operation_id = "check_integration",
        transform = "api_limit"
    )]
    async fn check(
        &self,
        state: Data<&Arc<AppState>>,
        user: SignedInUser,
        /// The kind: `supabase`, `amocrm`, `radist`, `ai` or `telegram`.
        kind: Path<String>,
        /// Your name for this request: a repeat under it is answered with the first outcome, for 30 days.
        #[oai(name = "Idempotency-Key")]
        idempotency_key: Sent<IdempotencyKey>,
    ) -> Result<Asked<CheckedBody>, ApiError> {
        let receipt = receipt(key(idempotency_key)?, "check_integration", std::slice::from_ref(&kind.0), &Value::Null);
        let context = user.0.repeatable(receipt);
        let report = state.integrations.check.check_named(&context, &kind).await?;
        let (position, replayed) = (report.position, report.replayed);
        let integration = shown(&state, &context, &kind, position).await?;
        let body = CheckedBody { check: report.into(), integration };
        Ok(Asked::new(body, position, replayed))
    }

    /// Try an integration
    ///
    /// Does with what is saved what a run would do, on a small scale, and shows what came of it: the last 3 deals, their
    /// dialogues, an analysis of them, a message to the group, the version of the tables. Send an `Idempotency-Key`, so that a
    /// repeat sends no second message and pays no second answer: while the first is under way, a repeat is answered with `409`,
    /// `integration.trial_under_way`. Where Synkro runs as several processes, or the one at work is ended, a repeat before the
    /// first is recorded may be carried out again. Needs the right `settings:write`.
    #[oai(
        path = "/integrations/:kind/test",
        method = "post",
        operation_id = "test_integration",
        transform = "api_limit"
    )]
    async fn test(
        &self,
        state: Data<&Arc<AppState>>,
        user: SignedInUser,
        /// The kind: `supabase`, `amocrm`, `radist`, `ai` or `telegram`.
        kind: Path<String>,
        /// Your name for this request: a repeat under it is answered with the first outcome, for 30 days.
        #[oai(name = "Idempotency-Key")]
        idempotency_key: Sent<IdempotencyKey>,
        asked: Json<TryRequest>,
    ) -> Result<Asked<TrialBody>, ApiError> {
        let trial = asked.0.trial;
        let asked = json!({"trial": trial});
        let receipt = receipt(key(idempotency_key)?, "test_integration", std::slice::from_ref(&kind.0), &asked);
        let report = state.integrations.test.run(&user.0.repeatable(receipt), &kind, trial.as_deref()).await?;
        let recorded = (report.position, report.replayed);
        Ok(Asked::after(&state, report, recorded).await)
    }

    /// Write what was tried
    ///
    /// Writes what the last trial of the integration found to the company's storage, reads it back, and says how many rows are
    /// there. Writing twice changes nothing there. Needs the right `settings:write`; `409` where nothing was tried that can be
    /// written, or where it is no longer kept.
    #[oai(
        path = "/integrations/:kind/write",
        method = "post",
        operation_id = "write_integration_test",
        transform = "api_limit"
    )]
    async fn write(
        &self,
        state: Data<&Arc<AppState>>,
        user: SignedInUser,
        /// The kind: `amocrm` or `radist`.
        kind: Path<String>,
        /// Your name for this request: a repeat under it is answered with the first outcome, for 30 days.
        #[oai(name = "Idempotency-Key")]
        idempotency_key: Sent<IdempotencyKey>,
    ) -> Result<Asked<WriteBody>, ApiError> {
        let receipt =
            receipt(key(idempotency_key)?, "write_integration_test", std::slice::from_ref(&kind.0), &Value::Null);
        let report = state.integrations.write.write(&user.0.repeatable(receipt), &kind).await?;
        let recorded = (report.position, report.replayed);
        Ok(Asked::after(&state, report, recorded).await)
    }

    /// List what was tried
    ///
    /// What was tried of an integration, what the AI answered, and what was written, newest first. Needs the right
    /// `settings:write`.
    #[oai(
        path = "/integrations/:kind/tests",
        method = "get",
        operation_id = "list_integration_tests",
        transform = "api_limit"
    )]
    async fn tests(
        &self,
        state: Data<&Arc<AppState>>,
        user: SignedInUser,
        /// The kind: `supabase`, `amocrm`, `radist`, `ai` or `telegram`.
        kind: Path<String>,
        /// How many entries at most.
        limit: Query<Option<Input<PageLimit>>>,
        /// The `next` of the answer before.
        cursor: Query<Option<Input<After>>>,
    ) -> Result<Shown<RecordList>, ApiError> {
        let (page, context) = (page_request(limit.0, cursor.0)?, user.0.context());
        Ok(Shown::new(state.integrations.read.records(&context, &kind, RecordFilter::Trials, page).await?))
    }
}
