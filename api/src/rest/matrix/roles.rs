use std::sync::Arc;

use application::ports::access::RoleView;
use application::ports::read_models::Found;
use application::use_cases::RoleOutcome;
use application::{AppError, IdempotencyKey, RequestContext};
use domain::FieldError;
use domain::access::Grant;
use domain::ids::RoleId;
use poem::web::Data;
use poem_openapi::param::{Path, Query};
use poem_openapi::payload::Json;
use poem_openapi::{ApiResponse, OpenApi};
use serde_json::json;
use uuid::Uuid;

use super::body::{ChangedRole, NewGrant, NewRole, Recorded, RoleBody, RoleCommandAnswer, RoleList};
use crate::AppState;
use crate::cursor::{After, PageLimit, page_request};
use crate::headers::{Sent, VersionTag, entity_tag, key, version};
use crate::idempotency::receipt;
use crate::identity::SignedInUser;
use crate::input::{Input, both, one};
use crate::limits::api_limit;
use crate::problem::ApiError;
use crate::rest::Chapter;
use crate::rest::body::Shown;
use crate::rest::recorded::{headers, seen_after};

type RoleAnswer = Recorded<RoleCommandAnswer>;

#[derive(ApiResponse)]
enum RoleShown {
    /// What was asked for.
    #[oai(status = 200)]
    Ok(
        Json<RoleBody>,
        /// The role's version. Send it as `If-Match` with a command that shall be decided on this version only.
        #[oai(header = "ETag")]
        String,
    ),
}

impl From<Found<RoleView>> for RoleShown {
    fn from(Found { item, .. }: Found<RoleView>) -> Self {
        let version = entity_tag(item.version);
        Self::Ok(Json(item.into()), version)
    }
}

async fn after(state: &AppState, context: &RequestContext, outcome: RoleOutcome) -> Result<RoleAnswer, AppError> {
    let RoleOutcome { role_id: id, position, replayed } = outcome;
    let role = seen_after(state, position, state.read_matrix.role(context, id)).await?;
    let answer = Json(RoleCommandAnswer { id: id.uuid(), role: role.map(|found| found.item.into()) });
    let (position, replayed) = headers(position, replayed);
    Ok(Recorded::Recorded(answer, format!("/api/v1/admin/matrix/roles/{id}"), position, replayed))
}

pub(in crate::rest) struct RolesApi;

#[OpenApi(prefix_path = "/api/v1/admin/matrix", tag = "Chapter::Access")]
impl RolesApi {
    /// Define a role
    ///
    /// Needs the right `roles:write`. The role must be on the list of roles that yours may manage, below its level, and
    /// may hold only what yours holds.
    #[oai(path = "/roles", method = "post", operation_id = "define_role", transform = "api_limit")]
    async fn define(
        &self,
        state: Data<&Arc<AppState>>,
        user: SignedInUser,
        /// Your name for this request: a repeat under it is answered with the first outcome, for 30 days.
        #[oai(name = "Idempotency-Key")]
        idempotency_key: Sent<IdempotencyKey>,
        role: Json<NewRole>,
    ) -> Result<RoleAnswer, ApiError> {
        let (key, role) = (key(idempotency_key)?, role.0.read()?);
        let asked = json!({
            "name": role.name, "title": role.title, "level": role.level,
            "permissions": role.permissions, "may_manage": role.may_manage,
        });
        let context = user.0.repeatable(receipt(key, "define_role", &[], &asked));
        let outcome = state.manage_roles.define(&context, role).await?;
        Ok(after(&state, &context, outcome).await?)
    }

    /// List roles
    ///
    /// The company's roles in use, newest first. Needs the right `roles:read`.
    #[oai(path = "/roles", method = "get", operation_id = "list_roles", transform = "api_limit")]
    async fn list(
        &self,
        state: Data<&Arc<AppState>>,
        user: SignedInUser,
        /// How many roles at most.
        limit: Query<Option<Input<PageLimit>>>,
        /// The `next` of the answer before.
        cursor: Query<Option<Input<After>>>,
    ) -> Result<Shown<RoleList>, ApiError> {
        let page = page_request(limit.0, cursor.0)?;
        Ok(Shown::new(state.read_matrix.roles(&user.0.context(), page).await?))
    }

    /// Look at a role
    ///
    /// Needs the right `roles:read`.
    #[oai(path = "/roles/:id", method = "get", operation_id = "get_role", transform = "api_limit")]
    async fn get(
        &self,
        state: Data<&Arc<AppState>>,
        user: SignedInUser,
        /// The role.
        id: Path<Input<Uuid>>,
    ) -> Result<RoleShown, ApiError> {
        let id = RoleId::from(one("id", id.0)?);
        Ok(state.read_matrix.role(&user.0.context(), id).await?.into())
    }

