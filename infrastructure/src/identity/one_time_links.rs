//! Mailed links in PostgreSQL, as SHA-256 of their tokens. 256 random bits cannot be guessed, so no slow hash is needed.

use std::sync::Arc;

use application::PortError;
use application::ports::identity::PasswordHash;
use application::ports::links::{Link, LinkKind, NewLink, OneTimeLinks};
use application::ports::mail::NewMail;
use async_trait::async_trait;
use chrono::{DateTime, TimeDelta, Utc};
use domain::ids::{SessionId, TenantId};
use domain::values::Email;
use sea_orm::{ConnectionTrait, DatabaseTransaction, DbBackend, DbErr, Statement, Value};
use secrecy::{ExposeSecret, SecretString};
use uuid::Uuid;

use super::credentials::set_and_forget;
use crate::crypto::{KeyRing, hex, random_token, token_hash};
use crate::database::Database;
use crate::error::{from_orm, from_sqlx, internal};
use crate::event_store::{tenant_in_key, tenant_of_key};
use crate::mail::{Destiny, PgOutbox, Sealed, insert};

/// Links that one address may ask for within an hour, of each kind.
const MOST_AN_HOUR: i64 = 3;

/// How long it is kept that a link was there.
const KEPT: TimeDelta = TimeDelta::days(1);

/// Links in PostgreSQL.
pub struct PgOneTimeLinks {
    database: Database,
    keys: Arc<KeyRing>,
    outbox: PgOutbox,
}

/// A row that works: tenant, subject, what is sealed, and its end.
type Row = (Uuid, Uuid, Option<Vec<u8>>, DateTime<Utc>);

impl PgOneTimeLinks {
    /// The links of this database, whose mails go into this outbox.
    pub fn new(database: Database, keys: Arc<KeyRing>, outbox: PgOutbox) -> Self {
        Self { database, keys, outbox }
    }

    /// Deletes links whose time was over long ago.
    pub async fn purge(&self, now: DateTime<Utc>) -> Result<u64, PortError> {
        let purged = sqlx::query("delete from one_time_links where expires_at < $1").bind(now - KEPT);
        Ok(purged.execute(self.database.pool()).await.map_err(from_sqlx)?.rows_affected())
    }

    /// A name for the address that only the holder of the platform's key can compute.
    async fn address_name(&self, address: &Email) -> Result<String, PortError> {
        let keys = self.keys.of(TenantId::from(Uuid::nil())).await?;
        Ok(keys.name("link_address", address.as_str().as_bytes()))
    }

    /// Seals mails before a transaction begins: a key may have to be read first.
    async fn seal(&self, mails: &[NewMail]) -> Result<Vec<Sealed>, PortError> {
        let mut sealed = Vec::new();
        for mail in mails {
            sealed.push(Sealed::of(&self.keys, mail).await?);
        }
        Ok(sealed)
    }

    async fn commit(&self, transaction: DatabaseTransaction) -> Result<(), PortError> {
        transaction.commit().await.map_err(from_orm)?;
        self.outbox.has_grown();
        Ok(())
    }
}

#[async_trait]
impl OneTimeLinks for PgOneTimeLinks {
    fn token(&self) -> Result<SecretString, PortError> {
        random_token()
    }

