//! Requirements D1 to D4.

use super::{RoleRow, ServiceRow};

pub(super) const SERVICES: &[ServiceRow] = &[
    ServiceRow { name: "clients", title: "Clients", actions: &["view", "create", "edit"] },
    ServiceRow { name: "bookings", title: "Bookings", actions: &["view", "create", "edit"] },
    ServiceRow { name: "services", title: "Services", actions: &["view", "edit"] },
    ServiceRow { name: "users", title: "Users", actions: &["view", "create"] },
    ServiceRow { name: "staff_chat", title: "Staff chat", actions: &["view", "write"] },
    ServiceRow { name: "calendar", title: "Calendar", actions: &["view", "edit"] },
    ServiceRow { name: "instagram_chat", title: "Instagram chat", actions: &["view", "write"] },
    ServiceRow { name: "bot_settings", title: "Bot settings", actions: &["view", "edit"] },
];

pub(super) const ROLES: &[RoleRow] = &[
    RoleRow {
        name: "director",
        title: "Director",
        level: 100,
        permissions: &["*"],
        may_manage: &["admin", "manager", "sales", "marketer", "employee"],
    },
    RoleRow {
        name: "admin",
        title: "Administrator",
        level: 80,
        permissions: &[
            "clients:view",
            "clients:create",
            "clients:edit",
            "bookings:view",
            "bookings:create",
            "bookings:edit",
            "services:view",
            "users:view",
            "users:create",
            "analytics:read:anonymized",
            "staff_chat:*:own",
            "calendar:view",
            "audit:read:limited",
        ],
        may_manage: &["manager", "sales", "marketer", "employee"],
    },
    RoleRow {
        name: "manager",
        title: "Manager",
        level: 60,
        permissions: &[
            "clients:view",
            "clients:create",
            "clients:edit",
            "bookings:view",
            "bookings:create",
            "bookings:edit",
            "services:view",
            "analytics:read:anonymized",
            "staff_chat:*:own",
            "calendar:view",
        ],
        may_manage: &[],
    },
    RoleRow {
        name: "sales",
        title: "Sales",
        level: 40,
        permissions: &[
            "instagram_chat:view",
            "clients:view:limited",
            "analytics:read:stats",
            "staff_chat:*:own",
            "calendar:view",
            "bot_settings:view",
        ],
        may_manage: &[],
    },
    RoleRow {
        name: "marketer",
        title: "Marketer",
        level: 30,
        permissions: &["analytics:read:anonymized", "clients:view:stats", "staff_chat:*:own"],
        may_manage: &[],
    },
    RoleRow {
        name: "employee",
        title: "Employee",
        level: 20,
        permissions: &["bookings:view:own", "calendar:view:own", "clients:view:own", "staff_chat:*:own"],
        may_manage: &[],
    },
];
