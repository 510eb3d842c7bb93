//! The settings wizard as it stands: what is connected, whether it works, and what can be connected.

use std::sync::Arc;

use chrono::{DateTime, TimeDelta, Utc};
use domain::access::Permission;
use domain::automation::Automation;
use domain::ids::AutomationId;
use domain::integration::{CheckOutcome, IntegrationKind};
use domain::{ErrorKind, FieldError};

use super::OpenAccount;
use crate::context::{RequestContext, TenantScope};
use crate::error::AppError;
use crate::ports::clock::Clock;
use crate::ports::commands::Commands;
use crate::ports::providers::{ModelInfo, Provider, StorageSchema};
use crate::ports::read_models::{
    Found, IntegrationRecord, IntegrationRecords, IntegrationView, Integrations, Page, PageRequest, RecordFilter,
};
use crate::ports::services::{Connectors, TablesVersion, UpstreamError};

/// How long a check is good for.
const CHECK_IS_FRESH: TimeDelta = TimeDelta::days(7);

/// How a step of the wizard stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StepLight {
    /// Nothing is saved.
    Absent,
    /// Saved, and not known to work: not checked in this version, checked long ago, or something is to be done.
    Yellow,
    /// The last check failed.
    Red,
    /// It works.
    Green,
}

/// A step of the wizard.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WizardStep {
    /// Its kind; none for the automation, the last step.
    pub kind: Option<IntegrationKind>,
    /// How it stands.
    pub light: StepLight,
    /// Why, and what to do; none where it works.
    pub reason: Option<String>,
    /// When it was checked last.
    pub checked_at: Option<DateTime<Utc>>,
    /// Counts the changes from 1; 0 where nothing is saved.
    pub version: u32,
}

/// An integration as its admin sees it.
#[derive(Debug, Clone)]
pub struct IntegrationDetails {
    /// The provider, described.
    pub provider: &'static Provider,
    /// How it stands.
    pub step: WizardStep,
    /// What is saved; none where nothing is.
    pub saved: Option<IntegrationView>,
}

/// The tables of the tenant's storage.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StorageSchemaView {
    /// What they have to be; the SQL is only what came since the version that the project has, where it is an older one.
    pub newest: StorageSchema,
    /// Which version the project has; none where it does not say, or could not be asked.
    pub found: Option<u32>,
    /// Why the project could not be asked, and what to do.
    pub problem: Option<String>,
}

/// Reads integrations.
pub struct ReadIntegrations {
    /// The read model.
    pub integrations: Arc<dyn Integrations>,
    /// What happened to them.
    pub records: Arc<dyn IntegrationRecords>,
    /// The log of automations.
    pub automations: Arc<dyn Commands<Automation>>,
    /// The tenant's accounts.
    pub accounts: Arc<OpenAccount>,
    /// The adapters.
    pub connectors: Arc<dyn Connectors>,
    /// The time.
    pub clock: Arc<dyn Clock>,
}

impl ReadIntegrations {
    /// Every step of the wizard, in its order.
    pub async fn wizard(&self, context: &RequestContext) -> Result<Found<Vec<WizardStep>>, AppError> {
        let scope = context.authorize_to_see(Permission::SettingsWrite)?;
        let Found { item: saved, parked } = self.integrations.found(&scope).await?;
        let of = |kind| saved.iter().find(|view| view.kind == kind);
        let mut steps: Vec<WizardStep> =
            IntegrationKind::ALL.into_iter().map(|kind| step(kind, of(kind), self.clock.now())).collect();
        steps.push(self.automation(&scope).await?);
        Ok(Found { item: steps, parked })
    }

