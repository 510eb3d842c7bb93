//! Proving with the password that a device is in its owner's hands.

use std::sync::Arc;

use domain::FieldError;
use domain::user::{User, UserDetails};
use secrecy::SecretString;

use super::sign_in::{locked, record_lockout};
use crate::context::RequestContext;
use crate::error::AppError;
use crate::ports::clock::Clock;
use crate::ports::commands::Commands;
use crate::ports::identity::{Attempt, Counted, Credentials, PasswordHash, PasswordHasher, PasswordMatch, SignInGuard};

/// Asks for the password before what would take an account over. A device that was left open is no place to guess either,
/// so wrong ones are counted as failed sign-ins are.
pub struct OwnPassword {
    /// The users as the log knows them.
    pub accounts: Arc<dyn Commands<User>>,
    /// Password hashes.
    pub credentials: Arc<dyn Credentials>,
    /// Hashing.
    pub hasher: Arc<dyn PasswordHasher>,
    /// Counting failures.
    pub guard: Arc<dyn SignInGuard>,
    /// The time.
    pub clock: Arc<dyn Clock>,
}

impl OwnPassword {
    /// Passes where it is the user's password, and answers with its hash; `field` is what the request calls it.
    ///
    /// # Errors
    /// `invalid`, naming the field; `too_many` after failed attempts.
    pub(super) async fn require(
        &self,
        context: &RequestContext,
        user: &UserDetails,
        field: &str,
        password: &SecretString,
    ) -> Result<PasswordHash, AppError> {
        let attempt = Attempt { account: Some(Counted::Passwords(user.email.reveal().clone())), address: None };
        let now = self.clock.now();
        if let Some(until) = self.guard.locked_until(&attempt, now).await? {
            return Err(locked(until, now));
        }
        let hash = self.credentials.get(user.user_id).await?;
        let fits = self.hasher.verify(password, hash.as_ref()).await?;
        let Some(hash) = hash.filter(|_| fits != PasswordMatch::No) else {
            let now = self.clock.now();
            if let Some(lockout) = self.guard.failed(&attempt, now).await? {
                record_lockout(self.accounts.as_ref(), &context.further(), user.user_id, lockout, now).await?;
            }
            return Err(AppError::invalid(vec![FieldError::new(field, "is not your password")]));
        };
        let now = self.clock.now();
        self.guard.succeeded(&attempt, now).await?.map_or(Ok(hash), |until| Err(locked(until, now)))
    }
}
