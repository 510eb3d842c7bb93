use chrono::{DateTime, Utc};

use crate::access::Role;
use crate::ids::{TenantId, UserId};
use crate::values::{DisplayName, Email, Personal};

/// What can be asked of a user.
#[derive(Debug, Clone)]
pub enum UserCommand {
    /// Make the user known.
    Register(RegisterUser),
    /// Record that a new password was stored.
    RecordPasswordSet {
        /// Now.
        at: DateTime<Utc>,
    },
}

/// A new user of a tenant.
#[derive(Debug, Clone)]
pub struct RegisterUser {
    /// The user's id.
    pub user_id: UserId,
    /// The tenant that the user belongs to.
    pub tenant_id: TenantId,
    /// The address that the user signs in with.
    pub email: Personal<Email>,
    /// The name that others see.
    pub name: Personal<DisplayName>,
    /// What the user is in the tenant.
    pub role: Role,
    /// Now.
    pub at: DateTime<Utc>,
}
