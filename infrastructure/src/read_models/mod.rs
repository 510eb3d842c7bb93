//! The tables that answer questions, one folder each: `entity.rs` (the row), `writer.rs` (the projection) and, where
//! the application asks, `reader.rs`.
//!
//! To add one: a folder, a migration with its table, and its line in [`all`].

pub mod api_keys;
pub mod audit_entries;
pub mod catalogue_entries;
pub mod impersonations;
pub mod insights;
pub mod integration_records;
pub mod integrations;
pub mod invitations;
mod names;
mod paging;
mod parked;
pub mod reports;
pub mod roles;
pub mod runs;
pub mod sessions;
pub mod step_queue;
pub mod tenants;
pub(crate) mod text;
pub mod users;

use std::sync::Arc;

pub(crate) use self::names::staff_names;
use crate::projections::Projection;

/// Every projection of the system.
pub fn all() -> Vec<Arc<dyn Projection>> {
    vec![
        Arc::new(tenants::TenantsProjection),
        Arc::new(users::UsersProjection),
        Arc::new(sessions::SessionsProjection),
        Arc::new(invitations::InvitationsProjection),
        Arc::new(api_keys::ApiKeysProjection),
        Arc::new(impersonations::ImpersonationsProjection),
        Arc::new(integrations::IntegrationsProjection),
        Arc::new(integration_records::IntegrationRecordsProjection),
        Arc::new(runs::RunsProjection),
        Arc::new(step_queue::StepQueueProjection),
        Arc::new(reports::ReportsProjection),
        Arc::new(audit_entries::AuditProjection),
        Arc::new(roles::RolesProjection),
        Arc::new(catalogue_entries::CatalogueEntriesProjection),
    ]
}
