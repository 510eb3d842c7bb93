//! Trying out a connected service while it is being set up, and recording what was found.

use std::collections::{BTreeMap, HashSet};
use std::sync::Arc;

use chrono::{DateTime, Utc};
use domain::ErrorKind;
use domain::access::Permission;
use domain::ids::{IntegrationId, TenantId};
use domain::integration::{
    CheckOutcome, Configured, IntegrationCommand, IntegrationConfig, IntegrationError, IntegrationEvent,
    IntegrationKind, IntegrationSettings, Trial, TrialRecord,
};
use domain::tenant::Tenant;
use domain::values::{ContentHash, Language, Personal};
use tracing::Instrument as _;

use super::OpenAccount;
use super::check_integration::turned_away;
use super::read_integrations::{kind_of, provider};
use super::trials_under_way::TrialsUnderWay;
use crate::context::{RequestContext, TenantScope};
use crate::error::{AppError, PortError};
use crate::pipeline::sample::{self, SampleError, Sampler};
use crate::ports::clock::Clock;
use crate::ports::commands::{Commands, LogPosition};
use crate::ports::findings::Findings;
use crate::ports::services::{Connectors, Notification, Sent, TablesVersion};
use crate::ports::staging::{Staging, get_value, put_value};

/// What was tried, and what came of it.
#[derive(Debug, Clone, PartialEq)]
pub struct TrialReport {
    /// What was tried.
    pub trial: Trial,
    /// Whether the service did as it should.
    pub outcome: CheckOutcome,
    /// How much was found.
    pub counts: BTreeMap<String, u64>,
    /// What was found; none where nothing was, or where it is no longer kept.
    pub findings: Option<Findings>,
    /// When.
    pub at: DateTime<Utc>,
    /// The trial's place in the log.
    pub position: Option<LogPosition>,
    /// True where the request was a repeat, and this is its first outcome.
    pub replayed: bool,
}

/// Tries integrations.
#[derive(Clone)]
pub struct TryIntegration {
    /// The log.
    pub integrations: Arc<dyn Commands<IntegrationConfig>>,
    /// The log of tenants, for their language.
    pub tenants: Arc<dyn Commands<Tenant>>,
    /// The tenant's accounts.
    pub accounts: Arc<OpenAccount>,
    /// The adapters.
    pub connectors: Arc<dyn Connectors>,
    /// Where findings wait.
    pub staging: Arc<dyn Staging>,
    /// The time.
    pub clock: Arc<dyn Clock>,
    /// The trials that this process is at.
    pub under_way: Arc<TrialsUnderWay>,
}

/// What a trial came to before it is recorded.
struct Found {
    findings: Findings,
    counts: Vec<(&'static str, u64)>,
    answer: Option<String>,
    model: Option<String>,
}

impl Found {
    fn new(findings: Findings, counts: Vec<(&'static str, u64)>) -> Self {
        Self { findings, counts, answer: None, model: None }
    }
}

impl TryIntegration {
    /// Tries a service with the saved settings, and records what came of it, whether or not somebody still waits.
    /// A service that fails is an outcome, not an error.
    ///
    /// # Errors
    /// `not_found` for a kind that there is not or that is not set up, `invalid` for a trial that the provider has
    /// not, `conflict` while the request is under way in this process, `forbidden` without the right to change
    /// settings.
    pub async fn run(
        &self,
        context: &RequestContext,
        kind: &str,
        trial: Option<&str>,
    ) -> Result<TrialReport, AppError> {
        let scope = context.authorize(Permission::SettingsWrite)?;
        let kind = kind_of(kind)?;
        // Held before the first outcome is looked for, so that a trial that ends in between is found.
        let key = scope.context().receipt().map(|receipt| &receipt.key);
        let held = key.map(|key| self.under_way.hold(scope.tenant_id(), key)).transpose();
        if let Some(first) = self.integrations.first_outcome(scope.context()).await? {
            return self.first_report(scope.tenant_id(), first.events.last(), first.position).await;
        }
        let held = held?;
        let config = self.integrations.load(IntegrationId::of(scope.tenant_id(), kind).uuid()).await?;
        let config = config.configured().cloned().ok_or(IntegrationError::NotConfigured)?;
        let trial = self.chosen(kind, &config, trial)?;
        // In a task of its own: whoever asked may be cut off, and what was sent or paid for is recorded all the same.
        let this = self.clone();
        let trying = async move {
            let report = this.try_and_record(&scope, &config, trial).await;
            drop(held);
            report
        };
        let tried = tokio::spawn(trying.in_current_span());
        tried.await.map_err(|error| PortError::Internal(error.into()))?
    }

