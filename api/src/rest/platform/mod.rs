//! What the platform's staff do: with companies as a whole, with companies' users, and among themselves.

mod body;
mod staff;
mod tenants;
mod users;

pub(super) use self::staff::StaffApi;
pub(super) use self::tenants::TenantsApi;
pub(super) use self::users::TenantUsersApi;
