//! amoCRM (Kommo), API v4: deals with their people. Written against the amoCRM sheet.

mod dto;
mod hosts;
mod oauth;
mod provider;
mod reading;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use application::ports::oauth::Renewal;
use application::ports::services::{AGAIN, Account, Contact, Crm, Deal, Pages, UpstreamError};
use async_trait::async_trait;
use chrono::{DateTime, Utc};
use domain::integration::{IntegrationKind, SecretName};
use domain::job_run::FailureClass;
use domain::period::Period;
use futures::StreamExt;
use futures::stream;
use reqwest::StatusCode;
use serde::de::DeserializeOwned;

use super::http::{AccountClient, Call, Dialect, HttpClient, Refusal, Reply, Verdict, nonsense};
use super::phones::{self, Country};
use crate::limits::Rate;
pub use oauth::AmocrmOauth;

use dto::{AccountDto, Contacts, EntityLinks, LeadDto, Leads, Page, Users};
pub(super) use provider::PROVIDER;
use reading::Reading;

static DIALECT: Dialect = Dialect {
    service: IntegrationKind::Amocrm,
    title: "amoCRM",
    name: "amoCRM",
    credential: "the access token",
    renew: "Connect again in Settings → amoCRM; where you use a long-lived token, create a new one in amoCRM and save it there",
    refine,
};

/// Rows of a page; the API gives no more (sheet §3).
const PAGE: usize = 250;
/// Contacts asked for in one call: their ids travel in the address, whose length servers limit. Two calls do for a page of deals.
const CONTACTS_PER_CALL: usize = 125;
/// The account is blocked after repeated violations of 7 calls a second (sheet §5). Even spacing at 5 keeps any second
/// at 6 or fewer.
const RATE: Rate = Rate::every(Duration::from_millis(200));

/// What all deals have in common; asked for once, when the first deal needs it.
#[derive(Debug, Default)]
struct Common {
    /// The account, which says where the company is.
    account: Option<AccountDto>,
    /// Names of users.
    users: Option<BTreeMap<i64, String>>,
}

/// A tenant's amoCRM account.
pub(super) struct Amocrm {
    http: Arc<HttpClient>,
    /// The client of the token of now, which another one takes the place of.
    client: Mutex<Arc<AccountClient>>,
    renewal: Option<Renewal>,
    /// What the company says of phones without a country code.
    region: Option<Country>,
}

impl Amocrm {
    pub(super) fn open(http: &Arc<HttpClient>, account: &Account) -> Result<Self, UpstreamError> {
        let client = Mutex::new(Arc::new(client_of(http, account)?));
        let region = phones::region(account.phone_region.as_deref());
        Ok(Self { http: Arc::clone(http), client, renewal: account.renewal.clone(), region })
    }

