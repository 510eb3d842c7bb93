//! Who a request's access token or API key speaks of.

use std::sync::Arc;
use std::time::Duration;

use domain::ErrorKind;
use secrecy::SecretString;

use crate::context::{Authenticated, AuthenticatedKey};
use crate::error::AppError;
use crate::ports::api_keys::ApiKeysInForce;
use crate::ports::clock::Clock;
use crate::ports::identity::{PublicKey, Tokens};
use crate::ports::sessions::{Activity, Revocations, SessionKey, Verdict};

/// How soon a process that has lost sight of the log may see it again.
const LOOK_AGAIN: Duration = Duration::from_secs(1);

/// Tells who an access token or an API key speaks of.
pub struct Authentication {
    /// Verifying tokens.
    pub tokens: Arc<dyn Tokens>,
    /// Those that are refused before their time.
    pub revocations: Arc<dyn Revocations>,
    /// The keys of companies' programs.
    pub keys: Arc<dyn ApiKeysInForce>,
    /// When sessions were last seen.
    pub activity: Arc<dyn Activity>,
    /// The time.
    pub clock: Arc<dyn Clock>,
}

impl Authentication {
    /// The proof that a token is which is accepted. Asks memory only.
    ///
    /// # Errors
    /// `unauthenticated` where the token is not whole, not ours, out of time or revoked; `unavailable` where this process
    /// cannot know whether it was revoked.
    pub fn authenticate(&self, token: &str) -> Result<Authenticated, AppError> {
        let now = self.clock.now();
        let refused = || {
            let detail =
                "Refresh the session, or sign in again: the access token is not valid, out of time or revoked.";
            AppError::new(ErrorKind::Unauthenticated, "token.refused", detail)
        };
        let user = Authenticated::by(self.tokens.as_ref(), token, now).ok_or_else(refused)?;
        match self.revocations.verdict(user.subject()) {
            Verdict::Stands => {}
            Verdict::Revoked => return Err(refused()),
            Verdict::Unknown => {
                let detail = "Synkro cannot tell at this moment whether the token still stands; try again in a moment.";
                let error = AppError::new(ErrorKind::Unavailable, "system.unavailable", detail);
                return Err(AppError { retry_after: Some(LOOK_AGAIN), ..error });
            }
        }
        let principal = user.principal();
        if principal.acting.is_some() {
            // What staff do in a user's name is no use of the user's sessions.
            return Ok(user);
        }
        let (user_id, tenant_id) = (principal.user_id, principal.membership.tenant());
        self.activity.seen(SessionKey { session_id: principal.session_id, user_id, tenant_id }, now);
        Ok(user)
    }

    /// The proof that an API key is which is accepted.
    ///
    /// # Errors
    /// `unauthenticated` where the key is not one of ours, out of time or revoked, and where its company is not open.
    pub async fn authenticate_key(&self, presented: &SecretString) -> Result<AuthenticatedKey, AppError> {
        let key = AuthenticatedKey::by(self.keys.as_ref(), presented, self.clock.now()).await?;
        key.ok_or_else(|| {
            let detail = "Use another API key, or ask an owner of your company for one: this one is not whole, not ours, \
                          out of time or revoked, or your company is suspended or closed.";
            AppError::new(ErrorKind::Unauthenticated, "api_key.refused", detail)
        })
    }

    /// The keys that access tokens are verified with, for services that verify them on their own.
    pub fn public_keys(&self) -> Vec<PublicKey> {
        self.tokens.public_keys(self.clock.now())
    }
}
