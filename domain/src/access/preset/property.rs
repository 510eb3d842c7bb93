//! Requirement C9. Its `super_admin` is the owner here: the platform's own staff have no role in a company.

use super::{RoleRow, ServiceRow};

pub(super) const SERVICES: &[ServiceRow] = &[
    ServiceRow {
        name: "requests",
        title: "Requests",
        actions: &["read", "create", "update", "assign", "complete", "rate"],
    },
    ServiceRow { name: "residents", title: "Residents", actions: &["read", "create", "update"] },
    ServiceRow { name: "payments", title: "Payments", actions: &["read", "create"] },
    ServiceRow { name: "settings", title: "Settings", actions: &["read", "write"] },
];

pub(super) const ROLES: &[RoleRow] = &[
    RoleRow {
        name: "admin",
        title: "Administrator",
        level: 80,
        permissions: &["requests.*", "residents.*", "reports.read", "settings.*", "audit.read"],
        may_manage: &["dispatcher", "staff", "resident"],
    },
    RoleRow {
        name: "dispatcher",
        title: "Dispatcher",
        level: 60,
        permissions: &["requests.*", "residents.read"],
        may_manage: &[],
    },
    RoleRow {
        name: "staff",
        title: "Staff",
        level: 40,
        permissions: &["requests.read", "requests.update_own"],
        may_manage: &[],
    },
    RoleRow {
        name: "resident",
        title: "Resident",
        level: 20,
        permissions: &["requests.create", "requests.read_own", "payments.*"],
        may_manage: &[],
    },
];
