use serde::{Deserialize, Serialize};

use super::UserEvent;
use crate::access::RoleName;
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
    /// May not sign in.
    Deactivated(UserDetails),
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
    pub role: RoleName,
    /// Counts what ends the user's access tokens: changes of the role, and deactivations.
    pub token_version: u32,
}

impl User {
    pub(super) fn evolve(self, event: UserEvent) -> Self {
        match event {
            UserEvent::UserRegistered { user_id, tenant_id, email, name, role, .. } => {
                Self::Active(UserDetails { user_id, tenant_id, email, name, role, token_version: 0 })
            }
            UserEvent::UserRoleChanged { role, token_version, .. } => {
                self.with(|details| UserDetails { role, token_version, ..details })
            }
            UserEvent::UserEmailChanged { email, .. } => self.with(|details| UserDetails { email, ..details }),
            UserEvent::UserRenamed { name, .. } => self.with(|details| UserDetails { name, ..details }),
            UserEvent::UserDeactivated { token_version, .. } => match self {
                Self::Active(details) | Self::Deactivated(details) => {
                    Self::Deactivated(UserDetails { token_version, ..details })
                }
                Self::Absent => Self::Absent,
            },
            UserEvent::UserReactivated { .. } => match self {
                Self::Active(details) | Self::Deactivated(details) => Self::Active(details),
                Self::Absent => Self::Absent,
            },
            UserEvent::UserPasswordSet { .. }
            | UserEvent::UserPasswordChanged { .. }
            | UserEvent::UserPasswordReset { .. }
            | UserEvent::UserLockedOut { .. } => self,
        }
    }

    fn with(self, change: impl FnOnce(UserDetails) -> UserDetails) -> Self {
        match self {
            Self::Absent => Self::Absent,
            Self::Active(details) => Self::Active(change(details)),
            Self::Deactivated(details) => Self::Deactivated(change(details)),
        }
    }
}
