//! What a tenant adds to the services, actions and permissions that are built in, so that its other services can ask too.
//!
//! | invariant | where |
//! |---|---|
//! | what is built in cannot be added, renamed or removed | `decide` |
//! | a permission is made of a service and an action that there are | `decide::add` |
//! | a service or action stays while a permission is made of it | `decide::remove` |
//! | a tenant adds no more than [`MOST_ENTRIES`] | `decide::add` |

mod command;
mod decide;
mod error;
mod event;
mod state;
#[cfg(test)]
mod tests;

pub use command::{CatalogueAsk, CatalogueCommand};
pub use error::ServiceCatalogueError;
pub use event::{EntryChange, ServiceCatalogueEvent};
pub use state::ServiceCatalogue;

use crate::event_sourced::EventSourced;
use crate::ids::TenantId;

/// How many services, actions and permissions together a tenant may add.
pub const MOST_ENTRIES: usize = 1_000;

aggregate!(ServiceCatalogue, "service_catalogue", CatalogueCommand, ServiceCatalogueEvent, ServiceCatalogueError);

impl EventSourced for ServiceCatalogue {
    fn exists(&self) -> bool {
        self.tenant().is_some()
    }

    fn absent() -> ServiceCatalogueError {
        ServiceCatalogueError::NotFound
    }

    fn tenant(&self) -> Option<TenantId> {
        match self {
            Self::Absent => None,
            Self::Kept(tenant_id, _) => Some(*tenant_id),
        }
    }
}
