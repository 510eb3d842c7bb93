use serde::{Deserialize, Serialize};

use super::{RebuildEvent, RebuildGoal, RebuildOutcome, RebuildScope};
use crate::ids::RebuildId;

/// The situations of a rebuild.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub enum Rebuild {
    /// Never started.
    #[default]
    Absent,
    /// At work, or its process was killed.
    Started(RebuildDetails),
    /// Ended.
    Finished(RebuildDetails, RebuildOutcome),
}

/// What is known of a rebuild from its first event on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct RebuildDetails {
    /// Its id.
    pub rebuild_id: RebuildId,
    /// Which rows.
    pub scope: RebuildScope,
    /// What it is for.
    pub goal: RebuildGoal,
}

impl Rebuild {
    /// The details, in every situation but `Absent`.
    pub fn details(&self) -> Option<&RebuildDetails> {
        match self {
            Self::Absent => None,
            Self::Started(details) | Self::Finished(details, _) => Some(details),
        }
    }

    #[expect(clippy::needless_pass_by_value, reason = "all aggregates evolve alike; this one keeps small values only")]
    pub(super) fn evolve(self, event: RebuildEvent) -> Self {
        match event {
            RebuildEvent::RebuildStarted { rebuild_id, scope, goal, .. } => {
                Self::Started(RebuildDetails { rebuild_id, scope, goal })
            }
            RebuildEvent::RebuildFinished { outcome, .. } => match self {
                Self::Started(details) | Self::Finished(details, _) => Self::Finished(details, outcome),
                Self::Absent => Self::Absent,
            },
        }
    }
}
