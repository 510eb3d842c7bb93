//! Authorizations that were begun, as SHA-256 of their states. 256 random bits cannot be guessed, so no slow hash is needed.

use std::sync::Arc;

use application::PortError;
use application::ports::oauth::{AuthorizationStates, Begun, IssuedState};
use async_trait::async_trait;
use chrono::{DateTime, TimeDelta, Utc};
use domain::ids::{SessionId, TenantId, UserId};
use domain::integration::IntegrationKind;
use domain::values::Slug;
use secrecy::SecretString;
use uuid::Uuid;

use crate::crypto::{KeyRing, random_token, token_hash};
use crate::database::Database;
use crate::error::from_sqlx;
use crate::event_store::LogQuery;

/// How long it is kept that an authorization was begun.
const KEPT: TimeDelta = TimeDelta::days(1);

/// Authorizations in PostgreSQL.
pub struct PgAuthorizationStates {
    database: Database,
    keys: Arc<KeyRing>,
}

impl PgAuthorizationStates {
    /// Those of this database; browsers are told by the companies' keys.
    pub fn new(database: Database, keys: Arc<KeyRing>) -> Self {
        Self { database, keys }
    }

    /// Deletes those whose time was over long ago.
    pub async fn purge(&self, now: DateTime<Utc>) -> Result<u64, PortError> {
        let purged = sqlx::query("delete from authorization_states where expires_at < $1").bind(now - KEPT);
        Ok(purged.execute(self.database.pool()).await.map_err(from_sqlx)?.rows_affected())
    }

    /// What a session's browser is told by: only the holder of the company's key can compute it.
    async fn browser(&self, tenant: TenantId, session: SessionId) -> Result<SecretString, PortError> {
        let keys = self.keys.of(tenant).await?;
        Ok(SecretString::from(keys.name("oauth_browser", session.uuid().as_bytes())))
    }
}

#[async_trait]
impl AuthorizationStates for PgAuthorizationStates {
    async fn issue(
        &self,
        begun: &Begun,
        kind: IntegrationKind,
        now: DateTime<Utc>,
        expires_at: DateTime<Utc>,
    ) -> Result<IssuedState, PortError> {
        let state = random_token()?;
        let browser = self.browser(begun.tenant_id, begun.session_id).await?;
        sqlx::query(
            "insert into authorization_states
                (state_hash, tenant_id, integration, user_id, session_id, client_id, issued_at, expires_at)
             values ($1, $2, $3, $4, $5, $6, $7, $8)",
        )
        .bind(token_hash(&state))
        .bind(begun.tenant_id.uuid())
        .bind(kind.name())
        .bind(begun.user_id.uuid())
        .bind(begun.session_id.uuid())
        .bind(&begun.client_id)
        .bind(now)
        .bind(expires_at)
        .execute(self.database.pool())
        .await
        .map_err(from_sqlx)?;
        Ok(IssuedState { state, browser })
    }

    async fn find(
        &self,
        kind: IntegrationKind,
        state: &SecretString,
        browser: &SecretString,
        now: DateTime<Utc>,
    ) -> Result<Option<Begun>, PortError> {
        let row: Option<(Uuid, Uuid, Uuid, String)> = sqlx::query_as(
            "select tenant_id, user_id, session_id, client_id from authorization_states
             where state_hash = $1 and integration = $2 and used_at is null and expires_at > $3",
        )
        .bind(token_hash(state))
        .bind(kind.name())
        .bind(now)
        .fetch_optional(self.database.pool())
        .await
        .map_err(from_sqlx)?;
        let Some((tenant, user, session, client_id)) = row else { return Ok(None) };
        let (tenant_id, session_id) = (TenantId::from(tenant), SessionId::from(session));
        let expected = self.browser(tenant_id, session_id).await?;
        // Hashes are compared, so nothing is learned from how long it takes.
        let is_its_browser = token_hash(&expected) == token_hash(browser);
        let begun = Begun { tenant_id, user_id: UserId::from(user), session_id, client_id };
        Ok(is_its_browser.then_some(begun))
    }

    async fn use_up(&self, state: &SecretString, now: DateTime<Utc>) -> Result<bool, PortError> {
        let used = sqlx::query(
            "update authorization_states set used_at = $2
             where state_hash = $1 and used_at is null and expires_at > $2",
        );
        let used = used.bind(token_hash(state)).bind(now).execute(self.database.pool()).await.map_err(from_sqlx)?;
        Ok(used.rows_affected() == 1)
    }

    async fn company(&self, slug: &Slug) -> Result<Option<TenantId>, PortError> {
        LogQuery::new(self.database.clone()).tenant_with(slug).await.map_err(from_sqlx)
    }
}
