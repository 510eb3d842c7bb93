//! One tenant's configuration of one kind of outside service.
//!
//! | invariant | where |
//! |---|---|
//! | settings fit the kind, and every secret that the kind needs is there | `decide::configure` |
//! | saving what is already saved changes nothing; any change makes the next version | `decide::configure` |
//! | a check speaks of the version that was checked, never of a newer one | `decide::record_check` |
//! | events name secrets by id, never by value | [`SecretRef`] |

mod command;
mod decide;
mod error;
mod event;
mod settings;
mod state;
#[cfg(test)]
mod tests;

pub use command::{Configure, IntegrationCommand};
pub use error::IntegrationError;
pub use event::{CheckOutcome, IntegrationEvent};
pub use settings::{AiProvider, IntegrationKind, IntegrationSettings, SecretName, SecretRef};
pub use state::{Configured, IntegrationConfig};

use crate::event_sourced::EventSourced;
use crate::ids::TenantId;

aggregate!(IntegrationConfig, "integration", IntegrationCommand, IntegrationEvent, IntegrationError);

impl EventSourced for IntegrationConfig {
    fn exists(&self) -> bool {
        !matches!(self, Self::Absent)
    }

    fn absent() -> IntegrationError {
        IntegrationError::NotConfigured
    }

    fn tenant(&self) -> Option<TenantId> {
        match self {
            Self::Absent => None,
            Self::Configured(config) => Some(config.tenant_id),
        }
    }
}
