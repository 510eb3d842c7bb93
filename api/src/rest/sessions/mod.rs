//! Signing in and out, and the sessions between.

mod body;

use std::sync::Arc;

use application::ports::read_models::PageRequest;
use application::use_cases::{Login, PresentedToken, SessionTokens, TokenCarrier};
use domain::ids::{SessionId, UserId};
use poem::http::header::SET_COOKIE;
use poem::web::Data;
use poem_openapi::OpenApi;
use poem_openapi::param::{Path, Query};
use poem_openapi::payload::{Json, Response};
use poem_openapi::types::ToJSON;
use uuid::Uuid;

use self::body::{Address, LoginAnswer, LoginBody, RefreshBody, SessionList, TokensBody};
use super::Chapter;
use super::body::{Done, Shown};
use crate::cursor::{After, PageLimit, page_request};
use crate::identity::{PageTokens, SignedInUser, Visitor};
use crate::input::{Input, both, one};
use crate::limits::{api_limit, auth_limit, refresh_limit};
use crate::problem::ApiError;
use crate::{AppState, cookies};

/// An answer with tokens; where they live in cookies, with those.
fn with_cookies<T: ToJSON>(answer: Shown<T>, tokens: &[String]) -> Response<Shown<T>> {
    tokens.iter().fold(Response::new(answer), |answer, line| answer.header(SET_COOKIE, line.as_str()))
}

fn cookies_of(tokens: &SessionTokens) -> Vec<String> {
    if tokens.csrf.is_some() { cookies::set(tokens) } else { Vec::new() }
}

pub(super) struct SessionsApi;

#[OpenApi(prefix_path = "/api/v1", tag = "Chapter::Sessions")]
impl SessionsApi {
    /// Sign in
    ///
    /// A wrong password and an unknown address are answered in the same words and after the same time. From the fifth
    /// failure in a row on, an account takes no attempt for a minute, then two, up to an hour: `429` says how long.
    #[oai(path = "/public/users/login", method = "post", operation_id = "sign_in", transform = "auth_limit")]
    async fn login(
        &self,
        state: Data<&Arc<AppState>>,
        visitor: Visitor,
        login: Json<LoginBody>,
    ) -> Result<Response<Shown<LoginAnswer>>, ApiError> {
        let Json(LoginBody { email, password, code, cookies }) = login;
        let (Address(email), password) = both(("email", email), ("password", password))?;
        let code = one("code", Input::optional(code))?;
        let carrier = if cookies { TokenCarrier::Cookies } else { TokenCarrier::Header };
        let signed_in = state.sign_in.sign_in(visitor.0, Login { email, password, code, carrier }).await?;
        let lines = cookies_of(&signed_in.tokens);
        Ok(with_cookies(Shown::new(LoginAnswer::new(signed_in)), &lines))
    }

