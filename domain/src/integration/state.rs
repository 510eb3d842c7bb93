use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use super::{IntegrationEvent, IntegrationSettings, SecretName, SecretRef, Trial};
use crate::ids::{SecretId, TenantId};
use crate::values::ContentHash;

/// The situations of an integration's configuration.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[expect(clippy::large_enum_variant, reason = "there are few of them, and hardly one is absent")]
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
    /// The version that people decided on last. Those after it only follow the account to another address.
    pub decided: u32,
    /// The settings.
    pub settings: IntegrationSettings,
    /// The stored secrets.
    pub secrets: Vec<SecretRef>,
    /// What was last tried with them and found something.
    #[serde(default)]
    pub tried: Option<Tried>,
    /// How Synkro gets in.
    #[serde(default)]
    pub access: Access,
}

/// A trial whose findings can be looked at and written while they are staged.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Tried {
    /// What was tried.
    pub trial: Trial,
    /// Where the findings are.
    pub staged: ContentHash,
    /// When.
    pub at: DateTime<Utc>,
}

/// How Synkro gets into the account.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum Access {
    /// With secrets that people gave.
    #[default]
    Given,
    /// Somebody has to let it in at the service first.
    Awaited,
    /// With tokens that the service gave.
    Granted {
        /// Until when the access token is taken.
        expires_at: DateTime<Utc>,
    },
    /// Not any more: the service takes the refresh token no longer.
    Lost {
        /// What is wrong and what to do.
        reason: String,
    },
}

impl Configured {
    /// The version that speaks for what was found with this one: the newest, where only the address is another since.
    pub(super) fn speaking_for(&self, version: u32) -> u32 {
        if (self.decided..=self.version).contains(&version) { self.version } else { version }
    }

    /// The stored version of a secret, where there is one.
    pub fn secret(&self, name: SecretName) -> Option<SecretId> {
        self.secrets.iter().find(|secret| secret.name == name).map(|secret| secret.secret_id)
    }
}

impl IntegrationConfig {
    /// The saved settings, if any.
    pub fn configured(&self) -> Option<&Configured> {
        match self {
            Self::Absent => None,
            Self::Configured(config) => Some(config),
        }
    }

    fn tried(self) -> Option<Tried> {
        match self {
            Self::Absent => None,
            Self::Configured(config) => config.tried,
        }
    }

    fn with(self, change: impl FnOnce(Configured) -> Configured) -> Self {
        match self {
            Self::Absent => Self::Absent,
            Self::Configured(config) => Self::Configured(change(config)),
        }
    }

    pub(super) fn evolve(self, event: IntegrationEvent) -> Self {
        match event {
            IntegrationEvent::IntegrationConfigured { tenant_id, version, settings, secrets, .. } => {
                let has_tokens = secrets.iter().any(|secret| secret.name == SecretName::RefreshToken);
                let access = match (settings.is_authorized_there(), self) {
                    (false, _) => Access::Given,
                    (true, Self::Configured(before)) if has_tokens => before.access,
                    (true, _) => Access::Awaited,
                };
                let (decided, tried) = (version, None);
                Self::Configured(Configured { tenant_id, version, decided, settings, secrets, tried, access })
            }
            IntegrationEvent::IntegrationAuthorized { tenant_id, version, settings, secrets, expires_at, .. } => {
                let (decided, tried, access) = (version, None, Access::Granted { expires_at });
                Self::Configured(Configured { tenant_id, version, decided, settings, secrets, tried, access })
            }
            IntegrationEvent::IntegrationTokensRenewed {
                tenant_id, version, settings, secrets, expires_at, ..
            } => {
                let decided = self.configured().map_or(version, |before| before.decided);
                let (tried, access) = (self.tried(), Access::Granted { expires_at });
                Self::Configured(Configured { tenant_id, version, decided, settings, secrets, tried, access })
            }
            IntegrationEvent::IntegrationAccessLost { reason, .. } => {
                self.with(|config| Configured { access: Access::Lost { reason }, ..config })
            }
            IntegrationEvent::IntegrationTried { version, trial, staged: Some(staged), at, .. } => {
                self.with(|config| {
                    let tried = (version == config.version).then_some(Tried { trial, staged, at });
                    Configured { tried: tried.or(config.tried), ..config }
                })
            }
            IntegrationEvent::IntegrationChecked { .. }
            | IntegrationEvent::IntegrationTried { .. }
            | IntegrationEvent::IntegrationWritten { .. } => self,
        }
    }
}
