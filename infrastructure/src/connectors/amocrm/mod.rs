//! amoCRM (Kommo), API v4: deals with their people. Written against the amoCRM sheet.

mod dto;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use application::ports::services::{Account, Contact, Crm, Deal, UpstreamError};
use async_trait::async_trait;
use chrono::{DateTime, Utc};
use domain::integration::{IntegrationKind, SecretName};
use domain::job_run::FailureClass;
use domain::period::Period;
use domain::values::BaseUrl;
use reqwest::StatusCode;
use url::Url;

use super::http::{AccountClient, Call, Dialect, HttpClient, Refusal, Verdict, nonsense};
use crate::limits::Rate;
use dto::{AccountDto, Contacts, EntityLinks, LeadDto, Leads, Page, Users};

static DIALECT: Dialect = Dialect {
    service: IntegrationKind::Amocrm,
    title: "amoCRM",
    name: "amoCRM",
    credential: "the access token",
    renew: "Create a new long-lived token in amoCRM and save it in Settings → amoCRM",
    refine,
};

/// Rows of a page; the API gives no more (sheet §3).
const PAGE: usize = 250;
/// Contacts asked for in one call: their ids travel in the address, whose length servers limit.
const CONTACTS_PER_CALL: usize = 100;
/// The account is blocked after repeated violations of 7 calls a second (sheet §5). Even spacing at 5 keeps any second
/// at 6 or fewer.
const RATE: Rate = Rate::every(Duration::from_millis(200));

/// A tenant's amoCRM account.
pub(super) struct Amocrm {
    client: AccountClient,
}

impl Amocrm {
    pub(super) fn open(http: &Arc<HttpClient>, account: &Account, base_url: &BaseUrl) -> Result<Self, UpstreamError> {
        let client = AccountClient::open(http, &DIALECT, account, base_url, SecretName::AccessToken)?
            .with_key_header("authorization", "Bearer ")?
            .with_rate(RATE, "");
        Ok(Self { client })
    }

    /// The leads of a window, each once, in its latest state.
    ///
    /// Numbered pages over moving rows lose rows: a lead that changes leaves the window and shifts the rest. So each
    /// page begins at the last time seen, and page numbers serve only within one second full of changes.
    async fn leads(&self, period: Period) -> Result<BTreeMap<i64, LeadDto>, UpstreamError> {
        let mut leads = BTreeMap::new();
        let mut window = Window::of(period);
        let mut call = window.call();
        while let Some(page) = self.client.json::<Page<Leads>>(&call).await? {
            let reached = page.embedded.leads.iter().filter_map(|lead| lead.updated_at).max();
            for lead in page.embedded.leads {
                if !lead.is_deleted {
                    leads.insert(lead.id, lead);
                }
            }
            let Some(next) = page.links.next else { break };
            call = match window.advance(reached) {
                Some(further) => further,
                None => Call::get(LEADS).raw_query(query_of(&next.href)?),
            };
        }
        Ok(leads)
    }

    /// The contacts of a lead whose page did not say.
    async fn linked_contacts(&self, lead: i64) -> Result<Vec<i64>, UpstreamError> {
        let call = Call::get(["api", "v4", "leads", &lead.to_string(), "links"]);
        let page: Option<Page<EntityLinks>> = self.client.json(&call).await?;
        Ok(page.map(|page| page.embedded.contact_ids()).unwrap_or_default())
    }

    /// People type numbers of their own country without its code, so the account's country is asked for first.
    async fn contacts(&self, ids: &BTreeSet<i64>) -> Result<BTreeMap<i64, Contact>, UpstreamError> {
        if ids.is_empty() {
            return Ok(BTreeMap::new());
        }
        let country = self.account().await?.country();
        let ids: Vec<i64> = ids.iter().copied().collect();
        let mut contacts = BTreeMap::new();
        for chunk in ids.chunks(CONTACTS_PER_CALL) {
            let call = Call::get(["api", "v4", "contacts"]).query("limit", PAGE.to_string());
            let call = chunk.iter().fold(call, |call, id| call.query("filter[id][]", id.to_string()));
            if let Some(page) = self.client.json::<Page<Contacts>>(&call).await? {
                let people = page.embedded.contacts.into_iter();
                contacts.extend(people.map(|contact| (contact.id, contact.into_contact(country))));
            }
        }
        Ok(contacts)
    }

    async fn account(&self) -> Result<AccountDto, UpstreamError> {
        let account = self.client.json(&Call::get(["api", "v4", "account"])).await?;
        account.ok_or_else(|| nonsense(&DIALECT, "nothing where the account was expected"))
    }

    /// Names of users. Only an administrator's token may read them (sheet §3.4); without it deals go without names.
    async fn users(&self) -> Result<BTreeMap<i64, String>, UpstreamError> {
        let mut names = BTreeMap::new();
        for page in 1.. {
            let call = Call::get(["api", "v4", "users"])
                .query("limit", PAGE.to_string())
                .query("page", page.to_string())
                .accept(StatusCode::FORBIDDEN);
            let reply = self.client.send(&call).await?;
            if reply.status == StatusCode::FORBIDDEN {
                tracing::info!("the amoCRM token is not an administrator's: deals go without agents' names");
                break;
            }
            let Some(users) = self.client.parse::<Page<Users>>(&reply)? else { break };
            names.extend(users.embedded.users.into_iter().map(|user| (user.id, user.name)));
            if users.links.next.is_none() {
                break;
            }
        }
        Ok(names)
    }
}

