use serde::{Deserialize, Serialize};

use super::UserEvent;
use crate::access::Role;
use crate::ids::{TenantId, UserId};
use crate::values::{DisplayName, Email, Personal};

/// The situations of a user.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub enum User {
    /// Never registered.
    #[default]
    Absent,
    /// May sign in once a password is set.
    Active(UserDetails),
}

/// What is known of a user from the first event on.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct UserDetails {
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
}

impl User {
    pub(super) fn evolve(self, event: UserEvent) -> Self {
        match event {
            UserEvent::UserRegistered { user_id, tenant_id, email, name, role, .. } => {
                Self::Active(UserDetails { user_id, tenant_id, email, name, role })
            }
            UserEvent::UserPasswordSet { .. } => self,
        }
    }
}
