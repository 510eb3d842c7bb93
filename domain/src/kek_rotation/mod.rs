//! Wrapping the tenants' data keys anew, with another key-encryption key.
//!
//! | invariant | where |
//! |---|---|
//! | one that was cut off goes on as the same one | `begin` |
//! | it ends once; the same ending again changes nothing | `complete` |
//!
//! There is one for each key-encryption key. It begins anew where data keys come back to a key that they had left.

#[cfg(test)]
mod tests;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use crate::error::{Classified, ErrorKind};
use crate::event_sourced::EventSourced;
use crate::ids::TenantId;

/// What can be asked of a rotation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum KekRotationCommand {
    /// Data keys are to be wrapped by this key.
    Begin {
        /// The name of the key-encryption key, which does not tell it.
        kek_id: String,
        /// How many data keys are wrapped by others.
        data_keys: u64,
        /// Now.
        at: DateTime<Utc>,
    },
    /// All are.
    Complete {
        /// Now.
        at: DateTime<Utc>,
    },
}

/// What happened to a rotation.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "type")]
#[expect(missing_docs, reason = "the fields are those of the commands")]
pub enum KekRotationEvent {
    KekRotationBegun { kek_id: String, data_keys: u64, at: DateTime<Utc> },
    KekRotationCompleted { kek_id: String, at: DateTime<Utc> },
}

domain_events!(KekRotationEvent { KekRotationBegun = "1", KekRotationCompleted = "1" });

/// Why a rotation refuses a command.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum KekRotationError {
    /// It was never begun.
    #[error("there is no such exchange of the key-encryption key")]
    NotFound,
}

impl Classified for KekRotationError {
    fn kind(&self) -> ErrorKind {
        ErrorKind::NotFound
    }

    fn code(&self) -> &'static str {
        "kek_rotation.not_found"
    }
}

aggregate!(KekRotation, "kek_rotation", KekRotationCommand, KekRotationEvent, KekRotationError);

/// Where the rotation to a key-encryption key stands.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum KekRotation {
    /// Never begun.
    #[default]
    Absent,
    /// Begun, and not known to have ended.
    Running {
        /// The key-encryption key.
        kek_id: String,
    },
    /// All data keys were wrapped by it.
    Completed,
}

impl KekRotation {
    /// The events that a command causes in this situation.
    pub fn decide(&self, command: KekRotationCommand) -> Result<Vec<KekRotationEvent>, KekRotationError> {
        match (self, command) {
            (Self::Absent | Self::Completed, KekRotationCommand::Begin { kek_id, data_keys, at }) => {
                Ok(vec![KekRotationEvent::KekRotationBegun { kek_id, data_keys, at }])
            }
            (Self::Running { .. }, KekRotationCommand::Begin { .. })
            | (Self::Completed, KekRotationCommand::Complete { .. }) => Ok(Vec::new()),
            (Self::Running { kek_id }, KekRotationCommand::Complete { at }) => {
                Ok(vec![KekRotationEvent::KekRotationCompleted { kek_id: kek_id.clone(), at }])
            }
            (Self::Absent, KekRotationCommand::Complete { .. }) => Err(KekRotationError::NotFound),
        }
    }

    #[expect(clippy::unused_self, reason = "each event says all of the situation after it")]
    fn evolve(self, event: KekRotationEvent) -> Self {
        match event {
            KekRotationEvent::KekRotationBegun { kek_id, .. } => Self::Running { kek_id },
            KekRotationEvent::KekRotationCompleted { .. } => Self::Completed,
        }
    }
}

impl EventSourced for KekRotation {
    fn exists(&self) -> bool {
        !matches!(self, Self::Absent)
    }

    fn absent() -> KekRotationError {
        KekRotationError::NotFound
    }

    fn tenant(&self) -> Option<TenantId> {
        None
    }
}
