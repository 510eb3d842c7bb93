//! Asking for a code of the second factor, and counting the wrong ones.

use std::sync::Arc;

use domain::second_factor::{SecondFactor, SecondFactorCommand};
use domain::user::{Membership, User, UserDetails};
use secrecy::SecretString;

use super::sign_in::{locked, record_lockout};
use crate::context::RequestContext;
use crate::error::{AppError, PortError};
use crate::ports::clock::Clock;
use crate::ports::commands::Commands;
use crate::ports::identity::{Attempt, Counted, SignInGuard};
use crate::ports::second_factors::{CodeVerdict, FactorOwner, SecondFactors};

/// What was proved in a session that goes on.
pub(super) enum SessionProof {
    /// The password, and no more is asked for.
    Password,
    /// A code, too.
    SecondFactor,
    /// Not the code that signing in asks for by now.
    TooLittle,
}

/// Asks for codes. Wrong ones are counted for themselves, wherever they are asked for: whoever knows the password could
/// otherwise have them forgotten by signing in, and go on guessing.
pub struct SecondFactorCheck {
    /// The users as the log knows them.
    pub accounts: Arc<dyn Commands<User>>,
    /// The log of second factors.
    pub log: Arc<dyn Commands<SecondFactor>>,
    /// Secrets and codes.
    pub factors: Arc<dyn SecondFactors>,
    /// Counting failures.
    pub guard: Arc<dyn SignInGuard>,
    /// The time.
    pub clock: Arc<dyn Clock>,
}

impl SecondFactorCheck {
    /// Whether it is a code of the user's app or a recovery code; that one was used up is recorded.
    ///
    /// # Errors
    /// `too_many` after failed attempts.
    pub(super) async fn passes(
        &self,
        context: &RequestContext,
        user: &UserDetails,
        address: Option<String>,
        code: &SecretString,
    ) -> Result<bool, AppError> {
        let judged = async {
            let verdict = self.factors.judge(owner(user), code, self.clock.now()).await?;
            // Whether or not it is of use in the end: it is used up.
            if let CodeVerdict::Recovery { left } = verdict {
                let recovered = SecondFactorCommand::RecordRecoveryCodeUsed { left, at: self.clock.now() };
                self.log.execute(&context.further(), user.user_id.uuid(), recovered).await?;
            }
            Ok(verdict)
        };
        let right = |verdict: &CodeVerdict| *verdict != CodeVerdict::Refused;
        Ok(right(&self.counted(context, user, address, judged, |verdict| Some(right(verdict))).await?))
    }

    /// Whether it is a code of the app that waits to be confirmed; none where no app does.
    ///
    /// # Errors
    /// `too_many` after failed attempts.
    pub(super) async fn is_of_waiting_app(
        &self,
        context: &RequestContext,
        user: &UserDetails,
        code: &SecretString,
    ) -> Result<Option<bool>, AppError> {
        let judged = async { Ok(self.factors.is_of_waiting_app(owner(user), code, self.clock.now()).await?) };
        self.counted(context, user, None, judged, |right| *right).await
    }

    /// Judges a code unless too many were wrong, and counts it; one that there was nothing to judge by counts as neither.
    /// One that was right is refused where others were wrong meanwhile and too many, so that guessing in parallel gains
    /// nothing.
    async fn counted<T>(
        &self,
        context: &RequestContext,
        user: &UserDetails,
        address: Option<String>,
        judged: impl Future<Output = Result<T, AppError>>,
        right: impl Fn(&T) -> Option<bool>,
    ) -> Result<T, AppError> {
        let attempt = Attempt { account: Some(Counted::Codes(user.user_id)), address };
        let now = self.clock.now();
        if let Some(until) = self.guard.locked_until(&attempt, now).await? {
            return Err(locked(until, now));
        }
        let verdict = judged.await?;
        let now = self.clock.now();
        match right(&verdict) {
            Some(true) => {
                if let Some(until) = self.guard.succeeded(&attempt, now).await? {
                    return Err(locked(until, now));
                }
            }
            Some(false) => {
                if let Some(lockout) = self.guard.failed(&attempt, now).await? {
                    record_lockout(self.accounts.as_ref(), &context.further(), user.user_id, lockout, now).await?;
                }
            }
            None => {}
        }
        Ok(verdict)
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

/// Whose second factor it is.
pub(super) fn owner(user: &UserDetails) -> FactorOwner {
    FactorOwner { user_id: user.user_id, tenant_id: user.tenant() }
}
