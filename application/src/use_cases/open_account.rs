//! Opening a tenant's account at a service: its settings with the secrets unsealed.

use std::collections::BTreeMap;
use std::sync::Arc;

use async_trait::async_trait;
use domain::ids::{SecretId, TenantId};
use domain::integration::{Configured, IntegrationKind, SecretName};
use domain::job_run::FailureClass;

use super::keep_tokens::KeepTokens;
use crate::error::{AppError, PortError};
use crate::ports::oauth::{RenewAccess, Renewal};
use crate::ports::services::{AGAIN, Account, Delivery, UpstreamError};
use crate::ports::vault::{SecretPlace, Vault};

/// Opens accounts.
pub struct OpenAccount {
    /// The newest saved settings, with tokens that are good.
    pub tokens: Arc<KeepTokens>,
    /// Sealed secrets.
    pub vault: Arc<dyn Vault>,
}

impl OpenAccount {
    /// The tenant's account of that kind, for the work of a run.
    ///
    /// # Errors
    /// `Ok(Err(_))` says that the tenant has not set the integration up, or has to connect it again.
    pub async fn open(
        &self,
        tenant_id: TenantId,
        kind: IntegrationKind,
    ) -> Result<Result<Account, UpstreamError>, PortError> {
        open(&self.tokens, &self.vault, tenant_id, kind, None, false).await
    }

    /// The same, for somebody who waits for the answer.
    ///
    /// # Errors
    /// As [`Self::open`].
    pub async fn open_awaited(
        &self,
        tenant_id: TenantId,
        kind: IntegrationKind,
    ) -> Result<Result<Account, UpstreamError>, PortError> {
        open(&self.tokens, &self.vault, tenant_id, kind, None, true).await
    }
}

async fn open(
    tokens: &Arc<KeepTokens>,
    vault: &Arc<dyn Vault>,
    tenant_id: TenantId,
    kind: IntegrationKind,
    stale: Option<SecretId>,
    is_awaited: bool,
) -> Result<Result<Account, UpstreamError>, PortError> {
    let config = match tokens.fresh(tenant_id, kind, stale).await? {
        Ok(config) => config,
        Err(error) => return Ok(Err(if is_awaited { error.told_to_a_person() } else { error })),
    };
    let mut opened = BTreeMap::new();
    for secret in &config.secrets {
        let place = SecretPlace { tenant_id, kind, name: secret.name };
        opened.insert(secret.name, vault.open(place, secret.secret_id).await?);
    }
    let renewal = renewable(&config).map(|used| {
        let (tokens, vault) = (Arc::clone(tokens), Arc::clone(vault));
        Renewal(Arc::new(Reopen { tokens, vault, tenant_id, kind, used, is_awaited }))
    });
    let phone_region = tokens.phone_region(tenant_id).await?;
    let Configured { settings, version, .. } = config;
    Ok(Ok(Account { tenant_id, settings, version, phone_region, secrets: opened, renewal, is_awaited }))
}

/// The access token that another can be had for.
fn renewable(config: &Configured) -> Option<SecretId> {
    config.secret(SecretName::RefreshToken)?;
    config.secret(SecretName::AccessToken)
}

/// The account once more, with another access token than the one that was used.
struct Reopen {
    tokens: Arc<KeepTokens>,
    vault: Arc<dyn Vault>,
    tenant_id: TenantId,
    kind: IntegrationKind,
    used: SecretId,
    is_awaited: bool,
}

#[async_trait]
impl RenewAccess for Reopen {
    async fn renewed(&self) -> Result<Account, UpstreamError> {
        let stale = Some(self.used);
        let opened = open(&self.tokens, &self.vault, self.tenant_id, self.kind, stale, self.is_awaited).await;
        let opened = opened.unwrap_or_else(|error| {
            tracing::error!(error = crate::error::chain(&error), "an access token could not be renewed");
            Err(UpstreamError {
                service: self.kind,
                class: FailureClass::Transient,
                message: format!("The token for {} could not be renewed: {error}", self.kind.title()),
                advice: AGAIN.to_owned(),
                retry_after: None,
                delivery: Delivery::NotDelivered,
                tokens: None,
                was_turned_away: false,
            })
        });
        opened.map_err(|error| if self.is_awaited { error.told_to_a_person() } else { error })
    }
}

/// A provider's failure on the way to a user's answer.
impl From<UpstreamError> for AppError {
    fn from(error: UpstreamError) -> Self {
        let detail = format!("{error}. {}", error.advice);
        Self { source: Some(Box::new(error)), ..Self::new(domain::ErrorKind::Upstream, "upstream.failed", detail) }
    }
}
