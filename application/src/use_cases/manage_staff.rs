//! The platform's staff: letting them in, changing what they are, keeping them out.

use std::sync::Arc;

use chrono::TimeDelta;
use domain::EventSourced;
use domain::access::{PlatformPermission, StaffRole};
use domain::ids::{SuperAdminsId, UserId};
use domain::second_factor::SecondFactor;
use domain::session::RevocationReason;
use domain::super_admins::{SuperAdmins, SuperAdminsCommand, SuperAdminsError};
use domain::user::{Membership, RegisterStaff, User, UserCommand, UserDetails, UserError, UserEvent};
use domain::values::{DisplayName, Email, Language, Personal};

use super::end_sessions::EndSessions;
use super::mailed_links::{LinkSubject, MailedLinks, PreparedLink};
use crate::context::{PlatformScope, RequestContext};
use crate::error::AppError;
use crate::mail::{Link, Mail};
use crate::ports::clock::Clock;
use crate::ports::commands::{Commands, LogPosition, Recorded};
use crate::ports::identity::Credentials;
use crate::ports::links::LinkKind;
use crate::ports::mail::NewMail;
use crate::ports::read_models::{Page, PageRequest, UserView, Users};
use crate::ports::second_factors::SecondFactors;
use crate::ports::sessions::RefreshTokens;

/// How long the link works by which someone new chooses a password. After that there is the link for a forgotten one.
pub(super) const LIFE: TimeDelta = TimeDelta::days(7);

/// Someone to be let in.
#[derive(Debug, Clone)]
pub struct NewStaff {
    /// The address to sign in with, unique in the platform.
    pub email: Email,
    /// The name that others see.
    pub name: DisplayName,
    /// What the person is on the staff.
    pub role: StaffRole,
}

/// What became of a request about the staff.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct StaffOutcome {
    /// Who it is about.
    pub id: UserId,
    /// The request's place in the log; none where it changed nothing.
    pub position: Option<LogPosition>,
    /// True where the request was a repeat, and this is its first outcome.
    pub replayed: bool,
}

impl From<Recorded<UserEvent>> for StaffOutcome {
    fn from(recorded: Recorded<UserEvent>) -> Self {
        Self { id: recorded.id.into(), position: recorded.position, replayed: recorded.replayed }
    }
}

/// Keeps the list of super admins who can act: those with a password who may sign in.
///
/// Whoever takes the role or the access from a person records `leaves` before, and whoever takes or gives
/// it records `changed` after.
pub struct SuperAdminRoster {
    /// The list.
    pub admins: Arc<dyn Commands<SuperAdmins>>,
    /// The users as the log knows them.
    pub accounts: Arc<dyn Commands<User>>,
    /// Who has a password.
    pub credentials: Arc<dyn Credentials>,
    /// The time.
    pub clock: Arc<dyn Clock>,
}

impl SuperAdminRoster {
    /// Records whether the user can act as a super admin by now. Where somebody took the role or the access while that is
    /// recorded, one of the two sees what the other did, and takes the user off the list.
    /// Of companies' users nothing is recorded.
    pub(super) async fn changed(&self, context: &RequestContext, id: UserId) -> Result<Option<LogPosition>, AppError> {
        if self.accounts.load(id.uuid()).await?.tenant().is_some() {
            return Ok(None);
        }
        if !self.is_able(id).await? {
            return self.leaves(context, id).await;
        }
        let appointed = self.record(context, SuperAdminsCommand::Appoint { user_id: id, at: self.clock.now() }).await?;
        if self.is_able(id).await? { Ok(appointed) } else { self.leaves(context, id).await }
    }

    /// Records that the user is about to lose the role or the access. Of one who is no super admin nothing is recorded. One who
    /// can act and is not on the list yet, as where the process was killed in between, is put on it first: the list would let
    /// the last one go whom it does not name.
    ///
    /// # Errors
    /// `conflict` where no super admin would be left.
    pub(super) async fn leaves(&self, context: &RequestContext, id: UserId) -> Result<Option<LogPosition>, AppError> {
        let at = self.clock.now();
        if self.is_able(id).await? {
            self.record(context, SuperAdminsCommand::Appoint { user_id: id, at }).await?;
            self.require_another(id).await?;
        }
        self.record(context, SuperAdminsCommand::Dismiss { user_id: id, at }).await
    }

    /// Passes where somebody else of the list can act. Whose second factor was reset as the last one's stays on it, and has no
    /// password until a link is used.
    async fn require_another(&self, id: UserId) -> Result<(), AppError> {
        if let SuperAdmins::Present(admins) = self.admins.load(SuperAdminsId::of_platform().uuid()).await? {
            for other in admins.into_iter().filter(|other| *other != id) {
                if self.is_able(other).await? {
                    return Ok(());
                }
            }
        }
        Err(SuperAdminsError::Last.into())
    }

