//! Users of the company, and the own account.

mod body;

use std::sync::Arc;

use domain::ids::UserId;
use poem::web::Data;
use poem_openapi::OpenApi;
use poem_openapi::param::{Path, Query};
use poem_openapi::payload::Json;
use uuid::Uuid;

use self::body::{ChangeUser, FoundUser, PasswordChange};
pub(super) use self::body::{UserBody, UserList};
use super::Chapter;
use super::body::{Done, Shown};
use crate::AppState;
use crate::cursor::{After, PageLimit, page_request};
use crate::identity::SignedInUser;
use crate::input::{Input, both, one};
use crate::limits::api_limit;
use crate::problem::ApiError;

pub(super) struct UsersApi;

#[OpenApi(prefix_path = "/api/v1", tag = "Chapter::Users")]
impl UsersApi {
    /// Who is signed in?
    ///
    /// The user whom the access token speaks of, as known now.
    #[oai(path = "/users/me", method = "get", operation_id = "get_current_user", transform = "api_limit")]
    async fn me(&self, state: Data<&Arc<AppState>>, user: SignedInUser) -> Result<Shown<UserBody>, ApiError> {
        Ok(Shown::new(state.users.own(&user.0.context()).await?))
    }

    /// Change the own password
    ///
    /// Needs the old one, and ends all other sessions of the user. Wrong old passwords are counted as failed sign-ins are.
    #[oai(path = "/users/me/password", method = "post", operation_id = "change_password", transform = "api_limit")]
    async fn change_password(
        &self,
        state: Data<&Arc<AppState>>,
        user: SignedInUser,
        change: Json<PasswordChange>,
    ) -> Result<Done, ApiError> {
        let Json(PasswordChange { old_password, new_password }) = change;
        let (old, new) = both(("old_password", old_password), ("new_password", new_password))?;
        let position = state.change_password.change(&user.0.context(), old, new).await?;
        Ok(Done::after(&state, position).await)
    }

    /// List users
    ///
    /// The company's users, newest first, those who may not sign in included. Needs the right `users:write`.
    #[oai(path = "/users", method = "get", operation_id = "list_users", transform = "api_limit")]
    async fn list(
        &self,
        state: Data<&Arc<AppState>>,
        user: SignedInUser,
        /// How many users at most.
        limit: Query<Option<Input<PageLimit>>>,
        /// The `next` of the answer before.
        cursor: Query<Option<Input<After>>>,
    ) -> Result<Shown<UserList>, ApiError> {
        let page = page_request(limit.0, cursor.0)?;
        Ok(Shown::new(state.users.list(&user.0.context(), page).await?))
    }

    /// Look at a user
    ///
    /// Needs the right `users:write`.
    #[oai(path = "/users/:id", method = "get", operation_id = "get_user", transform = "api_limit")]
    async fn get(
        &self,
        state: Data<&Arc<AppState>>,
        user: SignedInUser,
        /// The user.
        id: Path<Input<Uuid>>,
    ) -> Result<Shown<FoundUser>, ApiError> {
        let id = UserId::from(one("id", id.0)?);
        Ok(Shown::new(state.users.get(&user.0.context(), id).await?))
    }

    /// Change a user
    ///
    /// Another role counts within a second: access tokens with the old one are refused, and refreshing gives the new one.
    /// Needs the right `users:write`.
    #[oai(path = "/users/:id", method = "patch", operation_id = "change_user", transform = "api_limit")]
    async fn change(
        &self,
        state: Data<&Arc<AppState>>,
        user: SignedInUser,
        /// The user.
        id: Path<Input<Uuid>>,
        change: Json<ChangeUser>,
    ) -> Result<Done, ApiError> {
        let id = UserId::from(one("id", id.0)?);
        let position = state.users.change(&user.0.context(), id, change.0.read()?).await?;
        Ok(Done::after(&state, position).await)
    }

    /// Deactivate a user
    ///
    /// The user cannot sign in any more, all sessions end within a second, and the e-mail address is free for another
    /// user. What the user did stays. Repeating it changes nothing. Needs the right `users:write`.
    #[oai(path = "/users/:id/deactivate", method = "post", operation_id = "deactivate_user", transform = "api_limit")]
    async fn deactivate(
        &self,
        state: Data<&Arc<AppState>>,
        user: SignedInUser,
        /// The user.
        id: Path<Input<Uuid>>,
    ) -> Result<Done, ApiError> {
        let id = UserId::from(one("id", id.0)?);
        let position = state.users.deactivate(&user.0.context(), id).await?;
        Ok(Done::after(&state, position).await)
    }

    /// Reactivate a user
    ///
    /// The user can sign in again with the password of before, unless somebody else has the e-mail address now. Repeating
    /// it changes nothing. Needs the right `users:write`.
    #[oai(path = "/users/:id/reactivate", method = "post", operation_id = "reactivate_user", transform = "api_limit")]
    async fn reactivate(
        &self,
        state: Data<&Arc<AppState>>,
        user: SignedInUser,
        /// The user.
        id: Path<Input<Uuid>>,
    ) -> Result<Done, ApiError> {
        let id = UserId::from(one("id", id.0)?);
        let position = state.users.reactivate(&user.0.context(), id).await?;
        Ok(Done::after(&state, position).await)
    }
}
