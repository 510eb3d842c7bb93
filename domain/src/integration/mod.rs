//! One tenant's configuration of one kind of outside service.
//!
//! | invariant | where |
//! |---|---|
//! | settings fit the kind, and every secret that the kind needs is there | `decide::configure` |
//! | saving what is already saved changes nothing; any change makes the next version | `decide::configure` |
//! | a group that has moved is followed from where it was written to, and nowhere else | `decide::follow_group` |
//! | a check speaks of the version that was checked, and of a newer one only where nothing but the address is another | `decide::record_check` |
//! | a change is decided on the version that it was made from, where the caller says which | `decide::configure` |
//! | what is tried, and what of it is written, is recorded for the version that was tried, whatever was saved meanwhile | `decide::record_trial`, `decide::record_write` |
//! | events name what was changed, never a value | `changes` |
//! | either a long-lived token or an integration to authorize, never both; the tokens of one are none of another | `decide::configure` |
//! | tokens are replaced only by those that were had for the refresh token of now | `decide::renew` |
//! | events name secrets by id, never by value | [`SecretRef`] |

mod changes;
mod command;
mod decide;
mod error;
mod event;
#[cfg(test)]
mod oauth_tests;
mod prices;
mod provider;
mod settings;
mod state;
#[cfg(test)]
mod tests;
mod trial;

pub use command::{Authorize, Configure, IntegrationCommand, MovedGroup, Renew, TokenPairRef};
pub use error::IntegrationError;
pub use event::{CheckOutcome, IntegrationEvent};
pub use prices::TokenPrices;
pub use provider::AiProvider;
pub use settings::{IntegrationKind, IntegrationSettings, SecretName, SecretRef};
pub use state::{Access, Configured, IntegrationConfig, Tried};
pub use trial::{Trial, TrialRecord, WriteRecord};

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