    async fn issue(&self, link: NewLink, mails: Vec<NewMail>, now: DateTime<Utc>) -> Result<bool, PortError> {
        let NewLink { token, kind, tenant_id, subject, asked_by, payload, expires_at, supersedes } = link;
        let (hash, tenant) = (token_hash(&token), TenantId::from(tenant_in_key(tenant_id)));
        let address = match asked_by {
            Some(address) => Some(self.address_name(&address).await?),
            None => None,
        };
        let keys = self.keys.of(tenant).await?;
        let place = binding(tenant, kind, &hash);
        let sealed = payload.map(|payload| keys.seal(&place, payload.expose_secret().as_bytes())).transpose()?;
        let mails = self.seal(&mails).await?;
        let destiny = if subject.is_some() { Destiny::Waiting } else { Destiny::Decoy };
        let transaction = self.database.begin().await.map_err(from_orm)?;
        let written = async {
            if let Some(address) = &address
                && recently_issued(&transaction, kind, address, now).await? >= MOST_AN_HOUR
            {
                return Ok(false);
            }
            if let Some(subject) = subject.filter(|_| supersedes) {
                // Of two that are issued at once the second ends the first.
                lock(&transaction, &format!("link|{}|{subject}", kind.name())).await?;
                let values = [tenant.uuid().into(), kind.name().into(), subject.into(), now.into()];
                transaction.execute(statement(END_OTHERS, values)).await?;
            }
            let values: [Value; 9] = [
                hash.into(),
                tenant.uuid().into(),
                kind.name().into(),
                subject.unwrap_or_default().into(),
                address.into(),
                sealed.into(),
                now.into(),
                expires_at.into(),
                (destiny == Destiny::Decoy).then_some(now).into(),
            ];
            transaction.execute(statement(INSERT, values)).await?;
            for mail in mails {
                insert(&transaction, mail, destiny, now).await?;
            }
            Ok::<_, DbErr>(true)
        };
        let written = written.await.map_err(from_orm)?;
        self.commit(transaction).await?;
        Ok(written)
    }

    async fn find(&self, kind: LinkKind, token: &SecretString, now: DateTime<Utc>) -> Result<Option<Link>, PortError> {
        let hash = token_hash(token);
        let row: Option<Row> = sqlx::query_as(
            "select tenant_id, subject_id, sealed, expires_at from one_time_links
             where token_hash = $1 and kind = $2 and used_at is null and expires_at > $3",
        )
        .bind(&hash)
        .bind(kind.name())
        .bind(now)
        .fetch_optional(self.database.pool())
        .await
        .map_err(from_sqlx)?;
        let Some((tenant, subject, sealed, expires_at)) = row else { return Ok(None) };
        let tenant = TenantId::from(tenant);
        let payload = match sealed {
            Some(sealed) => {
                let plain = self.keys.open(tenant, &binding(tenant, kind, &hash), &sealed).await?;
                Some(SecretString::from(std::str::from_utf8(&plain).map_err(internal)?))
            }
            None => None,
        };
        let tenant_id = tenant_of_key(tenant.uuid());
        Ok(Some(Link { tenant_id, subject, payload, expires_at }))
    }

    async fn use_up(
        &self,
        kind: LinkKind,
        token: &SecretString,
        mails: Vec<NewMail>,
        now: DateTime<Utc>,
    ) -> Result<bool, PortError> {
        let mails = self.seal(&mails).await?;
        let transaction = self.database.begin().await.map_err(from_orm)?;
        let used = async {
            let used = transaction.query_one(used(kind, token, now)).await?.is_some();
            for mail in mails.into_iter().filter(|_| used) {
                insert(&transaction, mail, Destiny::Waiting, now).await?;
            }
            Ok::<_, DbErr>(used)
        };
        let used = used.await.map_err(from_orm)?;
        self.commit(transaction).await?;
        Ok(used)
    }