    async fn is_able(&self, id: UserId) -> Result<bool, AppError> {
        let User::Active(user) = self.accounts.load(id.uuid()).await? else { return Ok(false) };
        let role = Membership::Platform { role: StaffRole::SuperAdmin };
        Ok(user.membership == role && self.credentials.get(id).await?.is_some())
    }

    async fn record(
        &self,
        context: &RequestContext,
        command: SuperAdminsCommand,
    ) -> Result<Option<LogPosition>, AppError> {
        let id = SuperAdminsId::of_platform();
        Ok(self.admins.execute(&context.further(), id.uuid(), command).await?.position)
    }
}

/// Manages the staff.
pub struct ManageStaff {
    /// The read model.
    pub users: Arc<dyn Users>,
    /// The log.
    pub accounts: Arc<dyn Commands<User>>,
    /// The log of second factors.
    pub second_factors: Arc<dyn Commands<SecondFactor>>,
    /// Authenticator apps and recovery codes.
    pub factors: Arc<dyn SecondFactors>,
    /// Keeping the list of super admins.
    pub roster: Arc<SuperAdminRoster>,
    /// Links and mails.
    pub mailed: Arc<MailedLinks>,
    /// Who has sessions.
    pub refresh_tokens: Arc<dyn RefreshTokens>,
    /// Ending sessions.
    pub end: Arc<EndSessions>,
}

impl ManageStaff {
    /// The staff, newest first.
    ///
    /// # Errors
    /// `forbidden` without the right.
    pub async fn list(&self, context: &RequestContext, page: PageRequest) -> Result<Page<UserView>, AppError> {
        let scope = context.authorize_platform(PlatformPermission::StaffRead)?;
        Ok(self.users.staff(&scope, page).await?)
    }

    /// Lets someone in, who gets a link by mail to choose a password. A repeat mails it if the first request was cut off
    /// before.
    ///
    /// # Errors
    /// `forbidden` without the right; `taken` where the address has an account.
    pub async fn add(&self, context: &RequestContext, new: NewStaff) -> Result<StaffOutcome, AppError> {
        let scope = context.authorize_platform(PlatformPermission::StaffWrite)?;
        let outcome = self.register(&scope, new).await?;
        let (kind, now) = (LinkKind::PasswordReset, self.mailed.clock.now());
        if let User::Active(user) = self.accounts.load(outcome.id.uuid()).await?
            && !self.mailed.links.is_issued(kind, None, outcome.id.uuid(), now).await?
        {
            let prepared = self.mailed.prepare(kind)?;
            let (expires_at, link) = (now + LIFE, prepared.link.clone());
            let mail = Mail::StaffInvitation { link: &link, days: LIFE.num_days() };
            let mail = self.mailed.mail(&mail, &user.email, None, Language::English, expires_at);
            self.issue(prepared, &user, vec![mail]).await?;
        }
        Ok(outcome)
    }

    /// The same at the terminal, which shows the link instead of mailing it: the first of the staff has nobody to be invited
    /// by, and perhaps no mail server.
    ///
    /// # Errors
    /// As for [`Self::add`]; `forbidden` for all but the terminal.
    pub async fn add_with_link(
        &self,
        context: &RequestContext,
        new: NewStaff,
    ) -> Result<(StaffOutcome, Link), AppError> {
        context.require_support(None)?;
        let outcome = self.register(&context.authorize_platform(PlatformPermission::StaffWrite)?, new).await?;
        Ok((outcome, self.link(context, outcome.id).await?))
    }

    /// A new link at the terminal for someone who has lost the password or the link. Those of before do not work any more.
    ///
    /// # Errors
    /// `forbidden` for all but the terminal; `not_found` for who is not on the staff; `conflict` for one who is deactivated.
    pub async fn link(&self, context: &RequestContext, id: UserId) -> Result<Link, AppError> {
        context.require_support(None)?;
        let (user, _) = self.member(id).await?;
        let prepared = self.mailed.prepare(LinkKind::PasswordReset)?;
        let link = prepared.link.clone();
        self.issue(prepared, &user, Vec::new()).await?;
        Ok(link)
    }

