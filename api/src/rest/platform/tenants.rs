use std::sync::Arc;

use application::ports::read_models::{TenantFilter, TenantStatus};
use application::use_cases::{NewTenant, TenantChange};
use application::{IdempotencyKey, RequestContext};
use domain::access::Preset;
use domain::ids::TenantId;
use domain::values::Language;
use poem::web::Data;
use poem_openapi::OpenApi;
use poem_openapi::param::{Path, Query};
use poem_openapi::payload::Json;
use serde_json::json;
use uuid::Uuid;

use super::body::{CloseBody, FoundTenant, Made, NamePart, ProvisionBody, ReasonBody, RenameBody, TenantList};
use crate::AppState;
use crate::cursor::{After, PageLimit, page_request};
use crate::headers::{Sent, key};
use crate::idempotency::receipt;
use crate::identity::SignedInUser;
use crate::input::{Input, both, one};
use crate::limits::api_limit;
use crate::problem::ApiError;
use crate::rest::Chapter;
use crate::rest::body::{Done, Shown};

async fn change(state: &AppState, context: &RequestContext, id: Uuid, change: TenantChange) -> Result<Done, ApiError> {
    let position = state.tenants.change(context, TenantId::from(id), change).await?;
    Ok(Done::after(state, position).await)
}

pub(in crate::rest) struct TenantsApi;

#[OpenApi(prefix_path = "/api/v1/platform", tag = "Chapter::Platform")]
impl TenantsApi {
    /// List companies
    ///
    /// Newest first. For staff with the platform right `platform.tenants:read`.
    #[oai(path = "/tenants", method = "get", operation_id = "list_tenants", transform = "api_limit")]
    #[expect(clippy::too_many_arguments, reason = "each parameter of a query is an argument to the framework")]
    async fn list(
        &self,
        state: Data<&Arc<AppState>>,
        user: SignedInUser,
        /// Only those in this situation.
        status: Query<Option<Input<TenantStatus>>>,
        /// Only those whose name or short name has this part, in whatever case.
        text: Query<Option<Input<NamePart>>>,
        /// How many companies at most.
        limit: Query<Option<Input<PageLimit>>>,
        /// The `next` of the answer before.
        cursor: Query<Option<Input<After>>>,
    ) -> Result<Shown<TenantList>, ApiError> {
        let page = page_request(limit.0, cursor.0)?;
        let (status, text) = both(("status", Input::optional(status.0)), ("text", Input::optional(text.0)))?;
        let filter = TenantFilter { status, text: text.map(|NamePart(text)| text) };
        Ok(Shown::new(state.tenants.list(&user.0.context(), &filter, page).await?))
    }

    /// Look at a company
    ///
    /// For staff with the platform right `platform.tenants:read`.
    #[oai(path = "/tenants/:id", method = "get", operation_id = "get_tenant", transform = "api_limit")]
    async fn get(
        &self,
        state: Data<&Arc<AppState>>,
        user: SignedInUser,
        /// The company.
        id: Path<Input<Uuid>>,
    ) -> Result<Shown<FoundTenant>, ApiError> {
        let id = TenantId::from(one("id", id.0)?);
        Ok(Shown::new(state.tenants.get(&user.0.context(), id).await?))
    }

    /// Set a company up
    ///
    /// It has its first roles and no users; invite an owner, and activate it. For staff with the platform right
    /// `platform.tenants:write`. `409` where the short name is taken.
    #[oai(path = "/tenants", method = "post", operation_id = "provision_tenant", transform = "api_limit")]
    async fn provision(
        &self,
        state: Data<&Arc<AppState>>,
        user: SignedInUser,
        /// Your name for this request: a repeat under it is answered with the first outcome, for 30 days.
        #[oai(name = "Idempotency-Key")]
        idempotency_key: Sent<IdempotencyKey>,
        company: Json<ProvisionBody>,
    ) -> Result<Made, ApiError> {
        let key = key(idempotency_key)?;
        let Json(ProvisionBody { name, slug, language, preset }) = company;
        let (name, slug) = both(("name", name), ("slug", slug))?;
        let language = language.map_or(Language::English, Language::from);
        let preset = preset.map_or(Preset::Sales, Preset::from);
        let asked = json!({"name": name, "slug": slug, "language": language, "preset": preset.name()});
        let context = user.0.repeatable(receipt(key, "provision_tenant", &[], &asked));
        let id = context.new_tenant_id(state.ids.as_ref());
        let made = state.provisioning.provision(&context, NewTenant { id, name, slug, language, preset }).await?;
        Ok(Made::after(&state, made.id.uuid(), made.position, made.replayed).await)
    }

