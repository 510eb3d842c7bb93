//! What proves who asks. A proof comes from a port that verified something, and from nothing else.

use std::sync::Arc;

use chrono::{DateTime, Utc};
use domain::access::RoleName;
use domain::api_key::ApiKeyDetails;
use domain::ids::{SessionId, TenantId, UserId};
use domain::user::Membership;
use secrecy::SecretString;

use super::ActingStaff;
use crate::error::PortError;
use crate::ports::api_keys::ApiKeysInForce;
use crate::ports::identity::{TokenSubject, Tokens};

/// A signed-in user, as the access token says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Principal {
    /// The user.
    pub user_id: UserId,
    /// Where the user belongs, and what the user is there.
    pub membership: Membership,
    /// The session that the token belongs to.
    pub session_id: SessionId,
    /// Whether a code of a second factor was shown in the session. Looked at for staff alone.
    pub second_factor: bool,
    /// Who acts in the user's name; none where the user does.
    pub acting: Option<ActingStaff>,
}

impl Principal {
    /// Someone of a company.
    pub fn of_tenant(user_id: UserId, tenant_id: TenantId, role: RoleName, session_id: SessionId) -> Self {
        let membership = Membership::Tenant { tenant_id, role };
        Self { user_id, membership, session_id, second_factor: false, acting: None }
    }
}

/// Proof that a user is signed in: nothing but a token that was verified gives one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Authenticated(pub(super) Arc<TokenSubject>);

impl Authenticated {
    /// The proof that a token is; none where it is not whole, not ours or out of time.
    pub fn by(tokens: &dyn Tokens, token: &str, now: DateTime<Utc>) -> Option<Self> {
        tokens.verify(token, now).map(Self)
    }

    /// Who is signed in.
    pub fn principal(&self) -> &Principal {
        &self.0.principal
    }

    /// All that the token says.
    pub fn subject(&self) -> &TokenSubject {
        &self.0
    }
}

/// Proof that a program showed a key of a company: nothing but a key that was recognized and is in force gives one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AuthenticatedKey(pub(super) Arc<ApiKeyDetails>);

impl AuthenticatedKey {
    /// The proof that a key is; none where it is not one of ours, revoked or out of time.
    ///
    /// # Errors
    /// Where it cannot be told.
    pub async fn by(
        keys: &dyn ApiKeysInForce,
        presented: &SecretString,
        now: DateTime<Utc>,
    ) -> Result<Option<Self>, PortError> {
        Ok(keys.recognize(presented, now).await?.map(Self))
    }

    /// All that is known of the key.
    pub fn key(&self) -> &ApiKeyDetails {
        &self.0
    }
}
