//! Asking a connected service whether it works, and recording what it said.

use std::sync::Arc;

use domain::access::Permission;
use domain::ids::IntegrationId;
use domain::integration::{CheckOutcome, IntegrationCommand, IntegrationConfig, IntegrationError, IntegrationKind};

use super::OpenAccount;
use crate::context::RequestContext;
use crate::error::AppError;
use crate::ports::clock::Clock;
use crate::ports::commands::{Commands, LogPosition};
use crate::ports::services::{Account, Connectors, UpstreamError};

/// Checks integrations.
pub struct CheckIntegration {
    /// The log.
    pub integrations: Arc<dyn Commands<IntegrationConfig>>,
    /// The tenant's accounts.
    pub accounts: Arc<OpenAccount>,
    /// The adapters.
    pub connectors: Arc<dyn Connectors>,
    /// The time.
    pub clock: Arc<dyn Clock>,
}

impl CheckIntegration {
    /// Calls the service with the saved settings and records whether it works. A service that does not is an outcome,
    /// not an error.
    ///
    /// # Errors
    /// `not_found` where the integration was never set up; `forbidden` without the right to change settings.
    pub async fn check(
        &self,
        context: &RequestContext,
        kind: IntegrationKind,
    ) -> Result<(CheckOutcome, Option<LogPosition>), AppError> {
        let scope = context.authorize(Permission::SettingsWrite)?;
        let id = IntegrationId::of(scope.tenant_id(), kind).uuid();
        let config = self.integrations.load(id).await?;
        let version = config.configured().ok_or(IntegrationError::NotConfigured)?.version;
        let asked = match self.accounts.open(scope.tenant_id(), kind).await? {
            Ok(account) => self.ask(account, kind).await,
            Err(missing) => Err(missing),
        };
        let outcome = match asked {
            Ok(()) => CheckOutcome::Working,
            Err(error) => CheckOutcome::Failing { reason: format!("{error}. {}", error.advice) },
        };
        let record = IntegrationCommand::RecordCheck { version, outcome: outcome.clone(), at: self.clock.now() };
        let recorded = self.integrations.execute(scope.context(), id, record).await?;
        Ok((outcome, recorded.position))
    }

    async fn ask(&self, account: Account, kind: IntegrationKind) -> Result<(), UpstreamError> {
        match kind {
            IntegrationKind::Supabase => self.connectors.storage(account)?.check().await,
            IntegrationKind::Amocrm => self.connectors.crm(account)?.check().await,
            IntegrationKind::Radist => self.connectors.conversations(account)?.check().await,
            IntegrationKind::Ai => self.connectors.analyst(account)?.check().await,
            IntegrationKind::Telegram => self.connectors.notifier(account)?.check().await,
        }
    }
}