#[async_trait]
impl Crm for Amocrm {
    async fn deals(&self, period: Period) -> Result<Vec<Deal>, UpstreamError> {
        let mut people = BTreeMap::new();
        let mut leads = Vec::new();
        for (id, lead) in self.leads(period).await? {
            let contacts = match lead.contact_ids() {
                Some(contacts) => contacts,
                None => self.linked_contacts(id).await?,
            };
            people.insert(id, contacts);
            leads.push(lead);
        }
        if leads.is_empty() {
            return Ok(Vec::new());
        }
        let contacts = self.contacts(&people.values().flatten().copied().collect()).await?;
        let users = self.users().await?;
        let deals = leads.into_iter().map(|lead| {
            let of_deal = people.get(&lead.id).into_iter().flatten();
            let of_deal = of_deal.filter_map(|id| contacts.get(id).cloned()).collect();
            lead.into_deal(of_deal, &users, period.from)
        });
        Ok(deals.filter(|deal| period.contains(deal.updated_at)).collect())
    }

    async fn check(&self) -> Result<(), UpstreamError> {
        self.account().await?;
        self.client.send(&Call::get(LEADS).query("limit", "1")).await?;
        Ok(())
    }
}

const LEADS: [&str; 3] = ["api", "v4", "leads"];

/// What is left to read, in whole seconds, both ends included, as the filter takes them.
#[derive(Debug, Clone, Copy)]
struct Window {
    from: i64,
    to: i64,
}

impl Window {
    /// The whole seconds within a half-open period.
    fn of(period: Period) -> Self {
        Self { from: first_second_from(period.from), to: first_second_from(period.to) - 1 }
    }

    fn call(self) -> Call {
        Call::get(LEADS)
            .query("with", "contacts")
            .query("order[updated_at]", "asc")
            .query("limit", PAGE.to_string())
            .query("filter[updated_at][from]", self.from.to_string())
            .query("filter[updated_at][to]", self.to.to_string())
    }

    /// Goes on from the last second seen, which may hold more. `None` where that is where it began.
    fn advance(&mut self, reached: Option<i64>) -> Option<Call> {
        let reached = reached.filter(|second| *second > self.from && *second <= self.to)?;
        self.from = reached;
        Some(self.call())
    }
}

fn first_second_from(at: DateTime<Utc>) -> i64 {
    at.timestamp() + i64::from(at.timestamp_subsec_nanos() > 0)
}

/// Of the next page's address only the query counts: the host stays the configured one (sheet §4).
fn query_of(href: &str) -> Result<String, UpstreamError> {
    let query = Url::parse(href).ok().and_then(|url| url.query().map(ToOwned::to_owned));
    query.ok_or_else(|| nonsense(&DIALECT, "a next page that has no address"))
}

fn refine(refusal: &Refusal) -> Option<Verdict> {
    match refusal.status.as_u16() {
        403 => Some(Verdict::new(
            FailureClass::Auth,
            "amoCRM does not let the access token read this, or has blocked the account after too many requests",
            "Use a token of a user who may see deals and contacts; if nothing changed there, wait an hour and start again",
        )),
        504 => Some(Verdict::new(
            FailureClass::Transient,
            "amoCRM took too long to collect the deals (HTTP 504)",
            "Synkro tries again by itself; if it lasts, choose a shorter period",
        )),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> DateTime<Utc> {
        text.parse().unwrap()
    }

    #[test]
    fn a_half_open_period_becomes_whole_seconds_with_both_ends() {
        let day = Period { from: at("2026-06-01T00:00:00Z"), to: at("2026-06-02T00:00:00Z") };
        let window = Window::of(day);
        assert_eq!((window.from, window.to), (1_780_272_000, 1_780_358_399));
        let odd = Period { from: at("2026-06-01T00:00:00.5Z"), to: at("2026-06-02T00:00:00.5Z") };
        let window = Window::of(odd);
        assert_eq!((window.from, window.to), (1_780_272_001, 1_780_358_400));
    }

    #[test]
    fn a_window_advances_to_what_it_has_seen_and_no_further() {
        let mut window = Window { from: 10, to: 20 };
        assert!(window.advance(Some(15)).is_some());
        assert_eq!(window.from, 15);
        for stuck in [Some(15), Some(14), Some(21), None] {
            assert!(window.advance(stuck).is_none(), "{stuck:?}");
        }
    }

    #[test]
    fn the_next_pages_host_is_not_trusted() {
        assert_eq!(query_of("https://evil.example/api/v4/leads?page=2&limit=250").unwrap(), "page=2&limit=250");
        assert!(query_of("page=2").is_err());
    }
}
