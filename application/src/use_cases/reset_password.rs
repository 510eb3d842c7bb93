//! Choosing a new password by a mailed link, without the old one.

use std::sync::Arc;

use chrono::TimeDelta;
use domain::ids::{TenantId, UserId};
use domain::session::RevocationReason;
use domain::user::{User, UserCommand, UserDetails};
use domain::values::{Email, Language, Personal};
use secrecy::SecretString;
use uuid::Uuid;

use super::SuperAdminRoster;
use super::end_sessions::EndSessions;
use super::mailed_links::{LinkSubject, MailedLinks, refused};
use crate::context::{Origin, RequestContext};
use crate::error::AppError;
use crate::mail::Mail;
use crate::password::Password;
use crate::ports::commands::{Commands, LogPosition};
use crate::ports::identity::{EmailOwners, PasswordHasher};
use crate::ports::links::LinkKind;

/// How long a link works.
const LIFE: TimeDelta = TimeDelta::minutes(30);

/// Lets people back in who have forgotten their password.
pub struct ResetPassword {
    /// Who has which address.
    pub addresses: Arc<dyn EmailOwners>,
    /// The users as the log knows them.
    pub accounts: Arc<dyn Commands<User>>,
    /// Links and mails.
    pub mailed: Arc<MailedLinks>,
    /// Hashing.
    pub hasher: Arc<dyn PasswordHasher>,
    /// Who of the staff can act from then on.
    pub roster: Arc<SuperAdminRoster>,
    /// Ending sessions.
    pub end: Arc<EndSessions>,
}

impl ResetPassword {
    /// Mails a link to the address, if it is a user's who may sign in. Who asks does not learn whether it is: for an
    /// address that is nobody's the same is looked up and written, and at most three links are issued within an hour.
    pub async fn request(&self, email: Email) -> Result<(), AppError> {
        let known = self.addresses.owner_of(&email).await?;
        let nobody = Uuid::nil();
        let user = match self.accounts.load(known.map_or(nobody, UserId::uuid)).await? {
            User::Active(details) => Some(details),
            User::Absent | User::Deactivated(_) | User::Removed(_) => None,
        };
        // Of nobody, and of staff, a company is looked up as well, so that all answers take as long.
        let tenant_id = user.as_ref().and_then(UserDetails::tenant);
        let company = self.mailed.open_company(tenant_id.unwrap_or(TenantId::from(nobody))).await?;
        let language = company.as_ref().map_or(Language::English, |company| company.language);
        let reached = |user: &UserDetails| company.is_some() || user.tenant().is_none();
        let subject = user.filter(reached).map(|user| user.user_id.uuid());
        let (prepared, expires_at) = (self.mailed.prepare(LinkKind::PasswordReset)?, self.mailed.clock.now() + LIFE);
        let mail = Mail::PasswordReset { link: &prepared.link, minutes: LIFE.num_minutes() };
        let mail = self.mailed.mail(&mail, &Personal::new(email.clone()), tenant_id, language, expires_at);
        let asked_by = Some(email);
        let about = LinkSubject { tenant_id, subject, asked_by, payload: None, expires_at, supersedes: false };
        self.mailed.issue(prepared, about, vec![mail]).await?;
        Ok(())
    }

    /// Keeps the new password and ends all sessions of the user.
    ///
    /// # Errors
    /// `conflict` for a link that does not work; `invalid` for a password that breaks the rules. The link still works after
    /// that.
    pub async fn reset(
        &self,
        origin: Origin,
        token: &SecretString,
        new: SecretString,
    ) -> Result<Option<LogPosition>, AppError> {
        let links = &self.mailed.links;
        let now = self.mailed.clock.now();
        let link = links.find(LinkKind::PasswordReset, token, now).await?.ok_or_else(refused)?;
        let User::Active(user) = self.accounts.load(link.subject).await? else { return Err(refused()) };
        let home = self.mailed.home(&user.membership).await?.ok_or_else(refused)?;
        let (tenant_id, UserDetails { user_id, email, .. }) = (user.tenant(), user);
        let new = Password::of_field("password", new, &[email.reveal().as_str(), home.name.as_str()])?;
        let hash = self.hasher.hash(&new).await?;
        let notice = self.mailed.notice(&Mail::PasswordWasReset, &email, tenant_id, home.language);
        let ended = links.reset_password(token, hash, vec![notice], self.mailed.clock.now()).await?;
        let ended = ended.ok_or_else(refused)?;
        let ids = &self.mailed.ids;
        let context = RequestContext::for_system("password_reset", tenant_id, ids.next(), origin.request_id);
        let context = context.from_client(origin.client);
        let recorded = UserCommand::RecordPasswordReset { at: self.mailed.clock.now() };
        let recorded = self.accounts.execute(&context, user_id.uuid(), recorded).await?.position;
        let appointed = self.roster.changed(&context, user_id).await?;
        Ok(recorded.max(appointed).max(self.end.end_all(&context, ended, RevocationReason::PasswordReset).await?))
    }
}
