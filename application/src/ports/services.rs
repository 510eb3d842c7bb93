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
use futures::stream::BoxStream;
use secrecy::SecretString;
use serde::{Deserialize, Serialize};

use super::charts::Picture;
use super::circuits::Circuits;
use super::oauth::Renewal;
use super::providers::{ModelInfo, Provider, StorageSchema};

/// A tenant's account at one service, with its secrets opened.
#[derive(Debug)]
pub struct Account {
    /// The owner; calls of one account share one rate limit.
    pub tenant_id: TenantId,
    /// Where the service is and how to use it.
    pub settings: IntegrationSettings,
    /// Which version of the settings this is; 0 where nothing is saved yet.
    pub version: u32,
    /// The country (ISO 3166-1) in whose way phones without a country code are read, wherever they come from; none where the
    /// company says nothing.
    pub phone_region: Option<String>,
    /// The opened secrets. They cannot be printed.
    pub secrets: BTreeMap<SecretName, SecretString>,
    /// How another access token is had where the service does not take this one any more; none where people give it.
    pub renewal: Option<Renewal>,
    /// Whether a person waits for the answer: then calls are given up soon, and not left to later tries.
    pub is_awaited: bool,
}

/// Why a call to a service did not succeed.
#[derive(Debug, Clone, thiserror::Error)]
#[error("{message}")]
pub struct UpstreamError {
    /// Which service.
    pub service: IntegrationKind,
    /// What it means for the next attempt.
    pub class: FailureClass,
    /// What happened, in words for the tenant's user that name the service; without secrets, addresses with tokens, or raw
    /// bodies.
    pub message: String,
    /// What to do about it.
    pub advice: String,
    /// The service's own word on when to come back.
    pub retry_after: Option<Duration>,
    /// Whether the service may have carried the call out all the same.
    pub delivery: Delivery,
    /// What a model read and wrote all the same, where its provider says so.
    pub tokens: Option<Tokens>,
    /// Whether Synkro did not ask, because others of the company's calls were in turn: this says nothing of the service.
    pub was_turned_away: bool,
}

/// What becomes of a failure that passes by itself, in words for a run.
pub const AGAIN: &str = "Synkro tries again by itself";

impl UpstreamError {
    /// The same for somebody who waits for the answer, and whom nobody tries again for.
    #[must_use]
    pub fn told_to_a_person(self) -> Self {
        Self { advice: self.advice.replace(AGAIN, "Try again"), ..self }
    }
}

/// Tokens of one call of a model.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Tokens {
    /// Those that the model read.
    pub input: u64,
    /// Those that it wrote.
    pub output: u64,
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

/// Rows of the tenant's storage, by their keys.
#[derive(Debug, Clone, Copy)]
pub enum StoredRows<'a> {
    /// Deals.
    Deals(&'a [i64]),
    /// Contacts.
    Contacts(&'a [i64]),
    /// Chats.
    Chats(&'a [i64]),
    /// Messages: the chat and the message's id.
    Messages(&'a [(i64, &'a str)]),
}

/// What the tenant's storage has of Synkro's tables.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TablesVersion {
    /// The version that is there; none where the project says none.
    pub version: Option<u32>,
    /// The version that Synkro writes.
    pub current: u32,
    /// The SQL that leads from the one to the other; none where there is nothing to do.
    pub upgrade: Option<String>,
}

/// The tables of the tenant's storage.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StoredTable {
    /// People of deals.
    Contacts,
    /// Deals.
    Deals,
    /// Chats.
    Chats,
    /// Messages of chats.
    Messages,
    /// Reports.
    Reports,
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

/// A long list of a service, page by page: nothing is asked for before the page is waited for, and no page is kept. It ends
/// with its first error.
pub type Pages<'a, T> = BoxStream<'a, Result<Vec<T>, UpstreamError>>;