    /// One integration.
    ///
    /// # Errors
    /// `not_found` for a kind that there is not.
    pub async fn get(&self, context: &RequestContext, kind: &str) -> Result<Found<IntegrationDetails>, AppError> {
        let scope = context.authorize_to_see(Permission::SettingsWrite)?;
        let kind = kind_of(kind)?;
        let Found { item: saved, parked } = self.integrations.found(&scope).await?;
        let saved = saved.into_iter().find(|view| view.kind == kind);
        let named = saved.as_ref().map(|view| view.settings.provider().to_owned());
        let provider = provider(self.connectors.as_ref(), kind, named.as_deref())?;
        let step = step(kind, saved.as_ref(), self.clock.now());
        Ok(Found { item: IntegrationDetails { provider, step, saved }, parked })
    }

    /// Every provider that can be connected, in the order of the wizard.
    pub fn catalogue(&self, context: &RequestContext) -> Result<Vec<&'static Provider>, AppError> {
        context.authorize_to_see(Permission::SettingsWrite)?;
        let mut providers = self.connectors.providers().to_vec();
        providers.sort_by_key(|provider| provider.kind);
        Ok(providers)
    }

    /// What happened to an integration, newest first.
    ///
    /// # Errors
    /// `not_found` for a kind that there is not.
    pub async fn records(
        &self,
        context: &RequestContext,
        kind: &str,
        filter: RecordFilter,
        page: PageRequest,
    ) -> Result<Page<IntegrationRecord>, AppError> {
        let scope = context.authorize_to_see(Permission::SettingsWrite)?;
        Ok(self.records.list(&scope, kind_of(kind)?, filter, page).await?)
    }

    /// The models that the saved AI account may use.
    ///
    /// # Errors
    /// `upstream` with the provider's refusal, or where no AI is set up.
    pub async fn models(&self, context: &RequestContext) -> Result<Vec<ModelInfo>, AppError> {
        let scope = context.authorize_to_see(Permission::SettingsWrite)?;
        let account = self
            .accounts
            .open(scope.tenant_id(), IntegrationKind::Ai)
            .await?
            .map_err(|missing| not_set_up(&missing))?;
        Ok(self.connectors.analyst(account)?.models().await?)
    }

    /// The SQL that brings the tables of the tenant's storage to their newest version, and which version the project has.
    pub async fn storage_schema(&self, context: &RequestContext) -> Result<StorageSchemaView, AppError> {
        let scope = context.authorize_to_see(Permission::SettingsWrite)?;
        let newest = self.connectors.storage_schema();
        let asked = match self.accounts.open(scope.tenant_id(), IntegrationKind::Supabase).await? {
            Ok(account) => match self.connectors.storage(account) {
                Ok(storage) => storage.schema().await,
                Err(error) => Err(error),
            },
            Err(missing) => Err(missing),
        };
        Ok(match asked {
            Ok(TablesVersion { version: found, upgrade, .. }) => {
                let newest = StorageSchema { sql: upgrade.unwrap_or(newest.sql), ..newest };
                StorageSchemaView { newest, found, problem: None }
            }
            Err(error) => {
                StorageSchemaView { newest, found: None, problem: Some(format!("{error}. {}", error.advice)) }
            }
        })
    }

    async fn automation(&self, scope: &TenantScope) -> Result<WizardStep, AppError> {
        let automation = self.automations.load(AutomationId::of(scope.tenant_id()).uuid()).await?;
        let defined = automation.defined().is_some();
        let reason = "Choose the time zone, when a day begins, and how often reports are made.";
        Ok(WizardStep {
            kind: None,
            light: if defined { StepLight::Green } else { StepLight::Absent },
            reason: (!defined).then(|| reason.to_owned()),
            checked_at: None,
            version: u32::from(defined),
        })
    }
}

/// The kind of this name.
///
/// # Errors
/// `not_found` where there is none.
pub(super) fn kind_of(name: &str) -> Result<IntegrationKind, AppError> {
    let names = || IntegrationKind::ALL.map(IntegrationKind::name).join(", ");
    IntegrationKind::ALL.into_iter().find(|kind| kind.name() == name).ok_or_else(|| {
        let detail = format!("There is no such integration; there are {}.", names());
        AppError::new(ErrorKind::NotFound, "integration.unknown_kind", detail)
    })
}

