//! Inviting people into a company.

use std::sync::Arc;

use chrono::TimeDelta;
use domain::access::{Permission, RoleName};
use domain::ids::InvitationId;
use domain::invitation::{
    Invitation, InvitationCommand, InvitationDetails, InvitationError, InvitationEvent, InviteUser,
};
use domain::values::{Email, Personal};
use domain::{ErrorKind, EventSourced, FieldError};

use super::RoleAssignment;
use super::mailed_links::{LinkSubject, MailedLinks, refused, too_many_mails};
use crate::context::{RequestContext, TenantScope};
use crate::error::AppError;
use crate::mail::Mail;
use crate::ports::commands::{Commands, LogPosition, Recorded};
use crate::ports::identity::EmailOwners;
use crate::ports::links::LinkKind;
use crate::ports::people::{InvitationView, Invitations};
use crate::ports::read_models::{Found, Page, PageRequest};

/// How long an invitation can be accepted.
const LIFE: TimeDelta = TimeDelta::days(7);

/// What became of a request about an invitation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct InvitationOutcome {
    /// The invitation.
    pub id: InvitationId,
    /// The request's place in the log; none where it changed nothing.
    pub position: Option<LogPosition>,
    /// True where the request was a repeat, and this is its first outcome.
    pub replayed: bool,
}

impl From<Recorded<InvitationEvent>> for InvitationOutcome {
    fn from(recorded: Recorded<InvitationEvent>) -> Self {
        Self { id: recorded.id.into(), position: recorded.position, replayed: recorded.replayed }
    }
}

/// Invites people.
pub struct InviteUsers {
    /// The log.
    pub invitations: Arc<dyn Commands<Invitation>>,
    /// The read model.
    pub views: Arc<dyn Invitations>,
    /// Who has which address.
    pub addresses: Arc<dyn EmailOwners>,
    /// Who may be given which role.
    pub assignment: RoleAssignment,
    /// Links and mails.
    pub mailed: Arc<MailedLinks>,
}

impl InviteUsers {
    /// Invites the address into the company, for this role. A repeat mails the link if the first request was cut off before.
    ///
    /// # Errors
    /// `forbidden` without the right, and for a role that the caller does not manage; `taken` where the address has an
    /// account or an open invitation; `too_many` after three mails to the address within an hour.
    pub async fn invite(
        &self,
        context: &RequestContext,
        email: Email,
        role: RoleName,
    ) -> Result<InvitationOutcome, AppError> {
        let scope = context.authorize(Permission::UsersCreate)?;
        let outcome = self.record(&scope, email, role, InvitationCommand::Invite).await?;
        let invitation = self.load(&scope, outcome.id).await?;
        let (tenant, id) = (scope.tenant_id(), outcome.id.uuid());
        if let Invitation::Open(details) = invitation
            && !self.mailed.links.is_issued(LinkKind::Invitation, Some(tenant), id, self.mailed.clock.now()).await?
        {
            self.mail(&details).await?;
        }
        Ok(outcome)
    }

    /// Makes an invitation that nobody can accept before somebody of the company sends it: no link is made, no mail is sent.
    ///
    /// # Errors
    /// As for [`Self::invite`].
    pub(super) async fn propose(
        &self,
        context: &RequestContext,
        email: Email,
        role: RoleName,
    ) -> Result<InvitationOutcome, AppError> {
        let scope = context.authorize(Permission::UsersCreate)?;
        self.record(&scope, email, role, InvitationCommand::Propose).await
    }

    /// Mails a new link, which lasts as long as the first one did; the old one does not work any more. One that was proposed is
    /// sent so for the first time.
    ///
    /// # Errors
    /// As for [`Self::invite`]; `not_found` for another company's; `conflict` where it was accepted or revoked.
    pub async fn resend(&self, context: &RequestContext, id: InvitationId) -> Result<InvitationOutcome, AppError> {
        let scope = self.manage(context, id).await?;
        let now = self.mailed.clock.now();
        let resend = InvitationCommand::Resend { expires_at: now + LIFE, at: now };
        let recorded = self.invitations.execute(scope.context(), id.uuid(), resend).await?;
        if let Invitation::Open(details) = self.load(&scope, id).await? {
            self.mail(&details).await?;
        }
        Ok(recorded.into())
    }

