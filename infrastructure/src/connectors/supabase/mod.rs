//! The tenant's own storage: a Supabase project, through PostgREST. Written against the Supabase sheet.

mod key;
mod present;
mod provider;
mod refusal;
mod rows;
mod schema;

use std::collections::BTreeMap;
use std::sync::Arc;

use application::ports::services::{
    Account, Chat, ChatMessage, Contact, Deal, StoredReport, StoredRows, StoredTable, TablesVersion, TenantStorage,
    UpstreamError,
};
use async_trait::async_trait;
use chrono::{DateTime, Utc};
use domain::ids::ReportId;
use domain::integration::{IntegrationKind, SecretName};
use domain::values::BaseUrl;
use reqwest::StatusCode;
use secrecy::ExposeSecret;
use serde_json::Value;

use super::http::{AccountClient, Call, Dialect, HttpClient, nonsense};
use key::{KeyFamily, Purpose};
pub(super) use provider::PROVIDER;
use rows::{Batch, last_of_each};
pub use schema::{ColumnDefinition, ColumnType, SCHEMA_VERSION, TABLES, Table, VERSIONS, schema_sql, upgrade_sql};

static DIALECT: Dialect = Dialect {
    service: IntegrationKind::Supabase,
    title: "Supabase",
    name: "Supabase",
    credential: "the service key",
    renew: "Copy the service_role or secret key from the project's API settings and save it in Settings → Supabase",
    refine: refusal::refine,
};

/// The same project with the key that browsers may have.
static PUBLIC: Dialect = Dialect {
    service: IntegrationKind::Supabase,
    title: "Supabase",
    name: "Supabase",
    credential: "the public key",
    renew: "Copy the anon or publishable key from the project's API settings and save it in Settings → Supabase",
    refine: refusal::refine,
};

/// Rows and bytes of one insert (sheet §2).
const BATCH_ROWS: usize = 500;
const BATCH_BYTES: usize = 1_000_000;

/// A tenant's Supabase project.
pub(super) struct Supabase {
    client: AccountClient,
    /// With the key for browsers, which is only checked: a bad one stops no work.
    public: Option<Result<AccountClient, UpstreamError>>,
}

impl Supabase {
    /// Looks at the service key before anything is sent: one of another project, or without the rights, is refused here.
    pub(super) fn open(
        http: &Arc<HttpClient>,
        account: &Account,
        base_url: &BaseUrl,
        now: DateTime<Utc>,
    ) -> Result<Self, UpstreamError> {
        let open = |dialect, name, purpose| {
            let client = AccountClient::open(http, dialect, account, base_url, name)?;
            let family = key::family(client.secret().expose_secret(), purpose, client.host(), now)
                .map_err(|problem| dialect.bad_credential(&format!("{}: {problem}", dialect.credential)))?;
            let client = client.with_key_header("apikey", "")?;
            match family {
                KeyFamily::Legacy => client.with_key_header("authorization", "Bearer "),
                KeyFamily::Opaque => Ok(client),
            }
        };
        let client = open(&DIALECT, SecretName::ServiceKey, Purpose::Service)?;
        let has_public = account.secrets.contains_key(&SecretName::PublicKey);
        let public = has_public.then(|| open(&PUBLIC, SecretName::PublicKey, Purpose::Public));
        Ok(Self { client, public })
    }

    /// The newest version of the tables that the project says it has; none where it has no versions.
    async fn version(&self) -> Result<Option<u32>, UpstreamError> {
        let call = Call::get(["rest", "v1", VERSIONS.name])
            .query("select", "version")
            .query("order", "version.desc")
            .query("limit", "1")
            .accept(StatusCode::NOT_FOUND);
        let reply = self.client.send(&call).await?;
        if reply.status == StatusCode::NOT_FOUND {
            return Ok(None);
        }
        let rows: Option<Vec<rows::VersionRow>> = self.client.parse(&reply)?;
        Ok(rows.unwrap_or_default().first().map(|row| row.version))
    }

    /// Writes rows by their key. Rows are made batch by batch, so a large set does not exist twice in memory.
    async fn upsert(&self, table: &Table, rows: impl Iterator<Item = Value> + Send) -> Result<(), UpstreamError> {
        let mut batch = Batch::new(BATCH_ROWS, BATCH_BYTES);
        for row in rows {
            if let Some(full) = batch.push(row) {
                self.insert(table, full).await?;
            }
        }
        match batch.take() {
            Some(rest) => self.insert(table, rest).await,
            None => Ok(()),
        }
    }

