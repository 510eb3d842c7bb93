//! Opening a tenant's account at a service: its settings with the secrets unsealed.

use std::collections::BTreeMap;
use std::sync::Arc;

use domain::ids::{IntegrationId, TenantId};
use domain::integration::{Configured, IntegrationConfig, IntegrationKind};
use domain::job_run::FailureClass;

use crate::error::{AppError, PortError};
use crate::ports::commands::Commands;
use crate::ports::services::{Account, Delivery, UpstreamError};
use crate::ports::vault::{SecretPlace, Vault};

/// Opens accounts.
pub struct OpenAccount {
    /// The log: the newest saved settings, not a table that may lag behind.
    pub integrations: Arc<dyn Commands<IntegrationConfig>>,
    /// Sealed secrets.
    pub vault: Arc<dyn Vault>,
}

impl OpenAccount {
    /// The tenant's account of that kind.
    ///
    /// # Errors
    /// `Ok(Err(_))` says that the tenant has not set the integration up.
    pub async fn open(
        &self,
        tenant_id: TenantId,
        kind: IntegrationKind,
    ) -> Result<Result<Account, UpstreamError>, PortError> {
        let config = self.integrations.load(IntegrationId::of(tenant_id, kind).uuid()).await?;
        let Some(Configured { settings, secrets, .. }) = config.configured() else {
            return Ok(Err(not_set_up(kind)));
        };
        let mut opened = BTreeMap::new();
        for secret in secrets {
            let place = SecretPlace { tenant_id, kind, name: secret.name };
            opened.insert(secret.name, self.vault.open(place, secret.secret_id).await?);
        }
        Ok(Ok(Account { tenant_id, settings: settings.clone(), secrets: opened }))
    }
}

fn not_set_up(kind: IntegrationKind) -> UpstreamError {
    UpstreamError {
        service: kind,
        class: FailureClass::Permanent,
        message: format!("{} has not been set up yet", kind.title()),
        advice: format!("Set up {} in the settings.", kind.title()),
        retry_after: None,
        delivery: Delivery::NotDelivered,
    }
}

/// A provider's failure on the way to a user's answer.
impl From<UpstreamError> for AppError {
    fn from(error: UpstreamError) -> Self {
        let detail = format!("{error}. {}", error.advice);
        Self { source: Some(Box::new(error)), ..Self::new(domain::ErrorKind::Upstream, "upstream.failed", detail) }
    }
}
