//! Proving with the password that a device is in its owner's hands.

use std::sync::Arc;

use domain::FieldError;
use domain::user::UserDetails;
use secrecy::SecretString;

use super::sign_in::locked;
use crate::error::AppError;
use crate::ports::clock::Clock;
use crate::ports::identity::{Attempt, Credentials, PasswordHasher, PasswordMatch, SignInGuard};

/// Asks for the password before what would take an account over. A device that was left open is no place to guess either,
/// so wrong ones are counted as failed sign-ins are.
pub struct OwnPassword {
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
    /// Passes where it is the user's password.
    ///
    /// # Errors
    /// `invalid`, naming the field `password`; `too_many` after failed attempts.
    pub(super) async fn require(&self, user: &UserDetails, password: &SecretString) -> Result<(), AppError> {
        let attempt = Attempt { account: Some(user.email.reveal().clone()), address: None };
        let now = self.clock.now();
        if let Some(until) = self.guard.locked_until(&attempt, now).await? {
            return Err(locked(until, now));
        }
        let hash = self.credentials.get(user.user_id).await?;
        if self.hasher.verify(password, hash.as_ref()).await? == PasswordMatch::No {
            self.guard.failed(&attempt, self.clock.now()).await?;
            return Err(AppError::invalid(vec![FieldError::new("password", "is not your password")]));
        }
        let now = self.clock.now();
        self.guard.succeeded(&attempt, now).await?.map_or(Ok(()), |until| Err(locked(until, now)))
    }
}
