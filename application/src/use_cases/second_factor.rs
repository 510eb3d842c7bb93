//! Setting up an authenticator app, and giving it up.

use std::fmt::Write as _;
use std::sync::Arc;

use domain::second_factor::{SecondFactor, SecondFactorCommand, SecondFactorError};
use domain::session::RevocationReason;
use domain::user::{Membership, User, UserDetails, UserError};
use domain::{ErrorKind, FieldError};
use secrecy::{ExposeSecret, SecretString};

use super::end_sessions::EndSessions;
use super::own_password::OwnPassword;
use super::sign_in::locked;
use crate::context::{OwnAccount, RequestContext};
use crate::error::{AppError, PortError};
use crate::ports::clock::Clock;
use crate::ports::commands::{Commands, LogPosition};
use crate::ports::identity::Attempt;
use crate::ports::second_factors::{CodeVerdict, FactorOwner, SecondFactors};

/// What an app is set up with. It cannot be printed.
pub struct Enrolment {
    /// The secret in Base32, for typing it in.
    pub secret: SecretString,
    /// The same as an address that apps read from a QR code.
    pub uri: SecretString,
}

/// Manages one's own second factor.
pub struct ManageSecondFactor {
    /// The users as the log knows them.
    pub accounts: Arc<dyn Commands<User>>,
    /// The log of second factors.
    pub log: Arc<dyn Commands<SecondFactor>>,
    /// Secrets and codes.
    pub factors: Arc<dyn SecondFactors>,
    /// Asking for the password, and counting failures.
    pub password: Arc<OwnPassword>,
    /// Ending sessions.
    pub end: Arc<EndSessions>,
    /// The time.
    pub clock: Arc<dyn Clock>,
}

impl ManageSecondFactor {
    /// Makes a secret for an app. It is asked for at sign-in once a code of it has confirmed it.
    ///
    /// # Errors
    /// `invalid` for a wrong password; `conflict` where an app is set up already.
    pub async fn begin(&self, context: &RequestContext, password: &SecretString) -> Result<Enrolment, AppError> {
        let (_, user) = self.own(context.own_account_before_second_factor()?).await?;
        self.password.require(&user, password).await?;
        let begun = self.factors.begin(owner(&user), self.clock.now()).await?;
        let secret = begun.ok_or(SecondFactorError::AlreadyEnrolled)?;
        let uri = uri(user.email.reveal().as_str(), secret.expose_secret());
        Ok(Enrolment { secret, uri })
    }

    /// Confirms the app by one of its codes, and answers with the recovery codes, which are shown this once. Other sessions of
    /// staff end: nobody proved anything but the password in them.
    ///
    /// # Errors
    /// `invalid` for a wrong code, or where nothing was begun.
    pub async fn confirm(
        &self,
        context: &RequestContext,
        code: &SecretString,
    ) -> Result<(Vec<SecretString>, Option<LogPosition>), AppError> {
        let (account, user) = self.own(context.own_account_before_second_factor()?).await?;
        let confirmed = self.factors.confirm(owner(&user), account.session_id, code, self.clock.now()).await?;
        let codes = confirmed.ok_or_else(wrong_code)?;
        let FactorOwner { user_id, tenant_id } = owner(&user);
        let enrolled = SecondFactorCommand::RecordEnrolled { user_id, tenant_id, at: self.clock.now() };
        let recorded = self.log.execute(account.context(), user_id.uuid(), enrolled).await?.position;
        // Nothing but the password was shown in them. One that this does not reach is not renewed.
        let mut others = self.end.refresh_tokens.sessions_of(user_id).await?;
        others.retain(|id| *id != account.session_id && tenant_id.is_none());
        let ended = self.end.end_all(account.context(), others, RevocationReason::ByUser).await?;
        Ok((codes, recorded.max(ended)))
    }

    /// Gives the app and the recovery codes up.
    ///
    /// # Errors
    /// `invalid` for a wrong code; `too_many` after failed attempts; `conflict` where no app is set up, and for
    /// staff, who need one.
    pub async fn disable(
        &self,
        context: &RequestContext,
        code: &SecretString,
    ) -> Result<Option<LogPosition>, AppError> {
        let (account, user) = self.own(context.own_account()?).await?;
        if user.membership.staff_role().is_some() {
            return Err(needed());
        }
        if !self.factors.is_enrolled(user.user_id).await? {
            return Err(SecondFactorError::NotEnrolled.into());
        }
        let (attempt, now) = (attempt(&user), self.clock.now());
        if let Some(until) = self.password.guard.locked_until(&attempt, now).await? {
            return Err(locked(until, now));
        }
        if self.factors.judge(owner(&user), code, now).await? == CodeVerdict::Refused {
            self.password.guard.failed(&attempt, self.clock.now()).await?;
            return Err(wrong_code());
        }
        self.factors.forget(owner(&user)).await?;
        let disabled = SecondFactorCommand::RecordDisabled { at: self.clock.now() };
        Ok(self.log.execute(account.context(), user.user_id.uuid(), disabled).await?.position)
    }