    async fn insert(&self, table: &Table, rows: String) -> Result<(), UpstreamError> {
        let call = Call::post_json(["rest", "v1", table.name], rows)
            .query("on_conflict", table.key.join(","))
            .header("prefer", "missing=default,resolution=merge-duplicates,return=minimal");
        self.client.send(&call).await.map(drop)
    }

    /// Asks for no rows of all columns: it fails where the table or one of them is missing (sheet §6).
    async fn check_table(&self, table: &Table) -> Result<(), UpstreamError> {
        let columns: Vec<_> = table.columns.iter().map(|column| column.name).collect();
        let call = Call::get(["rest", "v1", table.name]).query("select", columns.join(",")).query("limit", "0");
        self.client.send(&call).await.map(drop)
    }
}

#[async_trait]
impl TenantStorage for Supabase {
    async fn save_deals(&self, deals: &[Deal]) -> Result<(), UpstreamError> {
        let contacts: BTreeMap<i64, &Contact> =
            deals.iter().flat_map(|deal| &deal.contacts).map(|contact| (contact.id, contact)).collect();
        self.upsert(&schema::CONTACTS, contacts.into_values().map(rows::contact)).await?;
        self.upsert(&schema::DEALS, last_of_each(deals, |deal| deal.id).map(rows::deal)).await
    }

    async fn save_chats(&self, chats: &[Chat]) -> Result<(), UpstreamError> {
        self.upsert(&schema::CHATS, last_of_each(chats, |chat| chat.id).map(rows::chat)).await
    }

    async fn save_messages(&self, messages: &[ChatMessage]) -> Result<(), UpstreamError> {
        let distinct = last_of_each(messages, |message| (message.chat_id, message.id.as_str()));
        self.upsert(&schema::MESSAGES, distinct.map(rows::message)).await
    }

    async fn save_report(&self, report: &StoredReport) -> Result<(), UpstreamError> {
        self.upsert(&schema::REPORTS, std::iter::once(rows::report(report))).await
    }

    async fn report(&self, id: ReportId) -> Result<Option<StoredReport>, UpstreamError> {
        let call = Call::get(["rest", "v1", schema::REPORTS.name])
            .query("select", "*")
            .query("id", format!("eq.{id}"))
            .query("limit", "1");
        let found: Option<Vec<rows::ReportRow>> = self.client.json(&call).await?;
        Ok(found.unwrap_or_default().into_iter().next().map(StoredReport::from))
    }

    async fn present(&self, rows: StoredRows<'_>) -> Result<u64, UpstreamError> {
        self.count_present(rows).await
    }

    async fn check(&self) -> Result<(), UpstreamError> {
        let public = self.public.as_ref().map(Result::as_ref).transpose().map_err(UpstreamError::clone)?;
        self.client.send(&Call::get(["auth", "v1", "settings"])).await?;
        if let Some(public) = public {
            public.send(&Call::get(["auth", "v1", "settings"])).await?;
        }
        for table in TABLES {
            self.check_table(table).await?;
        }
        Ok(())
    }

    async fn schema(&self) -> Result<TablesVersion, UpstreamError> {
        let version = self.version().await?;
        Ok(TablesVersion { version, current: SCHEMA_VERSION, upgrade: upgrade_sql(version) })
    }

    async fn count(&self, table: StoredTable) -> Result<u64, UpstreamError> {
        let table = match table {
            StoredTable::Contacts => &schema::CONTACTS,
            StoredTable::Deals => &schema::DEALS,
            StoredTable::Chats => &schema::CHATS,
            StoredTable::Messages => &schema::MESSAGES,
            StoredTable::Reports => &schema::REPORTS,
        };
        let call = Call::get(["rest", "v1", table.name])
            .query("select", table.key.join(","))
            .query("limit", "1")
            .header("prefer", "count=exact");
        let reply = self.client.send(&call).await?;
        let range = reply.header("content-range").unwrap_or_default();
        let total = range.rsplit_once('/').and_then(|(_, total)| total.parse().ok());
        total.ok_or_else(|| nonsense(&DIALECT, "no number of rows where one was asked for"))
    }
}
