//! Changing one's own password.

use std::sync::Arc;

use domain::session::RevocationReason;
use domain::tenant::Tenant;
use domain::user::{User, UserCommand, UserError};
use domain::{ErrorKind, FieldError};
use secrecy::{ExposeSecret, SecretString};

use super::end_sessions::EndSessions;
use super::own_password::OwnPassword;
use crate::context::RequestContext;
use crate::error::AppError;
use crate::password::Password;
use crate::ports::clock::Clock;
use crate::ports::commands::{Commands, LogPosition};
use crate::ports::identity::{Credentials, PasswordHasher};

/// Changes passwords.
pub struct ChangePassword {
    /// The users as the log knows them.
    pub accounts: Arc<dyn Commands<User>>,
    /// The companies, whose names are no passwords.
    pub tenants: Arc<dyn Commands<Tenant>>,
    /// Password hashes.
    pub credentials: Arc<dyn Credentials>,
    /// Hashing.
    pub hasher: Arc<dyn PasswordHasher>,
    /// Asking for the password.
    pub password: Arc<OwnPassword>,
    /// Ending the other sessions.
    pub end: Arc<EndSessions>,
    /// The time.
    pub clock: Arc<dyn Clock>,
}

impl ChangePassword {
    /// Replaces the password of the one who asks, and ends the other sessions.
    ///
    /// # Errors
    /// `invalid` where the old password is wrong or the new one breaks the rules, naming the field; `too_many` after
    /// failed attempts: a device that was left open is no place to guess; `conflict` where the old password was changed or
    /// taken away meanwhile.
    pub async fn change(
        &self,
        context: &RequestContext,
        old: SecretString,
        new: SecretString,
    ) -> Result<Option<LogPosition>, AppError> {
        let account = context.own_account()?;
        let User::Active(user) = self.accounts.load(account.user_id.uuid()).await? else {
            return Err(UserError::NotFound.into());
        };
        let tenant = match user.tenant() {
            Some(tenant) => self.tenants.load(tenant.uuid()).await?,
            None => Tenant::Absent,
        };
        let company = tenant.details().map_or("Synkro", |details| details.name.as_str());
        if old.expose_secret() == new.expose_secret() {
            return Err(AppError::invalid(vec![FieldError::new("new_password", "must differ from the old one")]));
        }
        let new = Password::of_field("new_password", new, &[user.email.reveal().as_str(), company])?;
        let verified = self.password.require(account.context(), &user, "old_password", &old).await?;
        let hash = self.hasher.hash(&new).await?;
        let others = self.credentials.change(account.user_id, &verified, hash, account.session_id).await?;
        let others = others.ok_or_else(changed_meanwhile)?;
        let changed = UserCommand::RecordPasswordChanged { at: self.clock.now() };
        let recorded = self.accounts.execute(account.context(), account.user_id.uuid(), changed).await?;
        let ended = self.end.end_all(account.context(), others, RevocationReason::PasswordChanged).await?;
        Ok(recorded.position.max(ended))
    }
}

fn changed_meanwhile() -> AppError {
    let detail = "Your password was changed or taken away at this moment; sign in again.";
    AppError::new(ErrorKind::Conflict, "password.changed_meanwhile", detail)
}
