//! A company gives itself a role, a service to speak of, and a second owner.

use domain::access::{Grant, ManageList};
use domain::ids::{RoleId, UserId};
use domain::owners::{Owners, OwnersEvent};
use domain::role::{Role, RoleEvent};
use domain::service_catalogue::{ServiceCatalogue, ServiceCatalogueEvent};

use super::{tenant_id, usual, value};
use crate::golden_files::Golden;

pub(super) fn roles() -> Vec<Golden> {
    let (tenant_id, name) = (tenant_id(), value("sales-manager"));
    let (role_id, at) = (RoleId::of(tenant_id, &name), |time: &str| value(&format!("2026-05-05T{time}Z")));
    let may_manage = ManageList::try_from(vec!["user".to_owned(), "intern".to_owned()]).expect("names of roles");
    let permissions = [value("reports:read:anonymized"), value("requests:*:own")].into();
    let level = |number: u8| number.try_into().expect("a level");
    let permission: Grant = value("analytics:read:stats");
    vec![
        usual::<Role>(&RoleEvent::RoleDefined {
            role_id,
            tenant_id,
            name,
            title: value("Sales manager"),
            level: level(40),
            permissions,
            may_manage,
            at: at("08:00:12.118403"),
        }),
        usual::<Role>(&RoleEvent::RoleChanged {
            role_id,
            tenant_id,
            title: value("Head of sales"),
            level: level(55),
            may_manage: ManageList::Every,
            at: at("08:04:51.660120"),
        }),
        usual::<Role>(&RoleEvent::PermissionGranted {
            role_id,
            tenant_id,
            permission: permission.clone(),
            at: at("08:06:02.905577"),
        }),
        usual::<Role>(&RoleEvent::PermissionRevoked { role_id, tenant_id, permission, at: at("08:31:40.000218") }),
        usual::<Role>(&RoleEvent::RoleRemoved { role_id, tenant_id, at: at("17:20:00.481930") }),
    ]
}

pub(super) fn catalogues() -> Vec<Golden> {
    use ServiceCatalogueEvent::{
        ActionAdded, ActionChanged, ActionRemoved, PermissionAdded, PermissionChanged, PermissionRemoved, ServiceAdded,
        ServiceChanged, ServiceRemoved,
    };
    let tenant_id = tenant_id();
    let (service, action) = (|| value("requests"), || value("assign"));
    let at = |time: &str| value(&format!("2026-05-05T07:{time}Z"));
    vec![
        usual::<ServiceCatalogue>(&ServiceAdded {
            tenant_id,
            service: service(),
            title: value("Requests"),
            at: at("40:01.205"),
        }),
        usual::<ServiceCatalogue>(&ServiceChanged {
            tenant_id,
            service: service(),
            title: value("Repairs"),
            at: at("41:16.8"),
        }),
        usual::<ServiceCatalogue>(&ServiceRemoved { tenant_id, service: service(), at: at("59:44.317") }),
        usual::<ServiceCatalogue>(&ActionAdded {
            tenant_id,
            action: action(),
            title: value("Assign"),
            at: at("42:20.55"),
        }),
        usual::<ServiceCatalogue>(&ActionChanged {
            tenant_id,
            action: action(),
            title: value("Hand on"),
            at: at("43:08.1"),
        }),
        usual::<ServiceCatalogue>(&ActionRemoved { tenant_id, action: action(), at: at("59:40.902") }),
        usual::<ServiceCatalogue>(&PermissionAdded {
            tenant_id,
            service: service(),
            action: action(),
            title: value("Requests: assign"),
            at: at("44:31.74"),
        }),
        usual::<ServiceCatalogue>(&PermissionChanged {
            tenant_id,
            service: service(),
            action: action(),
            title: value("Repairs: hand on"),
            at: at("45:09.26"),
        }),
        usual::<ServiceCatalogue>(&PermissionRemoved {
            tenant_id,
            service: service(),
            action: action(),
            at: at("59:31.488"),
        }),
    ]
}

pub(super) fn owners() -> Vec<Golden> {
    let tenant_id = tenant_id();
    let user_id: UserId = value("019df20e-1370-7e0b-b3d2-6c94a1f05e12");
    let at = |time: &str| value(&format!("2026-05-{time}Z"));
    vec![
        usual::<Owners>(&OwnersEvent::OwnerAppointed { tenant_id, user_id, at: at("04T08:15:02") }),
        usual::<Owners>(&OwnersEvent::OwnerDismissed { tenant_id, user_id, at: at("29T10:02:33.007142") }),
    ]
}
