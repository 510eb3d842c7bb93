//! Inviting people into a company, and joining it.

mod body;

use std::sync::Arc;

use application::IdempotencyKey;
use application::use_cases::InvitationOutcome;
use domain::ids::InvitationId;
use poem::web::Data;
use poem_openapi::OpenApi;
use poem_openapi::param::{Path, Query};
use poem_openapi::payload::Json;
use serde_json::json;
use uuid::Uuid;

use self::body::{AcceptBody, FoundInvitation, InvitationAnswer, InvitationList, Invite, Invited, JoinedBody};
use super::Chapter;
use super::body::{Done, Shown};
use super::recorded::headers;
use crate::AppState;
use crate::cursor::{After, PageLimit, page_request};
use crate::headers::{Sent, key};
use crate::idempotency::receipt;
use crate::identity::{SignedInUser, Visitor};
use crate::input::{Fields, Input, both, one};
use crate::limits::{api_limit, auth_limit};
use crate::position::settled;
use crate::problem::ApiError;

async fn invited(state: &AppState, outcome: InvitationOutcome) -> Invited {
    let InvitationOutcome { id, position, replayed } = outcome;
    settled(state, position).await;
    let location = format!("/api/v1/users/invitations/{id}");
    let (position, replayed) = headers(position, replayed);
    Invited::Invited(Json(InvitationAnswer { id: id.uuid() }), location, position, replayed)
}

pub(super) struct InvitationsApi;

#[OpenApi(prefix_path = "/api/v1", tag = "Chapter::Users")]
impl InvitationsApi {
    /// Invite someone
    ///
    /// Mails a link that works once, for seven days. Needs the right `users:create`, and a role that manages the one that is
    /// given. `409` where the address has an account or an open invitation; `429` after three mails within an hour.
    #[oai(path = "/users/invitations", method = "post", operation_id = "invite_user", transform = "api_limit")]
    async fn invite(
        &self,
        state: Data<&Arc<AppState>>,
        user: SignedInUser,
        /// Your name for this request: a repeat under it is answered with the first outcome, for 30 days.
        #[oai(name = "Idempotency-Key")]
        idempotency_key: Sent<IdempotencyKey>,
        invite: Json<Invite>,
    ) -> Result<Invited, ApiError> {
        let key = key(idempotency_key)?;
        let Json(Invite { email, role }) = invite;
        let (email, role) = both(("email", email), ("role", role))?;
        let asked = json!({"email": email, "role": role});
        let context = user.0.repeatable(receipt(key, "invite_user", &[], &asked));
        let outcome = state.invite.invite(&context, email, role).await?;
        Ok(invited(&state, outcome).await)
    }

    /// List invitations
    ///
    /// The company's invitations, newest first, those that were accepted or revoked included. Needs the right `users:view`.
    #[oai(path = "/users/invitations", method = "get", operation_id = "list_invitations", transform = "api_limit")]
    async fn list(
        &self,
        state: Data<&Arc<AppState>>,
        user: SignedInUser,
        /// How many invitations at most.
        limit: Query<Option<Input<PageLimit>>>,
        /// The `next` of the answer before.
        cursor: Query<Option<Input<After>>>,
    ) -> Result<Shown<InvitationList>, ApiError> {
        let page = page_request(limit.0, cursor.0)?;
        Ok(Shown::new(state.invite.list(&user.0.context(), page).await?))
    }

    /// Look at an invitation
    ///
    /// Needs the right `users:view`.
    #[oai(path = "/users/invitations/:id", method = "get", operation_id = "get_invitation", transform = "api_limit")]
    async fn get(
        &self,
        state: Data<&Arc<AppState>>,
        user: SignedInUser,
        /// The invitation.
        id: Path<Input<Uuid>>,
    ) -> Result<Shown<FoundInvitation>, ApiError> {
        let id = InvitationId::from(one("id", id.0)?);
        Ok(Shown::new(state.invite.get(&user.0.context(), id).await?))
    }

    /// Send an invitation again
    ///
    /// Mails a new link, for seven days from now; the old one does not work any more. One that the platform's staff have proposed
    /// is let in and sent by this; `revoke` turns it down. Needs the right `users:create`, and a role that manages the one that
    /// is given.
    #[oai(
        path = "/users/invitations/:id/resend",
        method = "post",
        operation_id = "resend_invitation",
        transform = "api_limit"
    )]
    async fn resend(
        &self,
        state: Data<&Arc<AppState>>,
        user: SignedInUser,
        /// The invitation.
        id: Path<Input<Uuid>>,
    ) -> Result<Invited, ApiError> {
        let id = InvitationId::from(one("id", id.0)?);
        let outcome = state.invite.resend(&user.0.context(), id).await?;
        Ok(invited(&state, outcome).await)
    }

    /// Revoke an invitation
    ///
    /// Its link does not work any more. Repeating it changes nothing. Needs the right `users:create`, and a role that manages
    /// the one that is given.
    #[oai(
        path = "/users/invitations/:id/revoke",
        method = "post",
        operation_id = "revoke_invitation",
        transform = "api_limit"
    )]
    async fn revoke(
        &self,
        state: Data<&Arc<AppState>>,
        user: SignedInUser,
        /// The invitation.
        id: Path<Input<Uuid>>,
    ) -> Result<Done, ApiError> {
        let id = InvitationId::from(one("id", id.0)?);
        let outcome = state.invite.revoke(&user.0.context(), id).await?;
        Ok(Done::after(&state, outcome.position).await)
    }

    /// Accept an invitation
    ///
    /// Registers the invited person, who can then sign in. The link works until that is done, so what was cut off can be
    /// asked for again.
    #[oai(
        path = "/public/users/invitations/accept",
        method = "post",
        operation_id = "accept_invitation",
        transform = "auth_limit"
    )]
    async fn accept(
        &self,
        state: Data<&Arc<AppState>>,
        visitor: Visitor,
        accept: Json<AcceptBody>,
    ) -> Result<Shown<JoinedBody>, ApiError> {
        let Json(AcceptBody { token, name, password }) = accept;
        let mut fields = Fields::default();
        let token = fields.take("token", token);
        let name = fields.take("name", name);
        let (Some(token), Some(name), Some(password)) = (token, name, fields.take("password", password)) else {
            return Err(fields.bad().into());
        };
        let joined = state.accept.accept(visitor.0, &token, name, password).await?;
        settled(&state, joined.position).await;
        Ok(Shown::new(JoinedBody { user_id: joined.user_id.uuid() }))
    }
}