    /// Get the next tokens
    ///
    /// Exchanges a refresh token for a new access token and a new refresh token. Each can be used once: one that comes
    /// again ends its session, except within ten seconds and before its successor was used, so that two requests of one
    /// client may race. Pages that are signed in by cookies leave the token out and send `X-CSRF-Token`.
    #[oai(
        path = "/public/users/refresh",
        method = "post",
        operation_id = "refresh_session",
        transform = "refresh_limit"
    )]
    async fn refresh(
        &self,
        state: Data<&Arc<AppState>>,
        visitor: Visitor,
        page: PageTokens,
        refresh: Json<RefreshBody>,
    ) -> Result<Response<Shown<TokensBody>>, ApiError> {
        let presented = match (refresh.0.refresh_token, page.refresh) {
            (None, Some(token)) => PresentedToken { token, csrf: page.csrf },
            (Some(token), _) => PresentedToken { token: one("refresh_token", token)?, csrf: page.csrf },
            (None, None) => PresentedToken { token: one("refresh_token", Input::missing())?, csrf: None },
        };
        let tokens = state.refresh.refresh(visitor.0, presented).await?;
        Ok(with_cookies(Shown::new(TokensBody::from(&tokens)), &cookies_of(&tokens)))
    }

    /// Sign out
    ///
    /// Ends the session that the request is made in, everywhere within a second, and takes its cookies away.
    #[oai(path = "/users/logout", method = "post", operation_id = "sign_out", transform = "api_limit")]
    async fn logout(&self, state: Data<&Arc<AppState>>, user: SignedInUser) -> Result<Response<Done>, ApiError> {
        let position = state.end_sessions.sign_out(&user.0.context()).await?;
        let done = Response::new(Done::after(&state, position).await);
        Ok(cookies::clear().iter().fold(done, |done, line| done.header(SET_COOKIE, line.as_str())))
    }

    /// List the own sessions
    ///
    /// The devices on which the user is signed in, newest first.
    #[oai(path = "/users/me/sessions", method = "get", operation_id = "list_own_sessions", transform = "api_limit")]
    async fn list_own(
        &self,
        state: Data<&Arc<AppState>>,
        user: SignedInUser,
        /// How many sessions at most.
        limit: Query<Option<Input<PageLimit>>>,
        /// The `next` of the answer before.
        cursor: Query<Option<Input<After>>>,
    ) -> Result<Shown<SessionList>, ApiError> {
        let page: PageRequest = page_request(limit.0, cursor.0)?;
        let sessions = state.read_sessions.own(&user.0.context(), page).await?;
        Ok(Shown::Ok(Json(SessionList::new(sessions, user.0.session_id()))))
    }

    /// End one of the own sessions
    ///
    /// Its tokens are refused everywhere within a second.
    #[oai(
        path = "/users/me/sessions/:id",
        method = "delete",
        operation_id = "end_own_session",
        transform = "api_limit"
    )]
    async fn end_own(
        &self,
        state: Data<&Arc<AppState>>,
        user: SignedInUser,
        /// The session.
        id: Path<Input<Uuid>>,
    ) -> Result<Done, ApiError> {
        let id = SessionId::from(one("id", id.0)?);
        let position = state.end_sessions.end_own(&user.0.context(), id).await?;
        Ok(Done::after(&state, position).await)
    }

    /// End all own sessions but this one
    ///
    /// Signs the user out on every other device.
    #[oai(
        path = "/users/me/sessions",
        method = "delete",
        operation_id = "end_own_other_sessions",
        transform = "api_limit"
    )]
    async fn end_own_others(&self, state: Data<&Arc<AppState>>, user: SignedInUser) -> Result<Done, ApiError> {
        let position = state.end_sessions.end_own_others(&user.0.context()).await?;
        Ok(Done::after(&state, position).await)
    }

    /// List a user's sessions
    ///
    /// The devices on which a user of the company is signed in, newest first. Needs the right `users:write`.
    #[oai(path = "/users/:id/sessions", method = "get", operation_id = "list_user_sessions", transform = "api_limit")]
    async fn list_of_user(
        &self,
        state: Data<&Arc<AppState>>,
        user: SignedInUser,
        /// The user.
        id: Path<Input<Uuid>>,
        /// How many sessions at most.
        limit: Query<Option<Input<PageLimit>>>,
        /// The `next` of the answer before.
        cursor: Query<Option<Input<After>>>,
    ) -> Result<Shown<SessionList>, ApiError> {
        let (of, page) = (UserId::from(one("id", id.0)?), page_request(limit.0, cursor.0)?);
        let sessions = state.read_sessions.of_user(&user.0.context(), of, page).await?;
        Ok(Shown::Ok(Json(SessionList::new(sessions, user.0.session_id()))))
    }

    /// End one of a user's sessions
    ///
    /// Needs the right `users:write`.
    #[oai(
        path = "/users/:id/sessions/:session_id",
        method = "delete",
        operation_id = "end_user_session",
        transform = "api_limit"
    )]
    async fn end_of_user(
        &self,
        state: Data<&Arc<AppState>>,
        user: SignedInUser,
        /// The user.
        id: Path<Input<Uuid>>,
        /// The session.
        session_id: Path<Input<Uuid>>,
    ) -> Result<Done, ApiError> {
        let (id, session) = both(("id", id.0), ("session_id", session_id.0))?;
        let position = state.end_sessions.end_of_user(&user.0.context(), id.into(), session.into()).await?;
        Ok(Done::after(&state, position).await)
    }

    /// End all of a user's sessions
    ///
    /// Signs the user out on every device. Needs the right `users:write`.
    #[oai(path = "/users/:id/sessions", method = "delete", operation_id = "end_user_sessions", transform = "api_limit")]
    async fn end_all_of_user(
        &self,
        state: Data<&Arc<AppState>>,
        user: SignedInUser,
        /// The user.
        id: Path<Input<Uuid>>,
    ) -> Result<Done, ApiError> {
        let id = UserId::from(one("id", id.0)?);
        let position = state.end_sessions.end_all_of_user(&user.0.context(), id).await?;
        Ok(Done::after(&state, position).await)
    }
}
