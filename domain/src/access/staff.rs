use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use super::Permission;

/// What a member of the platform's staff is. Staff belong to no company and see nothing of what companies' people see: no
/// reports, runs or settings.
///
/// | | [`SuperAdmin`](Self::SuperAdmin) | [`AdminLite`](Self::AdminLite) | [`Support`](Self::Support) | [`Auditor`](Self::Auditor) |
/// |---|---|---|---|---|
/// | `platform.tenants:read` | yes | yes | yes | yes |
/// | `platform.tenants:write` | yes | | | |
/// | `platform.tenants:delete` | yes | | | |
/// | `platform.tenants:impersonate` | yes | | yes | |
/// | `platform.users:read` | yes | yes | yes | |
/// | `platform.users:write` | yes | yes | | |
/// | `platform.users:appoint` | yes | | | |
/// | `platform.users:delete` | yes | | | |
/// | `platform.staff:read` | yes | | | yes |
/// | `platform.staff:write` | yes | | | |
///
/// The table is fixed: nobody can change it while Synkro runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum StaffRole {
    /// Decides about companies, their users and the staff, and may delete.
    SuperAdmin,
    /// Proposes users to companies, keeps users out and lets them in again, and deletes nothing.
    AdminLite,
    /// Helps companies.
    Support,
    /// Sees what there is and who decides about it, and changes nothing.
    Auditor,
}

impl StaffRole {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::SuperAdmin, Self::AdminLite, Self::Support, Self::Auditor];

    /// The frozen name.
    pub const fn name(self) -> &'static str {
        match self {
            Self::SuperAdmin => "super_admin",
            Self::AdminLite => "admin_lite",
            Self::Support => "support",
            Self::Auditor => "auditor",
        }
    }

    /// What the role may: the table above.
    pub const fn permissions(self) -> &'static [PlatformPermission] {
        use PlatformPermission::{StaffRead, TenantsImpersonate, TenantsRead, UsersRead, UsersWrite};
        match self {
            Self::SuperAdmin => &PlatformPermission::ALL,
            Self::AdminLite => &[TenantsRead, UsersRead, UsersWrite],
            Self::Support => &[TenantsRead, TenantsImpersonate, UsersRead],
            Self::Auditor => &[TenantsRead, StaffRead],
        }
    }

    /// Whether the role has the right.
    pub fn allows(self, permission: PlatformPermission) -> bool {
        self.permissions().contains(&permission)
    }
}

impl fmt::Display for StaffRole {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// The text is no role of the platform's staff.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("must be super_admin, admin_lite, support or auditor")]
pub struct NoStaffRole;

impl FromStr for StaffRole {
    type Err = NoStaffRole;

    fn from_str(text: &str) -> Result<Self, NoStaffRole> {
        Self::ALL.into_iter().find(|role| role.name() == text).ok_or(NoStaffRole)
    }
}

/// A right over the platform, which no role of a company gives. Who has it is said by [`StaffRole::permissions`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum PlatformPermission {
    /// See companies: names and situations.
    TenantsRead,
    /// Provision, rename, activate, suspend and resume companies.
    TenantsWrite,
    /// Offboard and close companies.
    TenantsDelete,
    /// Act in the name of a company's user for a while, which the company sees.
    TenantsImpersonate,
    /// See who a company's users are.
    UsersRead,
    /// Propose users to a company for roles without power over others, keep users from signing in, and let them again.
    UsersWrite,
    /// Invite users into a company without asking it, for whichever role, the owner's among them.
    UsersAppoint,
    /// Remove users of a company for good.
    UsersDelete,
    /// See who the staff are.
    StaffRead,
    /// Add staff, change their roles, keep them from signing in.
    StaffWrite,
}

impl PlatformPermission {
    /// All of them.
    pub const ALL: [Self; 10] = [
        Self::TenantsRead,
        Self::TenantsWrite,
        Self::TenantsDelete,
        Self::TenantsImpersonate,
        Self::UsersRead,
        Self::UsersWrite,
        Self::UsersAppoint,
        Self::UsersDelete,
        Self::StaffRead,
        Self::StaffWrite,
    ];

    /// The frozen name, as events and error texts show it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::TenantsRead => "platform.tenants:read",
            Self::TenantsWrite => "platform.tenants:write",
            Self::TenantsDelete => "platform.tenants:delete",
            Self::TenantsImpersonate => "platform.tenants:impersonate",
            Self::UsersRead => "platform.users:read",
            Self::UsersWrite => "platform.users:write",
            Self::UsersAppoint => "platform.users:appoint",
            Self::UsersDelete => "platform.users:delete",
            Self::StaffRead => "platform.staff:read",
            Self::StaffWrite => "platform.staff:write",
        }
    }

    /// What it lets staff do inside of a company: the rights that they are lent there, for the one request.
    pub const fn lends(self) -> &'static [Permission] {
        match self {
            Self::UsersRead => &[Permission::UsersView],
            Self::UsersWrite => &[Permission::UsersCreate, Permission::UsersWrite],
            Self::UsersAppoint => &[Permission::UsersCreate],
            Self::UsersDelete => &[Permission::UsersWrite],
            Self::TenantsRead
            | Self::TenantsWrite
            | Self::TenantsDelete
            | Self::TenantsImpersonate
            | Self::StaffRead
            | Self::StaffWrite => &[],
        }
    }

    /// The right of this name.
    pub fn find(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|permission| permission.name() == name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The table in the documentation of [`StaffRole`] is the one that is in force.
    #[test]
    fn the_documented_table_is_in_force() {
        let documented: Vec<&str> =
            include_str!("staff.rs").lines().filter_map(|line| line.strip_prefix("/// | `platform.")).collect();
        assert_eq!(documented.len(), PlatformPermission::ALL.len());
        for (row, permission) in documented.into_iter().zip(PlatformPermission::ALL) {
            let mut cells = row.split('|');
            assert_eq!(format!("platform.{}", cells.next().unwrap().trim()), format!("{}`", permission.name()));
            for (role, cell) in StaffRole::ALL.into_iter().zip(cells) {
                assert_eq!(role.allows(permission), cell.trim() == "yes", "{role} {}", permission.name());
            }
        }
    }

    #[test]
    fn roles_and_rights_go_by_their_names() {
        for role in StaffRole::ALL {
            assert_eq!(role.name().parse(), Ok(role));
            assert_eq!(serde_json::to_value(role).unwrap(), role.name());
        }
        assert_eq!("owner".parse::<StaffRole>(), Err(NoStaffRole));
        for permission in PlatformPermission::ALL {
            assert_eq!(PlatformPermission::find(permission.name()), Some(permission));
        }
    }

    #[test]
    fn only_super_admins_delete_and_appoint() {
        use PlatformPermission::{TenantsDelete, UsersAppoint, UsersDelete};
        for permission in [TenantsDelete, UsersAppoint, UsersDelete] {
            let may: Vec<_> = StaffRole::ALL.into_iter().filter(|role| role.allows(permission)).collect();
            assert_eq!(may, [StaffRole::SuperAdmin]);
        }
    }
}
