//! A few dialogues, for trying out a service before a run depends on it.

use chrono::{DateTime, TimeDelta, Utc};
use domain::ids::TenantId;
use domain::integration::IntegrationKind;
use domain::job_run::AiCalls;
use domain::metrics::{Dialogue, Metrics, compute};
use domain::narrative::Narrative;
use domain::period::Period;
use domain::values::Language;
use futures::TryStreamExt;

use super::analysis::{Analysis, Brief, Meter};
use super::package::{ChatWithMessages, Package, chats_of, deals_by_phone, dialogue};
use super::report_text::{sample_notification, story_of};
use super::work::StepError;
use crate::error::PortError;
use crate::ports::services::{Account, Analyst, Connectors, Deal, Notification, UpstreamError, in_order};
use crate::ports::staging::Staging;
use crate::use_cases::OpenAccount;

/// How many deals a sample has.
const DEALS: u8 = 3;

/// How far before its deal's last change the messages of a dialogue are read.
const REACH: TimeDelta = TimeDelta::days(30);

/// Why there is no sample.
pub(crate) enum SampleError {
    /// A service failed; in words for the tenant's admin.
    Service(String),
    /// A service was not asked.
    TurnedAway(UpstreamError),
    /// A part of Synkro itself failed.
    System(PortError),
}

impl From<PortError> for SampleError {
    fn from(error: PortError) -> Self {
        Self::System(error)
    }
}

impl From<UpstreamError> for SampleError {
    fn from(error: UpstreamError) -> Self {
        if error.was_turned_away {
            return Self::TurnedAway(error);
        }
        Self::Service(format!("{error}. {}", error.advice))
    }
}

impl From<StepError> for SampleError {
    fn from(error: StepError) -> Self {
        match error {
            StepError::Failed(failure) => Self::Service(format!("{}. {}", failure.message, failure.advice)),
            StepError::Uncertain(reason) => Self::Service(reason),
            StepError::System(error) => Self::System(error),
        }
    }
}

/// What a sample is taken from.
pub(crate) struct Sampler<'a> {
    pub(crate) tenant_id: TenantId,
    pub(crate) accounts: &'a OpenAccount,
    pub(crate) connectors: &'a dyn Connectors,
    pub(crate) now: DateTime<Utc>,
}

impl Sampler<'_> {
    pub(crate) async fn account(&self, kind: IntegrationKind) -> Result<Account, SampleError> {
        Ok(self.accounts.open_awaited(self.tenant_id, kind).await??)
    }

    /// The deals that changed last.
    pub(crate) async fn deals(&self) -> Result<Vec<Deal>, SampleError> {
        let crm = self.connectors.crm(self.account(IntegrationKind::Amocrm).await?)?;
        Ok(crm.latest(DEALS).await?)
    }

    /// The chats of these deals' phones, with their latest messages.
    pub(crate) async fn chats(&self, deals: &[Deal]) -> Result<Vec<ChatWithMessages>, SampleError> {
        let Some(oldest) = deals.iter().map(|deal| deal.updated_at).min() else { return Ok(Vec::new()) };
        let period = Period { from: oldest - REACH, to: self.now.max(oldest) + TimeDelta::seconds(1) };
        let phones = deals_by_phone(deals);
        let conversations = self.connectors.conversations(self.account(IntegrationKind::Radist).await?)?;
        let mut chats = Vec::new();
        for chat in chats_of(conversations.as_ref(), |phone| phones.contains_key(phone)).await? {
            let pages = conversations.messages(chat.id, period).try_collect().await?;
            chats.push(ChatWithMessages { chat, messages: in_order(pages) });
        }
        chats.sort_by_key(|with| with.chat.id);
        Ok(chats)
    }

    /// The dialogues of the deals that changed last.
    pub(crate) async fn dialogues(&self) -> Result<Vec<Dialogue>, SampleError> {
        let deals = self.deals().await?;
        let chats = self.chats(&deals).await?;
        let phones = deals_by_phone(&deals);
        let spoken = chats.into_iter().filter(|with| !with.messages.is_empty());
        Ok(spoken.filter_map(|with| dialogue(with, &phones)).collect())
    }
}

/// The numbers of these dialogues.
pub(crate) fn metrics(dialogues: &[Dialogue]) -> Metrics {
    compute(dialogues, chrono_tz::UTC)
}

/// A short report on these dialogues.
pub(crate) fn notification(language: Language, dialogues: &[Dialogue]) -> Notification {
    sample_notification(language, &metrics(dialogues))
}

/// The AI's narrative of a sample.
pub(crate) struct SampleAnalysis {
    pub(crate) narrative: Narrative,
    /// The same as Markdown.
    pub(crate) text: String,
    pub(crate) input_tokens: u64,
    pub(crate) output_tokens: u64,
}

/// Asks the AI about these dialogues, as a run would.
pub(crate) async fn analyse(
    analyst: &dyn Analyst,
    staging: &dyn Staging,
    tenant: TenantId,
    (language, wishes, model): (Language, String, String),
    dialogues: Vec<Dialogue>,
) -> Result<SampleAnalysis, SampleError> {
    let times = || dialogues.iter().flat_map(|dialogue| &dialogue.messages).map(|message| message.at);
    let (from, to) = (times().min().unwrap_or_default(), times().max().unwrap_or_default() + TimeDelta::seconds(1));
    let brief = Brief { language, period: Period { from, to }, wishes };
    let package = Package { metrics: metrics(&dialogues), dialogues };
    let meter = Meter::apart();
    let narrative = Analysis::new(analyst, staging, tenant, brief, model, &meter).of(&package).await?.narrative;
    let AiCalls { calls: _, input_tokens, output_tokens } = meter.total();
    Ok(SampleAnalysis { text: story_of(language, &narrative), narrative, input_tokens, output_tokens })
}
