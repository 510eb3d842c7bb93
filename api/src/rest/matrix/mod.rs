//! Roles, and the services, actions and permissions that they speak of.

mod body;
mod entries;
mod fields;
mod roles;

pub(super) use entries::{ActionsApi, PermissionsApi, ServicesApi};
pub(super) use roles::RolesApi;
