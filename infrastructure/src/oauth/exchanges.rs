//! Exchanges under way. A row is the right to make one; whoever holds it is written in it, and until when.

use std::sync::Arc;
use std::time::{Duration, Instant};

use application::PortError;
use application::error::chain;
use application::ports::clock::Ids;
use application::ports::oauth::{Exchange, ExchangeFor, KeptTokens, TokenExchanges, TokenPair};
use application::ports::vault::SecretPlace;
use async_trait::async_trait;
use chrono::{DateTime, TimeDelta, Utc};
use domain::ids::{SecretId, TenantId, UserId};
use domain::integration::{IntegrationKind, SecretName, TokenPairRef};
use sea_orm::{ConnectionTrait, DbBackend, DbErr, Statement, Value};
use sqlx::postgres::PgRow;
use sqlx::{FromRow, Row as _};
use uuid::Uuid;

use crate::crypto::{KeyRing, seal};
use crate::database::Database;
use crate::error::{from_orm, from_sqlx, internal};
use crate::system::SystemIds;

/// How long the right lasts, in seconds: longer than all calls of one exchange may take.
const LEASE: f64 = 60.0;

/// When keeping tokens is tried again.
const TRY_AGAIN: Duration = Duration::from_millis(250);

/// No token is believed to live longer.
const LONGEST: Duration = Duration::from_hours(24 * 366);

/// How long an exchange of a code is kept of which nothing came.
const KEPT: TimeDelta = TimeDelta::days(1);

/// Takes the right, or takes it over where its time is over.
const BEGIN: &str = "
insert into token_exchanges (id, tenant_id, integration, replaces, client_id, authorized_by, holder, held_until)
values ($1, $2, $3, $4, $5, $6, $7, clock_timestamp() + make_interval(secs => $8))
on conflict (tenant_id, integration, replaces) where replaces is not null
do update set holder = excluded.holder, held_until = excluded.held_until
where token_exchanges.held_until <= clock_timestamp()
returning id, holder, replaces, client_id, authorized_by, access_token, refresh_token, base_url, expires_at";

const LEFT_BEHIND: &str = "
select id, holder, replaces, client_id, authorized_by, access_token, refresh_token, base_url, expires_at
from token_exchanges
where tenant_id = $1 and integration = $2 and replaces is null and kept_at is not null
order by begun_at desc limit 1";

/// Notes the tokens with the exchange. The first pair counts, also where the right has passed to another meanwhile: the
/// service gave it, and takes the token that it was given for no more.
const KEEP: &str = "
update token_exchanges
set access_token = $2, refresh_token = $3, base_url = $4, expires_at = $5, kept_at = $6
where id = $1 and kept_at is null
returning id";

/// Of two persons who let Synkro in, the later one's tokens count.
const SUPERSEDE: &str = "
delete from token_exchanges other using token_exchanges mine
where mine.id = $1 and mine.replaces is null and other.replaces is null and other.id <> mine.id
  and other.tenant_id = mine.tenant_id and other.integration = mine.integration and other.begun_at <= mine.begun_at";

const INSERT_SECRET: &str =
    "insert into secrets (id, tenant_id, integration, field, sealed) values ($1, $2, $3, $4, $5)";

/// Exchanges in PostgreSQL.
pub struct PgTokenExchanges {
    database: Database,
    keys: Arc<KeyRing>,
}

struct Row {
    id: Uuid,
    holder: Uuid,
    replaces: Option<Uuid>,
    client_id: Option<String>,
    authorized_by: Option<Uuid>,
    access_token: Option<Uuid>,
    refresh_token: Option<Uuid>,
    base_url: Option<String>,
    expires_at: Option<DateTime<Utc>>,
}

impl PgTokenExchanges {
    /// Those of this database, whose tokens are sealed with the companies' keys.
    pub fn new(database: Database, keys: Arc<KeyRing>) -> Self {
        Self { database, keys }
    }

    /// Deletes exchanges of codes that came to nothing.
    pub async fn purge(&self, now: DateTime<Utc>) -> Result<u64, PortError> {
        let sql = "delete from token_exchanges where replaces is null and kept_at is null and begun_at < $1";
        let purged = sqlx::query(sql).bind(now - KEPT).execute(self.database.pool()).await.map_err(from_sqlx)?;
        Ok(purged.rows_affected())
    }

    async fn keep_once(
        &self,
        exchange: &Exchange,
        pair: &TokenPair,
        now: DateTime<Utc>,
    ) -> Result<Option<KeptTokens>, PortError> {
        let lives = TimeDelta::from_std(pair.lives.min(LONGEST)).map_err(internal)?;
        let tokens = TokenPairRef {
            access_token: SecretId::from(SystemIds.next()),
            refresh_token: SecretId::from(SystemIds.next()),
            expires_at: now + lives,
        };
        let keys = self.keys.of(exchange.tenant_id).await?;
        let place = |name| SecretPlace { tenant_id: exchange.tenant_id, kind: exchange.kind, name };
        let sealed = [
            (SecretName::AccessToken, tokens.access_token, &pair.access_token),
            (SecretName::RefreshToken, tokens.refresh_token, &pair.refresh_token),
        ];
        let mut inserts = Vec::new();
        for (name, id, secret) in sealed {
            let sealed = seal(&keys, place(name), id, secret)?;
            let (tenant, kind) = (exchange.tenant_id.uuid(), exchange.kind.name());
            let values: [Value; 5] = [id.uuid().into(), tenant.into(), kind.into(), name.name().into(), sealed.into()];
            inserts.push(statement(INSERT_SECRET, values));
        }
        let noted: [Value; 6] = [
            exchange.id.into(),
            tokens.access_token.uuid().into(),
            tokens.refresh_token.uuid().into(),
            pair.base_url.as_str().into(),
            tokens.expires_at.into(),
            now.into(),
        ];
        let transaction = self.database.begin().await.map_err(from_orm)?;
        let kept = async {
            if transaction.query_one(statement(KEEP, noted)).await?.is_none() {
                return Ok(false);
            }
            for insert in inserts {
                transaction.execute(insert).await?;
            }
            transaction.execute(statement(SUPERSEDE, [exchange.id.into()])).await?;
            Ok::<_, DbErr>(true)
        };
        let kept = kept.await.map_err(from_orm)?;
        transaction.commit().await.map_err(from_orm)?;
        Ok(kept.then(|| KeptTokens { tokens, base_url: pair.base_url.clone() }))
    }
}

