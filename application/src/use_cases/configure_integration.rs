//! Saving an integration's settings and secrets.

use std::collections::BTreeMap;
use std::sync::Arc;

use domain::access::Permission;
use domain::ids::{IntegrationId, SecretId};
use domain::integration::{
    Configure, IntegrationCommand, IntegrationConfig, IntegrationSettings, SecretName, SecretRef,
};
use secrecy::{ExposeSecret, SecretString};

use crate::context::RequestContext;
use crate::error::AppError;
use crate::ports::clock::{Clock, Ids};
use crate::ports::commands::{Commands, LogPosition};
use crate::ports::vault::{SecretPlace, Vault};

/// What a tenant's admin saves.
pub struct IntegrationInput {
    /// The settings.
    pub settings: IntegrationSettings,
    /// Secrets to set; those left out keep their stored value.
    pub secrets: BTreeMap<SecretName, SecretString>,
}

/// Saves integrations.
pub struct ConfigureIntegration {
    /// The log.
    pub integrations: Arc<dyn Commands<IntegrationConfig>>,
    /// Sealed secrets.
    pub vault: Arc<dyn Vault>,
    /// The time.
    pub clock: Arc<dyn Clock>,
    /// Ids of new secrets.
    pub ids: Arc<dyn Ids>,
}

impl ConfigureIntegration {
    /// Saves settings and secrets. Saving what is already saved changes nothing.
    ///
    /// # Errors
    /// `invalid` with every bad field; `forbidden` without the right to change settings.
    pub async fn save(
        &self,
        context: &RequestContext,
        input: IntegrationInput,
    ) -> Result<Option<LogPosition>, AppError> {
        self.save_on(context, input, None).await
    }

    /// The same, where the settings are at this version still; 0 is before the first.
    ///
    /// # Errors
    /// `conflict` where they are at another one, too.
    pub async fn save_on(
        &self,
        context: &RequestContext,
        input: IntegrationInput,
        expected: Option<u32>,
    ) -> Result<Option<LogPosition>, AppError> {
        let scope = context.authorize(Permission::SettingsWrite)?;
        let IntegrationInput { settings, secrets } = input;
        let (tenant_id, kind) = (scope.tenant_id(), settings.kind());
        let id = IntegrationId::of(tenant_id, kind).uuid();
        let current = self.integrations.load(id).await?;
        let stored = current.configured().map(|config| config.secrets.clone()).unwrap_or_default();
        let mut changed = Vec::new();
        for (&name, value) in &secrets {
            if !settings.given_secrets().contains(&name) {
                // Refused with all other bad fields; nothing of it is stored.
                changed.push(SecretRef { name, secret_id: SecretId::from(self.ids.next()) });
                continue;
            }
            let kept = stored.iter().find(|secret| secret.name == name).copied();
            changed.push(self.keep_or_store(SecretPlace { tenant_id, kind, name }, kept, value).await?);
        }
        let configure = Configure { tenant_id, settings, secrets: changed, expected, at: self.clock.now() };
        let command = IntegrationCommand::Configure(configure);
        Ok(self.integrations.execute(scope.context(), id, command).await?.position)
    }

    /// The stored version where the value is the same; else a new one.
    async fn keep_or_store(
        &self,
        place: SecretPlace,
        kept: Option<SecretRef>,
        value: &SecretString,
    ) -> Result<SecretRef, AppError> {
        if let Some(kept) = kept
            && self.vault.open(place, kept.secret_id).await?.expose_secret() == value.expose_secret()
        {
            return Ok(kept);
        }
        let secret_id = SecretId::from(self.ids.next());
        self.vault.store(place, secret_id, value).await?;
        Ok(SecretRef { name: place.name, secret_id })
    }
}