    /// Gives someone another role. It ends the access tokens of the old one within a second; the sessions go on with the new
    /// one.
    ///
    /// # Errors
    /// `forbidden` without the right, and for the own role; `not_found` for who is not on the staff; `conflict` for one who
    /// is deactivated, and for the last super admin.
    pub async fn change_role(
        &self,
        context: &RequestContext,
        id: UserId,
        role: StaffRole,
    ) -> Result<Option<LogPosition>, AppError> {
        let scope = context.authorize_platform(PlatformPermission::StaffWrite)?;
        let (user, former) = self.member(id).await?;
        let change = UserCommand::ChangeStaffRole { role, by: scope.staff_member(), at: self.mailed.clock.now() };
        // Before the list of super admins is touched: what will be refused must not shorten it.
        User::Active(user).decide(change.clone())?;
        if former != role {
            self.roster.leaves(scope.context(), id).await?;
        }
        let recorded = self.accounts.execute(scope.context(), id.uuid(), change).await?.position;
        Ok(recorded.max(self.roster.changed(scope.context(), id).await?))
    }

    /// Keeps someone from signing in, ends the sessions within a second, and frees the e-mail address.
    ///
    /// # Errors
    /// `forbidden` without the right; `not_found` for who is not on the staff; `conflict` for the last super admin.
    pub async fn deactivate(&self, context: &RequestContext, id: UserId) -> Result<Option<LogPosition>, AppError> {
        let scope = context.authorize_platform(PlatformPermission::StaffWrite)?;
        let context = scope.context();
        self.require_member(id).await?;
        self.roster.leaves(context, id).await?;
        let deactivate = UserCommand::Deactivate { at: self.mailed.clock.now() };
        let recorded = self.accounts.execute(context, id.uuid(), deactivate).await?.position;
        let recorded = recorded.max(self.roster.changed(context, id).await?);
        let sessions = self.refresh_tokens.sessions_of(id).await?;
        Ok(recorded.max(self.end.end_all(context, sessions, RevocationReason::UserDeactivated).await?))
    }

    /// Lets someone sign in again, with the password and the role of before.
    ///
    /// # Errors
    /// `forbidden` without the right; `not_found` for who is not on the staff; `taken` where somebody else has the e-mail
    /// address now.
    pub async fn reactivate(&self, context: &RequestContext, id: UserId) -> Result<Option<LogPosition>, AppError> {
        let scope = context.authorize_platform(PlatformPermission::StaffWrite)?;
        self.require_member(id).await?;
        let reactivate = UserCommand::Reactivate { at: self.mailed.clock.now() };
        let recorded = self.accounts.execute(scope.context(), id.uuid(), reactivate).await?.position;
        Ok(recorded.max(self.roster.changed(scope.context(), id).await?))
    }

    async fn register(&self, scope: &PlatformScope, new: NewStaff) -> Result<StaffOutcome, AppError> {
        if let Some(first) = self.accounts.first_outcome(scope.context()).await? {
            return Ok(first.into());
        }
        let (user_id, at) = (UserId::from(self.mailed.ids.next()), self.mailed.clock.now());
        let NewStaff { email, name, role } = new;
        let (email, name) = (Personal::new(email), Personal::new(name));
        let register = UserCommand::RegisterStaff(RegisterStaff { user_id, email, name, role, at });
        Ok(self.accounts.execute(scope.context(), user_id.uuid(), register).await?.into())
    }

    /// Issues a link in place of those of before, whole or not at all, that is counted for no address: whoever asks for new
    /// passwords of the person over the public page must not keep the person out.
    pub(super) async fn issue(
        &self,
        prepared: PreparedLink,
        user: &UserDetails,
        mails: Vec<NewMail>,
    ) -> Result<(), AppError> {
        let (subject, expires_at) = (Some(user.user_id.uuid()), self.mailed.clock.now() + LIFE);
        let about =
            LinkSubject { tenant_id: None, subject, asked_by: None, payload: None, expires_at, supersedes: true };
        self.mailed.issue(prepared, about, mails).await?;
        Ok(())
    }

    /// Someone of the staff who may sign in, and the role.
    pub(super) async fn member(&self, id: UserId) -> Result<(UserDetails, StaffRole), AppError> {
        match self.accounts.load(id.uuid()).await? {
            User::Active(user) => {
                let role = user.membership.staff_role().ok_or(UserError::NotFound)?;
                Ok((user, role))
            }
            User::Deactivated(user) if user.tenant().is_none() => Err(UserError::Deactivated.into()),
            User::Absent | User::Deactivated(_) | User::Removed(_) => Err(UserError::NotFound.into()),
        }
    }

    /// Passes for someone of the staff, whether deactivated or not.
    async fn require_member(&self, id: UserId) -> Result<(), AppError> {
        match self.accounts.load(id.uuid()).await? {
            User::Active(user) | User::Deactivated(user) if user.tenant().is_none() => Ok(()),
            _ => Err(UserError::NotFound.into()),
        }
    }
}
