//! A company that uses Synkro.
//!
//! | invariant | where |
//! |---|---|
//! | a tenant is provisioned once; repeating the same provisioning changes nothing | `decide::provision` |
//! | the slug is unique in the platform | claim of [`TenantEvent::TenantProvisioned`] |
//! | only a provisioned tenant becomes active; activating twice changes nothing | `decide::activate` |
//! | whoever keeps a tenant out, or ends it, says why | [`TenantCommand::Suspend`], [`TenantCommand::BeginOffboarding`] |
//! | a tenant that is kept out can be resumed until it is closed | `decide::resume` |
//! | a tenant is closed only after its data was handed out | `decide::close` |
//! | a closed tenant's slug is free again, and nothing else ever happens to it | claim of [`TenantEvent::TenantClosed`] |

mod command;
mod decide;
mod error;
mod event;
mod state;
#[cfg(test)]
mod tests;

pub use command::{ProvisionTenant, TenantCommand, TenantExport};
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
            TenantEvent::TenantClosed { slug, .. } => {
                vec![ClaimChange::Release { scope: ClaimScope::Platform, kind: "slug", value: slug.to_string() }]
            }
            TenantEvent::TenantActivated { .. }
            | TenantEvent::TenantRenamed { .. }
            | TenantEvent::TenantSuspended { .. }
            | TenantEvent::TenantResumed { .. }
            | TenantEvent::TenantOffboardingBegun { .. }
            | TenantEvent::TenantExported { .. } => Vec::new(),
        }
    }
}
