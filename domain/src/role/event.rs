use std::collections::BTreeSet;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use crate::access::{Grant, Level, ManageList, RoleName};
use crate::ids::{RoleId, TenantId};
use crate::values::DisplayName;

/// What happened to a role.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "type")]
#[expect(missing_docs, reason = "the fields are those of the commands")]
pub enum RoleEvent {
    RoleDefined {
        role_id: RoleId,
        tenant_id: TenantId,
        name: RoleName,
        title: DisplayName,
        level: Level,
        permissions: BTreeSet<Grant>,
        may_manage: ManageList,
        at: DateTime<Utc>,
    },
    RoleChanged {
        role_id: RoleId,
        tenant_id: TenantId,
        title: DisplayName,
        level: Level,
        may_manage: ManageList,
        at: DateTime<Utc>,
    },
    PermissionGranted {
        role_id: RoleId,
        tenant_id: TenantId,
        permission: Grant,
        at: DateTime<Utc>,
    },
    PermissionRevoked {
        role_id: RoleId,
        tenant_id: TenantId,
        permission: Grant,
        at: DateTime<Utc>,
    },
    RoleRemoved {
        role_id: RoleId,
        tenant_id: TenantId,
        at: DateTime<Utc>,
    },
}

domain_events!(RoleEvent {
    RoleDefined = "1",
    RoleChanged = "1",
    PermissionGranted = "1",
    PermissionRevoked = "1",
    RoleRemoved = "1",
});

impl RoleEvent {
    /// The role that it happened to.
    pub fn role_id(&self) -> RoleId {
        match self {
            Self::RoleDefined { role_id, .. }
            | Self::RoleChanged { role_id, .. }
            | Self::PermissionGranted { role_id, .. }
            | Self::PermissionRevoked { role_id, .. }
            | Self::RoleRemoved { role_id, .. } => *role_id,
        }
    }
}
