use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use crate::ids::TenantId;
use crate::values::{DisplayName, Language, Slug};

/// What happened to a tenant.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "type")]
#[expect(missing_docs, reason = "the fields are those of the commands")]
pub enum TenantEvent {
    TenantProvisioned { tenant_id: TenantId, name: DisplayName, slug: Slug, language: Language, at: DateTime<Utc> },
    TenantActivated { tenant_id: TenantId, at: DateTime<Utc> },
}

domain_events!(TenantEvent { TenantProvisioned = "1", TenantActivated = "1" });
