//! Signing in with e-mail and password.

use std::sync::Arc;

use domain::ErrorKind;
use domain::ids::UserId;
use domain::values::Email;
use secrecy::SecretString;

use crate::context::Principal;
use crate::error::AppError;
use crate::ports::clock::Clock;
use crate::ports::identity::{AccessToken, Credentials, PasswordHasher, Tokens};
use crate::ports::read_models::{UserView, Users};

/// A user with a fresh access token.
pub struct SignedIn {
    /// The token.
    pub access: AccessToken,
    /// The user.
    pub user: UserView,
}

/// Signs users in.
pub struct SignIn {
    /// Who exists.
    pub users: Arc<dyn Users>,
    /// Their password hashes.
    pub credentials: Arc<dyn Credentials>,
    /// Hashing.
    pub hasher: Arc<dyn PasswordHasher>,
    /// Signing tokens.
    pub tokens: Arc<dyn Tokens>,
    /// The time.
    pub clock: Arc<dyn Clock>,
}

impl SignIn {
    /// An access token for the one who knows the password.
    ///
    /// # Errors
    /// `unauthenticated`, in the same words and after the same time for an unknown address and a wrong password.
    pub async fn sign_in(&self, email: &str, password: SecretString) -> Result<SignedIn, AppError> {
        let user = match email.parse::<Email>() {
            Ok(email) => self.users.by_email(&email).await?,
            Err(_) => None,
        };
        let hash = match &user {
            Some(user) => self.credentials.get(user.id).await?,
            None => None,
        };
        let fits = self.hasher.verify(password, hash).await?;
        let Some(user) = user.filter(|_| fits) else {
            let detail = "The e-mail address or the password is wrong.";
            return Err(AppError::new(ErrorKind::Unauthenticated, "sign_in.refused", detail));
        };
        let principal = Principal { user_id: user.id, tenant_id: user.tenant_id, role: user.role };
        Ok(SignedIn { access: self.tokens.issue(principal, self.clock.now())?, user })
    }

    /// The user whom a token speaks of.
    ///
    /// # Errors
    /// `unauthenticated` where the token is not whole, not ours or out of time.
    pub fn authenticate(&self, token: &str) -> Result<Principal, AppError> {
        self.tokens.verify(token, self.clock.now()).ok_or_else(|| {
            let detail = "Sign in again: the access token is missing, not valid or out of time.";
            AppError::new(ErrorKind::Unauthenticated, "token.refused", detail)
        })
    }

    /// The signed-in user.
    pub async fn current(&self, id: UserId) -> Result<UserView, AppError> {
        let missing = || AppError::new(ErrorKind::Unauthenticated, "user.gone", "This user no longer exists.");
        self.users.get(id).await?.ok_or_else(missing)
    }
}
