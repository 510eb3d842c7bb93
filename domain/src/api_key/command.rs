use chrono::{DateTime, Utc};

use crate::access::Grant;
use crate::ids::{ApiKeyId, TenantId, UserId};
use crate::values::DisplayName;

/// What can be asked of a key.
#[derive(Debug, Clone)]
pub enum ApiKeyCommand {
    /// Make it known.
    Create(CreateApiKey),
    /// End it for good.
    Revoke {
        /// Who ends it.
        revoked_by: UserId,
        /// Now.
        at: DateTime<Utc>,
    },
}

/// A new key.
#[derive(Debug, Clone)]
pub struct CreateApiKey {
    /// Its id, which is a part of the key.
    pub api_key_id: ApiKeyId,
    /// The tenant that it belongs to.
    pub tenant_id: TenantId,
    /// What people call it.
    pub name: DisplayName,
    /// What it may do.
    pub scopes: Vec<Grant>,
    /// Those of them that its creator may not do, as looked up just now.
    pub beyond_creator: Vec<Grant>,
    /// First instant at which it is no longer valid.
    pub expires_at: DateTime<Utc>,
    /// Who makes it.
    pub created_by: UserId,
    /// Now.
    pub at: DateTime<Utc>,
}
