use std::collections::BTreeMap;

use chrono::{DateTime, Utc};

use super::{RebuildGoal, RebuildOutcome, RebuildScope};
use crate::ids::RebuildId;
use crate::values::{ReadModelName, Reason};

/// What can be asked of a rebuild.
#[derive(Debug, Clone)]
pub enum RebuildCommand {
    /// Begin it.
    Start(StartRebuild),
    /// Say how it ended.
    Finish(FinishRebuild),
}

/// A new rebuild.
#[derive(Debug, Clone)]
pub struct StartRebuild {
    /// Its id.
    pub rebuild_id: RebuildId,
    /// The read model.
    pub projection: ReadModelName,
    /// Which of its rows.
    pub scope: RebuildScope,
    /// What it is for.
    pub goal: RebuildGoal,
    /// Why, in the words of the one who started it.
    pub reason: Option<Reason>,
    /// Now.
    pub at: DateTime<Utc>,
}

/// How a rebuild ended.
#[derive(Debug, Clone)]
pub struct FinishRebuild {
    /// What became of the rebuilt rows.
    pub outcome: RebuildOutcome,
    /// How many tenants have rows that differ; the platform's own rows count as one.
    pub tenants_differing: u64,
    /// How many rows differ, per table that has any.
    pub rows_differing: BTreeMap<String, u64>,
    /// Now.
    pub at: DateTime<Utc>,
}
