//! Ports to the outside services that a tenant connects: CRM, conversations, storage, AI and notifications.
//!
//! Each has an adapter in `infrastructure/src/connectors/` written against its contract sheet. An adapter is made for
//! one [`Account`]; it holds the account's secrets for as long as one step runs.

use std::collections::BTreeMap;
use std::time::Duration;

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use domain::ids::{ReportId, RunId, TenantId};
use domain::integration::{IntegrationKind, IntegrationSettings, SecretName};
use domain::job_run::FailureClass;
use domain::metrics::{Metrics, Outcome, Sender};
use domain::narrative::Narrative;
use domain::period::Period;
use domain::values::Phone;
use secrecy::SecretString;
use serde::{Deserialize, Serialize};

/// A tenant's account at one service, with its secrets opened.
#[derive(Debug)]
pub struct Account {
    /// The owner; calls of one account share one rate limit.
    pub tenant_id: TenantId,
    /// Where the service is and how to use it.
    pub settings: IntegrationSettings,
    /// The opened secrets. They cannot be printed.
    pub secrets: BTreeMap<SecretName, SecretString>,
}

/// Why a call to a service did not succeed.
#[derive(Debug, Clone, thiserror::Error)]
#[error("{message}")]
pub struct UpstreamError {
    /// Which service.
    pub service: IntegrationKind,
    /// What it means for the next attempt.
    pub class: FailureClass,
    /// What happened, in words for the tenant's user that name the service; without secrets, addresses with tokens, or raw bodies.
    pub message: String,
    /// What to do about it.
    pub advice: String,
    /// The service's own word on when to come back.
    pub retry_after: Option<Duration>,
    /// Whether the service may have carried the call out all the same.
    pub delivery: Delivery,
}

/// Whether a failed call may have had its effect.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Delivery {
    /// It certainly had none: refused, or never sent.
    NotDelivered,
    /// It may have had: no answer, or one that does not say.
    Unknown,
}

/// A deal of the CRM with what the pipeline needs of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Deal {
    /// The CRM's number.
    pub id: i64,
    /// Its name.
    pub name: String,
    /// Won, lost or still open.
    pub outcome: Outcome,
    /// The CRM's own status number.
    pub status_id: i64,
    /// The CRM's own pipeline number.
    pub pipeline_id: i64,
    /// Price in the account's currency, in minor units.
    pub price_minor: i64,
    /// Name of the responsible user, where the token may read users.
    pub responsible: Option<String>,
    /// Creation.
    pub created_at: DateTime<Utc>,
    /// Last change; the window of a run is about this.
    pub updated_at: DateTime<Utc>,
    /// When it was won or lost.
    pub closed_at: Option<DateTime<Utc>>,
    /// The people of the deal.
    pub contacts: Vec<Contact>,
}

/// A person of a deal.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Contact {
    /// The CRM's number.
    pub id: i64,
    /// Name as in the CRM.
    pub name: String,
    /// Phones that could be read as numbers, in E.164.
    pub phones: Vec<Phone>,
}

/// A chat of the messaging service.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Chat {
    /// The service's number.
    pub id: i64,
    /// Name of the contact there.
    pub contact_name: Option<String>,
    /// The contact's phone, where it is one.
    pub phone: Option<Phone>,
}

/// A message of a chat.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ChatMessage {
    /// The service's id of it.
    pub id: String,
    /// The chat.
    pub chat_id: i64,
    /// When it was written.
    pub at: DateTime<Utc>,
    /// Who wrote it.
    pub from: Sender,
    /// Its text, caption included; empty for a picture without one.
    pub text: String,
    /// The service's kind of message, such as `text` or `image`.
    pub kind: String,
}

/// The full report as the tenant's storage keeps it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct StoredReport {
    /// The report.
    pub id: ReportId,
    /// The run that made it.
    pub run_id: RunId,
    /// The time it covers.
    pub period: Period,
    /// Its first line.
    pub headline: String,
    /// The whole text, in Markdown.
    pub body: String,
    /// The numbers.
    pub metrics: Metrics,
    /// What the AI wrote.
    pub narrative: Narrative,
}