    async fn try_and_record(
        &self,
        scope: &TenantScope,
        config: &Configured,
        trial: Trial,
    ) -> Result<TrialReport, AppError> {
        let tried = self.tried(scope.tenant_id(), trial, config).await;
        let (record, findings) = self.record(scope.tenant_id(), config.version, trial, tried).await?;
        let TrialRecord { outcome, counts, at, .. } = record.clone();
        let id = IntegrationId::of(scope.tenant_id(), config.settings.kind()).uuid();
        let recorded = self.integrations.execute(scope.context(), id, IntegrationCommand::RecordTrial(record)).await?;
        if recorded.replayed {
            return self.first_report(scope.tenant_id(), recorded.events.last(), recorded.position).await;
        }
        Ok(TrialReport { trial, outcome, counts, findings, at, position: recorded.position, replayed: false })
    }

    fn chosen(&self, kind: IntegrationKind, config: &Configured, name: Option<&str>) -> Result<Trial, AppError> {
        let provider = provider(self.connectors.as_ref(), kind, Some(config.settings.provider()))?;
        let chosen = match name {
            Some(name) => provider.trials.iter().find(|trial| trial.name() == name),
            None => provider.trials.first(),
        };
        chosen.copied().ok_or_else(|| {
            let names: Vec<_> = provider.trials.iter().map(|trial| trial.name()).collect();
            AppError::invalid(vec![domain::FieldError::new("trial", format!("must be one of {}", names.join(", ")))])
        })
    }

    /// What is recorded of a trial, and what was found.
    async fn record(
        &self,
        tenant: TenantId,
        version: u32,
        trial: Trial,
        tried: Result<Found, SampleError>,
    ) -> Result<(TrialRecord, Option<Findings>), AppError> {
        let record = |outcome| TrialRecord {
            version,
            trial,
            outcome,
            counts: BTreeMap::new(),
            staged: None,
            answer: None,
            model: None,
            at: self.clock.now(),
        };
        match tried {
            Ok(Found { findings, counts, answer, model }) => {
                let staged = Some(put_value(self.staging.as_ref(), tenant, &findings).await?);
                let counts = counts.into_iter().map(|(name, count)| (name.to_owned(), count)).collect();
                let answer = answer.map(Personal::new);
                let record = TrialRecord { counts, staged, answer, model, ..record(CheckOutcome::Working) };
                Ok((record, Some(findings)))
            }
            Err(SampleError::Service(reason)) => Ok((record(CheckOutcome::Failing { reason }), None)),
            Err(SampleError::TurnedAway(error)) => Err(turned_away(&error)),
            Err(SampleError::System(error)) => Err(error.into()),
        }
    }

    async fn tried(&self, tenant_id: TenantId, trial: Trial, config: &Configured) -> Result<Found, SampleError> {
        let (accounts, connectors) = (self.accounts.as_ref(), self.connectors.as_ref());
        let sampler = Sampler { tenant_id, accounts, connectors, now: self.clock.now() };
        match trial {
            Trial::Schema => {
                let storage = connectors.storage(sampler.account(IntegrationKind::Supabase).await?)?;
                let TablesVersion { version: found, current: newest, .. } = storage.schema().await?;
                Ok(Found::new(Findings::Schema { found, newest }, Vec::new()))
            }
            Trial::Deals => {
                let deals = sampler.deals().await?;
                let contacts: HashSet<i64> = deals.iter().flat_map(|deal| &deal.contacts).map(|it| it.id).collect();
                let counts = vec![("deals", count(deals.len())), ("contacts", count(contacts.len()))];
                Ok(Found::new(Findings::Deals { deals }, counts))
            }
            Trial::Dialogues => {
                let deals = sampler.deals().await?;
                let chats = sampler.chats(&deals).await?;
                let messages = chats.iter().map(|with| with.messages.len()).sum();
                let counts =
                    vec![("deals", count(deals.len())), ("chats", count(chats.len())), ("messages", count(messages))];
                Ok(Found::new(Findings::Dialogues { deals, chats }, counts))
            }
            Trial::Analysis => self.analysis(&sampler, config).await,
            Trial::Message => {
                let language = self.language(tenant_id).await?;
                self.message(&sampler, greeting(language), Vec::new()).await
            }
            Trial::Report => {
                let dialogues = sampler.dialogues().await?;
                let counts = vec![("dialogues", count(dialogues.len()))];
                let report = sample::notification(self.language(tenant_id).await?, &dialogues);
                self.message(&sampler, report, counts).await
            }
        }
    }

