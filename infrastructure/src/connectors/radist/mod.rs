//! Radist.Online, API v2: chats and their messages. Written against the Radist sheet.

mod dto;
mod paging;
mod provider;

use std::collections::HashSet;
use std::sync::Arc;

use application::ports::services::{Account, Chat, ChatMessage, Conversations, Pages, UpstreamError};
use async_trait::async_trait;
use domain::integration::{IntegrationKind, SecretName};
use domain::period::Period;
use domain::values::BaseUrl;
use futures::StreamExt;
use futures::stream;
use reqwest::StatusCode;

use super::http::{AccountClient, Call, Dialect, HttpClient, Refusal, Verdict, nonsense};
use super::phones::{self, Country};
use crate::limits::Rate;
use dto::{ChatPage, CompanyPage, MessageDto};
use paging::Backwards;
pub(super) use provider::PROVIDER;

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
/// How often the list of chats is begun again at most, so that a list that never rests does not hold a run.
const MOST_RETURNS: usize = 5;

/// A tenant's Radist company.
pub(super) struct Radist {
    client: AccountClient,
    company_id: String,
    region: Option<Country>,
}

impl Radist {
    pub(super) fn open(
        http: &Arc<HttpClient>,
        account: &Account,
        base_url: &BaseUrl,
        company_id: i64,
        requests_per_second: u32,
        region: Option<&str>,
    ) -> Result<Self, UpstreamError> {
        let client = AccountClient::open(http, &DIALECT, account, base_url, SecretName::ApiKey)?
            .with_key_header("x-api-key", "")?
            .with_rate(Rate::per_second(requests_per_second), "");
        Ok(Self { client, company_id: company_id.to_string(), region: phones::region(region) })
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

    /// The next older messages of a chat; none at the beginning of the period.
    async fn page_of(&self, chat_id: i64, reading: &mut Backwards) -> Result<Option<Vec<ChatMessage>>, UpstreamError> {
        let Some(until) = reading.until() else { return Ok(None) };
        let call = self
            .messaging(&["messages"])
            .query("chat_id", chat_id.to_string())
            .query("limit", PAGE.to_string())
            .query("until", until)
            .accept(StatusCode::NOT_FOUND);
        let reply = self.client.send(&call).await?;
        if reply.status == StatusCode::NOT_FOUND {
            tracing::info!(chat_id, "Radist no longer has this chat");
            return Ok(None);
        }
        let page = self.client.parse::<Vec<MessageDto>>(&reply)?.unwrap_or_default();
        let older = reading.take(page.into_iter().map(|message| message.into_message(chat_id)));
        let again = || nonsense(&DIALECT, "the same page of messages again and again");
        older.map(Some).ok_or_else(again)
    }
}

/// The chats of the company on their way. Of those that were given only the ids are kept.
///
/// The newest chat comes first, so one that is written to while the list is read moves to the front, behind the reader. A list
/// of several pages is therefore read again from the front, until a first page brings nothing new.
struct Listing<'a> {
    radist: &'a Radist,
    first: Call,
    /// The next page's call; none at the end.
    call: Option<Call>,
    /// Cursors that were followed since the front.
    cursors: HashSet<String>,
    given: HashSet<i64>,
    /// How often the list was begun again.
    returns: usize,
}

impl<'a> Listing<'a> {
    fn of(radist: &'a Radist) -> Self {
        let first = radist.messaging(&["chats", "with_contacts"]).query("limit", PAGE.to_string());
        Self { radist, call: Some(first.clone()), first, cursors: HashSet::new(), given: HashSet::new(), returns: 0 }
    }

    /// The next chats; none at the end. A chat that moves to the front pushes others onto the next page, where they come again.
    async fn page(&mut self) -> Result<Option<Vec<Chat>>, UpstreamError> {
        let Some(call) = self.call.take() else { return Ok(None) };
        let Some(page) = self.radist.client.json::<ChatPage>(&call).await? else { return Ok(None) };
        let cursor = page.next_cursor();
        let news: Vec<Chat> = page.chats(self.radist.region).filter(|chat| self.given.insert(chat.id)).collect();
        self.call = self.following(cursor, !news.is_empty())?;
        Ok(Some(news))
    }

    /// The call after a page. Chats that moved lie before those that did not, so a return to the front ends with a page without
    /// news.
    fn following(&mut self, cursor: Option<String>, has_news: bool) -> Result<Option<Call>, UpstreamError> {
        if let Some(cursor) = cursor.filter(|_| self.returns == 0 || has_news) {
            if !self.cursors.insert(cursor.clone()) {
                return Err(nonsense(&DIALECT, "the same page of chats again and again"));
            }
            return Ok(Some(self.first.clone().query("cursor", cursor)));
        }
        // Nothing can have moved behind the reader while one page was all that was read.
        if self.cursors.is_empty() {
            return Ok(None);
        }
        if self.returns == MOST_RETURNS {
            tracing::warn!("Radist's list of chats does not come to rest; chats that moved last may be missing");
            return Ok(None);
        }
        self.returns += 1;
        self.cursors.clear();
        Ok(Some(self.first.clone()))
    }
}

#[async_trait]
impl Conversations for Radist {
    fn chats(&self) -> Pages<'_, Chat> {
        stream::try_unfold(Listing::of(self), |mut listing| async move {
            Ok(listing.page().await?.map(|page| (page, listing)))
        })
        .boxed()
    }

    fn messages(&self, chat_id: i64, period: Period) -> Pages<'_, ChatMessage> {
        stream::try_unfold(Backwards::over(period, PAGE), move |mut reading| async move {
            Ok(self.page_of(chat_id, &mut reading).await?.map(|page| (page, reading)))
        })
        .boxed()
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
