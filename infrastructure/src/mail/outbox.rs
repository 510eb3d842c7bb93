//! The outbox in PostgreSQL. Recipient and text are sealed together, and bound to their row.

use std::sync::Arc;
use std::time::Duration;

use application::PortError;
use application::error::chain;
use application::ports::mail::{DueMail, Letter, MailStanding, NewMail, Outbox};
use application::ports::queue::Hints;
use async_trait::async_trait;
use chrono::{DateTime, TimeDelta, Utc};
use domain::ids::TenantId;
use domain::values::{Email, Personal};
use sea_orm::{ConnectionTrait, DbBackend, DbErr, Statement};
use secrecy::{ExposeSecret, SecretString};
use serde::{Deserialize, Serialize};
use uuid::Uuid;
use zeroize::Zeroizing;

use crate::crypto::KeyRing;
use crate::database::Database;
use crate::error::{from_orm, from_sqlx, internal};
use crate::event_store::tenant_in_key;
use crate::signals::{Signal, Waiter};

/// How long it is kept that a mail was sent or given up.
const KEPT: TimeDelta = TimeDelta::days(30);

/// Whoever waits for mail has an interval of its own.
const HINT_PATIENCE: Duration = Duration::from_mins(1);

/// What is sealed of a mail.
#[derive(Serialize, Deserialize)]
struct Content<'a> {
    to: &'a str,
    subject: &'a str,
    text: &'a str,
}

/// The same, opened.
#[derive(Deserialize)]
struct Opened {
    to: Email,
    subject: String,
    text: SecretText,
}

#[derive(Deserialize)]
#[serde(from = "String")]
struct SecretText(SecretString);

impl From<String> for SecretText {
    fn from(text: String) -> Self {
        Self(text.into())
    }
}

/// A mail as the table holds it.
pub(crate) struct Sealed {
    id: Uuid,
    tenant: Uuid,
    kind: &'static str,
    content: Vec<u8>,
    send_by: DateTime<Utc>,
}

/// Whether a mail will be sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Destiny {
    /// It waits to be sent.
    Waiting,
    /// It is written to take the time that a real one takes.
    Decoy,
}

impl Sealed {
    /// Seals a mail under its company's key.
    pub(crate) async fn of(keys: &KeyRing, mail: &NewMail) -> Result<Self, PortError> {
        let tenant = TenantId::from(tenant_in_key(mail.tenant_id));
        let NewMail { id, kind, to, letter, send_by, .. } = mail;
        let content = Content { to: to.reveal().as_str(), subject: &letter.subject, text: letter.text.expose_secret() };
        let plain = Zeroizing::new(serde_json::to_vec(&content).map_err(internal)?);
        let content = keys.of(tenant).await?.seal(&binding(tenant, *id), &plain)?;
        Ok(Self { id: *id, tenant: tenant.uuid(), kind, content, send_by: *send_by })
    }
}

/// Writes a mail, in a transaction with what it is about.
pub(crate) async fn insert(
    connection: &impl ConnectionTrait,
    mail: Sealed,
    destiny: Destiny,
    now: DateTime<Utc>,
) -> Result<(), DbErr> {
    let (state, sealed, ended) = match destiny {
        Destiny::Waiting => ("waiting", Some(mail.content), None),
        Destiny::Decoy => ("decoy", None, Some(now)),
    };
    let sql = "insert into mails (id, tenant_id, kind, state, sealed, next_try_at, send_by, queued_at, ended_at)
               values ($1, $2, $3, $4, $5, $6, $7, $6, $8)";
    let values: [sea_orm::Value; 8] = [
        mail.id.into(),
        mail.tenant.into(),
        mail.kind.into(),
        state.into(),
        sealed.into(),
        now.into(),
        mail.send_by.into(),
        ended.into(),
    ];
    connection.execute(Statement::from_sql_and_values(DbBackend::Postgres, sql, values)).await.map(|_| ())
}

/// The outbox of this database.
#[derive(Clone)]
pub struct PgOutbox {
    database: Database,
    keys: Arc<KeyRing>,
    grown: Signal,
}

/// A row that was claimed.
type Claimed = (Uuid, Uuid, String, Vec<u8>, i32, DateTime<Utc>);

impl PgOutbox {
    /// An outbox in this database, sealed with the tenants' keys.
    pub fn new(database: Database, keys: Arc<KeyRing>) -> Self {
        Self { database, keys, grown: Signal::default() }
    }

    /// There is more in it.
    pub(crate) fn has_grown(&self) {
        self.grown.notify();
    }

    /// Deletes what is left of mails that were sent or given up long ago.
    pub async fn purge(&self, now: DateTime<Utc>) -> Result<u64, PortError> {
        let purged = sqlx::query("delete from mails where ended_at < $1").bind(now - KEPT);
        Ok(purged.execute(self.database.pool()).await.map_err(from_sqlx)?.rows_affected())
    }