/// Source of deals.
#[async_trait]
pub trait Crm: Send + Sync {
    /// Deals that changed within the period, with contacts and responsible users; each deal once, by id. One that changes
    /// while the list is read, within the period, may come once more, newer.
    fn deals(&self, period: Period) -> Pages<'_, Deal>;

    /// The deals that changed last, newest first; so many at most.
    async fn latest(&self, count: u8) -> Result<Vec<Deal>, UpstreamError>;

    /// Whether the account answers and the key may read deals. What is to be done although it may comes in words.
    async fn check(&self) -> Result<Option<String>, UpstreamError>;
}

/// Source of conversations.
#[async_trait]
pub trait Conversations: Send + Sync {
    /// All chats of the company, each once, by id.
    fn chats(&self) -> Pages<'_, Chat>;

    /// The messages of one chat within the period, each once: the newest page first, and each page oldest first. [`in_order`]
    /// makes one list of them.
    fn messages(&self, chat_id: i64, period: Period) -> Pages<'_, ChatMessage>;

    /// Whether the account answers and the key may read messages.
    async fn check(&self) -> Result<(), UpstreamError>;
}

/// The messages of one chat, oldest first, of its pages as [`Conversations::messages`] gives them.
pub fn in_order(pages: Vec<Vec<ChatMessage>>) -> Vec<ChatMessage> {
    let mut messages: Vec<_> = pages.into_iter().rev().flatten().collect();
    messages.sort_by_key(|message| message.at);
    messages
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

    /// How many of these rows are there.
    async fn present(&self, rows: StoredRows<'_>) -> Result<u64, UpstreamError>;

    /// Whether the project answers, the keys are its own, and the tables are there. Their version is asked for by
    /// [`Self::schema`].
    async fn check(&self) -> Result<(), UpstreamError>;

    /// Which version of the tables the project has.
    async fn schema(&self) -> Result<TablesVersion, UpstreamError>;

    /// How many rows there are.
    async fn count(&self, table: StoredTable) -> Result<u64, UpstreamError>;
}

/// The AI provider.
#[async_trait]
pub trait Analyst: Send + Sync {
    /// How many tokens the chosen model reads at most.
    async fn input_token_limit(&self) -> Result<u32, UpstreamError>;

    /// Asks the model. Not repeated by the adapter after the model may have answered: a call costs money.
    async fn complete(&self, prompt: &Prompt) -> Result<Completion, UpstreamError>;

    /// The models that the account may use, whichever is chosen.
    async fn models(&self) -> Result<Vec<ModelInfo>, UpstreamError>;

    /// Whether the key works and the model exists.
    async fn check(&self) -> Result<(), UpstreamError>;
}

/// Where notifications go.
#[async_trait]
pub trait Notifier: Send + Sync {
    /// Sends a notification, in several messages where one is too short for it. Never repeats a call that may have been carried
    /// out; where some of the messages arrived and another did not, the delivery of the whole is not known. A picture that the
    /// service refuses is left out.
    async fn send(&self, message: &Notification) -> Result<Sent, UpstreamError>;

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
    /// What is shown with it.
    pub illustration: Option<Illustration>,
}

/// A picture that goes with a text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Illustration {
    /// The picture.
    pub picture: Picture,
    /// The line that ends the text where the service takes the text and not the picture.
    pub otherwise: String,
}

/// A notification that arrived.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sent {
    /// The ids of its messages there, in their order.
    pub message_ids: Vec<String>,
    /// The group's number from now on, where the service said that the group has moved.
    pub moved_to: Option<String>,
    /// Whether a picture is among the messages.
    pub illustrated: bool,
}

/// Makes the adapter of an account's service, and knows which services are left alone for now.
pub trait Connectors: Circuits {
    /// Every provider that there is an adapter for; the first of a kind is the usual one.
    fn providers(&self) -> &'static [&'static Provider];

    /// The tables that a storage has to have.
    fn storage_schema(&self) -> StorageSchema;

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
