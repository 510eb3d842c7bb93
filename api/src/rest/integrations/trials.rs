use std::collections::BTreeMap;

use application::ports::findings::{ChatWithMessages, Findings};
use application::ports::read_models::{IntegrationRecord, Page};
use application::ports::services::Deal;
use application::use_cases::{TrialReport, WriteReport};
use chrono::{DateTime, Utc};
use domain::integration::{IntegrationEvent, IntegrationSettings};
use poem_openapi::Object;

use super::body::OutcomeBody;
use crate::cursor::encode;

/// What to try.
#[derive(Object)]
#[oai(write_only_all)]
pub(super) struct TryRequest {
    /// One of the provider's `trials` in the catalogue; its first where this is left out.
    pub(super) trial: Option<String>,
}

/// What a trial came to.
#[derive(Object)]
#[oai(rename = "IntegrationTrial")]
pub(super) struct TrialBody {
    /// What was tried.
    trial: String,
    /// Whether the service did as it should.
    #[oai(flatten)]
    outcome: OutcomeBody,
    /// When.
    at: DateTime<Utc>,
    /// How much was found, such as `deals: 3`.
    counts: BTreeMap<String, u64>,
    /// The last deals; empty for what tries something else.
    deals: Vec<DealBody>,
    /// The chats of these deals' phones; empty for what tries something else.
    chats: Vec<ChatBody>,
    /// What the AI answered; `null` for what tries something else.
    #[oai(nullable)]
    answer: Option<AnswerBody>,
    /// The ids of the messages at the messenger; none for what tries something else.
    message_ids: Vec<String>,
    /// The version of the storage's tables that the project says it has; `null` for what tries something else.
    #[oai(nullable)]
    schema_version: Option<u32>,
}

impl From<TrialReport> for TrialBody {
    fn from(report: TrialReport) -> Self {
        let mut body = Self {
            trial: report.trial.name().to_owned(),
            outcome: OutcomeBody::new(report.outcome, None),
            at: report.at,
            counts: report.counts,
            deals: Vec::new(),
            chats: Vec::new(),
            answer: None,
            message_ids: Vec::new(),
            schema_version: None,
        };
        match report.findings {
            None => {}
            Some(Findings::Schema { found, .. }) => body.schema_version = found,
            Some(Findings::Deals { deals }) => body.deals = deals.into_iter().map(DealBody::from).collect(),
            Some(Findings::Dialogues { deals, chats }) => {
                body.deals = deals.into_iter().map(DealBody::from).collect();
                body.chats = chats.into_iter().map(ChatBody::from).collect();
            }
            Some(Findings::Analysis { narrative, model, .. }) => {
                body.answer = Some(AnswerBody {
                    model,
                    headline: narrative.headline,
                    summary: narrative.summary,
                    findings: narrative.findings.into_iter().map(|finding| finding.title).collect(),
                    recommendations: narrative.recommendations,
                });
            }
            Some(Findings::Message { ids }) => body.message_ids = ids,
        }
        body
    }
}

/// A deal of the CRM.
#[derive(Object)]
#[oai(rename = "TriedDeal")]
struct DealBody {
    /// The CRM's number.
    id: i64,
    /// Its name.
    name: String,
    /// When it changed last.
    updated_at: DateTime<Utc>,
    /// Who is responsible; `null` where the token may not read that.
    #[oai(nullable)]
    manager: Option<String>,
    /// The people of the deal.
    contacts: Vec<ContactBody>,
}

impl From<Deal> for DealBody {
    fn from(deal: Deal) -> Self {
        let contact = |contact: application::ports::services::Contact| ContactBody {
            name: contact.name,
            phones: contact.phones.iter().map(ToString::to_string).collect(),
        };
        Self {
            id: deal.id,
            name: deal.name,
            updated_at: deal.updated_at,
            manager: deal.responsible,
            contacts: deal.contacts.into_iter().map(contact).collect(),
        }
    }
}

/// A person of a deal.
#[derive(Object)]
#[oai(rename = "TriedContact")]
struct ContactBody {
    /// The name in the CRM.
    name: String,
    /// Phones in E.164.
    phones: Vec<String>,
}

/// A chat of one of the deals' phones.
#[derive(Object)]
#[oai(rename = "TriedChat")]
struct ChatBody {
    /// The service's number.
    id: i64,
    /// The contact's name there.
    #[oai(nullable)]
    contact: Option<String>,
    /// The phone by which it was found.
    #[oai(nullable)]
    phone: Option<String>,
    /// How many messages would be written.
    messages: u64,
    /// The last of them, as text.
    #[oai(nullable)]
    last_message: Option<String>,
}

impl From<ChatWithMessages> for ChatBody {
    fn from(ChatWithMessages { chat, messages }: ChatWithMessages) -> Self {
        Self {
            id: chat.id,
            contact: chat.contact_name,
            phone: chat.phone.map(|phone| phone.to_string()),
            messages: messages.len() as u64,
            last_message: messages.into_iter().next_back().map(|message| message.text),
        }
    }
}

