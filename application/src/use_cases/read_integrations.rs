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
use crate::ports::circuits::CircuitState;
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
    /// Saved, and not known to work: not checked in this version, checked long ago, failing so often that it is left
    /// alone, or something is to be done.
    Yellow,
    /// The last check or trial of it failed.
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
    /// When it was checked last, or tried as well as a check would.
    pub checked_at: Option<DateTime<Utc>>,
    /// Until when its circuit breaker refuses calls; none where they are made. Known of this process's own calls.
    pub left_alone_until: Option<DateTime<Utc>>,
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
    /// The address to enter at a service that people let Synkro into, for them to come back to; none for other services.
    pub callback_url: Option<String>,
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
        let (tenant_id, now) = (scope.tenant_id(), self.clock.now());
        let of = |kind| saved.iter().find(|view| view.kind == kind);
        let stands = |kind| step(kind, of(kind), &self.connectors.circuit(tenant_id, kind), now);
        let mut steps: Vec<WizardStep> = IntegrationKind::ALL.into_iter().map(stands).collect();
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
        let circuit = self.connectors.circuit(scope.tenant_id(), kind);
        let step = step(kind, saved.as_ref(), &circuit, self.clock.now());
        let callback_url = self.accounts.tokens.callback_url(scope.tenant_id(), kind).await?;
        Ok(Found { item: IntegrationDetails { provider, step, saved, callback_url }, parked })
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
        let asked = match self.accounts.open_awaited(scope.tenant_id(), IntegrationKind::Supabase).await? {
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
        let reason = "Choose the time zone, such as Asia/Tashkent, the time at which a day begins, such as 00:00, and \
                      the schedule, manual, and send them with PUT /api/v1/automation.";
        Ok(WizardStep {
            kind: None,
            light: if defined { StepLight::Green } else { StepLight::Absent },
            reason: (!defined).then(|| reason.to_owned()),
            checked_at: None,
            left_alone_until: None,
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

fn step(
    kind: IntegrationKind,
    saved: Option<&IntegrationView>,
    circuit: &CircuitState,
    now: DateTime<Utc>,
) -> WizardStep {
    let kind = Some(kind);
    let Some(view) = saved else {
        let reason = Some("Nothing is saved yet.".to_owned());
        let (light, checked_at, left_alone_until) = (StepLight::Absent, None, None);
        return WizardStep { kind, light, reason, checked_at, left_alone_until, version: 0 };
    };
    let left_alone_until = match circuit {
        CircuitState::Open { retry_in, .. } => Some(now + TimeDelta::from_std(*retry_in).unwrap_or(TimeDelta::zero())),
        CircuitState::Closed | CircuitState::HalfOpen { .. } => None,
    };
    let (light, reason) = match (&view.checked, &view.attention, view.checked_at) {
        (None, ..) => (StepLight::Yellow, Some("This version has not been checked yet. Check it.".to_owned())),
        (Some(CheckOutcome::Failing { reason }), ..) => (StepLight::Red, Some(reason.clone())),
        (Some(CheckOutcome::Working), Some(attention), _) => (StepLight::Yellow, Some(attention.clone())),
        (Some(CheckOutcome::Working), None, Some(at)) if now - at > CHECK_IS_FRESH => {
            (StepLight::Yellow, Some("It was checked more than a week ago. Check it again.".to_owned()))
        }
        (Some(CheckOutcome::Working), None, _) => by_calls(circuit, left_alone_until),
    };
    WizardStep { kind, light, reason, checked_at: view.checked_at, left_alone_until, version: view.version }
}

/// How a service stands that was found working: nobody knows whether it still is, from when it is left alone until a
/// call gets through.
fn by_calls(circuit: &CircuitState, left_alone_until: Option<DateTime<Utc>>) -> (StepLight, Option<String>) {
    let reason = match (circuit, left_alone_until) {
        (CircuitState::Closed, _) => return (StepLight::Green, None),
        (CircuitState::Open { reason, .. }, Some(until)) => {
            let until = until.format("%Y-%m-%d %H:%M:%S UTC");
            format!(
                "It failed so often that it is left alone until {until}: {reason}. Calls are made again after that; \
                 check it then."
            )
        }
        (CircuitState::Open { reason, .. } | CircuitState::HalfOpen { reason }, _) => {
            format!("It failed so often that it was left alone: {reason}. Check it to see whether it works again.")
        }
    };
    (StepLight::Yellow, Some(reason))
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use domain::integration::IntegrationSettings;

    use super::*;

    fn now() -> DateTime<Utc> {
        "2026-06-20T12:00:00Z".parse().unwrap()
    }

    fn view(checked: Option<CheckOutcome>, attention: Option<&str>, days_ago: i64) -> IntegrationView {
        IntegrationView {
            kind: IntegrationKind::Supabase,
            version: 3,
            settings: IntegrationSettings::Supabase { base_url: "https://x.example".parse().unwrap() },
            secrets: Vec::new(),
            checked,
            attention: attention.map(str::to_owned),
            checked_at: Some(now() - TimeDelta::days(days_ago)),
            configured_at: now(),
        }
    }

    fn light(checked: Option<CheckOutcome>, attention: Option<&str>, days_ago: i64) -> StepLight {
        let view = view(checked, attention, days_ago);
        step(IntegrationKind::Supabase, Some(&view), &CircuitState::Closed, now()).light
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
        assert_eq!(step(IntegrationKind::Ai, None, &CircuitState::Closed, now()).light, StepLight::Absent);
    }

    #[test]
    fn what_is_left_alone_is_not_green_and_says_until_when() {
        let reason = || "Supabase has a failure of its own (HTTP 503)".to_owned();
        let open = CircuitState::Open { retry_in: Duration::from_secs(15), reason: reason() };
        let stands = |outcome, circuit: &CircuitState| {
            step(IntegrationKind::Supabase, Some(&view(Some(outcome), None, 0)), circuit, now())
        };
        let left_alone = stands(CheckOutcome::Working, &open);
        assert_eq!(left_alone.light, StepLight::Yellow);
        assert_eq!(left_alone.left_alone_until, Some(now() + TimeDelta::seconds(15)));
        let told = left_alone.reason.unwrap();
        assert!(told.contains("until 2026-06-20 12:00:15 UTC: Supabase has a failure"), "{told}");
        let awaited = stands(CheckOutcome::Working, &CircuitState::HalfOpen { reason: reason() });
        assert_eq!((awaited.light, awaited.left_alone_until), (StepLight::Yellow, None));
        let failing = stands(CheckOutcome::Failing { reason: "The key is not accepted.".into() }, &open);
        assert_eq!((failing.light, failing.reason.as_deref()), (StepLight::Red, Some("The key is not accepted.")));
        assert!(failing.left_alone_until.is_some());
    }

    #[test]
    fn a_kind_that_there_is_not_is_not_found() {
        assert_eq!(kind_of("ai").unwrap(), IntegrationKind::Ai);
        assert_eq!(kind_of("AI").unwrap_err().code, "integration.unknown_kind");
    }
}
