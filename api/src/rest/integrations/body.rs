use std::collections::BTreeMap;

use application::AppError;
use application::ports::providers::{ModelInfo, Provider, Text};
use application::ports::read_models::Found;
use application::use_cases::{
    CheckReport, IntegrationDetails, IntegrationForm, STORED, StepLight, StorageSchemaView, WizardStep,
};
use chrono::{DateTime, Utc};
use domain::integration::{CheckOutcome, IntegrationKind};
use poem_openapi::types::Any;
use poem_openapi::{Enum, Object};
use secrecy::SecretString;
use serde_json::Value;

use super::fields::ByName;

/// What somebody filled in for an integration.
#[derive(Object)]
#[oai(write_only_all, deny_unknown_fields)]
pub(super) struct SaveIntegration {
    /// Whose service it is, by its `name` in the catalogue. Leave it out to keep it, or where the kind has one provider.
    provider: Option<String>,
    /// The settings, named as the catalogue names the provider's `fields`. One that is left out is what the catalogue says.
    settings: Option<ByName<Value>>,
    /// The secrets, named as the catalogue names them. One that is left out, or sent as `***`, stays what it is.
    secrets: Option<ByName<Option<SecretString>>>,
}

impl SaveIntegration {
    pub(super) fn read(self) -> Result<IntegrationForm, AppError> {
        let (settings, secrets) = (ByName::json("settings", self.settings), ByName::values("secrets", self.secrets));
        match (settings, secrets) {
            (Ok(settings), Ok(secrets)) => Ok(IntegrationForm { provider: self.provider, settings, secrets }),
            (settings, secrets) => {
                let bad = [settings.err(), secrets.err()].into_iter().flatten().flat_map(|error| error.fields);
                Err(AppError::invalid(bad.collect()))
            }
        }
    }
}

/// How a step of the wizard stands. `absent`: nothing is saved. `yellow`: saved, but not checked in this version, checked more
/// than a week ago, failing so often that it is left alone, or something is to be done. `red`: the last check failed, or the
/// last trial did by this service's own fault. `green`: it works.
#[derive(Enum)]
#[oai(rename = "IntegrationStatus", rename_all = "snake_case")]
pub(super) enum Status {
    Absent,
    Yellow,
    Red,
    Green,
}

impl From<StepLight> for Status {
    fn from(light: StepLight) -> Self {
        match light {
            StepLight::Absent => Self::Absent,
            StepLight::Yellow => Self::Yellow,
            StepLight::Red => Self::Red,
            StepLight::Green => Self::Green,
        }
    }
}

/// A step of the wizard.
#[derive(Object)]
#[oai(rename = "WizardStep")]
pub(super) struct StepBody {
    /// Its kind; `automation` is the last one.
    step: String,
    /// The name as people write it.
    title: String,
    /// How it stands.
    status: Status,
    /// Why, and what to do; `null` where it works.
    #[oai(nullable)]
    reason: Option<String>,
    /// When it was checked last, or tried as well as a check would; `null` where this version was not.
    #[oai(nullable)]
    checked_at: Option<DateTime<Utc>>,
    /// It failed so often that no call to it is made until then; `null` where calls are made. Each process of Synkro knows this
    /// of its own calls, and this is the word of the one that answers (ADR 0027).
    #[oai(nullable)]
    left_alone_until: Option<DateTime<Utc>>,
    /// Counts the changes from 1; 0 where nothing is saved.
    version: u32,
}

impl From<WizardStep> for StepBody {
    fn from(step: WizardStep) -> Self {
        Self {
            step: step.kind.map_or("automation", IntegrationKind::name).to_owned(),
            title: step.kind.map_or("Automation", IntegrationKind::title).to_owned(),
            status: step.light.into(),
            reason: step.reason,
            checked_at: step.checked_at,
            left_alone_until: step.left_alone_until,
            version: step.version,
        }
    }
}

/// The settings wizard.
#[derive(Object)]
#[oai(rename = "SettingsWizard")]
pub(super) struct Wizard {
    /// Every step, in the order in which a company sets them up.
    steps: Vec<StepBody>,
    /// How many are green.
    done: u64,
    /// How many there are.
    total: u64,
    /// The first step that is not green; `null` where all are.
    #[oai(nullable)]
    next: Option<String>,
    /// Events of the company that could not be shown here yet; normally 0.
    parked: u64,
}

impl From<Found<Vec<WizardStep>>> for Wizard {
    fn from(Found { item, parked }: Found<Vec<WizardStep>>) -> Self {
        let done = item.iter().filter(|step| step.light == StepLight::Green).count() as u64;
        let steps: Vec<StepBody> = item.into_iter().map(StepBody::from).collect();
        let next = steps.iter().find(|step| !matches!(step.status, Status::Green)).map(|step| step.step.clone());
        Self { done, total: steps.len() as u64, next, steps, parked }
    }
}

/// An integration of the company.
#[derive(Object)]
#[oai(rename = "Integration")]
pub(super) struct IntegrationBody {
    /// How it stands.
    #[oai(flatten)]
    step: StepBody,
    /// Whose service it is, by its `name` in the catalogue.
    provider: String,
    /// The settings by name; empty where nothing is saved.
    settings: BTreeMap<String, Any<Value>>,
    /// The secrets of the provider by name: `***` where one is stored, `null` where none is. Nobody is shown more.
    secrets: BTreeMap<String, Option<String>>,
    /// When this version was saved; `null` where nothing is.
    #[oai(nullable)]
    configured_at: Option<DateTime<Utc>>,
    /// The redirect URL to enter at the service, which leads people back to Synkro when they connect; `null` where none
    /// is needed.
    #[oai(nullable)]
    callback_url: Option<String>,
    /// Events of the company that could not be shown here yet; normally 0.
    parked: u64,
}

