use chrono::{DateTime, Utc};

use super::{CheckOutcome, IntegrationSettings, SecretRef, TrialRecord, WriteRecord};
use crate::ids::{SecretId, TenantId, UserId};
use crate::values::BaseUrl;

/// What can be asked of an integration's configuration.
#[derive(Debug, Clone)]
pub enum IntegrationCommand {
    /// Save settings and secrets.
    Configure(Configure),
    /// Keep the tokens that the service gave when somebody let Synkro in there.
    Authorize(Authorize),
    /// Keep the tokens that the service gave for the refresh token of before.
    Renew(Renew),
    /// Record that the service gives no more tokens for the refresh token of now.
    LoseAccess {
        /// The refresh token that it does not take.
        refresh_token: SecretId,
        /// What is wrong and what to do, for the tenant's admin; without secrets.
        reason: String,
        /// Now.
        at: DateTime<Utc>,
    },
    /// The messenger said that the group has another number.
    FollowGroup(MovedGroup),
    /// Record what a check of the connection found.
    RecordCheck {
        /// The version that was checked.
        version: u32,
        /// What it found.
        outcome: CheckOutcome,
        /// What is to be done although it works; none where nothing is.
        attention: Option<String>,
        /// Now.
        at: DateTime<Utc>,
    },
    /// Record what was tried.
    RecordTrial(TrialRecord),
    /// Record what of it was written.
    RecordWrite(WriteRecord),
}

/// A group that has another number.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MovedGroup {
    /// The number that was written to.
    pub from: String,
    /// The number it has now.
    pub to: String,
    /// Now.
    pub at: DateTime<Utc>,
}

/// Settings and secrets to save.
#[derive(Debug, Clone)]
pub struct Configure {
    /// The owner.
    pub tenant_id: TenantId,
    /// The settings.
    pub settings: IntegrationSettings,
    /// The secrets that change; the others stay as they are, whoever changed them last.
    pub secrets: Vec<SecretRef>,
    /// The version that the change was made from, where another one shall be refused; 0 before the first.
    pub expected: Option<u32>,
    /// Now.
    pub at: DateTime<Utc>,
}

/// A pair of tokens, stored.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TokenPairRef {
    /// What calls are made with.
    pub access_token: SecretId,
    /// What the next pair is had for.
    pub refresh_token: SecretId,
    /// Until when the access token is taken.
    pub expires_at: DateTime<Utc>,
}

/// Tokens that somebody had the service give.
#[derive(Debug, Clone)]
pub struct Authorize {
    /// The integration that was authorized.
    pub client_id: String,
    /// Where the account is that it was authorized for.
    pub base_url: BaseUrl,
    /// The tokens.
    pub tokens: TokenPairRef,
    /// Who did it.
    pub authorized_by: UserId,
    /// Now.
    pub at: DateTime<Utc>,
}

/// Tokens in place of those of before.
#[derive(Debug, Clone)]
pub struct Renew {
    /// The refresh token that was given for them.
    pub replaces: SecretId,
    /// Where the account is; it may have moved.
    pub base_url: BaseUrl,
    /// The tokens.
    pub tokens: TokenPairRef,
    /// Now.
    pub at: DateTime<Utc>,
}
