//! Signing in with e-mail and password.

use std::sync::Arc;
use std::time::Duration;

use chrono::{DateTime, Utc};
use domain::ErrorKind;
use domain::access::StaffRole;
use domain::ids::{TenantId, UserId};
use domain::tenant::Tenant;
use domain::user::{User, UserCommand, UserDetails};
use domain::values::{Email, Personal};
use secrecy::SecretString;
use uuid::Uuid;

use super::SuperAdminRoster;
use super::code_check::SecondFactorCheck;
use super::open_session::{OpenSessions, SessionTokens, SignInProof, TokenCarrier};
use crate::context::{Origin, RequestContext};
use crate::error::{AppError, PortError, chain};
use crate::password::Password;
use crate::ports::clock::{Clock, Ids};
use crate::ports::commands::Commands;
use crate::ports::identity::{
    Attempt, Counted, Credentials, EmailOwners, Lockout, PasswordHash, PasswordHasher, PasswordMatch, SignInGuard,
};
use crate::ports::read_models::UserView;

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
    /// Whose address it is.
    pub addresses: Arc<dyn EmailOwners>,
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
    /// Who of the staff can act.
    pub roster: Arc<SuperAdminRoster>,
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
    /// `unauthenticated`, in the same words for an unknown address, a user who may not sign in and a wrong password, and after
    /// the same time but where a failure locks the account of a user, which is recorded; and in other words where a code is
    /// missing or wrong; `forbidden` where all is right and the company is kept out; `too_many` after failed attempts, alike
    /// for accounts that exist and that do not; `unavailable` where too many sign in at this moment.
    pub async fn sign_in(&self, origin: Origin, login: Login) -> Result<SignedIn, AppError> {
        let email = login.email.parse::<Email>().ok();
        let attempt = Attempt { account: email.clone().map(Counted::Passwords), address: origin.client.ip.clone() };
        let now = self.clock.now();
        if let Some(until) = self.guard.locked_until(&attempt, now).await? {
            return Err(locked(until, now));
        }
        let user = match &email {
            Some(email) => self.addresses.owner_of(email).await?,
            None => None,
        };
        // Of nobody too, so that both take as long.
        let hash = self.credentials.get(user.unwrap_or(UserId::from(Uuid::nil()))).await?;
        let fits = self.hasher.verify(&login.password, hash.as_ref()).await?;
        let (Some(user), Some(hash)) = (user, hash.filter(|_| fits != PasswordMatch::No)) else {
            self.failed(&attempt, user, &origin).await?;
            return Err(refused());
        };
        let details = self.active(user).await?.ok_or_else(refused)?;
        // Failures are forgotten when all is right, not before.
        let second_factor = self.require_code(&origin, &details, login.code).await?;
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
        if details.membership.staff_role() == Some(StaffRole::SuperAdmin) {
            // Whoever was cut off after choosing the first password can act, and is not on the list yet.
            self.roster.changed(&self.context(None, &origin), details.user_id).await?;
        }
        let proof = SignInProof { verified: hash, second_factor };
        let tokens = self.sessions.open(origin, &details, proof, login.carrier).await?.ok_or_else(refused)?;
        Ok(SignedIn { tokens, user: view(details) })
    }

    /// Passes where no app is set up, or the code is right; true where it is.
    async fn require_code(
        &self,
        origin: &Origin,
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
        let (context, address) = (self.context(user.tenant(), origin), origin.client.ip.clone());
        if self.second_factor.passes(&context, user, address, &code).await? {
            return Ok(true);
        }
        let detail = "The code is not the one that the app shows now, or was used already; wait for the next one.";
        Err(AppError::new(ErrorKind::Unauthenticated, "totp.refused", detail))
    }

    /// Counts a wrong password, and records the lockout of a user who exists.
    async fn failed(&self, attempt: &Attempt, user: Option<UserId>, origin: &Origin) -> Result<(), AppError> {
        let lockout = self.guard.failed(attempt, self.clock.now()).await?;
        match (user, lockout) {
            (Some(user), Some(lockout)) => {
                let Some(details) = self.active(user).await? else { return Ok(()) };
                let context = self.context(details.tenant(), origin);
                record_lockout(self.accounts.as_ref(), &context, user, lockout, self.clock.now()).await
            }
            _ => Ok(()),
        }
    }

    fn context(&self, tenant: Option<TenantId>, origin: &Origin) -> RequestContext {
        let context = RequestContext::for_system("sign_in", tenant, self.ids.next(), origin.request_id);
        context.from_client(origin.client.clone())
    }

    /// The user as the log knows the user now, where the user may sign in.
    async fn active(&self, user: UserId) -> Result<Option<UserDetails>, PortError> {
        match self.accounts.load(user.uuid()).await? {
            User::Active(details) => Ok(Some(details)),
            User::Absent | User::Deactivated(_) | User::Removed(_) => Ok(None),
        }
    }

    /// The hash under today's parameters; the old one where that cannot be had now. Signing in does not fail over it.
    async fn rehashed(&self, user: UserId, password: SecretString, old: PasswordHash) -> PasswordHash {
        let replaced = async {
            let new = self.hasher.hash(&Password::verified(password)).await?;
            self.credentials.replace(user, &old, new.clone()).await?;
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
}

fn refused() -> AppError {
    let detail = "The e-mail address or the password is wrong.";
    AppError::new(ErrorKind::Unauthenticated, "sign_in.refused", detail)
}

/// Tells the log that too many attempts have failed.
pub(super) async fn record_lockout(
    accounts: &dyn Commands<User>,
    context: &RequestContext,
    user: UserId,
    Lockout { failures, until }: Lockout,
    at: DateTime<Utc>,
) -> Result<(), AppError> {
    accounts.execute(context, user.uuid(), UserCommand::RecordLockout { failures, until, at }).await?;
    Ok(())
}

/// The refusal of an attempt that comes too early.
pub(super) fn locked(until: DateTime<Utc>, now: DateTime<Utc>) -> AppError {
    let seconds = (until - now).num_seconds().max(0).cast_unsigned() + 1;
    let detail = format!("Too many attempts have failed; wait {seconds} seconds before the next one.");
    let error = AppError::new(ErrorKind::TooMany, "sign_in.locked", detail);
    AppError { retry_after: Some(Duration::from_secs(seconds)), ..error }
}

/// A user who may sign in, as the log knows them.
fn view(details: UserDetails) -> UserView {
    let UserDetails { user_id, membership, email, name, registered_at, token_version: _ } = details;
    let (email, name) = (Personal::new(email.reveal().to_string()), Personal::new(name.reveal().to_string()));
    UserView { id: user_id, membership, email, name, active: true, registered_at }
}
