//! Authenticator apps (TOTP, RFC 6238) and the recovery codes beside them.

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use domain::ids::{SessionId, TenantId, UserId};
use secrecy::SecretString;

use crate::error::PortError;

/// Whose second factor it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FactorOwner {
    /// The user.
    pub user_id: UserId,
    /// The user's tenant; none for staff.
    pub tenant_id: Option<TenantId>,
}

/// What an app that is set up is to be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NewApp {
    /// The user's only one.
    First,
    /// The one that takes the place of the confirmed one, which works until then.
    Replacing,
}

/// What became of a code.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CodeVerdict {
    /// It is not right, or was accepted before.
    Refused,
    /// It is the app's.
    App,
    /// It is a recovery code, which is used up now.
    Recovery {
        /// How many are left.
        left: u32,
    },
}

/// Second factors.
#[async_trait]
pub trait SecondFactors: Send + Sync {
    /// Makes a secret for an app, in Base32 (RFC 4648). It counts once it is confirmed, and replaces one that never was;
    /// none where the user has a confirmed one and it is to be the first, and the other way round.
    async fn begin(
        &self,
        owner: FactorOwner,
        app: NewApp,
        now: DateTime<Utc>,
    ) -> Result<Option<SecretString>, PortError>;

    /// Whether it is a code of the app that waits to be confirmed; none where no app does. It is not used up.
    async fn is_of_waiting_app(
        &self,
        owner: FactorOwner,
        code: &SecretString,
        now: DateTime<Utc>,
    ) -> Result<Option<bool>, PortError>;

    /// Confirms the secret by a code of the app that was shown in this session, and makes the recovery codes, in place of
    /// those of before; none where the code is not right, or there is nothing to confirm. From the same moment the user's
    /// other sessions count as ones without a code.
    async fn confirm(
        &self,
        owner: FactorOwner,
        session: SessionId,
        code: &SecretString,
        now: DateTime<Utc>,
    ) -> Result<Option<Vec<SecretString>>, PortError>;

    /// Whether the user has a confirmed app.
    async fn is_enrolled(&self, user: UserId) -> Result<bool, PortError>;

    /// Judges a code of the app or a recovery code. Either is accepted once.
    async fn judge(
        &self,
        owner: FactorOwner,
        code: &SecretString,
        now: DateTime<Utc>,
    ) -> Result<CodeVerdict, PortError>;

    /// Makes new recovery codes in place of those of before.
    async fn renew_recovery_codes(&self, owner: FactorOwner) -> Result<Vec<SecretString>, PortError>;

    /// Forgets the app and the recovery codes.
    async fn forget(&self, owner: FactorOwner) -> Result<(), PortError>;
}
