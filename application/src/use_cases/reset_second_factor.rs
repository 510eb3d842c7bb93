//! Taking a lost second factor away from someone of the platform's staff, who then begins as someone new does.

use domain::ErrorKind;
use domain::access::PlatformPermission;
use domain::error::Classified;
use domain::ids::UserId;
use domain::second_factor::{SecondFactor, SecondFactorCommand};
use domain::session::RevocationReason;
use domain::super_admins::SuperAdminsError;
use domain::user::{User, UserDetails, UserError};
use domain::values::{Language, Reason};

use super::ManageStaff;
use super::code_check::owner;
use super::manage_staff::LIFE;
use crate::context::{PlatformScope, RequestContext};
use crate::error::AppError;
use crate::mail::{Link, Mail};
use crate::ports::commands::LogPosition;
use crate::ports::links::LinkKind;

impl ManageStaff {
    /// Takes the authenticator app, the recovery codes and the password away, ends the sessions, and mails a link to choose a
    /// new password; after signing in with it a new app is set up. The password goes because it would be all that the first who
    /// comes has to show. One who is deactivated gets no link: once reactivated, the person asks for one as whoever has forgotten
    /// the password does. A repeat under the same name ends what the first request was cut off in, and no more.
    ///
    /// # Errors
    /// `forbidden` without the right, and for the own; `not_found` for who is not on the staff; `conflict` for the last super
    /// admin.
    pub async fn reset_second_factor(
        &self,
        context: &RequestContext,
        id: UserId,
        reason: Reason,
    ) -> Result<Option<LogPosition>, AppError> {
        let scope = context.authorize_platform(PlatformPermission::StaffWrite)?;
        if scope.staff_member() == Some(id) {
            return Err(own());
        }
        let user = self.former_or_present(id).await?;
        if let Some(first) = self.second_factors.first_outcome(scope.context()).await?
            && self.is_taken_away(&user).await?
        {
            return Ok(first.position);
        }
        self.roster.leaves(scope.context(), id).await?;
        let recorded = self.take_away(&scope, &user, reason).await?;
        if self.member(id).await.is_err() {
            return Ok(recorded);
        }
        let prepared = self.mailed.prepare(LinkKind::PasswordReset)?;
        let (expires_at, link) = (self.mailed.clock.now() + LIFE, prepared.link.clone());
        let mail = Mail::SecondFactorReset { link: &link, days: LIFE.num_days() };
        let mail = self.mailed.mail(&mail, &user.email, None, Language::English, expires_at);
        self.issue(prepared, &user, vec![mail]).await?;
        Ok(recorded)
    }

    /// The same at the terminal, which shows the link instead of mailing it. The last super admin has nobody else to be helped
    /// by, and stays on the list of those who can act: the link is all that is missing.
    ///
    /// # Errors
    /// `forbidden` for all but the terminal; `not_found` for who is not on the staff; `conflict` for one who is deactivated.
    pub async fn reset_second_factor_with_link(
        &self,
        context: &RequestContext,
        id: UserId,
        reason: Reason,
    ) -> Result<(Option<LogPosition>, Link), AppError> {
        context.require_support(None)?;
        let scope = context.authorize_platform(PlatformPermission::StaffWrite)?;
        let (user, _) = self.member(id).await?;
        match self.roster.leaves(scope.context(), id).await {
            Err(error) if error.code == SuperAdminsError::Last.code() => {}
            left => drop(left?),
        }
        let recorded = self.take_away(&scope, &user, reason).await?;
        Ok((recorded, self.link(context, id).await?))
    }

    /// Someone of the staff, whether deactivated or not.
    async fn former_or_present(&self, id: UserId) -> Result<UserDetails, AppError> {
        match self.accounts.load(id.uuid()).await? {
            User::Active(user) | User::Deactivated(user) if user.tenant().is_none() => Ok(user),
            _ => Err(UserError::NotFound.into()),
        }
    }

    /// Whether what was recorded has been done: the app is gone, or is one that was set up since, and a link was issued where
    /// there is somebody to use it.
    async fn is_taken_away(&self, user: &UserDetails) -> Result<bool, AppError> {
        let (id, kind, now) = (user.user_id, LinkKind::PasswordReset, self.mailed.clock.now());
        let is_gone = !self.factors.is_enrolled(id).await?
            || matches!(self.second_factors.load(id.uuid()).await?, SecondFactor::Enrolled(..));
        let has_link = self.mailed.links.is_issued(kind, None, id.uuid(), now).await?;
        Ok(is_gone && (has_link || self.member(id).await.is_err()))
    }

    /// It is recorded before anything is gone, and sessions end when no other one can be opened any more. A link to confirm
    /// another address would hand the account to whoever asked for it. Whoever is cut off repeats it.
    async fn take_away(
        &self,
        scope: &PlatformScope,
        user: &UserDetails,
        reason: Reason,
    ) -> Result<Option<LogPosition>, AppError> {
        let (user_id, at) = (user.user_id, self.mailed.clock.now());
        let reset = SecondFactorCommand::RecordReset { user_id, tenant_id: None, reason, at };
        let recorded = self.second_factors.execute(scope.context(), user_id.uuid(), reset).await?.position;
        self.mailed.links.revoke(LinkKind::EmailChange, None, user_id.uuid(), at).await?;
        self.roster.credentials.forget(user_id).await?;
        self.factors.forget(owner(user)).await?;
        let sessions = self.refresh_tokens.sessions_of(user_id).await?;
        let ended = self.end.end_all(&scope.context().further(), sessions, RevocationReason::ByAdmin).await?;
        // Whoever signed in meanwhile may be on the list again, without a password by now.
        match self.roster.changed(scope.context(), user_id).await {
            Err(error) if error.code == SuperAdminsError::Last.code() => Ok(recorded.max(ended)),
            left => Ok(recorded.max(ended).max(left?)),
        }
    }
}

fn own() -> AppError {
    let detail = "Nobody takes the own authenticator app away: put another one in its place, with a recovery code where it \
                  is lost, or ask another super_admin.";
    AppError::new(ErrorKind::Forbidden, "staff.own_second_factor", detail)
}
