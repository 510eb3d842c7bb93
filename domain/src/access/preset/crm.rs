//! Requirement B6, with the scopes of B5.

use super::{RoleRow, ServiceRow};

pub(super) const SERVICES: &[ServiceRow] = &[
    ServiceRow { name: "crm", title: "CRM", actions: &["view", "edit"] },
    ServiceRow { name: "finance", title: "Finance", actions: &["edit"] },
    ServiceRow { name: "analytics", title: "Analytics", actions: &["view"] },
];

pub(super) const ROLES: &[RoleRow] = &[
    RoleRow {
        name: "admin",
        title: "Administrator",
        level: 90,
        permissions: &["*"],
        may_manage: &["manager", "sales_manager", "accountant", "user"],
    },
    RoleRow {
        name: "manager",
        title: "Manager",
        level: 60,
        permissions: &[
            "crm:view",
            "crm:edit",
            "finance:view_revenue",
            "analytics:view",
            "analytics:read",
            "reports:read",
            "runs:read",
        ],
        may_manage: &["sales_manager"],
    },
    RoleRow {
        name: "sales_manager",
        title: "Sales manager",
        level: 40,
        permissions: &[
            "crm:view:own",
            "crm:edit:own",
            "finance:view_revenue:own",
            "analytics:view:own",
            "reports:read:anonymized",
        ],
        may_manage: &[],
    },
    RoleRow {
        name: "accountant",
        title: "Accountant",
        level: 50,
        permissions: &["finance:view_profit", "finance:view_costs", "finance:edit"],
        may_manage: &[],
    },
];