    fn client(&self) -> Arc<AccountClient> {
        Arc::clone(&self.client.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// A client with another token, where the one of `client` is not taken any more (sheet §2.4).
    async fn instead_of(&self, client: &AccountClient) -> Result<Option<Arc<AccountClient>>, UpstreamError> {
        let Some(renewal) = self.renewal.as_ref().filter(|_| client.is_unauthorized()) else { return Ok(None) };
        let renewed = Arc::new(client_of(&self.http, &renewal.0.renewed().await?)?);
        *self.client.lock().unwrap_or_else(PoisonError::into_inner) = Arc::clone(&renewed);
        Ok(Some(renewed))
    }

    /// Makes the call; once more with another token where the one of now is not taken any more.
    async fn send(&self, call: &Call) -> Result<Reply, UpstreamError> {
        let client = self.client();
        let refused = match client.send(call).await {
            Ok(reply) => return Ok(reply),
            Err(refused) => refused,
        };
        match self.instead_of(&client).await? {
            Some(client) => client.send(call).await,
            None => Err(refused),
        }
    }

    /// The same, with the answer read as JSON. `None` where the answer has no body by its status.
    async fn json<T: DeserializeOwned>(&self, call: &Call) -> Result<Option<T>, UpstreamError> {
        let client = self.client();
        let refused = match client.json(call).await {
            Ok(answer) => return Ok(answer),
            Err(refused) => refused,
        };
        match self.instead_of(&client).await? {
            Some(client) => client.json(call).await,
            None => Err(refused),
        }
    }

    /// The contacts of a lead whose page did not say.
    async fn linked_contacts(&self, lead: i64) -> Result<Vec<i64>, UpstreamError> {
        let call = Call::get(["api", "v4", "leads", &lead.to_string(), "links"]);
        let page: Option<Page<EntityLinks>> = self.json(&call).await?;
        Ok(page.map(|page| page.embedded.contact_ids()).unwrap_or_default())
    }

    /// The leads as deals with their contacts and users, in the same order. `unknown` is the time of a change that nobody tells.
    async fn with_people(
        &self,
        leads: Vec<LeadDto>,
        unknown: DateTime<Utc>,
        common: &mut Common,
    ) -> Result<Vec<Deal>, UpstreamError> {
        if leads.is_empty() {
            return Ok(Vec::new());
        }
        let mut people = BTreeMap::new();
        for lead in &leads {
            let contacts = match lead.contact_ids() {
                Some(contacts) => contacts,
                None => self.linked_contacts(lead.id).await?,
            };
            people.insert(lead.id, contacts);
        }
        let contacts = self.contacts(&people.values().flatten().copied().collect(), common).await?;
        if common.users.is_none() {
            common.users = Some(self.users().await?);
        }
        let users = common.users.as_ref();
        let deals = leads.into_iter().map(|lead| {
            let of_deal = people.get(&lead.id).into_iter().flatten();
            let of_deal = of_deal.filter_map(|id| contacts.get(id).cloned()).collect();
            lead.into_deal(of_deal, |user| users.and_then(|users| users.get(&user)).cloned(), unknown)
        });
        Ok(deals.collect())
    }

    /// People type numbers of their own country without its code. Where the company does not say which that is, the account's
    /// country is asked for.
    async fn contacts(
        &self,
        ids: &BTreeSet<i64>,
        common: &mut Common,
    ) -> Result<BTreeMap<i64, Contact>, UpstreamError> {
        if ids.is_empty() {
            return Ok(BTreeMap::new());
        }
        if self.region.is_none() && common.account.is_none() {
            common.account = Some(self.account().await?);
        }
        let country = self.region.or_else(|| common.account.as_ref().and_then(AccountDto::country));
        let ids: Vec<i64> = ids.iter().copied().collect();
        let mut contacts = BTreeMap::new();
        for chunk in ids.chunks(CONTACTS_PER_CALL) {
            let call = Call::get(["api", "v4", "contacts"]).query("limit", PAGE.to_string());
            let call = chunk.iter().fold(call, |call, id| call.query("filter[id][]", id.to_string()));
            if let Some(page) = self.json::<Page<Contacts>>(&call).await? {
                let people = page.embedded.contacts.into_iter();
                contacts.extend(people.map(|contact| (contact.id, contact.into_contact(country))));
            }
        }
        Ok(contacts)
    }

    async fn account(&self) -> Result<AccountDto, UpstreamError> {
        let account = self.json(&Call::get(["api", "v4", "account"])).await?;
        account.ok_or_else(|| nonsense(&DIALECT, "nothing where the account was expected"))
    }

    /// Names of users. Only an administrator's token may read them (sheet §3.4); without it deals go without names.
    async fn users(&self) -> Result<BTreeMap<i64, String>, UpstreamError> {
        let mut names = BTreeMap::new();
        for page in 1.. {
            let call = Call::get(USERS)
                .query("limit", PAGE.to_string())
                .query("page", page.to_string())
                .accept(StatusCode::FORBIDDEN);
            let reply = self.send(&call).await?;
            if reply.status == StatusCode::FORBIDDEN {
                tracing::info!("the amoCRM token is not an administrator's: deals go without agents' names");
                break;
            }
            let Some(users) = self.client().parse::<Page<Users>>(&reply)? else { break };
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
    fn deals(&self, period: Period) -> Pages<'_, Deal> {
        stream::try_unfold(Reading::of(self, period), |mut reading| async move {
            Ok(reading.page().await?.map(|page| (page, reading)))
        })
        .boxed()
    }

    async fn latest(&self, count: u8) -> Result<Vec<Deal>, UpstreamError> {
        let call = Call::get(LEADS)
            .query("with", "contacts")
            .query("order[updated_at]", "desc")
            .query("limit", count.to_string());
        let page: Option<Page<Leads>> = self.json(&call).await?;
        let leads = page.map(|page| page.embedded.leads).unwrap_or_default();
        let kept = leads.into_iter().filter(|lead| !lead.is_deleted).take(usize::from(count)).collect();
        self.with_people(kept, DateTime::UNIX_EPOCH, &mut Common::default()).await
    }

    async fn check(&self) -> Result<Option<String>, UpstreamError> {
        self.account().await?;
        self.send(&Call::get(LEADS).query("limit", "1")).await?;
        let users = self.send(&Call::get(USERS).query("limit", "1").accept(StatusCode::FORBIDDEN)).await?;
        Ok((users.status == StatusCode::FORBIDDEN).then(|| WITHOUT_NAMES.to_owned()))
    }
}

fn client_of(http: &Arc<HttpClient>, account: &Account) -> Result<AccountClient, UpstreamError> {
    let client = AccountClient::open(http, &DIALECT, account, account.settings.base_url(), SecretName::AccessToken)?;
    Ok(client.with_key_header("authorization", "Bearer ")?.with_rate(RATE, ""))
}

const LEADS: [&str; 3] = ["api", "v4", "leads"];
const USERS: [&str; 3] = ["api", "v4", "users"];

/// What is to be done where the token may read deals but not users.
const WITHOUT_NAMES: &str = "amoCRM does not let this token read users, so deals and reports go without the managers' names. \
     Connect again as an administrator of the account, or save a long-lived token of one";

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
            format!("{AGAIN}; if it lasts, choose a shorter period"),
        )),
        _ => None,
    }
}
