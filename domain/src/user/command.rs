use chrono::{DateTime, Utc};

use crate::access::{RoleName, StaffRole};
use crate::ids::{TenantId, UserId};
use crate::values::{DisplayName, Email, Personal};

/// What can be asked of a user.
#[derive(Debug, Clone)]
pub enum UserCommand {
    /// Make the user known.
    Register(RegisterUser),
    /// Make someone of the platform's staff known.
    RegisterStaff(RegisterStaff),
    /// Record that a new password was stored.
    RecordPasswordSet {
        /// Now.
        at: DateTime<Utc>,
    },
    /// Record that the user replaced the password.
    RecordPasswordChanged {
        /// Now.
        at: DateTime<Utc>,
    },
    /// Record that the user chose a new password by a mailed link.
    RecordPasswordReset {
        /// Now.
        at: DateTime<Utc>,
    },
    /// Give the user another address to sign in with.
    ChangeEmail {
        /// The new address.
        email: Personal<Email>,
        /// Now.
        at: DateTime<Utc>,
    },
    /// Give the user of a company another role.
    ChangeRole {
        /// The new role.
        role: RoleName,
        /// Now.
        at: DateTime<Utc>,
    },
    /// Give a member of the staff another role.
    ChangeStaffRole {
        /// The new role.
        role: StaffRole,
        /// Who decides it; none for those who work at the terminal.
        by: Option<UserId>,
        /// Now.
        at: DateTime<Utc>,
    },
    /// Give the user another name.
    Rename {
        /// The new name.
        name: Personal<DisplayName>,
        /// Now.
        at: DateTime<Utc>,
    },
    /// Keep the user from signing in.
    Deactivate {
        /// Now.
        at: DateTime<Utc>,
    },
    /// Let the user sign in again.
    Reactivate {
        /// Now.
        at: DateTime<Utc>,
    },
    /// Remove a deactivated user for good.
    Remove {
        /// Now.
        at: DateTime<Utc>,
    },
    /// Record that nobody may sign in as the user for a while, after failed attempts.
    RecordLockout {
        /// How many attempts have failed.
        failures: u32,
        /// When the next attempt is allowed.
        until: DateTime<Utc>,
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
    pub role: RoleName,
    /// Now.
    pub at: DateTime<Utc>,
}

/// A new member of the platform's staff.
#[derive(Debug, Clone)]
pub struct RegisterStaff {
    /// The user's id.
    pub user_id: UserId,
    /// The address that the user signs in with.
    pub email: Personal<Email>,
    /// The name that others see.
    pub name: Personal<DisplayName>,
    /// What the user is on the staff.
    pub role: StaffRole,
    /// Now.
    pub at: DateTime<Utc>,
}