    async fn is_issued(
        &self,
        kind: LinkKind,
        tenant: Option<TenantId>,
        subject: Uuid,
        now: DateTime<Utc>,
    ) -> Result<bool, PortError> {
        sqlx::query_scalar(
            "select exists (
                select from one_time_links where tenant_id = $1 and kind = $2 and subject_id = $3 and expires_at > $4)",
        )
        .bind(tenant_in_key(tenant))
        .bind(kind.name())
        .bind(subject)
        .bind(now)
        .fetch_one(self.database.pool())
        .await
        .map_err(from_sqlx)
    }

    async fn revoke(
        &self,
        kind: LinkKind,
        tenant: Option<TenantId>,
        subject: Uuid,
        now: DateTime<Utc>,
    ) -> Result<(), PortError> {
        sqlx::query(
            "update one_time_links set used_at = $4
             where tenant_id = $1 and kind = $2 and subject_id = $3 and used_at is null",
        )
        .bind(tenant_in_key(tenant))
        .bind(kind.name())
        .bind(subject)
        .bind(now)
        .execute(self.database.pool())
        .await
        .map(|_| ())
        .map_err(from_sqlx)
    }

    async fn reset_password(
        &self,
        token: &SecretString,
        new: PasswordHash,
        mails: Vec<NewMail>,
        now: DateTime<Utc>,
    ) -> Result<Option<Vec<SessionId>>, PortError> {
        let mails = self.seal(&mails).await?;
        let transaction = self.database.begin().await.map_err(from_orm)?;
        let ended = async {
            let link = transaction.query_one(used(LinkKind::PasswordReset, token, now)).await?;
            let Some(link) = link else { return Ok(None) };
            let (tenant, user): (Uuid, Uuid) = (link.try_get("", "tenant_id")?, link.try_get("", "subject_id")?);
            let kind = LinkKind::PasswordReset.name();
            transaction.execute(statement(END_OTHERS, [tenant.into(), kind.into(), user.into(), now.into()])).await?;
            let forgotten = set_and_forget(&transaction, user, &new).await?;
            for mail in mails {
                insert(&transaction, mail, Destiny::Waiting, now).await?;
            }
            Ok::<_, DbErr>(Some(forgotten))
        };
        let ended = ended.await.map_err(from_orm)?;
        self.commit(transaction).await?;
        Ok(ended)
    }
}

const INSERT: &str = "
insert into one_time_links
    (token_hash, tenant_id, kind, subject_id, address, sealed, issued_at, expires_at, used_at)
values ($1, $2, $3, $4, $5, $6, $7, $8, $9)";

const END_OTHERS: &str = "
update one_time_links set used_at = $4
where tenant_id = $1 and kind = $2 and subject_id = $3 and used_at is null";

/// How many links the address has asked for within the hour. Whoever asks for the same address waits for the end of the
/// transaction, so that those who ask at once are counted too.
async fn recently_issued(
    transaction: &DatabaseTransaction,
    kind: LinkKind,
    address: &str,
    now: DateTime<Utc>,
) -> Result<i64, DbErr> {
    lock(transaction, address).await?;
    let sql = "select count(*) as issued from one_time_links where kind = $1 and address = $2 and issued_at > $3";
    let values: [Value; 3] = [kind.name().into(), address.into(), (now - TimeDelta::hours(1)).into()];
    let counted = transaction.query_one(statement(sql, values)).await?;
    counted.map_or(Ok(0), |row| row.try_get("", "issued"))
}

/// Waits for whoever holds the name, and holds it until the transaction ends.
async fn lock(transaction: &DatabaseTransaction, name: &str) -> Result<(), DbErr> {
    let lock = statement("select pg_advisory_xact_lock(hashtextextended($1, 0))", [name.into()]);
    transaction.execute(lock).await.map(|_| ())
}

/// Uses a link up that works; no row where it does not. Of two at once the second waits for the first, and finds it used.
fn used(kind: LinkKind, token: &SecretString, now: DateTime<Utc>) -> Statement {
    let sql = "update one_time_links set used_at = $3
               where token_hash = $1 and kind = $2 and used_at is null and expires_at > $3
               returning tenant_id, subject_id";
    statement(sql, [token_hash(token).into(), kind.name().into(), now.into()])
}

fn statement<const N: usize>(sql: &str, values: [Value; N]) -> Statement {
    Statement::from_sql_and_values(DbBackend::Postgres, sql, values)
}

fn binding(tenant: TenantId, kind: LinkKind, hash: &[u8]) -> String {
    format!("link|{tenant}|{}|{}", kind.name(), hex(hash))
}
