//! Authenticator apps and recovery codes in PostgreSQL.

use std::sync::Arc;

use application::PortError;
use application::ports::second_factors::{CodeVerdict, FactorOwner, SecondFactors};
use async_trait::async_trait;
use aws_lc_rs::rand;
use chrono::{DateTime, Utc};
use domain::ids::{SessionId, UserId};
use secrecy::{ExposeSecret, SecretString};
use zeroize::Zeroizing;

use super::totp::{base32, step_of};
use crate::crypto::{KeyRing, token_hash};
use crate::database::Database;
use crate::error::from_sqlx;
use crate::event_store::tenant_in_key;

/// The length of a secret: that of the hash (RFC 4226 section 4).
const SECRET: usize = 20;

/// How many recovery codes there are.
const RECOVERY_CODES: usize = 10;

/// The length of a recovery code before it is written in letters: 80 bits, which nobody guesses, so that a plain hash is
/// enough.
const RECOVERY_CODE: usize = 10;

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

    /// The secret and the last accepted step, of one that is confirmed or not.
    async fn secret(
        &self,
        owner: FactorOwner,
        confirmed: bool,
    ) -> Result<Option<(Zeroizing<Vec<u8>>, i64)>, PortError> {
        let row: Option<(Vec<u8>, i64)> = sqlx::query_as(
            "select sealed, last_step from second_factors
             where user_id = $1 and tenant_id = $2 and (confirmed_at is not null) = $3",
        )
        .bind(owner.user_id.uuid())
        .bind(tenant_in_key(owner.tenant_id))
        .bind(confirmed)
        .fetch_optional(self.database.pool())
        .await
        .map_err(from_sqlx)?;
        let Some((sealed, last)) = row else { return Ok(None) };
        let secret = self.keys.of(tenant_in_key(owner.tenant_id).into()).await?.open(&binding(owner), &sealed)?;
        Ok(Some((Zeroizing::new(secret), last)))
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
    async fn begin(&self, owner: FactorOwner, now: DateTime<Utc>) -> Result<Option<SecretString>, PortError> {
        let secret = random::<SECRET>()?;
        let sealed =
            self.keys.of(tenant_in_key(owner.tenant_id).into()).await?.seal(&binding(owner), secret.as_slice())?;
        let begun = sqlx::query(
            "insert into second_factors (user_id, tenant_id, sealed, begun_at) values ($1, $2, $3, $4)
             on conflict (user_id) do update set sealed = excluded.sealed, begun_at = excluded.begun_at
                where second_factors.confirmed_at is null",
        )
        .bind(owner.user_id.uuid())
        .bind(tenant_in_key(owner.tenant_id))
        .bind(sealed)
        .bind(now)
        .execute(self.database.pool())
        .await
        .map_err(from_sqlx)?;
        Ok((begun.rows_affected() == 1).then(|| base32(secret.as_slice()).into()))
    }

    async fn confirm(
        &self,
        owner: FactorOwner,
        session: SessionId,
        code: &SecretString,
        now: DateTime<Utc>,
    ) -> Result<Option<Vec<SecretString>>, PortError> {
        let Some((secret, last)) = self.secret(owner, false).await? else { return Ok(None) };
        let Some(step) = step_of(&secret, plain(code).expose_secret(), last, now) else { return Ok(None) };
        let mut codes = Vec::new();
        for _ in 0..RECOVERY_CODES {
            codes.push(SecretString::from(readable(&base32(random::<RECOVERY_CODE>()?.as_slice()))));
        }
        let hashes: Vec<Vec<u8>> = codes.iter().map(|code| token_hash(&plain(code))).collect();
        let confirmed = sqlx::query(
            "with confirmed as (
                update second_factors set confirmed_at = $3, last_step = $4
                where user_id = $1 and tenant_id = $2 and confirmed_at is null
                returning user_id, tenant_id
             ), shown as (
                update refresh_tokens t set second_factor = (t.session_id = $6)
                from confirmed c where t.user_id = c.user_id and t.tenant_id = c.tenant_id
             )
             insert into recovery_codes (user_id, tenant_id, code_hash)
             select user_id, tenant_id, code_hash from confirmed, unnest($5::bytea[]) as new (code_hash)",
        )
        .bind(owner.user_id.uuid())
        .bind(tenant_in_key(owner.tenant_id))
        .bind(now)
        .bind(step)
        .bind(hashes)
        .bind(session.uuid())
        .execute(self.database.pool())
        .await
        .map_err(from_sqlx)?;
        Ok((confirmed.rows_affected() > 0).then_some(codes))
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
        let Some((secret, last)) = self.secret(owner, true).await? else { return Ok(CodeVerdict::Refused) };
        let Some(step) = step_of(&secret, plain(code).expose_secret(), last, now) else {
            let recovered = self.recover(owner, code, now).await?;
            return Ok(recovered.map_or(CodeVerdict::Refused, |left| CodeVerdict::Recovery { left }));
        };
        // Of two who come with one code at once the second finds the step there already.
        let accepted = sqlx::query(
            "update second_factors set last_step = $3 where user_id = $1 and tenant_id = $2 and last_step < $3",
        )
        .bind(owner.user_id.uuid())
        .bind(tenant_in_key(owner.tenant_id))
        .bind(step)
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
