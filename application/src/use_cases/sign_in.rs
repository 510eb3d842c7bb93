//! Signing in with e-mail and password.

use std::sync::Arc;
use std::time::Duration;

use chrono::{DateTime, Utc};
use domain::ErrorKind;
use domain::ids::{TenantId, UserId};
use domain::tenant::Tenant;
use domain::user::{User, UserCommand, UserDetails};
use domain::values::Email;
use secrecy::SecretString;

use super::SecondFactorCheck;
use super::open_session::{OpenSessions, SessionTokens, SignInProof, TokenCarrier};
use crate::context::{Origin, RequestContext};
use crate::error::{AppError, PortError, chain};
use crate::password::Password;
use crate::ports::clock::{Clock, Ids};
use crate::ports::commands::Commands;
use crate::ports::identity::{Attempt, Credentials, Lockout, PasswordHash, PasswordHasher, PasswordMatch, SignInGuard};
use crate::ports::read_models::{UserView, Users};

/// What someone signs in with.
pub struct Login {
    /// The address, as typed.
    pub email: String,
    /// The password.
    pub password: SecretString,
    /// A code of the user's authenticator app, or a recovery code; needed where an app is set up.
    pub code: Option<SecretString>,
    /// Where the client keeps its tokens.
    pub carrier: TokenCarrier,
}

/// A user with fresh tokens.
pub struct SignedIn {
    /// The tokens of the new session.
    pub tokens: SessionTokens,
    /// The user.
    pub user: UserView,
}

/// Signs users in.
pub struct SignIn {
    /// Who exists.
    pub users: Arc<dyn Users>,
    /// The users as the log knows them.
    pub accounts: Arc<dyn Commands<User>>,
    /// Whether their tenants are open.
    pub tenants: Arc<dyn Commands<Tenant>>,
    /// Their password hashes.
    pub credentials: Arc<dyn Credentials>,
    /// Hashing.
    pub hasher: Arc<dyn PasswordHasher>,
    /// Counting failures.
    pub guard: Arc<dyn SignInGuard>,
    /// Asking for a code.
    pub second_factor: SecondFactorCheck,
    /// Opening sessions.
    pub sessions: Arc<OpenSessions>,
    /// The time.
    pub clock: Arc<dyn Clock>,
    /// Ids.
    pub ids: Arc<dyn Ids>,
}

impl SignIn {
    /// A session for the one who knows the password.
    ///
    /// # Errors
    /// `unauthenticated`, in the same words and after the same time for an unknown address, a user who may not sign in
    /// and a wrong password, and in other words where a code is missing or wrong; `forbidden` where all is right and the
    /// company is kept out; `too_many` after failed attempts, alike for accounts that exist and that do not; `unavailable`
    /// where too many sign in at this moment.
    pub async fn sign_in(&self, origin: Origin, login: Login) -> Result<SignedIn, AppError> {
        let email = login.email.parse::<Email>().ok();
        let attempt = Attempt { account: email.clone(), address: origin.client.ip.clone() };
        let now = self.clock.now();
        if let Some(until) = self.guard.locked_until(&attempt, now).await? {
            return Err(locked(until, now));
        }
        let user = match &email {
            Some(email) => self.users.by_email(email).await?,
            None => None,
        };
        let hash = match &user {
            Some(user) => self.credentials.get(user.id).await?,
            None => None,
        };
        let fits = self.hasher.verify(&login.password, hash.as_ref()).await?;
        let (Some(user), Some(hash)) = (user.as_ref(), hash.filter(|_| fits != PasswordMatch::No)) else {
            self.failed(&attempt, user.as_ref(), &origin).await?;
            return Err(refused());
        };
        let details = self.active(user).await?.ok_or_else(refused)?;
        // Failures are forgotten when all is right, not before: a password that is known gives no more guesses at the code.
        let second_factor = self.require_code(&origin, &attempt, &details, login.code).await?;
        if let Some(until) = self.guard.succeeded(&attempt, self.clock.now()).await? {
            return Err(locked(until, self.clock.now()));
        }
        let hash = match fits {
            PasswordMatch::Outdated => self.rehashed(user, login.password, hash).await,
            PasswordMatch::Yes | PasswordMatch::No => hash,
        };
        if let Some(tenant) = details.tenant() {
            self.tenants.load(tenant.uuid()).await?.require_open()?;
        }
        let proof = SignInProof { verified: hash, second_factor };
        let tokens = self.sessions.open(origin, &details, proof, login.carrier).await?.ok_or_else(refused)?;
        Ok(SignedIn { tokens, user: UserView { membership: details.membership, ..user.clone() } })
    }

