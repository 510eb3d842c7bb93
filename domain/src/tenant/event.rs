use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use crate::ids::TenantId;
use crate::values::{ContentHash, DisplayName, Language, Reason, Slug};

/// What happened to a tenant.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "type")]
#[expect(missing_docs, reason = "the fields are those of the commands")]
pub enum TenantEvent {
    TenantProvisioned { tenant_id: TenantId, name: DisplayName, slug: Slug, language: Language, at: DateTime<Utc> },
    TenantActivated { tenant_id: TenantId, at: DateTime<Utc> },
    TenantRenamed { tenant_id: TenantId, name: DisplayName, at: DateTime<Utc> },
    TenantSuspended { tenant_id: TenantId, reason: Reason, at: DateTime<Utc> },
    TenantResumed { tenant_id: TenantId, at: DateTime<Utc> },
    TenantOffboardingBegun { tenant_id: TenantId, reason: Reason, at: DateTime<Utc> },
    TenantExported { tenant_id: TenantId, events: u64, digest: ContentHash, at: DateTime<Utc> },
    TenantClosed { tenant_id: TenantId, slug: Slug, at: DateTime<Utc> },
}

domain_events!(TenantEvent {
    TenantProvisioned = "1",
    TenantActivated = "1",
    TenantRenamed = "1",
    TenantSuspended = "1",
    TenantResumed = "1",
    TenantOffboardingBegun = "1",
    TenantExported = "1",
    TenantClosed = "1",
});
