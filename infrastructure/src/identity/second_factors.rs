//! Authenticator apps and recovery codes in PostgreSQL.

use std::sync::Arc;

use application::PortError;
use application::ports::second_factors::{CodeVerdict, FactorOwner, NewApp, SecondFactors};
use async_trait::async_trait;
use aws_lc_rs::rand;
use chrono::{DateTime, Utc};
use domain::ids::{SessionId, UserId};
use sea_orm::{ConnectionTrait, DbBackend, Statement, Value};
use secrecy::{ExposeSecret, SecretString};
use zeroize::Zeroizing;

use super::totp::{base32, step_of};
use crate::crypto::{KeyRing, token_hash};
use crate::database::Database;
use crate::error::{from_orm, from_sqlx};
use crate::event_store::tenant_in_key;

/// The length of a secret: that of the hash (RFC 4226 section 4).
const SECRET: usize = 20;

/// How many recovery codes there are.
const RECOVERY_CODES: usize = 10;

/// The length of a recovery code before it is written in letters: 80 bits, which nobody guesses, so that a plain hash is
/// enough.
const RECOVERY_CODE: usize = 10;

/// An app's secret.
struct Known {
    /// When it was confirmed, or begun where it waits: that tells it from one before or after it, whatever key seals it.
    since: DateTime<Utc>,
    secret: Zeroizing<Vec<u8>>,
    /// The last step whose code was accepted.
    last_step: i64,
}

/// Second factors in PostgreSQL.
pub struct PgSecondFactors {
    database: Database,
    keys: Arc<KeyRing>,
}

impl PgSecondFactors {
    /// Those of this database, sealed with the tenants' keys; of staff, with the platform's.
    pub fn new(database: Database, keys: Arc<KeyRing>) -> Self {
        Self { database, keys }
    }

    /// Deletes what removed users signed in with: whoever removed them may have been cut off before that. It reads who was
    /// removed from the log, so it needs no memory of its own.
    pub async fn purge_removed(&self) -> Result<u64, PortError> {
        let purged = sqlx::query(
            "with known as (
                select user_id from credentials union select user_id from second_factors
                union select user_id from recovery_codes
             ), removed as (
                select user_id from known where exists (
                    select from events e where e.aggregate_type = 'user' and e.aggregate_id = known.user_id::text
                                           and e.event_type = 'UserRemoved')
             ), passwords as (
                delete from credentials c using removed r where c.user_id = r.user_id
             ), apps as (
                delete from second_factors f using removed r where f.user_id = r.user_id
             ), codes as (
                delete from recovery_codes c using removed r where c.user_id = r.user_id
             )
             select from removed",
        );
        Ok(purged.execute(self.database.pool()).await.map_err(from_sqlx)?.rows_affected())
    }

    /// The secret and the last accepted step of the confirmed app.
    async fn confirmed(&self, owner: FactorOwner) -> Result<Option<Known>, PortError> {
        self.secret(
            owner,
            "select sealed, last_step, confirmed_at from second_factors
             where user_id = $1 and tenant_id = $2 and confirmed_at is not null",
        )
        .await
    }

    /// The same of the app that waits to be confirmed, of which no code was accepted yet.
    async fn waiting(&self, owner: FactorOwner) -> Result<Option<Known>, PortError> {
        self.secret(
            owner,
            "select coalesce(next_sealed, sealed), 0::bigint, begun_at from second_factors
             where user_id = $1 and tenant_id = $2 and (confirmed_at is null or next_sealed is not null)",
        )
        .await
    }

    async fn secret(&self, owner: FactorOwner, sql: &'static str) -> Result<Option<Known>, PortError> {
        let row: Option<(Vec<u8>, i64, DateTime<Utc>)> = sqlx::query_as(sql)
            .bind(owner.user_id.uuid())
            .bind(tenant_in_key(owner.tenant_id))
            .fetch_optional(self.database.pool())
            .await
            .map_err(from_sqlx)?;
        let Some((sealed, last_step, since)) = row else { return Ok(None) };
        let secret = self.keys.open(tenant_in_key(owner.tenant_id).into(), &binding(owner), &sealed).await?;
        Ok(Some(Known { since, secret, last_step }))
    }

    /// Uses a recovery code up; how many are left, or none where it is none.
    async fn recover(
        &self,
        owner: FactorOwner,
        code: &SecretString,
        now: DateTime<Utc>,
    ) -> Result<Option<u32>, PortError> {
        let used = sqlx::query(
            "update recovery_codes set used_at = $4
             where tenant_id = $1 and user_id = $2 and code_hash = $3 and used_at is null",
        )
        .bind(tenant_in_key(owner.tenant_id))
        .bind(owner.user_id.uuid())
        .bind(token_hash(&plain(code)))
        .bind(now)
        .execute(self.database.pool())
        .await
        .map_err(from_sqlx)?;
        if used.rows_affected() == 0 {
            return Ok(None);
        }
        let left: i64 = sqlx::query_scalar(
            "select count(*) from recovery_codes where tenant_id = $1 and user_id = $2 and used_at is null",
        )
        .bind(tenant_in_key(owner.tenant_id))
        .bind(owner.user_id.uuid())
        .fetch_one(self.database.pool())
        .await
        .map_err(from_sqlx)?;
        Ok(Some(u32::try_from(left).unwrap_or_default()))
    }
}