    async fn analysis(&self, sampler: &Sampler<'_>, config: &Configured) -> Result<Found, SampleError> {
        let tenant_id = sampler.tenant_id;
        let IntegrationSettings::Ai { prompt, model, .. } = config.settings.clone() else {
            return Err(PortError::internal("the AI integration holds other settings").into());
        };
        let dialogues = sampler.dialogues().await?;
        if dialogues.is_empty() {
            let reason =
                "The last deals have no conversations to analyse. Check amoCRM and Radist first, then try again.";
            return Err(SampleError::Service(reason.to_owned()));
        }
        let asked = count(dialogues.len());
        let analyst = self.connectors.analyst(sampler.account(IntegrationKind::Ai).await?)?;
        let question = (self.language(tenant_id).await?, prompt, model.clone());
        let analysed = sample::analyse(analyst.as_ref(), self.staging.as_ref(), tenant_id, question, dialogues).await?;
        let findings = Findings::Analysis { dialogues: asked, narrative: analysed.narrative, model: model.clone() };
        let counts = vec![
            ("dialogues", asked),
            ("input_tokens", analysed.input_tokens),
            ("output_tokens", analysed.output_tokens),
        ];
        Ok(Found { findings, counts, answer: Some(analysed.text), model: Some(model) })
    }

    async fn message(
        &self,
        sampler: &Sampler<'_>,
        message: Notification,
        mut counts: Vec<(&'static str, u64)>,
    ) -> Result<Found, SampleError> {
        let notifier = self.connectors.notifier(sampler.account(IntegrationKind::Telegram).await?)?;
        // A group that has moved is followed by the next report: a trial changes no settings.
        let Sent { message_ids, .. } = notifier.send(&message).await?;
        counts.push(("messages", count(message_ids.len())));
        Ok(Found::new(Findings::Message { ids: message_ids }, counts))
    }

    async fn language(&self, tenant: TenantId) -> Result<Language, PortError> {
        let tenant = self.tenants.load(tenant.uuid()).await?;
        let missing = || PortError::internal("a request belongs to no tenant");
        tenant.details().map(|details| details.language).ok_or_else(missing)
    }

    async fn first_report(
        &self,
        tenant: TenantId,
        event: Option<&IntegrationEvent>,
        position: Option<LogPosition>,
    ) -> Result<TrialReport, AppError> {
        let Some(IntegrationEvent::IntegrationTried { trial, outcome, counts, staged, at, .. }) = event else {
            return Err(PortError::internal("the receipt of a trial is about something else").into());
        };
        let findings = match staged {
            Some(name) => self.kept(tenant, name).await?,
            None => None,
        };
        let (outcome, counts) = (outcome.clone(), counts.clone());
        Ok(TrialReport { trial: *trial, outcome, counts, findings, at: *at, position, replayed: true })
    }

    async fn kept(&self, tenant: TenantId, name: &ContentHash) -> Result<Option<Findings>, PortError> {
        get_value(self.staging.as_ref(), tenant, name).await
    }
}

/// The refusal to write what nobody has tried.
pub(super) fn nothing_tried() -> AppError {
    let detail = "There is nothing to write: try the service first, look at what was found, then write it.";
    AppError::new(ErrorKind::Conflict, "integration.nothing_tried", detail)
}

fn greeting(language: Language) -> Notification {
    let (title, line) = match language {
        Language::English => ("Synkro is connected", "This is a test message. Reports will come here."),
        Language::Russian => ("Synkro подключён", "Это тестовое сообщение. Сюда будут приходить отчёты."),
    };
    Notification { title: title.to_owned(), lines: vec![line.to_owned()], illustration: None }
}

fn count(length: usize) -> u64 {
    u64::try_from(length).unwrap_or(u64::MAX)
}
