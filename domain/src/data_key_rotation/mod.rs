//! Exchanging the data key under which a company's secrets and staged data are sealed.
//!
//! | invariant | where |
//! |---|---|
//! | a company's keys are exchanged one after the other | `begin` |
//! | one that was cut off goes on with the key that it has begun with | `begin` |
//! | it ends once; the same ending again changes nothing | `complete` |

#[cfg(test)]
mod tests;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use crate::error::{Classified, ErrorKind};
use crate::event_sourced::EventSourced;
use crate::ids::TenantId;

/// What can be asked of a rotation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum DataKeyRotationCommand {
    /// What the company has sealed is to be sealed under another key.
    Begin {
        /// The company.
        tenant_id: TenantId,
        /// The number of the other key among those of the company.
        generation: u32,
        /// Now.
        at: DateTime<Utc>,
    },
    /// All of it is, and the former key is gone.
    Complete {
        /// How many ciphertexts were replaced, as far as this is known to the one who ends it.
        sealed_anew: u64,
        /// Now.
        at: DateTime<Utc>,
    },
}

/// What happened to a rotation.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "type")]
#[expect(missing_docs, reason = "the fields are those of the commands")]
pub enum DataKeyRotationEvent {
    DataKeyRotationBegun { tenant_id: TenantId, generation: u32, at: DateTime<Utc> },
    DataKeyRotationCompleted { tenant_id: TenantId, generation: u32, sealed_anew: u64, at: DateTime<Utc> },
}

domain_events!(DataKeyRotationEvent { DataKeyRotationBegun = "1", DataKeyRotationCompleted = "1" });

/// Why a rotation refuses a command.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum DataKeyRotationError {
    /// It was never begun.
    #[error("there is no such exchange of a company's data key")]
    NotFound,
}

impl Classified for DataKeyRotationError {
    fn kind(&self) -> ErrorKind {
        ErrorKind::NotFound
    }

    fn code(&self) -> &'static str {
        "data_key_rotation.not_found"
    }
}

aggregate!(DataKeyRotation, "data_key_rotation", DataKeyRotationCommand, DataKeyRotationEvent, DataKeyRotationError);

/// Where the exchange of a company's data key stands.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum DataKeyRotation {
    /// Never begun.
    #[default]
    Absent,
    /// Begun, and not known to have ended.
    Running {
        /// The company.
        tenant_id: TenantId,
        /// The key that everything comes under.
        generation: u32,
    },
    /// Everything is under this key.
    Completed {
        /// The company.
        tenant_id: TenantId,
        /// The key.
        generation: u32,
    },
}

impl DataKeyRotation {
    /// The events that a command causes in this situation.
    pub fn decide(&self, command: DataKeyRotationCommand) -> Result<Vec<DataKeyRotationEvent>, DataKeyRotationError> {
        match (self, command) {
            (Self::Absent | Self::Completed { .. }, DataKeyRotationCommand::Begin { tenant_id, generation, at }) => {
                Ok(vec![DataKeyRotationEvent::DataKeyRotationBegun { tenant_id, generation, at }])
            }
            (Self::Running { .. }, DataKeyRotationCommand::Begin { .. })
            | (Self::Completed { .. }, DataKeyRotationCommand::Complete { .. }) => Ok(Vec::new()),
            (Self::Running { tenant_id, generation }, DataKeyRotationCommand::Complete { sealed_anew, at }) => {
                let (tenant_id, generation) = (*tenant_id, *generation);
                Ok(vec![DataKeyRotationEvent::DataKeyRotationCompleted { tenant_id, generation, sealed_anew, at }])
            }
            (Self::Absent, DataKeyRotationCommand::Complete { .. }) => Err(DataKeyRotationError::NotFound),
        }
    }

    #[expect(clippy::unused_self, reason = "each event says all of the situation after it")]
    #[expect(clippy::needless_pass_by_value, reason = "the form that every aggregate has")]
    fn evolve(self, event: DataKeyRotationEvent) -> Self {
        match event {
            DataKeyRotationEvent::DataKeyRotationBegun { tenant_id, generation, .. } => {
                Self::Running { tenant_id, generation }
            }
            DataKeyRotationEvent::DataKeyRotationCompleted { tenant_id, generation, .. } => {
                Self::Completed { tenant_id, generation }
            }
        }
    }
}

impl EventSourced for DataKeyRotation {
    fn exists(&self) -> bool {
        !matches!(self, Self::Absent)
    }

    fn absent() -> DataKeyRotationError {
        DataKeyRotationError::NotFound
    }

    fn tenant(&self) -> Option<TenantId> {
        match self {
            Self::Absent => None,
            Self::Running { tenant_id, .. } | Self::Completed { tenant_id, .. } => Some(*tenant_id),
        }
    }
}
