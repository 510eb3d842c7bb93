use serde::{Deserialize, Serialize};

use super::{IntegrationEvent, IntegrationSettings, SecretRef};
use crate::ids::TenantId;

/// The situations of an integration's configuration.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub enum IntegrationConfig {
    /// Never configured.
    #[default]
    Absent,
    /// Settings are saved.
    Configured(Configured),
}

/// The saved settings.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Configured {
    /// The owner.
    pub tenant_id: TenantId,
    /// Counts the changes from 1.
    pub version: u32,
    /// The settings.
    pub settings: IntegrationSettings,
    /// The stored secrets.
    pub secrets: Vec<SecretRef>,
}

impl IntegrationConfig {
    /// The saved settings, if any.
    pub fn configured(&self) -> Option<&Configured> {
        match self {
            Self::Absent => None,
            Self::Configured(config) => Some(config),
        }
    }

    pub(super) fn evolve(self, event: IntegrationEvent) -> Self {
        match event {
            IntegrationEvent::IntegrationConfigured { tenant_id, version, settings, secrets, .. } => {
                Self::Configured(Configured { tenant_id, version, settings, secrets })
            }
            IntegrationEvent::IntegrationChecked { .. } => self,
        }
    }
}
