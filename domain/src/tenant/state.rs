use serde::{Deserialize, Serialize};

use super::TenantEvent;
use crate::ids::TenantId;
use crate::values::{DisplayName, Language, Slug};

/// The situations of a tenant.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub enum Tenant {
    /// Never provisioned.
    #[default]
    Absent,
    /// Created; its integrations and users are being set up.
    Provisioning(TenantDetails),
    /// In use.
    Active(TenantDetails),
}

/// What is known of a tenant from its first event on.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct TenantDetails {
    /// Its id.
    pub tenant_id: TenantId,
    /// Its name as people read it.
    pub name: DisplayName,
    /// Its short name in addresses.
    pub slug: Slug,
    /// The language of its reports and messages.
    pub language: Language,
}

impl Tenant {
    /// The details, in every situation but `Absent`.
    pub fn details(&self) -> Option<&TenantDetails> {
        match self {
            Self::Absent => None,
            Self::Provisioning(details) | Self::Active(details) => Some(details),
        }
    }

    pub(super) fn evolve(self, event: TenantEvent) -> Self {
        match event {
            TenantEvent::TenantProvisioned { tenant_id, name, slug, language, .. } => {
                Self::Provisioning(TenantDetails { tenant_id, name, slug, language })
            }
            TenantEvent::TenantActivated { .. } => match self {
                Self::Provisioning(details) | Self::Active(details) => Self::Active(details),
                Self::Absent => Self::Absent,
            },
        }
    }
}
