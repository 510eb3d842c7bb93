//! Asking a connected service whether it works, and recording what it said.

use std::sync::Arc;

use chrono::{DateTime, Utc};
use domain::ErrorKind;
use domain::access::Permission;
use domain::ids::IntegrationId;
use domain::integration::{
    CheckOutcome, IntegrationCommand, IntegrationConfig, IntegrationError, IntegrationEvent, IntegrationKind,
};

use super::OpenAccount;
use super::read_integrations::kind_of;
use crate::context::RequestContext;
use crate::error::AppError;
use crate::ports::clock::Clock;
use crate::ports::commands::{Commands, LogPosition};
use crate::ports::services::{Account, Connectors, TablesVersion, UpstreamError};

/// What a check found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CheckReport {
    /// Whether the service works.
    pub outcome: CheckOutcome,
    /// What is to be done although it works.
    pub attention: Option<String>,
    /// When it was asked.
    pub at: DateTime<Utc>,
    /// The check's place in the log; none where the settings were changed while it was asked.
    pub position: Option<LogPosition>,
    /// True where the request was a repeat, and this is its first outcome.
    pub replayed: bool,
}

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
    pub async fn check(&self, context: &RequestContext, kind: IntegrationKind) -> Result<CheckReport, AppError> {
        let scope = context.authorize(Permission::SettingsWrite)?;
        if let Some(first) = self.integrations.first_outcome(scope.context()).await? {
            return first_report(first.events.last(), first.position);
        }
        let id = IntegrationId::of(scope.tenant_id(), kind).uuid();
        let config = self.integrations.load(id).await?;
        let saved = config.configured().ok_or(IntegrationError::NotConfigured)?.version;
        // Settings that are saved meanwhile are opened, and an account that has moved is followed.
        let (version, asked) = match self.accounts.open_awaited(scope.tenant_id(), kind).await? {
            Ok(account) => (account.version, self.ask(account, kind).await),
            Err(missing) => (saved, Err(missing)),
        };
        let (outcome, attention) = match asked {
            Ok(attention) => (CheckOutcome::Working, attention),
            Err(error) if error.was_turned_away => return Err(turned_away(&error)),
            Err(error) => (failing(&error), None),
        };
        let at = self.clock.now();
        let record =
            IntegrationCommand::RecordCheck { version, outcome: outcome.clone(), attention: attention.clone(), at };
        let recorded = self.integrations.execute(scope.context(), id, record).await?;
        if recorded.replayed {
            return first_report(recorded.events.last(), recorded.position);
        }
        Ok(CheckReport { outcome, attention, at, position: recorded.position, replayed: false })
    }

    /// The same for what was changed just now, which stays changed where it cannot be asked for: none then.
    pub(super) async fn after_change(&self, context: &RequestContext, kind: IntegrationKind) -> Option<CheckReport> {
        match self.check(&context.further(), kind).await {
            Ok(report) => Some(report),
            Err(error) => {
                tracing::warn!(kind = kind.name(), error = %error, "what was changed could not be checked");
                None
            }
        }
    }

    /// Checks a kind by its name, which is asked for after the right.
    ///
    /// # Errors
    /// `not_found` for a kind that there is not, too.
    pub async fn check_named(&self, context: &RequestContext, kind: &str) -> Result<CheckReport, AppError> {
        context.authorize(Permission::SettingsWrite)?;
        self.check(context, kind_of(kind)?).await
    }

    /// What is to be done although the service works.
    async fn ask(&self, account: Account, kind: IntegrationKind) -> Result<Option<String>, UpstreamError> {
        match kind {
            IntegrationKind::Supabase => {
                let storage = self.connectors.storage(account)?;
                storage.check().await?;
                return Ok(outdated(&storage.schema().await?));
            }
            IntegrationKind::Amocrm => return self.connectors.crm(account)?.check().await,
            IntegrationKind::Radist => self.connectors.conversations(account)?.check().await?,
            IntegrationKind::Ai => self.connectors.analyst(account)?.check().await?,
            IntegrationKind::Telegram => self.connectors.notifier(account)?.check().await?,
        }
        Ok(None)
    }
}

/// A service's failure in words for the tenant's admin: what happened, and what to do.
/// Nothing was asked, so nothing is known: it is no outcome.
pub(super) fn turned_away(error: &UpstreamError) -> AppError {
    let busy = AppError::new(ErrorKind::Unavailable, "integration.busy", format!("{error}. {}", error.advice));
    AppError { retry_after: error.retry_after, ..busy }
}

pub(super) fn failing(error: &UpstreamError) -> CheckOutcome {
    CheckOutcome::Failing { reason: format!("{error}. {}", error.advice) }
}

fn outdated(TablesVersion { version, current, upgrade }: &TablesVersion) -> Option<String> {
    let found = match version {
        _ if upgrade.is_none() => return None,
        Some(version) => format!("The project's tables are of version {version}, the newest is {current}"),
        None => "The project does not say which version its tables have".to_owned(),
    };
    Some(format!("{found}. Run the SQL from Settings → Supabase in the project's SQL editor"))
}

fn first_report(event: Option<&IntegrationEvent>, position: Option<LogPosition>) -> Result<CheckReport, AppError> {
    match event {
        Some(IntegrationEvent::IntegrationChecked { outcome, attention, at, .. }) => {
            let (outcome, attention) = (outcome.clone(), attention.clone());
            Ok(CheckReport { outcome, attention, at: *at, position, replayed: true })
        }
        _ => Err(crate::PortError::internal("the receipt of a check is about something else").into()),
    }
}
