//! A key with which a program of a tenant asks the API.
//!
//! | invariant | where |
//! |---|---|
//! | it has at least one scope, and none that its creator has not | `decide::create` |
//! | it ends, a year from now at the latest | `decide::create` |
//! | once revoked or out of time it allows nothing | [`ApiKey::allows_at`] |
//! | the log says that there is a key, never its secret or a hash of it | [`ApiKeyEvent::ApiKeyCreated`] |

mod command;
mod decide;
mod error;
mod event;
mod state;
#[cfg(test)]
mod tests;

pub use command::{ApiKeyCommand, CreateApiKey};
pub use decide::{LONGEST_LIFE, MOST_SCOPES};
pub use error::ApiKeyError;
pub use event::ApiKeyEvent;

pub use state::{ApiKey, ApiKeyDetails};

use crate::event_sourced::EventSourced;
use crate::ids::TenantId;

aggregate!(ApiKey, "api_key", ApiKeyCommand, ApiKeyEvent, ApiKeyError);

impl EventSourced for ApiKey {
    fn exists(&self) -> bool {
        !matches!(self, Self::Absent)
    }

    fn absent() -> ApiKeyError {
        ApiKeyError::NotFound
    }

    fn tenant(&self) -> Option<TenantId> {
        self.details().map(|details| details.tenant_id)
    }
}