    /// Takes the invitation back.
    ///
    /// # Errors
    /// `forbidden` without the right, and for a role that the caller does not manage; `not_found` for another company's;
    /// `conflict` where it was accepted.
    pub async fn revoke(&self, context: &RequestContext, id: InvitationId) -> Result<InvitationOutcome, AppError> {
        let scope = self.manage(context, id).await?;
        let revoke = InvitationCommand::Revoke { at: self.mailed.clock.now() };
        let recorded = self.invitations.execute(scope.context(), id.uuid(), revoke).await?;
        let now = self.mailed.clock.now();
        self.mailed.links.revoke(LinkKind::Invitation, Some(scope.tenant_id()), id.uuid(), now).await?;
        Ok(recorded.into())
    }

    /// An invitation of the company.
    ///
    /// # Errors
    /// `forbidden` without the right; `not_found` for another company's.
    pub async fn get(&self, context: &RequestContext, id: InvitationId) -> Result<Found<InvitationView>, AppError> {
        let scope = context.authorize(Permission::UsersView)?;
        self.views.get(&scope, id).await?.or_missing(InvitationError::NotFound.into())
    }

    /// The company's invitations, newest first.
    ///
    /// # Errors
    /// `forbidden` without the right.
    pub async fn list(&self, context: &RequestContext, page: PageRequest) -> Result<Page<InvitationView>, AppError> {
        let scope = context.authorize(Permission::UsersView)?;
        Ok(self.views.list(&scope, page).await?)
    }

    async fn record(
        &self,
        scope: &TenantScope,
        email: Email,
        role: RoleName,
        command: fn(InviteUser) -> InvitationCommand,
    ) -> Result<InvitationOutcome, AppError> {
        if let Some(first) = self.invitations.first_outcome(scope.context()).await? {
            return Ok(first.into());
        }
        self.assignment.require(scope, &role).await?;
        if self.addresses.owner_of(&email).await?.is_some() {
            return Err(email_taken());
        }
        let (now, invitation_id) = (self.mailed.clock.now(), InvitationId::from(self.mailed.ids.next()));
        let (tenant_id, email) = (scope.tenant_id(), Personal::new(email));
        let new = InviteUser { invitation_id, tenant_id, email, role, expires_at: now + LIFE, at: now };
        Ok(self.invitations.execute(scope.context(), invitation_id.uuid(), command(new)).await?.into())
    }

    /// The scope, where the caller may manage the role that the invitation is for.
    async fn manage(&self, context: &RequestContext, id: InvitationId) -> Result<TenantScope, AppError> {
        let scope = context.authorize(Permission::UsersCreate)?;
        let invitation = self.load(&scope, id).await?;
        let details = invitation.details().ok_or(InvitationError::NotFound)?;
        self.assignment.require(&scope, &details.role).await?;
        Ok(scope)
    }

    async fn load(&self, scope: &TenantScope, id: InvitationId) -> Result<Invitation, AppError> {
        let invitation = self.invitations.load(id.uuid()).await?;
        if invitation.tenant() == Some(scope.tenant_id()) {
            Ok(invitation)
        } else {
            Err(InvitationError::NotFound.into())
        }
    }

    async fn mail(&self, invitation: &InvitationDetails) -> Result<(), AppError> {
        let InvitationDetails { invitation_id, tenant_id, email, expires_at, .. } = invitation;
        let company = self.mailed.open_company(*tenant_id).await?.ok_or_else(refused)?;
        let prepared = self.mailed.prepare(LinkKind::Invitation)?;
        let mail = Mail::Invitation { company: &company.name, link: &prepared.link, days: LIFE.num_days() };
        let mail = self.mailed.mail(&mail, email, Some(*tenant_id), company.language, *expires_at);
        let (subject, to) = (Some(invitation_id.uuid()), email.reveal().clone());
        let about = LinkSubject {
            tenant_id: Some(*tenant_id),
            subject,
            asked_by: Some(to),
            payload: None,
            expires_at: *expires_at,
            supersedes: true,
        };
        let issued = self.mailed.issue(prepared, about, vec![mail]).await?;
        if issued { Ok(()) } else { Err(too_many_mails()) }
    }
}

/// The refusal of an address that has an account, in whichever company.
pub(super) fn email_taken() -> AppError {
    let taken = FieldError::new("email", "is taken; choose another one");
    let error = AppError::new(ErrorKind::Taken, "value.taken", "this email is taken; choose another one");
    AppError { fields: vec![taken], ..error }
}