    /// Change a role
    ///
    /// All but its name and permissions. Needs the right `roles:write`; nobody changes the role that they have
    /// themselves, and the owner's role is fixed.
    #[oai(path = "/roles/:id", method = "put", operation_id = "change_role", transform = "api_limit")]
    async fn change(
        &self,
        state: Data<&Arc<AppState>>,
        user: SignedInUser,
        /// The role.
        id: Path<Input<Uuid>>,
        /// The `ETag` that the role must still have, else `409` says which version it is at. `*` is any version.
        #[oai(name = "If-Match")]
        if_match: Sent<VersionTag>,
        role: Json<ChangedRole>,
    ) -> Result<RoleAnswer, ApiError> {
        let (expect, id) = (version(if_match)?, RoleId::from(one("id", id.0)?));
        let context = user.0.context();
        let outcome = state.manage_roles.change(&context, id, expect, role.0.read()?).await?;
        Ok(after(&state, &context, outcome).await?)
    }

    /// Remove a role
    ///
    /// Who still has it may nothing from then on. Needs the right `roles:write`; the owner's role cannot be removed.
    #[oai(path = "/roles/:id", method = "delete", operation_id = "remove_role", transform = "api_limit")]
    async fn remove(
        &self,
        state: Data<&Arc<AppState>>,
        user: SignedInUser,
        /// The role.
        id: Path<Input<Uuid>>,
        /// The `ETag` that the role must still have, else `409` says which version it is at. `*` is any version.
        #[oai(name = "If-Match")]
        if_match: Sent<VersionTag>,
    ) -> Result<RoleAnswer, ApiError> {
        let (expect, id) = (version(if_match)?, RoleId::from(one("id", id.0)?));
        let context = user.0.context();
        let outcome = state.manage_roles.remove(&context, id, expect).await?;
        Ok(after(&state, &context, outcome).await?)
    }

    /// Grant a permission to a role
    ///
    /// Needs the right `roles:write`, and the permission itself. Granting twice changes nothing, and a grant stands whatever
    /// else has changed, so it takes no `If-Match`.
    #[oai(path = "/roles/:id/permissions", method = "post", operation_id = "grant_permission", transform = "api_limit")]
    async fn grant(
        &self,
        state: Data<&Arc<AppState>>,
        user: SignedInUser,
        /// The role.
        id: Path<Input<Uuid>>,
        /// Your name for this request: a repeat under it is answered with the first outcome, for 30 days.
        #[oai(name = "Idempotency-Key")]
        idempotency_key: Sent<IdempotencyKey>,
        grant: Json<NewGrant>,
    ) -> Result<RoleAnswer, ApiError> {
        let key = key(idempotency_key)?;
        let (id, permission) = both(("id", id.0), ("permission", grant.0.permission))?;
        let (id, asked) = (RoleId::from(id), json!({ "permission": permission }));
        let context = user.0.repeatable(receipt(key, "grant_permission", &[id.to_string()], &asked));
        let outcome = state.manage_roles.grant(&context, id, permission).await?;
        Ok(after(&state, &context, outcome).await?)
    }

    /// Revoke a permission of a role
    ///
    /// Exactly this one: a wildcard that includes it stays. Revoking what the role does not have changes nothing. Needs
    /// the right `roles:write`.
    #[oai(
        path = "/roles/:id/permissions",
        method = "delete",
        operation_id = "revoke_permission",
        transform = "api_limit"
    )]
    async fn revoke(
        &self,
        state: Data<&Arc<AppState>>,
        user: SignedInUser,
        /// The role.
        id: Path<Input<Uuid>>,
        /// The permission, as answers show it.
        permission: Query<Option<Input<Grant>>>,
        /// The `ETag` that the role must still have, else `409` says which version it is at. `*` is any version.
        #[oai(name = "If-Match")]
        if_match: Sent<VersionTag>,
    ) -> Result<RoleAnswer, ApiError> {
        let expect = version(if_match)?;
        let (id, permission) = both(("id", id.0), ("permission", Input::optional(permission.0)))?;
        let missing = || AppError::invalid(vec![FieldError::new("permission", "is missing; name the one to revoke")]);
        let context = user.0.context();
        let revoked = state.manage_roles.revoke(&context, id.into(), expect, permission.ok_or_else(missing)?).await?;
        Ok(after(&state, &context, revoked).await?)
    }
}