    async fn open(&self, row: Claimed) -> Result<DueMail, PortError> {
        let (id, tenant, kind, sealed, tries, send_by) = row;
        let tenant = TenantId::from(tenant);
        let plain = self.keys.open(tenant, &binding(tenant, id), &sealed).await?;
        let Opened { to, subject, text } = serde_json::from_slice(&plain).map_err(|_| {
            // The cause may repeat the content.
            PortError::internal("a sealed mail is not in the form that was sealed")
        })?;
        let (to, letter) = (Personal::new(to), Letter { subject, text: text.0 });
        Ok(DueMail { id, kind, tries: tries.unsigned_abs(), to, letter, send_by })
    }

    async fn end(&self, id: Uuid, state: &str, now: DateTime<Utc>) -> Result<(), PortError> {
        let sql = "update mails set state = $2, sealed = null, ended_at = $3 where id = $1 and state = 'waiting'";
        let ended = sqlx::query(sql).bind(id).bind(state).bind(now).execute(self.database.pool()).await;
        ended.map(|_| ()).map_err(from_sqlx)
    }
}

#[async_trait]
impl Outbox for PgOutbox {
    async fn put(&self, mail: NewMail, now: DateTime<Utc>) -> Result<(), PortError> {
        let sealed = Sealed::of(&self.keys, &mail).await?;
        insert(&self.database.orm(), sealed, Destiny::Waiting, now).await.map_err(from_orm)?;
        self.has_grown();
        Ok(())
    }

    async fn claim(&self, now: DateTime<Utc>, until: DateTime<Utc>, most: usize) -> Result<Vec<DueMail>, PortError> {
        let rows: Vec<Claimed> = sqlx::query_as(
            "update mails set tries = tries + 1, next_try_at = $2
             where id in (
                select id from mails where state = 'waiting' and next_try_at <= $1
                order by next_try_at limit $3 for update skip locked
             )
             returning id, tenant_id, kind, sealed, tries, send_by",
        )
        .bind(now)
        .bind(until)
        .bind(i64::try_from(most).unwrap_or(i64::MAX))
        .fetch_all(self.database.pool())
        .await
        .map_err(from_sqlx)?;
        let mut due = Vec::new();
        for row in rows {
            let id = row.0;
            match self.open(row).await {
                Ok(mail) => due.push(mail),
                Err(error @ PortError::Internal(_)) => {
                    tracing::error!(mail = %id, error = chain(&error), "a mail cannot be opened and was given up");
                    self.end(id, "given_up", now).await?;
                }
                // Its claim ends by itself.
                Err(error) => tracing::warn!(mail = %id, error = chain(&error), "a mail could not be opened yet"),
            }
        }
        Ok(due)
    }

    async fn sent(&self, id: Uuid, now: DateTime<Utc>) -> Result<(), PortError> {
        self.end(id, "sent", now).await
    }

    async fn retry(&self, id: Uuid, at: DateTime<Utc>) -> Result<(), PortError> {
        let sql = "update mails set next_try_at = $2 where id = $1 and state = 'waiting'";
        let postponed = sqlx::query(sql).bind(id).bind(at).execute(self.database.pool()).await;
        postponed.map(|_| ()).map_err(from_sqlx)
    }

    async fn give_up(&self, id: Uuid, now: DateTime<Utc>) -> Result<(), PortError> {
        self.end(id, "given_up", now).await
    }

    async fn standing(&self, now: DateTime<Utc>) -> Result<MailStanding, PortError> {
        let (waiting, oldest, given_up): (i64, Option<DateTime<Utc>>, i64) = sqlx::query_as(
            "select (select count(*) from mails where state = 'waiting'),
                    (select min(queued_at) from mails where state = 'waiting'),
                    (select count(*) from mails where ended_at is not null and state = 'given_up')",
        )
        .fetch_one(self.database.pool())
        .await
        .map_err(from_sqlx)?;
        let age = oldest.map_or(TimeDelta::zero(), |oldest| now - oldest);
        Ok(MailStanding {
            waiting: waiting.unsigned_abs(),
            oldest_seconds: age.max(TimeDelta::zero()).as_seconds_f64(),
            given_up: given_up.unsigned_abs(),
        })
    }

    fn hints(&self) -> Box<dyn Hints> {
        Box::new(Grown(self.grown.subscribe()))
    }
}

/// Mail was put in by this process.
struct Grown(Waiter);

#[async_trait]
impl Hints for Grown {
    async fn next(&mut self) {
        self.0.wait(HINT_PATIENCE).await;
    }
}

fn binding(tenant: TenantId, id: Uuid) -> String {
    format!("mail|{tenant}|{id}")
}