/// A question to the model.
#[derive(Debug, Clone)]
pub struct Prompt {
    /// The standing instructions.
    pub system: String,
    /// The material and the task.
    pub user: String,
    /// The JSON schema that the answer must fit.
    pub schema: serde_json::Value,
}

/// The model's answer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Completion {
    /// Its text.
    pub text: String,
    /// The model that answered.
    pub model: String,
    /// Tokens read.
    pub input_tokens: u64,
    /// Tokens written.
    pub output_tokens: u64,
}

/// Source of deals.
#[async_trait]
pub trait Crm: Send + Sync {
    /// Deals that changed within the period, with contacts and responsible users; each deal once, by id.
    async fn deals(&self, period: Period) -> Result<Vec<Deal>, UpstreamError>;

    /// Whether the account answers and the key may read deals.
    async fn check(&self) -> Result<(), UpstreamError>;
}

/// Source of conversations.
#[async_trait]
pub trait Conversations: Send + Sync {
    /// All chats of the company.
    async fn chats(&self) -> Result<Vec<Chat>, UpstreamError>;

    /// The messages of one chat within the period, oldest first, each once.
    async fn messages(&self, chat_id: i64, period: Period) -> Result<Vec<ChatMessage>, UpstreamError>;

    /// Whether the account answers and the key may read messages.
    async fn check(&self) -> Result<(), UpstreamError>;
}

/// The tenant's own storage. Every write is an upsert by natural key: repeating it changes nothing.
#[async_trait]
pub trait TenantStorage: Send + Sync {
    /// Writes deals with their contacts.
    async fn save_deals(&self, deals: &[Deal]) -> Result<(), UpstreamError>;

    /// Writes chats.
    async fn save_chats(&self, chats: &[Chat]) -> Result<(), UpstreamError>;

    /// Writes messages.
    async fn save_messages(&self, messages: &[ChatMessage]) -> Result<(), UpstreamError>;

    /// Writes a report.
    async fn save_report(&self, report: &StoredReport) -> Result<(), UpstreamError>;

    /// Reads a report back.
    async fn report(&self, id: ReportId) -> Result<Option<StoredReport>, UpstreamError>;

    /// Whether the project answers, the key is its own, and the tables are there.
    async fn check(&self) -> Result<(), UpstreamError>;
}

/// The AI provider.
#[async_trait]
pub trait Analyst: Send + Sync {
    /// How many tokens the chosen model reads at most.
    async fn input_token_limit(&self) -> Result<u32, UpstreamError>;

    /// Asks the model. Not repeated by the adapter after the model may have answered: a call costs money.
    async fn complete(&self, prompt: &Prompt) -> Result<Completion, UpstreamError>;

    /// Whether the key works and the model exists.
    async fn check(&self) -> Result<(), UpstreamError>;
}

/// Where notifications go.
#[async_trait]
pub trait Notifier: Send + Sync {
    /// Sends one message and returns its id there. Never repeats a call that may have been carried out.
    async fn send(&self, message: &Notification) -> Result<String, UpstreamError>;

    /// Whether the bot answers.
    async fn check(&self) -> Result<(), UpstreamError>;
}

/// A short message to a group.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Notification {
    /// First line, shown bold.
    pub title: String,
    /// The lines under it, plain text.
    pub lines: Vec<String>,
}

/// Makes the adapter of an account's service.
pub trait Connectors: Send + Sync {
    /// A CRM.
    fn crm(&self, account: Account) -> Result<Box<dyn Crm>, UpstreamError>;

    /// A source of conversations.
    fn conversations(&self, account: Account) -> Result<Box<dyn Conversations>, UpstreamError>;

    /// The tenant's storage.
    fn storage(&self, account: Account) -> Result<Box<dyn TenantStorage>, UpstreamError>;

    /// An AI provider.
    fn analyst(&self, account: Account) -> Result<Box<dyn Analyst>, UpstreamError>;

    /// A notifier.
    fn notifier(&self, account: Account) -> Result<Box<dyn Notifier>, UpstreamError>;
}