/// The provider of this name, or the kind's first where nobody says.
///
/// # Errors
/// `invalid` for a name that no provider of the kind has.
pub(super) fn provider(
    connectors: &dyn Connectors,
    kind: IntegrationKind,
    name: Option<&str>,
) -> Result<&'static Provider, AppError> {
    let of_kind: Vec<_> = connectors.providers().iter().copied().filter(|provider| provider.kind == kind).collect();
    let found = match name {
        Some(name) => of_kind.iter().find(|provider| provider.name == name),
        None => of_kind.first(),
    };
    found.copied().ok_or_else(|| {
        let names: Vec<_> = of_kind.iter().map(|provider| provider.name).collect();
        AppError::invalid(vec![FieldError::new("provider", format!("must be one of {}", names.join(", ")))])
    })
}

/// An account that is needed and not there.
fn not_set_up(error: &UpstreamError) -> AppError {
    let detail = format!("{error}. {}", error.advice);
    AppError::new(ErrorKind::Conflict, "integration.not_configured", detail)
}

fn step(kind: IntegrationKind, saved: Option<&IntegrationView>, now: DateTime<Utc>) -> WizardStep {
    let kind = Some(kind);
    let Some(view) = saved else {
        let reason = Some("Nothing is saved yet.".to_owned());
        return WizardStep { kind, light: StepLight::Absent, reason, checked_at: None, version: 0 };
    };
    let (light, reason) = match (&view.checked, &view.attention, view.checked_at) {
        (None, ..) => (StepLight::Yellow, Some("This version has not been checked yet. Check it.".to_owned())),
        (Some(CheckOutcome::Failing { reason }), ..) => (StepLight::Red, Some(reason.clone())),
        (Some(CheckOutcome::Working), Some(attention), _) => (StepLight::Yellow, Some(attention.clone())),
        (Some(CheckOutcome::Working), None, Some(at)) if now - at > CHECK_IS_FRESH => {
            (StepLight::Yellow, Some("It was checked more than a week ago. Check it again.".to_owned()))
        }
        (Some(CheckOutcome::Working), None, _) => (StepLight::Green, None),
    };
    WizardStep { kind, light, reason, checked_at: view.checked_at, version: view.version }
}

#[cfg(test)]
mod tests {
    use domain::integration::IntegrationSettings;

    use super::*;

    fn light(checked: Option<CheckOutcome>, attention: Option<&str>, days_ago: i64) -> StepLight {
        let now = "2026-06-20T12:00:00Z".parse().unwrap();
        let view = IntegrationView {
            kind: IntegrationKind::Supabase,
            version: 3,
            settings: IntegrationSettings::Supabase { base_url: "https://x.example".parse().unwrap() },
            secrets: Vec::new(),
            checked,
            attention: attention.map(str::to_owned),
            checked_at: Some(now - TimeDelta::days(days_ago)),
            configured_at: now,
        };
        step(IntegrationKind::Supabase, Some(&view), now).light
    }

    /// Seen to fail: with the age of a check not asked for.
    #[test]
    fn green_is_what_was_found_working_lately_and_asks_for_nothing() {
        let failing = CheckOutcome::Failing { reason: "The key is not accepted.".into() };
        assert_eq!(light(Some(CheckOutcome::Working), None, 7), StepLight::Green);
        assert_eq!(light(Some(CheckOutcome::Working), None, 8), StepLight::Yellow);
        assert_eq!(light(Some(CheckOutcome::Working), Some("Run the SQL."), 0), StepLight::Yellow);
        assert_eq!(light(Some(failing), None, 0), StepLight::Red);
        assert_eq!(light(None, None, 0), StepLight::Yellow);
        assert_eq!(step(IntegrationKind::Ai, None, DateTime::UNIX_EPOCH).light, StepLight::Absent);
    }

    #[test]
    fn a_kind_that_there_is_not_is_not_found() {
        assert_eq!(kind_of("ai").unwrap(), IntegrationKind::Ai);
        assert_eq!(kind_of("AI").unwrap_err().code, "integration.unknown_kind");
    }
}