#[async_trait]
impl TokenExchanges for PgTokenExchanges {
    async fn begin(
        &self,
        tenant: TenantId,
        kind: IntegrationKind,
        what: ExchangeFor,
    ) -> Result<Option<Exchange>, PortError> {
        let (replaces, client_id, authorized_by) = match what {
            ExchangeFor::Code { client_id, authorized_by } => (None, Some(client_id), Some(authorized_by.uuid())),
            ExchangeFor::Refresh { replaces } => (Some(replaces.uuid()), None, None),
        };
        let row: Option<Row> = sqlx::query_as(BEGIN)
            .bind(SystemIds.next())
            .bind(tenant.uuid())
            .bind(kind.name())
            .bind(replaces)
            .bind(client_id)
            .bind(authorized_by)
            .bind(SystemIds.next())
            .bind(LEASE)
            .fetch_optional(self.database.pool())
            .await
            .map_err(from_sqlx)?;
        row.map(|row| row.into_exchange(tenant, kind)).transpose()
    }

    /// Tried for as long as the right lasts: the service gives the pair no second time, and the company's key may be
    /// exchanged meanwhile, so it is sealed anew each time.
    async fn keep(
        &self,
        exchange: &Exchange,
        pair: &TokenPair,
        now: DateTime<Utc>,
    ) -> Result<Option<KeptTokens>, PortError> {
        let deadline = Instant::now() + Duration::from_secs_f64(LEASE);
        loop {
            match self.keep_once(exchange, pair, now).await {
                Err(error) if Instant::now() < deadline => {
                    tracing::warn!(error = chain(&error), "tokens could not be kept yet; trying again");
                    tokio::time::sleep(TRY_AGAIN).await;
                }
                kept => return kept,
            }
        }
    }

    async fn left_behind(&self, tenant: TenantId, kind: IntegrationKind) -> Result<Option<Exchange>, PortError> {
        let row: Option<Row> = sqlx::query_as(LEFT_BEHIND)
            .bind(tenant.uuid())
            .bind(kind.name())
            .fetch_optional(self.database.pool())
            .await
            .map_err(from_sqlx)?;
        row.map(|row| row.into_exchange(tenant, kind)).transpose()
    }

    async fn release(&self, exchange: &Exchange) -> Result<(), PortError> {
        let sql = "update token_exchanges set held_until = clock_timestamp() where id = $1 and holder = $2";
        let released = sqlx::query(sql).bind(exchange.id).bind(exchange.holder);
        released.execute(self.database.pool()).await.map_err(from_sqlx).map(|_| ())
    }

    async fn end(&self, exchange: &Exchange) -> Result<(), PortError> {
        // Whoever got no tokens leaves alone what another has kept meanwhile.
        let sql = "delete from token_exchanges where id = $1 and ($3 or holder = $2 and kept_at is null)";
        let ended = sqlx::query(sql).bind(exchange.id).bind(exchange.holder).bind(exchange.kept.is_some());
        ended.execute(self.database.pool()).await.map_err(from_sqlx).map(|_| ())
    }
}

impl FromRow<'_, PgRow> for Row {
    fn from_row(row: &PgRow) -> Result<Self, sqlx::Error> {
        Ok(Self {
            id: row.try_get("id")?,
            holder: row.try_get("holder")?,
            replaces: row.try_get("replaces")?,
            client_id: row.try_get("client_id")?,
            authorized_by: row.try_get("authorized_by")?,
            access_token: row.try_get("access_token")?,
            refresh_token: row.try_get("refresh_token")?,
            base_url: row.try_get("base_url")?,
            expires_at: row.try_get("expires_at")?,
        })
    }
}

impl Row {
    fn into_exchange(self, tenant_id: TenantId, kind: IntegrationKind) -> Result<Exchange, PortError> {
        let torn = || PortError::internal(format!("the token exchange {} lacks what it is for", self.id));
        let what = match (self.replaces, self.client_id, self.authorized_by) {
            (Some(replaces), ..) => ExchangeFor::Refresh { replaces: SecretId::from(replaces) },
            (None, Some(client_id), Some(user)) => ExchangeFor::Code { client_id, authorized_by: UserId::from(user) },
            (None, ..) => return Err(torn()),
        };
        let kept = match (self.access_token, self.refresh_token, self.base_url, self.expires_at) {
            (Some(access), Some(refresh), Some(base_url), Some(expires_at)) => Some(KeptTokens {
                tokens: TokenPairRef {
                    access_token: SecretId::from(access),
                    refresh_token: SecretId::from(refresh),
                    expires_at,
                },
                base_url: base_url.parse().map_err(internal)?,
            }),
            _ => None,
        };
        Ok(Exchange { id: self.id, holder: self.holder, tenant_id, kind, what, kept })
    }
}

fn statement<const N: usize>(sql: &str, values: [Value; N]) -> Statement {
    Statement::from_sql_and_values(DbBackend::Postgres, sql, values)
}
