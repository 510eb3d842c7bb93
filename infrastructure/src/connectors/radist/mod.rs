//! Radist.Online, API v2: chats and their messages. Written against the Radist sheet.

mod dto;
mod paging;

use std::collections::{BTreeMap, HashSet};
use std::sync::Arc;

use application::ports::services::{Account, Chat, ChatMessage, Conversations, UpstreamError};
use async_trait::async_trait;
use domain::integration::{IntegrationKind, SecretName};
use domain::period::Period;
use domain::values::BaseUrl;
use reqwest::StatusCode;

use super::http::{AccountClient, Call, Dialect, HttpClient, Refusal, Verdict, nonsense};
use crate::limits::Rate;
use dto::{ChatPage, CompanyPage, MessageDto};
use paging::Backwards;

static DIALECT: Dialect = Dialect {
    service: IntegrationKind::Radist,
    title: "Radist",
    name: "Radist",
    credential: "the API key",
    renew: "Create a new API key in Radist with the messaging scope and save it in Settings → Radist",
    refine,
};

/// Rows of a page.
const PAGE: usize = 100;

/// A tenant's Radist company.
pub(super) struct Radist {
    client: AccountClient,
    company_id: String,
}

impl Radist {
    pub(super) fn open(
        http: &Arc<HttpClient>,
        account: &Account,
        base_url: &BaseUrl,
        company_id: i64,
        requests_per_second: u32,
    ) -> Result<Self, UpstreamError> {
        let client = AccountClient::open(http, &DIALECT, account, base_url, SecretName::ApiKey)?
            .with_key_header("x-api-key", "")?
            .with_rate(Rate::per_second(requests_per_second), "");
        Ok(Self { client, company_id: company_id.to_string() })
    }

    /// A call below `companies/{id}/messaging/`. Every path of the service ends with a slash (sheet §1).
    fn messaging(&self, path: &[&str]) -> Call {
        let company = ["companies", &self.company_id, "messaging"];
        Call::get(company.iter().chain(path).copied().chain([""]))
    }

    async fn company_is_listed(&self) -> Result<bool, UpstreamError> {
        for page in 0.. {
            let offset = page * PAGE;
            let call =
                Call::get(["companies", ""]).query("limit", PAGE.to_string()).query("offset", offset.to_string());
            let listed = self.client.json::<CompanyPage>(&call).await?.unwrap_or_default().companies;
            if listed.iter().any(|company| company.id.to_string() == self.company_id) {
                return Ok(true);
            }
            if listed.len() < PAGE {
                break;
            }
        }
        Ok(false)
    }
}

#[async_trait]
impl Conversations for Radist {
    async fn chats(&self) -> Result<Vec<Chat>, UpstreamError> {
        let mut chats = BTreeMap::new();
        let mut cursors = HashSet::new();
        let first = self.messaging(&["chats", "with_contacts"]).query("limit", PAGE.to_string());
        let mut call = first.clone();
        while let Some(page) = self.client.json::<ChatPage>(&call).await? {
            let cursor = page.next_cursor();
            chats.extend(page.chats().map(|chat| (chat.id, chat)));
            let Some(cursor) = cursor else { break };
            if !cursors.insert(cursor.clone()) {
                return Err(nonsense(&DIALECT, "the same page of chats again and again"));
            }
            call = first.clone().query("cursor", cursor);
        }
        Ok(chats.into_values().collect())
    }

    async fn messages(&self, chat_id: i64, period: Period) -> Result<Vec<ChatMessage>, UpstreamError> {
        let mut reading = Backwards::over(period, PAGE);
        while let Some(until) = reading.until() {
            let call = self
                .messaging(&["messages"])
                .query("chat_id", chat_id.to_string())
                .query("limit", PAGE.to_string())
                .query("until", until)
                .accept(StatusCode::NOT_FOUND);
            let reply = self.client.send(&call).await?;
            if reply.status == StatusCode::NOT_FOUND {
                tracing::info!(chat_id, "Radist no longer has this chat");
                break;
            }
            let page = self.client.parse::<Vec<MessageDto>>(&reply)?.unwrap_or_default();
            reading.take(page.into_iter().map(|message| message.into_message(chat_id)));
        }
        Ok(reading.finish())
    }

    async fn check(&self) -> Result<(), UpstreamError> {
        if !self.company_is_listed().await? {
            let verdict = Verdict::permanent(
                format!("Radist does not list company {} for this API key", self.company_id),
                "Check the company number in Settings → Radist, or use a key of that company",
            );
            return Err(DIALECT.error(verdict, application::ports::services::Delivery::NotDelivered));
        }
        self.client.send(&self.messaging(&["chats", "sources"])).await?;
        Ok(())
    }
}

fn refine(refusal: &Refusal) -> Option<Verdict> {
    (refusal.status == StatusCode::FORBIDDEN).then(|| {
        Verdict::new(
            domain::job_run::FailureClass::Auth,
            "Radist does not let the API key read this company's messages",
            "Give the key the messaging scope in Radist, or check the company number in Settings → Radist",
        )
    })
}