#[async_trait]
impl SecondFactors for PgSecondFactors {
    async fn begin(
        &self,
        owner: FactorOwner,
        app: NewApp,
        now: DateTime<Utc>,
    ) -> Result<Option<SecretString>, PortError> {
        let secret = random::<SECRET>()?;
        let sealed =
            self.keys.of(tenant_in_key(owner.tenant_id).into()).await?.seal(&binding(owner), secret.as_slice())?;
        let sql = match app {
            NewApp::First => {
                "insert into second_factors (user_id, tenant_id, sealed, begun_at) values ($1, $2, $3, $4)
                 on conflict (user_id) do update set sealed = excluded.sealed, begun_at = excluded.begun_at
                    where second_factors.confirmed_at is null"
            }
            NewApp::Replacing => {
                "update second_factors set next_sealed = $3, begun_at = $4
                 where user_id = $1 and tenant_id = $2 and confirmed_at is not null"
            }
        };
        let begun = sqlx::query(sql)
            .bind(owner.user_id.uuid())
            .bind(tenant_in_key(owner.tenant_id))
            .bind(sealed)
            .bind(now)
            .execute(self.database.pool())
            .await
            .map_err(from_sqlx)?;
        Ok((begun.rows_affected() == 1).then(|| base32(secret.as_slice()).into()))
    }

    async fn is_of_waiting_app(
        &self,
        owner: FactorOwner,
        code: &SecretString,
        now: DateTime<Utc>,
    ) -> Result<Option<bool>, PortError> {
        let waiting = self.waiting(owner).await?;
        let is_right = |app: Known| step_of(&app.secret, plain(code).expose_secret(), app.last_step, now).is_some();
        Ok(waiting.map(is_right))
    }

    async fn confirm(
        &self,
        owner: FactorOwner,
        session: SessionId,
        code: &SecretString,
        now: DateTime<Utc>,
    ) -> Result<Option<Vec<SecretString>>, PortError> {
        let Some(Known { since, secret, last_step }) = self.waiting(owner).await? else { return Ok(None) };
        let Some(step) = step_of(&secret, plain(code).expose_secret(), last_step, now) else { return Ok(None) };
        let (codes, hashes) = recovery_codes()?;
        let confirmed = sqlx::query(CONFIRM)
            .bind(owner.user_id.uuid())
            .bind(tenant_in_key(owner.tenant_id))
            .bind(now)
            .bind(step)
            .bind(hashes)
            .bind(session.uuid())
            .bind(since)
            .execute(self.database.pool())
            .await
            .map_err(from_sqlx)?;
        Ok((confirmed.rows_affected() > 0).then_some(codes))
    }

    async fn renew_recovery_codes(&self, owner: FactorOwner) -> Result<Vec<SecretString>, PortError> {
        let (codes, hashes) = recovery_codes()?;
        let (user, tenant) = (owner.user_id.uuid(), tenant_in_key(owner.tenant_id));
        let transaction = self.database.begin().await.map_err(from_orm)?;
        let renewed = async {
            // By a statement of its own: of two who renew them at once the second sees, and deletes, what the first wrote.
            transaction.execute(statement(LOCK, [user.into(), tenant.into()])).await?;
            transaction.execute(statement(RENEW, [user.into(), tenant.into(), hashes.into()])).await
        };
        renewed.await.map_err(from_orm)?;
        transaction.commit().await.map_err(from_orm)?;
        Ok(codes)
    }

    async fn is_enrolled(&self, user: UserId) -> Result<bool, PortError> {
        let sql = "select exists (select from second_factors where user_id = $1 and confirmed_at is not null)";
        sqlx::query_scalar(sql).bind(user.uuid()).fetch_one(self.database.pool()).await.map_err(from_sqlx)
    }

