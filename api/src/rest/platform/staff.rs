use std::sync::Arc;

use application::IdempotencyKey;
use application::use_cases::NewStaff;
use domain::ids::UserId;
use poem::web::Data;
use poem_openapi::OpenApi;
use poem_openapi::param::{Path, Query};
use poem_openapi::payload::Json;
use serde_json::json;
use uuid::Uuid;

use super::body::{AddStaffBody, Made, ReasonBody, StaffRoleBody, whole};
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

pub(in crate::rest) struct StaffApi;

#[OpenApi(prefix_path = "/api/v1/platform", tag = "Chapter::Platform")]
impl StaffApi {
    /// List the staff
    ///
    /// Newest first, those who may not sign in included. For staff with the platform right `platform.staff:read`.
    #[oai(path = "/staff", method = "get", operation_id = "list_staff", transform = "api_limit")]
    async fn list(
        &self,
        state: Data<&Arc<AppState>>,
        user: SignedInUser,
        /// How many people at most.
        limit: Query<Option<Input<PageLimit>>>,
        /// The `next` of the answer before.
        cursor: Query<Option<Input<After>>>,
    ) -> Result<Shown<UserList>, ApiError> {
        let page = page_request(limit.0, cursor.0)?;
        Ok(Shown::new(state.staff.list(&user.0.context(), page).await?))
    }

    /// Let someone in among the staff
    ///
    /// Mails a link to choose a password, which works once, for seven days; after that, there is the one for a forgotten
    /// password. For staff with the platform right `platform.staff:write`. `409` where the address has an account.
    #[oai(path = "/staff", method = "post", operation_id = "add_staff", transform = "api_limit")]
    async fn add(
        &self,
        state: Data<&Arc<AppState>>,
        user: SignedInUser,
        /// Your name for this request: a repeat under it is answered with the first outcome, for 30 days.
        #[oai(name = "Idempotency-Key")]
        idempotency_key: Sent<IdempotencyKey>,
        person: Json<AddStaffBody>,
    ) -> Result<Made, ApiError> {
        let key = key(idempotency_key)?;
        let (Json(person), mut fields) = (person, Fields::default());
        let email = fields.take("email", person.email);
        let name = fields.take("name", person.name);
        let role = fields.take("role", person.role);
        let read = email.zip(name).zip(role);
        let ((email, name), role) = whole(read, fields)?;
        let asked = json!({"email": email, "name": name, "role": role});
        let context = user.0.repeatable(receipt(key, "add_staff", &[], &asked));
        let added = state.staff.add(&context, NewStaff { email, name, role }).await?;
        Ok(Made::after(&state, added.id.uuid(), added.position, added.replayed).await)
    }

    /// Give someone of the staff another role
    ///
    /// It counts within a second. Nobody changes the own role, and the last super admin stays one. For staff with the platform
    /// right `platform.staff:write`.
    #[oai(path = "/staff/:id/role", method = "put", operation_id = "change_staff_role", transform = "api_limit")]
    async fn change_role(
        &self,
        state: Data<&Arc<AppState>>,
        user: SignedInUser,
        /// The person.
        id: Path<Input<Uuid>>,
        body: Json<StaffRoleBody>,
    ) -> Result<Done, ApiError> {
        let (id, role) = both(("id", id.0), ("role", body.0.role))?;
        let position = state.staff.change_role(&user.0.context(), UserId::from(id), role).await?;
        Ok(Done::after(&state, position).await)
    }

    /// Keep someone of the staff from signing in
    ///
    /// All sessions end within a second, and the e-mail address is free for another user. The last super admin stays. For
    /// staff with the platform right `platform.staff:write`. Repeating it changes nothing.
    #[oai(path = "/staff/:id/deactivate", method = "post", operation_id = "deactivate_staff", transform = "api_limit")]
    async fn deactivate(
        &self,
        state: Data<&Arc<AppState>>,
        user: SignedInUser,
        /// The person.
        id: Path<Input<Uuid>>,
    ) -> Result<Done, ApiError> {
        let id = UserId::from(one("id", id.0)?);
        let position = state.staff.deactivate(&user.0.context(), id).await?;
        Ok(Done::after(&state, position).await)
    }

    /// Take a lost authenticator app away from someone of the staff
    ///
    /// With the recovery codes and the password. All sessions, and what the person does in users' names, end within a second. A
    /// link to choose a new password is mailed, which works once, for seven days; after signing in with it a new app is set up.
    /// One who is deactivated is mailed none, and asks for one once reactivated. Make sure that it is the person who asks, and
    /// say in the reason how. Nobody takes the own one away. For staff with the platform right `platform.staff:write`.
    #[oai(path = "/staff/:id/totp/reset", method = "post", operation_id = "reset_staff_totp", transform = "api_limit")]
    async fn reset_totp(
        &self,
        state: Data<&Arc<AppState>>,
        user: SignedInUser,
        /// The person.
        id: Path<Input<Uuid>>,
        /// Your name for this request: a repeat under it takes nothing away that was not there at first, for 30 days.
        #[oai(name = "Idempotency-Key")]
        idempotency_key: Sent<IdempotencyKey>,
        body: Json<ReasonBody>,
    ) -> Result<Done, ApiError> {
        let key = key(idempotency_key)?;
        let (id, reason) = both(("id", id.0), ("reason", body.0.reason))?;
        let asked = receipt(key, "reset_staff_totp", &[id.to_string()], &json!({"reason": reason}));
        let position = state.staff.reset_second_factor(&user.0.repeatable(asked), UserId::from(id), reason).await?;
        Ok(Done::after(&state, position).await)
    }

    /// Let someone of the staff sign in again
    ///
    /// With the password and the role of before, unless somebody else has the e-mail address now. For staff with the platform
    /// right `platform.staff:write`. Repeating it changes nothing.
    #[oai(path = "/staff/:id/reactivate", method = "post", operation_id = "reactivate_staff", transform = "api_limit")]
    async fn reactivate(
        &self,
        state: Data<&Arc<AppState>>,
        user: SignedInUser,
        /// The person.
        id: Path<Input<Uuid>>,
    ) -> Result<Done, ApiError> {
        let id = UserId::from(one("id", id.0)?);
        let position = state.staff.reactivate(&user.0.context(), id).await?;
        Ok(Done::after(&state, position).await)
    }
}
