//! Setting up an authenticator app, putting another one in its place, and giving it up.

use std::fmt::Write as _;
use std::sync::Arc;

use domain::second_factor::{SecondFactor, SecondFactorCommand, SecondFactorError};
use domain::session::RevocationReason;
use domain::user::{User, UserDetails, UserError};
use domain::{ErrorKind, FieldError};
use secrecy::{ExposeSecret, SecretString};

use super::code_check::{SecondFactorCheck, owner};
use super::end_sessions::EndSessions;
use super::own_password::OwnPassword;
use crate::context::{OwnAccount, RequestContext};
use crate::error::AppError;
use crate::ports::clock::Clock;
use crate::ports::commands::{Commands, LogPosition};
use crate::ports::second_factors::{FactorOwner, NewApp, SecondFactors};

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
    /// Asking for the password.
    pub password: Arc<OwnPassword>,
    /// Asking for codes.
    pub codes: SecondFactorCheck,
    /// Ending sessions.
    pub end: Arc<EndSessions>,
    /// The time.
    pub clock: Arc<dyn Clock>,
}

impl ManageSecondFactor {
    /// Makes a secret for an app. It is asked for at sign-in once a code of it has confirmed it; until then an app that is in
    /// use stays so.
    ///
    /// # Errors
    /// `invalid` for a wrong password, and for a wrong code of the app in use; `conflict` where an app is in use and no code
    /// proves that it, or a recovery code, is at hand; `too_many` after failed attempts.
    pub async fn begin(
        &self,
        context: &RequestContext,
        password: &SecretString,
        code: Option<&SecretString>,
    ) -> Result<Enrolment, AppError> {
        let (account, user) = self.own(context.own_account_before_second_factor()?).await?;
        self.password.require(account.context(), &user, "password", password).await?;
        let app = if self.factors.is_enrolled(user.user_id).await? {
            self.require_code(&account, &user, code.ok_or(SecondFactorError::AlreadyEnrolled)?).await?;
            NewApp::Replacing
        } else {
            NewApp::First
        };
        let begun = self.factors.begin(owner(&user), app, self.clock.now()).await?;
        let secret = begun.ok_or(SecondFactorError::AlreadyEnrolled)?;
        let uri = uri(user.email.reveal().as_str(), secret.expose_secret());
        Ok(Enrolment { secret, uri })
    }

    /// Confirms the app by one of its codes, and answers with the recovery codes, which are shown this once; an app and
    /// recovery codes of before are over. Other sessions of staff end: nobody proved anything but the password in them.
    ///
    /// # Errors
    /// `invalid` for a wrong code, or where nothing was begun; `conflict` where the app that was is confirmed already;
    /// `too_many` after failed attempts.
    pub async fn confirm(
        &self,
        context: &RequestContext,
        code: &SecretString,
    ) -> Result<(Vec<SecretString>, Option<LogPosition>), AppError> {
        let (account, user) = self.own(context.own_account_before_second_factor()?).await?;
        let FactorOwner { user_id, tenant_id } = owner(&user);
        let (waiting, now) = (self.codes.is_of_waiting_app(account.context(), &user, code).await?, self.clock.now());
        let enrolled = self.factors.is_enrolled(user_id).await?;
        match waiting {
            Some(true) => {}
            None if enrolled => return Err(SecondFactorError::AlreadyEnrolled.into()),
            Some(false) | None => return Err(wrong_code()),
        }
        // Before the app counts: whoever is cut off in between finds it waiting still, and confirms it once more. An app that
        // counts and of which the log knows nothing could not be given up.
        let record = if enrolled {
            SecondFactorCommand::RecordReplaced { at: now }
        } else {
            SecondFactorCommand::RecordEnrolled { user_id, tenant_id, at: now }
        };
        let recorded = self.log.execute(account.context(), user_id.uuid(), record).await?.position;
        let confirmed = self.factors.confirm(owner(&user), account.session_id, code, now).await?;
        let codes = confirmed.ok_or_else(wrong_code)?;
        // Nothing but the password was shown in them. One that this does not reach is not renewed.
        let mut others = self.end.refresh_tokens.sessions_of(user_id).await?;
        others.retain(|id| *id != account.session_id && tenant_id.is_none());
        let ended = self.end.end_all(account.context(), others, RevocationReason::ByUser).await?;
        Ok((codes, recorded.max(ended)))
    }

    /// Makes new recovery codes, which are shown this once, in place of those of before.
    ///
    /// # Errors
    /// `invalid` for a wrong code; `too_many` after failed attempts; `conflict` where no app is set up.
    pub async fn renew_recovery_codes(
        &self,
        context: &RequestContext,
        code: &SecretString,
    ) -> Result<(Vec<SecretString>, Option<LogPosition>), AppError> {
        let (account, user) = self.own(context.own_account()?).await?;
        if !self.factors.is_enrolled(user.user_id).await? {
            return Err(SecondFactorError::NotEnrolled.into());
        }
        self.require_code(&account, &user, code).await?;
        let renewed = SecondFactorCommand::RecordRecoveryCodesRenewed { at: self.clock.now() };
        let recorded = self.log.execute(account.context(), user.user_id.uuid(), renewed).await?.position;
        Ok((self.factors.renew_recovery_codes(owner(&user)).await?, recorded))
    }

    /// Gives the app and the recovery codes up. A repeat records it if the first request was cut off before.
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
        let id = user.user_id.uuid();
        if self.factors.is_enrolled(user.user_id).await? {
            self.require_code(&account, &user, code).await?;
            self.factors.forget(owner(&user)).await?;
        } else if !matches!(self.log.load(id).await?, SecondFactor::Enrolled(..)) {
            return Err(SecondFactorError::NotEnrolled.into());
        }
        let disabled = SecondFactorCommand::RecordDisabled { at: self.clock.now() };
        Ok(self.log.execute(account.context(), id, disabled).await?.position)
    }

    /// Passes for a code of the app in use, or a recovery code.
    async fn require_code(
        &self,
        account: &OwnAccount,
        user: &UserDetails,
        code: &SecretString,
    ) -> Result<(), AppError> {
        if self.codes.passes(account.context(), user, None, code).await? { Ok(()) } else { Err(wrong_code()) }
    }

    async fn own(&self, account: OwnAccount) -> Result<(OwnAccount, UserDetails), AppError> {
        match self.accounts.load(account.user_id.uuid()).await? {
            User::Active(user) => Ok((account, user)),
            User::Absent | User::Deactivated(_) | User::Removed(_) => Err(UserError::NotFound.into()),
        }
    }
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