    async fn judge(
        &self,
        owner: FactorOwner,
        code: &SecretString,
        now: DateTime<Utc>,
    ) -> Result<CodeVerdict, PortError> {
        let Some(Known { since, secret, last_step }) = self.confirmed(owner).await? else {
            return Ok(CodeVerdict::Refused);
        };
        let Some(step) = step_of(&secret, plain(code).expose_secret(), last_step, now) else {
            let recovered = self.recover(owner, code, now).await?;
            return Ok(recovered.map_or(CodeVerdict::Refused, |left| CodeVerdict::Recovery { left }));
        };
        // Of two who come with one code at once the second finds the step there already; or another app.
        let accepted = sqlx::query(
            "update second_factors set last_step = $3
             where user_id = $1 and tenant_id = $2 and last_step < $3 and confirmed_at = $4",
        )
        .bind(owner.user_id.uuid())
        .bind(tenant_in_key(owner.tenant_id))
        .bind(step)
        .bind(since)
        .execute(self.database.pool())
        .await
        .map_err(from_sqlx)?;
        Ok(if accepted.rows_affected() == 1 { CodeVerdict::App } else { CodeVerdict::Refused })
    }

    async fn forget(&self, owner: FactorOwner) -> Result<(), PortError> {
        sqlx::query(
            "with codes as (delete from recovery_codes where user_id = $1 and tenant_id = $2)
             delete from second_factors where user_id = $1 and tenant_id = $2",
        )
        .bind(owner.user_id.uuid())
        .bind(tenant_in_key(owner.tenant_id))
        .execute(self.database.pool())
        .await
        .map(|_| ())
        .map_err(from_sqlx)
    }
}

/// Confirms the app that waits, if it is still the one whose code was shown, in place of one that is in use; what was shown of
/// that one, its recovery codes with it, counts no more.
const CONFIRM: &str = "
with confirmed as (
    update second_factors
    set sealed = coalesce(next_sealed, sealed), next_sealed = null, confirmed_at = $3, last_step = $4
    where user_id = $1 and tenant_id = $2 and (confirmed_at is null or next_sealed is not null)
      and begun_at = $7
    returning user_id, tenant_id
), shown as (
    update refresh_tokens t set second_factor = (t.session_id = $6)
    from confirmed c where t.user_id = c.user_id and t.tenant_id = c.tenant_id
), former as (
    delete from recovery_codes r using confirmed c where r.user_id = c.user_id and r.tenant_id = c.tenant_id
)
insert into recovery_codes (user_id, tenant_id, code_hash)
select user_id, tenant_id, code_hash from confirmed, unnest($5::bytea[]) as new (code_hash)";

const LOCK: &str = "select from second_factors where user_id = $1 and tenant_id = $2 for update";

const RENEW: &str = "
with former as (delete from recovery_codes where user_id = $1 and tenant_id = $2)
insert into recovery_codes (user_id, tenant_id, code_hash)
select $1, $2, code_hash from unnest($3::bytea[]) as new (code_hash)";

fn statement<const N: usize>(sql: &str, values: [Value; N]) -> Statement {
    Statement::from_sql_and_values(DbBackend::Postgres, sql, values)
}

/// New recovery codes, and their hashes.
fn recovery_codes() -> Result<(Vec<SecretString>, Vec<Vec<u8>>), PortError> {
    let mut codes = Vec::new();
    for _ in 0..RECOVERY_CODES {
        codes.push(SecretString::from(readable(&base32(random::<RECOVERY_CODE>()?.as_slice()))));
    }
    let hashes = codes.iter().map(|code| token_hash(&plain(code))).collect();
    Ok((codes, hashes))
}

fn random<const N: usize>() -> Result<Zeroizing<[u8; N]>, PortError> {
    let mut bytes = Zeroizing::new([0_u8; N]);
    rand::fill(bytes.as_mut_slice()).map_err(|_| PortError::internal("no randomness"))?;
    Ok(bytes)
}

/// A code as it is compared: people write it with spaces, hyphens and small letters.
fn plain(code: &SecretString) -> SecretString {
    let kept = code.expose_secret().chars().filter(char::is_ascii_alphanumeric);
    kept.map(|c| c.to_ascii_uppercase()).collect::<String>().into()
}

/// Groups of four letters.
fn readable(letters: &str) -> String {
    let groups = letters.as_bytes().chunks(4).map(String::from_utf8_lossy);
    groups.collect::<Vec<_>>().join("-")
}

fn binding(owner: FactorOwner) -> String {
    format!("totp|{}|{}", tenant_in_key(owner.tenant_id), owner.user_id)
}