    /// Passes where no app is set up, or the code is right; true where it is.
    async fn require_code(
        &self,
        origin: &Origin,
        attempt: &Attempt,
        user: &UserDetails,
        code: Option<SecretString>,
    ) -> Result<bool, AppError> {
        if !self.second_factor.is_asked(user).await? {
            return Ok(false);
        }
        let Some(code) = code else {
            let detail = "Send the code that your authenticator app shows, or a recovery code, with the password.";
            return Err(AppError::new(ErrorKind::Unauthenticated, "totp.required", detail));
        };
        if self.second_factor.passes(&self.context(user.tenant(), origin), user, &code, self.clock.as_ref()).await? {
            return Ok(true);
        }
        let lockout = self.guard.failed(attempt, self.clock.now()).await?;
        if let Some(lockout) = lockout {
            self.record_lockout(user.user_id, user.tenant(), lockout, origin).await?;
        }
        let detail = "The code is not the one that the app shows now, or was used already; wait for the next one.";
        Err(AppError::new(ErrorKind::Unauthenticated, "totp.refused", detail))
    }

    /// Counts a wrong password, and records the lockout of a user who exists.
    async fn failed(&self, attempt: &Attempt, user: Option<&UserView>, origin: &Origin) -> Result<(), AppError> {
        let lockout = self.guard.failed(attempt, self.clock.now()).await?;
        match (user, lockout) {
            (Some(user), Some(lockout)) => {
                self.record_lockout(user.id, user.membership.tenant(), lockout, origin).await
            }
            _ => Ok(()),
        }
    }

    fn context(&self, tenant: Option<TenantId>, origin: &Origin) -> RequestContext {
        let context = RequestContext::for_system("sign_in", tenant, self.ids.next(), origin.request_id);
        context.from_client(origin.client.clone())
    }

    /// The user as the log knows the user now, where the user may sign in.
    async fn active(&self, user: &UserView) -> Result<Option<UserDetails>, PortError> {
        match self.accounts.load(user.id.uuid()).await? {
            User::Active(details) => Ok(Some(details)),
            User::Absent | User::Deactivated(_) | User::Removed(_) => Ok(None),
        }
    }

    /// The hash under today's parameters; the old one where that cannot be had now. Signing in does not fail over it.
    async fn rehashed(&self, user: &UserView, password: SecretString, old: PasswordHash) -> PasswordHash {
        let replaced = async {
            let new = self.hasher.hash(&Password::verified(password)).await?;
            self.credentials.replace(user.id, &old, new.clone()).await?;
            Ok::<_, PortError>(new)
        };
        match replaced.await {
            Ok(new) => new,
            Err(error) => {
                tracing::warn!(
                    error = chain(&error),
                    "a password could not be hashed anew; the next sign-in tries again"
                );
                old
            }
        }
    }

    async fn record_lockout(
        &self,
        user: UserId,
        tenant: Option<TenantId>,
        Lockout { failures, until }: Lockout,
        origin: &Origin,
    ) -> Result<(), AppError> {
        let command = UserCommand::RecordLockout { failures, until, at: self.clock.now() };
        self.accounts.execute(&self.context(tenant, origin), user.uuid(), command).await?;
        Ok(())
    }
}

fn refused() -> AppError {
    let detail = "The e-mail address or the password is wrong.";
    AppError::new(ErrorKind::Unauthenticated, "sign_in.refused", detail)
}

/// The refusal of an attempt that comes too early.
pub(super) fn locked(until: DateTime<Utc>, now: DateTime<Utc>) -> AppError {
    let seconds = (until - now).num_seconds().max(0).cast_unsigned() + 1;
    let detail = format!("Too many attempts have failed; wait {seconds} seconds before the next one.");
    let error = AppError::new(ErrorKind::TooMany, "sign_in.locked", detail);
    AppError { retry_after: Some(Duration::from_secs(seconds)), ..error }
}
