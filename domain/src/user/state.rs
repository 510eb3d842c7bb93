use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use super::UserEvent;
use crate::access::{RoleName, StaffRole};
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
    /// Gone for good; the history stays.
    Removed(UserDetails),
}

/// What is known of a user from the first event on.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct UserDetails {
    /// The user's id.
    pub user_id: UserId,
    /// Where the user belongs.
    pub membership: Membership,
    /// The address that the user signs in with.
    pub email: Personal<Email>,
    /// The name that others see.
    pub name: Personal<DisplayName>,
    /// Counts what ends the user's access tokens: changes of the role, and deactivations.
    pub token_version: u32,
    /// When the user was registered.
    pub registered_at: DateTime<Utc>,
}

/// Where a user belongs, and what the user is there.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Membership {
    /// Someone of a company.
    Tenant {
        /// The company.
        tenant_id: TenantId,
        /// What the user is in it.
        role: RoleName,
    },
    /// Someone of the platform's staff, who belongs to no company.
    Platform {
        /// What the user is there.
        role: StaffRole,
    },
}

impl Membership {
    /// The company; none for staff.
    pub fn tenant(&self) -> Option<TenantId> {
        match self {
            Self::Tenant { tenant_id, .. } => Some(*tenant_id),
            Self::Platform { .. } => None,
        }
    }

    /// The name of the role, wherever it is one.
    pub fn role_name(&self) -> &str {
        match self {
            Self::Tenant { role, .. } => role.as_str(),
            Self::Platform { role } => role.name(),
        }
    }

    /// What the user is on the staff; none for a company's people.
    pub fn staff_role(&self) -> Option<StaffRole> {
        match self {
            Self::Tenant { .. } => None,
            Self::Platform { role } => Some(*role),
        }
    }
}

impl UserDetails {
    /// The user's company; none for staff.
    pub fn tenant(&self) -> Option<TenantId> {
        self.membership.tenant()
    }
}

impl User {
    pub(super) fn evolve(self, event: UserEvent) -> Self {
        match event {
            UserEvent::UserRegistered { user_id, tenant_id, email, name, role, at } => {
                let membership = Membership::Tenant { tenant_id, role };
                Self::Active(UserDetails { user_id, membership, email, name, token_version: 0, registered_at: at })
            }
            UserEvent::StaffRegistered { user_id, email, name, role, at } => {
                let membership = Membership::Platform { role };
                Self::Active(UserDetails { user_id, membership, email, name, token_version: 0, registered_at: at })
            }
            UserEvent::UserRoleChanged { tenant_id, role, token_version, .. } => {
                let membership = Membership::Tenant { tenant_id, role };
                self.with(|details| UserDetails { membership, token_version, ..details })
            }
            UserEvent::StaffRoleChanged { role, token_version, .. } => {
                let membership = Membership::Platform { role };
                self.with(|details| UserDetails { membership, token_version, ..details })
            }
            UserEvent::UserEmailChanged { email, .. } => self.with(|details| UserDetails { email, ..details }),
            UserEvent::UserRenamed { name, .. } => self.with(|details| UserDetails { name, ..details }),
            UserEvent::UserDeactivated { token_version, .. } => match self {
                Self::Active(details) | Self::Deactivated(details) => {
                    Self::Deactivated(UserDetails { token_version, ..details })
                }
                Self::Absent | Self::Removed(_) => self,
            },
            UserEvent::UserReactivated { .. } => match self {
                Self::Active(details) | Self::Deactivated(details) => Self::Active(details),
                Self::Absent | Self::Removed(_) => self,
            },
            UserEvent::UserRemoved { .. } => match self {
                Self::Active(details) | Self::Deactivated(details) => Self::Removed(details),
                Self::Absent | Self::Removed(_) => self,
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
            Self::Removed(details) => Self::Removed(change(details)),
        }
    }
}