    async fn own(&self, account: OwnAccount) -> Result<(OwnAccount, UserDetails), AppError> {
        match self.accounts.load(account.user_id.uuid()).await? {
            User::Active(user) => Ok((account, user)),
            User::Absent | User::Deactivated(_) | User::Removed(_) => Err(UserError::NotFound.into()),
        }
    }
}

/// What was proved in a session that goes on.
pub(super) enum SessionProof {
    /// The password, and no more is asked for.
    Password,
    /// A code, too.
    SecondFactor,
    /// Not the code that signing in asks for by now.
    TooLittle,
}

/// Asks for a code at sign-in.
pub struct SecondFactorCheck {
    /// The log of second factors.
    pub log: Arc<dyn Commands<SecondFactor>>,
    /// Secrets and codes.
    pub factors: Arc<dyn SecondFactors>,
}

impl SecondFactorCheck {
    /// Whether the code is right; a recovery code is recorded.
    pub(super) async fn passes(
        &self,
        context: &RequestContext,
        user: &UserDetails,
        code: &SecretString,
        clock: &dyn Clock,
    ) -> Result<bool, AppError> {
        match self.factors.judge(owner(user), code, clock.now()).await? {
            CodeVerdict::Refused => Ok(false),
            CodeVerdict::App => Ok(true),
            CodeVerdict::Recovery { left } => {
                let recovered = SecondFactorCommand::RecordRecoveryCodeUsed { left, at: clock.now() };
                self.log.execute(context, user.user_id.uuid(), recovered).await?;
                Ok(true)
            }
        }
    }

    /// What a session that goes on is worth, by whether a code was shown in it. Only asked of staff, because nothing depends
    /// on it for others.
    pub(super) async fn of_session(&self, user: &UserDetails, shown: bool) -> Result<SessionProof, PortError> {
        Ok(match user.membership {
            Membership::Tenant { .. } => SessionProof::Password,
            Membership::Platform { .. } if !self.is_asked(user).await? => SessionProof::Password,
            Membership::Platform { .. } if shown => SessionProof::SecondFactor,
            Membership::Platform { .. } => SessionProof::TooLittle,
        })
    }

    /// Whether a code is asked for.
    pub(super) async fn is_asked(&self, user: &UserDetails) -> Result<bool, PortError> {
        self.factors.is_enrolled(user.user_id).await
    }
}

fn owner(user: &UserDetails) -> FactorOwner {
    FactorOwner { user_id: user.user_id, tenant_id: user.tenant() }
}

fn attempt(user: &UserDetails) -> Attempt {
    Attempt { account: Some(user.email.reveal().clone()), address: None }
}

fn needed() -> AppError {
    let detail = "Your role on the staff works with an authenticator app only; nobody who has it gives the app up.";
    AppError::new(ErrorKind::Conflict, "totp.needed", detail)
}

fn wrong_code() -> AppError {
    let message = "is not the code that the app shows now, or was used already; wait for the next one";
    AppError::invalid(vec![FieldError::new("code", message)])
}

/// The form that apps read, with everything that is not a letter or a digit of the address escaped.
fn uri(email: &str, secret: &str) -> SecretString {
    let mut label = String::new();
    for byte in email.bytes() {
        if byte.is_ascii_alphanumeric() {
            label.push(char::from(byte));
        } else {
            // A string takes everything that is written to it.
            let _ = write!(label, "%{byte:02X}");
        }
    }
    let uri = format!("otpauth://totp/Synkro:{label}?secret={secret}&issuer=Synkro&algorithm=SHA1&digits=6&period=30");
    uri.into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_escaped_in_the_uri() {
        let uri = uri("ann+x@acme.example", "ABC");
        assert!(uri.expose_secret().starts_with("otpauth://totp/Synkro:ann%2Bx%40acme%2Eexample?secret=ABC&"));
    }
}
