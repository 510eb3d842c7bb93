//! A company that uses Synkro.
//!
//! | invariant | where |
//! |---|---|
//! | a tenant is provisioned once; repeating the same provisioning changes nothing | `decide::provision` |
//! | the slug is unique in the platform | claim of [`TenantEvent::TenantProvisioned`] |
//! | only a provisioned tenant becomes active; activating twice changes nothing | `decide::activate` |

mod command;
mod decide;
mod error;
mod event;
mod state;
#[cfg(test)]
mod tests;

pub use command::{ProvisionTenant, TenantCommand};
pub use error::TenantError;
pub use event::TenantEvent;
pub use state::{Tenant, TenantDetails};

use crate::event_sourced::{ClaimChange, ClaimScope, EventSourced};
use crate::ids::TenantId;

aggregate!(Tenant, "tenant", TenantCommand, TenantEvent, TenantError);

impl EventSourced for Tenant {
    fn exists(&self) -> bool {
        !matches!(self, Self::Absent)
    }

    fn absent() -> TenantError {
        TenantError::NotFound
    }

    fn tenant(&self) -> Option<TenantId> {
        self.details().map(|details| details.tenant_id)
    }

    fn claims(event: &TenantEvent) -> Vec<ClaimChange> {
        match event {
            TenantEvent::TenantProvisioned { slug, .. } => {
                vec![ClaimChange::Take { scope: ClaimScope::Platform, kind: "slug", value: slug.to_string() }]
            }
            TenantEvent::TenantActivated { .. } => Vec::new(),
        }
    }
}
