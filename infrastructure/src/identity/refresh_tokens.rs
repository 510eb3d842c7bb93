//! Refresh tokens in PostgreSQL, as SHA-256. 256 random bits cannot be guessed, so no slow hash is needed.

use application::PortError;
use application::ports::identity::CsrfHash;
use application::ports::sessions::{FirstToken, RefreshToken, RefreshTokens, Rotation, SessionKey};
use async_trait::async_trait;
use chrono::{DateTime, TimeDelta, Utc};
use domain::ids::{SessionId, UserId};
use secrecy::{ExposeSecret, SecretString};
use uuid::Uuid;

use crate::crypto::{hex, random_token, token_hash};
use crate::database::Database;
use crate::error::from_sqlx;
use crate::event_store::{tenant_in_key, tenant_of_key};

/// How long after its use a token may come again, by a request that was sent at the same time.
const GRACE: TimeDelta = TimeDelta::seconds(10);

/// Begins a family. The row of the password's hash is locked, so that a change of the password either sees the family and
/// forgets it, or is seen here.
const BEGIN: &str = "
with held as (
    select from credentials where user_id = $3 and password_hash = $9 for share
)
insert into refresh_tokens 
    (token_hash, tenant_id, user_id, session_id, csrf_hash, issued_at, expires_at, ends_at, second_factor)
select $1, $2, $3, $4, $5, $6, $7, $8, $10 from held";

/// Judges a token, marks it used and stores its successor. Its row is locked first, so that of two who come with it at the
/// same time the second one sees what the first one did.
const ROTATE: &str = "
with presented as (
    select * from refresh_tokens where token_hash = $1 for update
), judged as (
    select p.*, case
        when p.csrf_hash is not null and p.csrf_hash is distinct from $2 then 'forged'
        when p.used_at is not null and (p.used_at <= $3 - $4 or exists (
            select from refresh_tokens s where s.predecessor = $1 and s.used_at is not null)) then 'reused'
        when (p.used_at is null and p.expires_at <= $3) or p.ends_at <= $3 then 'expired'
        else 'good' end as verdict
    from presented p
), used as (
    update refresh_tokens t set used_at = $3 from judged j
    where t.token_hash = $1 and t.used_at is null and j.verdict = 'good'
), next as (
    insert into refresh_tokens
        (token_hash, tenant_id, user_id, session_id, predecessor, csrf_hash, issued_at, expires_at, ends_at, second_factor)
    select $5, tenant_id, user_id, session_id, $1, csrf_hash, $3, least(ends_at, $3 + $6), ends_at, second_factor
    from judged where verdict = 'good'
)
select verdict, tenant_id, user_id, session_id, csrf_hash, least(ends_at, $3 + $6) as expires_at, second_factor from judged";

/// Refresh tokens in PostgreSQL.
pub struct PgRefreshTokens {
    database: Database,
}

/// Verdict, tenant, user, session, CSRF hash, the end of the successor, and whether a code was shown.
type Judged = (String, Uuid, Uuid, Uuid, Option<String>, DateTime<Utc>, bool);

impl PgRefreshTokens {
    /// The tokens of this database.
    pub fn new(database: Database) -> Self {
        Self { database }
    }

    /// Deletes tokens whose time is over, what is known of the activity of their sessions, and failed attempts of long ago.
    pub async fn purge(&self, now: DateTime<Utc>) -> Result<u64, PortError> {
        let purged = sqlx::query(
            "with expired as (
                delete from refresh_tokens where expires_at < $1 - interval '1 day' returning session_id
             ), forgotten as (
                delete from session_activity a where a.session_id in (select session_id from expired)
                   and not exists (select from refresh_tokens t where t.session_id = a.session_id and t.expires_at >= $1)
             ), forgiven as (
                delete from sign_in_failures where last_failed_at < $1 - interval '1 day'
             )
             select from expired",
        )
        .bind(now)
        .execute(self.database.pool())
        .await
        .map_err(from_sqlx)?;
        Ok(purged.rows_affected())
    }
}

#[async_trait]
impl RefreshTokens for PgRefreshTokens {
    fn csrf_token(&self) -> Result<(SecretString, CsrfHash), PortError> {
        let token = random_token()?;
        let hash = csrf_hash(&token);
        Ok((token, hash))
    }

    async fn begin(&self, first: FirstToken) -> Result<Option<RefreshToken>, PortError> {
        let FirstToken { session, verified, second_factor, csrf, expires_at, ends_at, now } = first;
        let token = random_token()?;
        let begun = sqlx::query(BEGIN)
            .bind(token_hash(&token))
            .bind(tenant_in_key(session.tenant_id))
            .bind(session.user_id.uuid())
            .bind(session.session_id.uuid())
            .bind(csrf.map(|CsrfHash(hash)| hash))
            .bind(now)
            .bind(expires_at)
            .bind(ends_at)
            .bind(verified.0.expose_secret())
            .bind(second_factor)
            .execute(self.database.pool())
            .await
            .map_err(from_sqlx)?;
        Ok((begun.rows_affected() == 1).then_some(RefreshToken { token, expires_at }))
    }

    async fn rotate(
        &self,
        presented: &SecretString,
        csrf: Option<&SecretString>,
        now: DateTime<Utc>,
        idle: TimeDelta,
    ) -> Result<Rotation, PortError> {
        let token = random_token()?;
        let judged: Option<Judged> = sqlx::query_as(ROTATE)
            .bind(token_hash(presented))
            .bind(csrf.map(|csrf| csrf_hash(csrf).0))
            .bind(now)
            .bind(GRACE)
            .bind(token_hash(&token))
            .bind(idle)
            .fetch_optional(self.database.pool())
            .await
            .map_err(from_sqlx)?;
        let Some((verdict, tenant, user, session, csrf, expires_at, second_factor)) = judged else {
            return Ok(Rotation::Unknown);
        };
        let (session_id, user_id, tenant_id) = (session.into(), user.into(), tenant_of_key(tenant));
        let session = SessionKey { session_id, user_id, tenant_id };
        Ok(match verdict.as_str() {
            "good" => {
                let (next, csrf) = (RefreshToken { token, expires_at }, csrf.map(CsrfHash));
                Rotation::Rotated { session, next, csrf, second_factor }
            }
            "forged" => Rotation::Forged,
            "expired" => Rotation::Expired(session),
            _ => Rotation::Reused(session),
        })
    }

    async fn sessions_of(&self, user: UserId) -> Result<Vec<SessionId>, PortError> {
        let ids: Vec<Uuid> = sqlx::query_scalar("select distinct session_id from refresh_tokens where user_id = $1")
            .bind(user.uuid())
            .fetch_all(self.database.pool())
            .await
            .map_err(from_sqlx)?;
        Ok(ids.into_iter().map(SessionId::from).collect())
    }

    async fn forget(&self, session: SessionId) -> Result<(), PortError> {
        sqlx::query(
            "with forgotten as (delete from session_activity where session_id = $1)
             delete from refresh_tokens where session_id = $1",
        )
        .bind(session.uuid())
        .execute(self.database.pool())
        .await
        .map_err(from_sqlx)?;
        Ok(())
    }
}

fn csrf_hash(token: &SecretString) -> CsrfHash {
    CsrfHash(hex(&token_hash(token)))
}
