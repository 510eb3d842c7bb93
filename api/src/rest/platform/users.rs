use std::sync::Arc;

use application::IdempotencyKey;
use domain::ids::{TenantId, UserId};
use poem::web::Data;
use poem_openapi::OpenApi;
use poem_openapi::param::{Path, Query};
use poem_openapi::payload::Json;
use serde_json::json;
use uuid::Uuid;

use super::body::{InviteBody, Made, whole};
use crate::AppState;
use crate::cursor::{After, PageLimit, page_request};
use crate::headers::{Sent, key};
use crate::idempotency::receipt;
use crate::identity::SignedInUser;
use crate::input::{Fields, Input, both, one};
use crate::limits::api_limit;
use crate::problem::ApiError;
use crate::rest::Chapter;
use crate::rest::body::{Done, Shown};
use crate::rest::users::UserList;

fn place(id: Input<Uuid>, user_id: Input<Uuid>) -> Result<(TenantId, UserId), ApiError> {
    let (tenant, user) = both(("id", id), ("user_id", user_id))?;
    Ok((tenant.into(), user.into()))
}

pub(in crate::rest) struct TenantUsersApi;

#[OpenApi(prefix_path = "/api/v1/platform", tag = "Chapter::Platform")]
impl TenantUsersApi {
    /// List a company's users
    ///
    /// Newest first, those who may not sign in included. For staff with the platform right `platform.users:read`.
    #[oai(path = "/tenants/:id/users", method = "get", operation_id = "list_tenant_users", transform = "api_limit")]
    async fn list(
        &self,
        state: Data<&Arc<AppState>>,
        user: SignedInUser,
        /// The company.
        id: Path<Input<Uuid>>,
        /// How many users at most.
        limit: Query<Option<Input<PageLimit>>>,
        /// The `next` of the answer before.
        cursor: Query<Option<Input<After>>>,
    ) -> Result<Shown<UserList>, ApiError> {
        let (id, page) = (one("id", id.0)?, page_request(limit.0, cursor.0)?);
        Ok(Shown::new(state.tenant_users.list(&user.0.context(), id.into(), page).await?))
    }

    /// Invite someone into a company
    ///
    /// For staff with the platform right `platform.users:write`. With `platform.users:appoint` as well, a link that works once,
    /// for seven days, is mailed. Without it the invitation is proposed: it is among the company's invitations, and nobody can
    /// accept it before somebody there sends it; for a role with power over others, such as the owner's, the answer is `403`.
    /// `409` where the address has an account or an open invitation; `403` where the company is kept out.
    #[oai(path = "/tenants/:id/users", method = "post", operation_id = "invite_tenant_user", transform = "api_limit")]
    async fn invite(
        &self,
        state: Data<&Arc<AppState>>,
        user: SignedInUser,
        /// The company.
        id: Path<Input<Uuid>>,
        /// Your name for this request: a repeat under it is answered with the first outcome, for 30 days.
        #[oai(name = "Idempotency-Key")]
        idempotency_key: Sent<IdempotencyKey>,
        invite: Json<InviteBody>,
    ) -> Result<Made, ApiError> {
        let key = key(idempotency_key)?;
        let (Json(invite), mut fields) = (invite, Fields::default());
        let id = fields.take("id", id.0);
        let email = fields.take("email", invite.email);
        let role = fields.take("role", invite.role);
        let read = id.zip(email).zip(role);
        let ((id, email), role) = whole(read, fields)?;
        let asked = json!({"email": email, "role": role});
        let context = user.0.repeatable(receipt(key, "invite_tenant_user", &[id.to_string()], &asked));
        let invited = state.tenant_users.invite(&context, id.into(), email, role).await?;
        Ok(Made::after(&state, invited.id.uuid(), invited.position, invited.replayed).await)
    }

    /// Let a company's user sign in again
    ///
    /// For staff with the platform right `platform.users:write`. Repeating it changes nothing.
    #[oai(
        path = "/tenants/:id/users/:user_id/enable",
        method = "post",
        operation_id = "enable_tenant_user",
        transform = "api_limit"
    )]
    async fn enable(
        &self,
        state: Data<&Arc<AppState>>,
        user: SignedInUser,
        /// The company.
        id: Path<Input<Uuid>>,
        /// The user.
        user_id: Path<Input<Uuid>>,
    ) -> Result<Done, ApiError> {
        let (tenant, id) = place(id.0, user_id.0)?;
        let position = state.tenant_users.enable(&user.0.context(), tenant, id).await?;
        Ok(Done::after(&state, position).await)
    }

    /// Keep a company's user from signing in
    ///
    /// All sessions end within a second. The last owner stays. For staff with the platform right `platform.users:write`.
    /// Repeating it changes nothing.
    #[oai(
        path = "/tenants/:id/users/:user_id/disable",
        method = "post",
        operation_id = "disable_tenant_user",
        transform = "api_limit"
    )]
    async fn disable(
        &self,
        state: Data<&Arc<AppState>>,
        user: SignedInUser,
        /// The company.
        id: Path<Input<Uuid>>,
        /// The user.
        user_id: Path<Input<Uuid>>,
    ) -> Result<Done, ApiError> {
        let (tenant, id) = place(id.0, user_id.0)?;
        let position = state.tenant_users.disable(&user.0.context(), tenant, id).await?;
        Ok(Done::after(&state, position).await)
    }

    /// Remove a company's user for good
    ///
    /// One who is disabled; the history stays. For staff with the platform right `platform.users:delete`.
    #[oai(
        path = "/tenants/:id/users/:user_id",
        method = "delete",
        operation_id = "remove_tenant_user",
        transform = "api_limit"
    )]
    async fn remove(
        &self,
        state: Data<&Arc<AppState>>,
        user: SignedInUser,
        /// The company.
        id: Path<Input<Uuid>>,
        /// The user.
        user_id: Path<Input<Uuid>>,
    ) -> Result<Done, ApiError> {
        let (tenant, id) = place(id.0, user_id.0)?;
        let position = state.tenant_users.remove(&user.0.context(), tenant, id).await?;
        Ok(Done::after(&state, position).await)
    }
}
