use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::ids::{RebuildId, TenantId};
use crate::values::{ReadModelName, Reason};

/// Which rows of a read model are built anew.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "rows_of", rename_all = "snake_case")]
pub enum RebuildScope {
    /// All of them.
    Everyone,
    /// Those of one tenant.
    Tenant {
        /// The tenant.
        tenant_id: TenantId,
    },
    /// Those of one aggregate.
    Aggregate {
        /// The aggregate's id.
        aggregate_id: Uuid,
        /// Its owner; none for the platform's own.
        tenant_id: Option<TenantId>,
    },
}

impl RebuildScope {
    /// The tenant whose rows these are; none where they are not of one tenant.
    pub fn tenant(self) -> Option<TenantId> {
        match self {
            Self::Everyone => None,
            Self::Tenant { tenant_id } => Some(tenant_id),
            Self::Aggregate { tenant_id, .. } => tenant_id,
        }
    }
}

/// What a rebuild is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RebuildGoal {
    /// To put the rebuilt rows in the place of the live ones.
    Exchange,
    /// To see what differs.
    Verify,
}

/// What became of the rebuilt rows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RebuildOutcome {
    /// They are live now.
    Exchanged,
    /// They were compared with the live ones and dropped.
    Verified,
    /// It could not be brought to its end; the live rows are as they were.
    Abandoned,
}

/// What happened to a rebuild.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "type")]
#[expect(missing_docs, reason = "the fields are those of the commands")]
pub enum RebuildEvent {
    RebuildStarted {
        rebuild_id: RebuildId,
        projection: ReadModelName,
        scope: RebuildScope,
        goal: RebuildGoal,
        reason: Option<Reason>,
        at: DateTime<Utc>,
    },
    RebuildFinished {
        rebuild_id: RebuildId,
        outcome: RebuildOutcome,
        tenants_differing: u64,
        rows_differing: BTreeMap<String, u64>,
        at: DateTime<Utc>,
    },
}

domain_events!(RebuildEvent { RebuildStarted = "1", RebuildFinished = "1" });
