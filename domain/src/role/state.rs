use serde::{Deserialize, Serialize};

use super::RoleEvent;
use crate::access::RoleDefinition;
use crate::ids::TenantId;

/// The situations of a role.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub enum Role {
    /// Never defined.
    #[default]
    Absent,
    /// In use.
    Defined(TenantId, RoleDefinition),
    /// Taken out of use.
    Removed(TenantId, RoleDefinition),
}

impl Role {
    /// What it is, while it is in use.
    pub fn definition(&self) -> Option<&RoleDefinition> {
        match self {
            Self::Defined(_, definition) => Some(definition),
            Self::Absent | Self::Removed(..) => None,
        }
    }

    /// The situation after one more event.
    #[must_use]
    pub fn evolve(self, event: RoleEvent) -> Self {
        match event {
            RoleEvent::RoleDefined { tenant_id, name, title, level, permissions, may_manage, .. } => {
                Self::Defined(tenant_id, RoleDefinition { name, title, level, permissions, may_manage })
            }
            RoleEvent::RoleChanged { title, level, may_manage, .. } => {
                self.with(|role| RoleDefinition { title, level, may_manage, ..role })
            }
            RoleEvent::PermissionGranted { permission, .. } => self.with(|mut role| {
                role.permissions.insert(permission);
                role
            }),
            RoleEvent::PermissionRevoked { permission, .. } => self.with(|mut role| {
                role.permissions.remove(&permission);
                role
            }),
            RoleEvent::RoleRemoved { .. } => match self {
                Self::Defined(tenant_id, definition) => Self::Removed(tenant_id, definition),
                Self::Absent | Self::Removed(..) => self,
            },
        }
    }

    fn with(self, change: impl FnOnce(RoleDefinition) -> RoleDefinition) -> Self {
        match self {
            Self::Defined(tenant_id, definition) => Self::Defined(tenant_id, change(definition)),
            Self::Absent | Self::Removed(..) => self,
        }
    }
}