impl From<Found<IntegrationDetails>> for IntegrationBody {
    fn from(Found { item, parked }: Found<IntegrationDetails>) -> Self {
        let IntegrationDetails { provider, step, saved, callback_url } = item;
        let is_stored = |name| saved.as_ref().is_some_and(|view| view.secrets.iter().any(|secret| secret.name == name));
        let secrets = provider.secrets.iter().map(|secret| {
            let shown = is_stored(secret.name).then(|| STORED.to_owned());
            (secret.name.name().to_owned(), shown)
        });
        let settings = saved.as_ref().and_then(|view| serde_json::to_value(&view.settings).ok());
        let settings = provider.fields.iter().filter_map(|field| {
            let value = settings.as_ref()?.get(field.name)?.clone();
            Some((field.name.to_owned(), Any(value)))
        });
        Self {
            secrets: secrets.collect(),
            settings: settings.collect(),
            provider: provider.name.to_owned(),
            configured_at: saved.as_ref().map(|view| view.configured_at),
            step: step.into(),
            callback_url,
            parked,
        }
    }
}

/// What a check or a trial came to.
#[derive(Object)]
#[oai(rename = "ServiceOutcome")]
pub(super) struct OutcomeBody {
    /// Whether the service works.
    works: bool,
    /// Why it does not, or what is to be done although it does; `null` where there is nothing to say.
    #[oai(nullable)]
    reason: Option<String>,
}

impl OutcomeBody {
    pub(super) fn new(outcome: CheckOutcome, attention: Option<String>) -> Self {
        match outcome {
            CheckOutcome::Working => Self { works: true, reason: attention },
            CheckOutcome::Failing { reason } => Self { works: false, reason: Some(reason) },
        }
    }
}

/// What a check found.
#[derive(Object)]
#[oai(rename = "IntegrationCheck")]
pub(super) struct CheckBody {
    /// What it came to.
    #[oai(flatten)]
    outcome: OutcomeBody,
    /// When the service was asked.
    at: DateTime<Utc>,
}

impl From<CheckReport> for CheckBody {
    fn from(report: CheckReport) -> Self {
        Self { outcome: OutcomeBody::new(report.outcome, report.attention), at: report.at }
    }
}

/// What became of a form.
#[derive(Object)]
#[oai(rename = "SavedIntegration")]
pub(super) struct SavedBody {
    /// The integration after it; `null` where it cannot be shown within two seconds.
    #[oai(nullable)]
    pub(super) integration: Option<IntegrationBody>,
    /// What the check of it found; `null` where Synkro could not ask. What was saved is saved all the same.
    #[oai(nullable)]
    pub(super) check: Option<CheckBody>,
}

/// What became of a check.
#[derive(Object)]
#[oai(rename = "CheckedIntegration")]
pub(super) struct CheckedBody {
    /// What it found.
    pub(super) check: CheckBody,
    /// The integration after it; `null` where it cannot be shown within two seconds.
    #[oai(nullable)]
    pub(super) integration: Option<IntegrationBody>,
}

/// A text in the languages of the dashboard.
#[derive(Object)]
#[oai(rename = "TextInLanguages")]
pub(super) struct TextBody {
    /// In English.
    en: String,
    /// In Russian.
    ru: String,
}

impl From<Text> for TextBody {
    fn from(text: Text) -> Self {
        Self { en: text.en.to_owned(), ru: text.ru.to_owned() }
    }
}

/// A model of an AI provider.
#[derive(Object)]
#[oai(rename = "AiModel")]
pub(super) struct ModelBody {
    /// What to save as `model`.
    name: String,
    /// Tokens that it reads at most; `null` where the provider does not tell.
    #[oai(nullable)]
    input_token_limit: Option<u32>,
}

/// The models that the saved AI account may use.
#[derive(Object)]
#[oai(rename = "AiModelList")]
pub(super) struct ModelList {
    /// In the provider's order.
    items: Vec<ModelBody>,
}

impl From<Vec<ModelInfo>> for ModelList {
    fn from(models: Vec<ModelInfo>) -> Self {
        let body = |ModelInfo { name, input_token_limit }| ModelBody { name, input_token_limit };
        Self { items: models.into_iter().map(body).collect() }
    }
}

/// The tables of the company's storage.
#[derive(Object)]
#[oai(rename = "StorageSchema")]
pub(super) struct SchemaBody {
    /// The newest version.
    newest: u32,
    /// The version that the project says it has; `null` where it does not say, or could not be asked.
    #[oai(nullable)]
    found: Option<u32>,
    /// True where the project has the newest one.
    up_to_date: bool,
    /// Why the project could not be asked, and what to do; `null` where it could.
    #[oai(nullable)]
    reason: Option<String>,
    /// One block of SQL that makes the tables, or what came since the version that the project has. Running it again changes
    /// nothing.
    sql: String,
}

impl From<StorageSchemaView> for SchemaBody {
    fn from(view: StorageSchemaView) -> Self {
        let newest = view.newest.version;
        let up_to_date = view.found.is_some_and(|found| found >= newest);
        Self { newest, found: view.found, up_to_date, reason: view.problem, sql: view.newest.sql }
    }
}

/// The catalogue of providers.
#[derive(Object)]
#[oai(rename = "IntegrationCatalogue")]
pub(super) struct CatalogueBody {
    /// Every provider, in the order of the wizard; the first of a kind is the usual one.
    pub(super) items: Vec<super::catalogue::ProviderBody>,
}

impl From<Vec<&'static Provider>> for CatalogueBody {
    fn from(providers: Vec<&'static Provider>) -> Self {
        Self { items: providers.into_iter().map(super::catalogue::ProviderBody::from).collect() }
    }
}
