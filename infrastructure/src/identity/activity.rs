//! When sessions were last seen: remembered here, written together now and then.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use application::PortError;
use application::ports::sessions::{Activity, SessionKey};
use chrono::{DateTime, TimeDelta, Utc};
use domain::ids::SessionId;
use quick_cache::sync::Cache;
use uuid::Uuid;

use crate::database::Database;
use crate::error::from_sqlx;
use crate::event_store::tenant_in_key;

/// A session that was written so short a time ago is not written again.
const RESOLUTION: TimeDelta = TimeDelta::minutes(1);

/// How often what was seen is written.
const WRITE_EVERY: Duration = Duration::from_secs(5);

/// Sessions whose last time is remembered; the others are written more often than they must.
const MOST_REMEMBERED: usize = 50_000;

/// Keeps the table `session_activity`.
pub struct SessionActivity {
    database: Database,
    written: Cache<SessionId, DateTime<Utc>>,
    seen: Mutex<Vec<(SessionKey, DateTime<Utc>)>>,
}

impl SessionActivity {
    /// In this database.
    pub fn new(database: Database) -> Self {
        Self { database, written: Cache::new(MOST_REMEMBERED), seen: Mutex::default() }
    }

    /// Writes what was seen, for as long as it is polled.
    pub async fn keep(&self) {
        loop {
            tokio::time::sleep(WRITE_EVERY).await;
            if let Err(error) = self.write().await {
                tracing::warn!(
                    error = application::error::chain(&error),
                    "when sessions were last seen is not written"
                );
            }
        }
    }

    /// Writes what was seen since the last time.
    pub async fn write(&self) -> Result<(), PortError> {
        let seen = std::mem::take(&mut *self.seen.lock().unwrap_or_else(PoisonError::into_inner));
        if seen.is_empty() {
            return Ok(());
        }
        let column = |of: fn(&SessionKey) -> Uuid| -> Vec<Uuid> { seen.iter().map(|(key, _)| of(key)).collect() };
        sqlx::query(
            "insert into session_activity as a (session_id, tenant_id, user_id, last_seen_at)
             select distinct on (session_id) session_id, tenant_id, user_id, at
             from unnest($1::uuid[], $2::uuid[], $3::uuid[], $4::timestamptz[]) as seen (session_id, tenant_id, user_id, at)
             order by session_id, at desc
             on conflict (session_id) do update set last_seen_at = excluded.last_seen_at
                where a.last_seen_at < excluded.last_seen_at",
        )
        .bind(column(|key| key.session_id.uuid()))
        .bind(column(|key| tenant_in_key(key.tenant_id)))
        .bind(column(|key| key.user_id.uuid()))
        .bind(seen.iter().map(|(_, at)| *at).collect::<Vec<_>>())
        .execute(self.database.pool())
        .await
        .map_err(from_sqlx)?;
        Ok(())
    }
}

impl Activity for SessionActivity {
    fn seen(&self, session: SessionKey, now: DateTime<Utc>) {
        if self.written.get(&session.session_id).is_some_and(|last| now - last < RESOLUTION) {
            return;
        }
        self.written.insert(session.session_id, now);
        self.seen.lock().unwrap_or_else(PoisonError::into_inner).push((session, now));
    }
}