    /// Rename a company
    ///
    /// For staff with the platform right `platform.tenants:write`.
    #[oai(path = "/tenants/:id", method = "patch", operation_id = "rename_tenant", transform = "api_limit")]
    async fn rename(
        &self,
        state: Data<&Arc<AppState>>,
        user: SignedInUser,
        /// The company.
        id: Path<Input<Uuid>>,
        body: Json<RenameBody>,
    ) -> Result<Done, ApiError> {
        let (id, name) = both(("id", id.0), ("name", body.0.name))?;
        change(&state, &user.0.context(), id, TenantChange::Rename(name)).await
    }

    /// Open a company for use
    ///
    /// For staff with the platform right `platform.tenants:write`. Repeating it changes nothing.
    #[oai(path = "/tenants/:id/activate", method = "post", operation_id = "activate_tenant", transform = "api_limit")]
    async fn activate(
        &self,
        state: Data<&Arc<AppState>>,
        user: SignedInUser,
        /// The company.
        id: Path<Input<Uuid>>,
    ) -> Result<Done, ApiError> {
        change(&state, &user.0.context(), one("id", id.0)?, TenantChange::Activate).await
    }

    /// Suspend a company
    ///
    /// Keeps everybody and everything of it out within a second, until it is resumed; its runs are cancelled. For staff with
    /// the platform right `platform.tenants:write`.
    #[oai(path = "/tenants/:id/suspend", method = "post", operation_id = "suspend_tenant", transform = "api_limit")]
    async fn suspend(
        &self,
        state: Data<&Arc<AppState>>,
        user: SignedInUser,
        /// The company.
        id: Path<Input<Uuid>>,
        body: Json<ReasonBody>,
    ) -> Result<Done, ApiError> {
        let (id, reason) = both(("id", id.0), ("reason", body.0.reason))?;
        change(&state, &user.0.context(), id, TenantChange::Suspend(reason)).await
    }

    /// Let a company in again
    ///
    /// Also one whose offboarding was begun. For staff with the platform right `platform.tenants:write`.
    #[oai(path = "/tenants/:id/resume", method = "post", operation_id = "resume_tenant", transform = "api_limit")]
    async fn resume(
        &self,
        state: Data<&Arc<AppState>>,
        user: SignedInUser,
        /// The company.
        id: Path<Input<Uuid>>,
    ) -> Result<Done, ApiError> {
        change(&state, &user.0.context(), one("id", id.0)?, TenantChange::Resume).await
    }

    /// Begin a company's end
    ///
    /// It is kept out, and its data can be exported at the terminal. For staff with the platform right
    /// `platform.tenants:delete`.
    #[oai(path = "/tenants/:id/offboard", method = "post", operation_id = "offboard_tenant", transform = "api_limit")]
    async fn offboard(
        &self,
        state: Data<&Arc<AppState>>,
        user: SignedInUser,
        /// The company.
        id: Path<Input<Uuid>>,
        body: Json<ReasonBody>,
    ) -> Result<Done, ApiError> {
        let (id, reason) = both(("id", id.0), ("reason", body.0.reason))?;
        change(&state, &user.0.context(), id, TenantChange::Offboard(reason)).await
    }

    /// End a company for good
    ///
    /// After an export was recorded; its short name is free again. The short name in the request confirms that no other
    /// company is meant. For staff with the platform right `platform.tenants:delete`.
    #[oai(path = "/tenants/:id/close", method = "post", operation_id = "close_tenant", transform = "api_limit")]
    async fn close(
        &self,
        state: Data<&Arc<AppState>>,
        user: SignedInUser,
        /// The company.
        id: Path<Input<Uuid>>,
        body: Json<CloseBody>,
    ) -> Result<Done, ApiError> {
        let (id, slug) = both(("id", id.0), ("confirm_slug", body.0.confirm_slug))?;
        let position = state.tenants.close(&user.0.context(), TenantId::from(id), &slug).await?;
        Ok(Done::after(&state, position).await)
    }
}