/// What the AI answered.
#[derive(Object)]
#[oai(rename = "TriedAnswer")]
struct AnswerBody {
    /// The model that was asked.
    model: String,
    /// Its first line.
    headline: String,
    /// A paragraph.
    summary: String,
    /// What stands out.
    findings: Vec<String>,
    /// What to do about it.
    recommendations: Vec<String>,
}

/// What became of writing.
#[derive(Object)]
#[oai(rename = "WrittenFindings")]
pub(super) struct WriteBody {
    /// Whether every row was there when it was read back.
    #[oai(flatten)]
    outcome: OutcomeBody,
    /// Rows that were written, by table.
    written: BTreeMap<String, u64>,
    /// Rows of them that were there when they were read back.
    confirmed: BTreeMap<String, u64>,
}

impl From<WriteReport> for WriteBody {
    fn from(report: WriteReport) -> Self {
        let outcome = OutcomeBody::new(report.outcome, None);
        Self { outcome, written: report.written, confirmed: report.confirmed }
    }
}

/// Something that was tried or written.
#[derive(Object)]
#[oai(rename = "IntegrationTest")]
struct RecordBody {
    /// When.
    at: DateTime<Utc>,
    /// The version of the settings.
    version: u32,
    /// What was tried; `null` where what was found was written.
    #[oai(nullable)]
    trial: Option<String>,
    /// What it came to.
    #[oai(flatten)]
    outcome: OutcomeBody,
    /// How much was found, or is there after writing.
    counts: BTreeMap<String, u64>,
    /// What the AI answered, in Markdown; `null` for what tried something else.
    #[oai(nullable)]
    answer: Option<String>,
    /// The model that did.
    #[oai(nullable)]
    model: Option<String>,
}

impl RecordBody {
    fn of(event: IntegrationEvent) -> Option<Self> {
        match event {
            IntegrationEvent::IntegrationTried { version, trial, outcome, counts, answer, model, at, .. } => {
                Some(Self {
                    at,
                    version,
                    trial: Some(trial.name().to_owned()),
                    outcome: OutcomeBody::new(outcome, None),
                    counts,
                    answer: answer.map(|answer| answer.reveal().clone()),
                    model,
                })
            }
            IntegrationEvent::IntegrationWritten { version, outcome, confirmed, at, .. } => Some(Self {
                at,
                version,
                trial: None,
                outcome: OutcomeBody::new(outcome, None),
                counts: confirmed,
                answer: None,
                model: None,
            }),
            IntegrationEvent::IntegrationConfigured { .. }
            | IntegrationEvent::IntegrationChecked { .. }
            | IntegrationEvent::IntegrationAuthorized { .. }
            | IntegrationEvent::IntegrationTokensRenewed { .. }
            | IntegrationEvent::IntegrationAccessLost { .. } => None,
        }
    }
}

/// One page of what was tried and written.
#[derive(Object)]
#[oai(rename = "IntegrationTestList")]
pub(super) struct RecordList {
    /// The newest first.
    items: Vec<RecordBody>,
    /// The `cursor` of the next page; `null` on the last one.
    #[oai(nullable)]
    next: Option<String>,
    /// Events of the company that could not be shown in this list yet; normally 0.
    parked: u64,
}

impl From<Page<IntegrationRecord>> for RecordList {
    fn from(page: Page<IntegrationRecord>) -> Self {
        let items = page.items.into_iter().filter_map(|record| RecordBody::of(record.event)).collect();
        Self { items, next: page.next.map(encode), parked: page.parked }
    }
}

/// A version of the prompt.
#[derive(Object)]
#[oai(rename = "PromptVersion")]
struct PromptBody {
    /// The version of the AI's settings that it came with. Runs name the version that they used.
    version: u32,
    /// What the analyst was told to look at.
    prompt: String,
    /// The model that was chosen with it.
    model: String,
    /// When it was saved.
    saved_at: DateTime<Utc>,
    /// What this version changed, such as `settings.prompt`; empty in versions of earlier releases.
    changed: Vec<String>,
}

/// One page of the prompt's versions.
#[derive(Object)]
#[oai(rename = "PromptVersionList")]
pub(super) struct PromptList {
    /// The newest first.
    items: Vec<PromptBody>,
    /// The `cursor` of the next page; `null` on the last one.
    #[oai(nullable)]
    next: Option<String>,
    /// Events of the company that could not be shown in this list yet; normally 0.
    parked: u64,
}

impl From<Page<IntegrationRecord>> for PromptList {
    fn from(page: Page<IntegrationRecord>) -> Self {
        let body = |record: IntegrationRecord| match record.event {
            IntegrationEvent::IntegrationConfigured {
                version,
                settings: IntegrationSettings::Ai { prompt, model, .. },
                changed,
                at,
                ..
            } => Some(PromptBody { version, prompt, model, saved_at: at, changed }),
            _ => None,
        };
        let items = page.items.into_iter().filter_map(body).collect();
        Self { items, next: page.next.map(encode), parked: page.parked }
    }
}
