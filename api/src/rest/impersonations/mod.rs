//! Staff of the platform in the name of companies' users: what staff do, and what the company sees and may end.

mod body;

use std::sync::Arc;

use application::IdempotencyKey;
use domain::ids::{ImpersonationId, TenantId};
use poem::web::Data;
use poem_openapi::OpenApi;
use poem_openapi::param::{Path, Query};
use poem_openapi::payload::Json;
use serde_json::json;
use uuid::Uuid;

use self::body::{ImpersonationList, NewImpersonation, Opened, TokenBody};
use super::Chapter;
use super::body::{Done, Shown};
use crate::AppState;
use crate::cursor::{After, PageLimit, page_request};
use crate::headers::{Sent, key};
use crate::idempotency::receipt;
use crate::identity::SignedInUser;
use crate::input::{Input, both, one};
use crate::limits::api_limit;
use crate::position::settled;
use crate::problem::ApiError;

pub(super) struct StaffImpersonationsApi;

#[OpenApi(prefix_path = "/api/v1/platform/tenants", tag = "Chapter::Impersonations")]
impl StaffImpersonationsApi {
    /// Act in a user's name
    ///
    /// For a while and for a reason, which the company reads in its own history. The answer has a short access token that names
    /// both. With it everything can be seen that the user sees; passwords, e-mail addresses, second factors, API keys, sessions,
    /// roles and users cannot be changed. For staff with the platform right `platform.tenants:impersonate`.
    #[oai(path = "/:id/impersonations", method = "post", operation_id = "open_impersonation", transform = "api_limit")]
    async fn open(
        &self,
        state: Data<&Arc<AppState>>,
        user: SignedInUser,
        /// The company.
        id: Path<Input<Uuid>>,
        /// Your name for this request: a repeat under it opens no second one, for 30 days.
        #[oai(name = "Idempotency-Key")]
        idempotency_key: Sent<IdempotencyKey>,
        new: Json<NewImpersonation>,
    ) -> Result<Opened, ApiError> {
        let key = key(idempotency_key)?;
        let request = new.0.read(id.0)?;
        let asked = json!({"user_id": request.user_id, "reason": request.reason, "minutes": request.minutes});
        let about = [request.tenant_id.to_string()];
        let context = user.0.repeatable(receipt(key, "open_impersonation", &about, &asked));
        let token = state.impersonate.open(&context, request).await?;
        settled(&state, token.position).await;
        Ok(Opened::new(token))
    }

    /// List impersonations of a company
    ///
    /// Newest first, those that are over included. For staff with the platform right `platform.tenants:impersonate`.
    #[oai(
        path = "/:id/impersonations",
        method = "get",
        operation_id = "list_tenant_impersonations",
        transform = "api_limit"
    )]
    async fn list(
        &self,
        state: Data<&Arc<AppState>>,
        user: SignedInUser,
        /// The company.
        id: Path<Input<Uuid>>,
        /// How many at most.
        limit: Query<Option<Input<PageLimit>>>,
        /// The `next` of the answer before.
        cursor: Query<Option<Input<After>>>,
    ) -> Result<Shown<ImpersonationList>, ApiError> {
        let tenant = TenantId::from(one("id", id.0)?);
        let page = page_request(limit.0, cursor.0)?;
        Ok(Shown::new(state.impersonate.of_tenant(&user.0.context(), tenant, page).await?))
    }

    /// Go on in a user's name
    ///
    /// The next access token of one's own impersonation, as long as it lasts; `409` once it is over. For staff with the
    /// platform right `platform.tenants:impersonate`.
    #[oai(
        path = "/:id/impersonations/:impersonation_id/token",
        method = "post",
        operation_id = "renew_impersonation",
        transform = "api_limit"
    )]
    async fn renew(
        &self,
        state: Data<&Arc<AppState>>,
        user: SignedInUser,
        /// The company.
        id: Path<Input<Uuid>>,
        /// The impersonation.
        impersonation_id: Path<Input<Uuid>>,
    ) -> Result<Shown<TokenBody>, ApiError> {
        let (tenant, id) = both(("id", id.0), ("impersonation_id", impersonation_id.0))?;
        let (tenant, id) = (TenantId::from(tenant), ImpersonationId::from(id));
        Ok(Shown::new(state.impersonate.token(&user.0.context(), tenant, id).await?))
    }

    /// End an impersonation
    ///
    /// Its tokens are refused everywhere within a second. Repeating it changes nothing. For staff with the platform right
    /// `platform.tenants:impersonate`.
    #[oai(
        path = "/:id/impersonations/:impersonation_id",
        method = "delete",
        operation_id = "end_tenant_impersonation",
        transform = "api_limit"
    )]
    async fn end(
        &self,
        state: Data<&Arc<AppState>>,
        user: SignedInUser,
        /// The company.
        id: Path<Input<Uuid>>,
        /// The impersonation.
        impersonation_id: Path<Input<Uuid>>,
    ) -> Result<Done, ApiError> {
        let (tenant, id) = both(("id", id.0), ("impersonation_id", impersonation_id.0))?;
        let (tenant, id) = (TenantId::from(tenant), ImpersonationId::from(id));
        let position = state.impersonate.end(&user.0.context(), tenant, id).await?;
        Ok(Done::after(&state, position).await)
    }
}

pub(super) struct ImpersonationsApi;

#[OpenApi(prefix_path = "/api/v1/impersonations", tag = "Chapter::Impersonations")]
impl ImpersonationsApi {
    /// See who acted in the name of the company's users
    ///
    /// Every time in which a member of the platform's staff could act as one of the company's users: who, why, since when and
    /// until when, newest first. What was done in it is in the company's history. Needs the right `impersonations:read`.
    #[oai(path = "/", method = "get", operation_id = "list_impersonations", transform = "api_limit")]
    async fn list(
        &self,
        state: Data<&Arc<AppState>>,
        user: SignedInUser,
        /// How many at most.
        limit: Query<Option<Input<PageLimit>>>,
        /// The `next` of the answer before.
        cursor: Query<Option<Input<After>>>,
    ) -> Result<Shown<ImpersonationList>, ApiError> {
        let page = page_request(limit.0, cursor.0)?;
        Ok(Shown::new(state.impersonate.own(&user.0.context(), page).await?))
    }

    /// End an impersonation of one of the company's users
    ///
    /// Its tokens are refused everywhere within a second. Repeating it changes nothing. Needs the right `impersonations:end` and
    /// a person who signed in.
    #[oai(path = "/:id", method = "delete", operation_id = "end_impersonation", transform = "api_limit")]
    async fn end(
        &self,
        state: Data<&Arc<AppState>>,
        user: SignedInUser,
        /// The impersonation.
        id: Path<Input<Uuid>>,
    ) -> Result<Done, ApiError> {
        let id = ImpersonationId::from(one("id", id.0)?);
        let position = state.impersonate.end_own(&user.0.context(), id).await?;
        Ok(Done::after(&state, position).await)
    }
}
