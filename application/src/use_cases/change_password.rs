//! Changing one's own password.

use std::sync::Arc;

use domain::FieldError;
use domain::session::RevocationReason;
use domain::tenant::Tenant;
use domain::user::{User, UserCommand, UserError};
use secrecy::{ExposeSecret, SecretString};

use super::end_sessions::EndSessions;
use super::sign_in::locked;
use crate::context::RequestContext;
use crate::error::AppError;
use crate::password::Password;
use crate::ports::clock::Clock;
use crate::ports::commands::{Commands, LogPosition};
use crate::ports::identity::{Attempt, Credentials, PasswordHasher, PasswordMatch, SignInGuard};

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
    /// Counting failures.
    pub guard: Arc<dyn SignInGuard>,
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
    /// failed attempts: a device that was left open is no place to guess.
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
        let attempt = Attempt { account: Some(user.email.reveal().clone()), address: None };
        let now = self.clock.now();
        if let Some(until) = self.guard.locked_until(&attempt, now).await? {
            return Err(locked(until, now));
        }
        let tenant = match user.tenant() {
            Some(tenant) => self.tenants.load(tenant.uuid()).await?,
            None => Tenant::Absent,
        };
        let company = tenant.details().map_or("Synkro", |details| details.name.as_str());
        if old.expose_secret() == new.expose_secret() {
            return Err(AppError::invalid(vec![FieldError::new("new_password", "must differ from the old one")]));
        }
        let new = Password::of_field("new_password", new, &[user.email.reveal().as_str(), company])?;
        let hash = self.credentials.get(account.user_id).await?;
        if self.hasher.verify(&old, hash.as_ref()).await? == PasswordMatch::No {
            self.guard.failed(&attempt, self.clock.now()).await?;
            let message = "is not the password that you have now";
            return Err(AppError::invalid(vec![FieldError::new("old_password", message)]));
        }
        if let Some(until) = self.guard.succeeded(&attempt, self.clock.now()).await? {
            return Err(locked(until, self.clock.now()));
        }
        let hash = self.hasher.hash(&new).await?;
        let others = self.credentials.change(account.user_id, hash, account.session_id).await?;
        let changed = UserCommand::RecordPasswordChanged { at: self.clock.now() };
        let recorded = self.accounts.execute(account.context(), account.user_id.uuid(), changed).await?;
        let ended = self.end.end_all(account.context(), others, RevocationReason::PasswordChanged).await?;
        Ok(recorded.position.max(ended))
    }
}
