use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use crate::access::{RoleName, StaffRole};
use crate::ids::{TenantId, UserId};
use crate::values::{DisplayName, Email, Personal};

/// What happened to a user. What happens to users of companies and to staff alike names no tenant where it is about staff.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "type")]
#[expect(missing_docs, reason = "the fields are those of the commands and of the state")]
pub enum UserEvent {
    UserRegistered {
        user_id: UserId,
        tenant_id: TenantId,
        email: Personal<Email>,
        name: Personal<DisplayName>,
        role: RoleName,
        at: DateTime<Utc>,
    },
    StaffRegistered {
        user_id: UserId,
        email: Personal<Email>,
        name: Personal<DisplayName>,
        role: StaffRole,
        at: DateTime<Utc>,
    },
    UserPasswordSet {
        user_id: UserId,
        tenant_id: Option<TenantId>,
        at: DateTime<Utc>,
    },
    UserPasswordChanged {
        user_id: UserId,
        tenant_id: Option<TenantId>,
        at: DateTime<Utc>,
    },
    UserPasswordReset {
        user_id: UserId,
        tenant_id: Option<TenantId>,
        at: DateTime<Utc>,
    },
    UserEmailChanged {
        user_id: UserId,
        tenant_id: Option<TenantId>,
        former: Personal<Email>,
        email: Personal<Email>,
        at: DateTime<Utc>,
    },
    UserRoleChanged {
        user_id: UserId,
        tenant_id: TenantId,
        role: RoleName,
        token_version: u32,
        at: DateTime<Utc>,
    },
    StaffRoleChanged {
        user_id: UserId,
        role: StaffRole,
        token_version: u32,
        at: DateTime<Utc>,
    },
    UserRenamed {
        user_id: UserId,
        tenant_id: Option<TenantId>,
        name: Personal<DisplayName>,
        at: DateTime<Utc>,
    },
    UserDeactivated {
        user_id: UserId,
        tenant_id: Option<TenantId>,
        email: Personal<Email>,
        token_version: u32,
        at: DateTime<Utc>,
    },
    UserReactivated {
        user_id: UserId,
        tenant_id: Option<TenantId>,
        email: Personal<Email>,
        at: DateTime<Utc>,
    },
    UserRemoved {
        user_id: UserId,
        tenant_id: Option<TenantId>,
        at: DateTime<Utc>,
    },
    UserLockedOut {
        user_id: UserId,
        tenant_id: Option<TenantId>,
        failures: u32,
        until: DateTime<Utc>,
        at: DateTime<Utc>,
    },
}

domain_events!(UserEvent {
    UserRegistered = "1",
    UserPasswordSet = "1",
    UserPasswordChanged = "1",
    UserPasswordReset = "1",
    UserEmailChanged = "1",
    UserRoleChanged = "1",
    UserRenamed = "1",
    UserDeactivated = "1",
    UserReactivated = "1",
    UserRemoved = "1",
    UserLockedOut = "1",
    StaffRegistered = "1",
    StaffRoleChanged = "1",
});
