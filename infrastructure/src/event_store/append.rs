//! The statement that appends.

use application::ports::commands::LogPosition;
use domain::{ClaimChange, ClaimScope};
use serde_json::Value;
use sqlx::PgPool;
use uuid::Uuid;

/// The constraint that two commits of one aggregate at the same version run into.
const EVENTS_KEY: &str = "events_pkey";

/// The constraint that a taken value runs into.
const CLAIMS_KEY: &str = "claims_pkey";

/// The events of one aggregate that one command caused.
#[derive(Debug, Clone)]
pub struct Commit {
    /// The owner; none for the platform's own.
    pub tenant: Option<Uuid>,
    /// The aggregate's type name.
    pub aggregate_type: &'static str,
    /// The aggregate's id.
    pub aggregate_id: String,
    /// The sequence of the last event that the decision was made on; 0 for a new aggregate.
    pub expected: usize,
    /// The new events, in their order.
    pub events: Vec<NewEvent>,
    /// What they claim and release.
    pub claims: Vec<ClaimChange>,
    /// The circumstances, the same for all of them.
    pub metadata: Value,
}

/// An event on its way into the log.
#[derive(Debug, Clone)]
pub struct NewEvent {
    /// The frozen name.
    pub event_type: String,
    /// The version of its form.
    pub event_version: String,
    /// Its fields.
    pub payload: Value,
}

/// A recorded commit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Appended {
    /// The place of its last event.
    pub position: LogPosition,
}

/// Why a commit was not recorded. Nothing of it was.
#[derive(Debug, thiserror::Error)]
pub enum AppendError {
    /// Another commit of the same aggregate was first.
    #[error("another commit of this aggregate was first")]
    LostRace,
    /// A unique value belongs to another aggregate.
    #[error("this {kind} is taken")]
    Taken {
        /// The claim's kind, which is the field's name.
        kind: String,
    },
    /// The database did not answer as it should.
    #[error("the event log could not be written")]
    Database(#[source] sqlx::Error),
}

/// Appends in one round trip: releases and takes claims, inserts the events in order, wakes other processes.
pub(super) async fn append(pool: &PgPool, commit: &Commit, notify: Option<&str>) -> Result<Appended, AppendError> {
    let (taken, released) = claims(&commit.claims);
    let events = &commit.events;
    let sequences: Vec<i64> = (1..).zip(events).map(|(step, _)| sequence(commit.expected) + step).collect();
    let inserted: Result<(i64, i64), sqlx::Error> = sqlx::query_as(APPEND)
        .bind(commit.tenant)
        .bind(commit.aggregate_type)
        .bind(&commit.aggregate_id)
        .bind(&commit.metadata)
        .bind(sequences)
        .bind(events.iter().map(|event| event.event_type.as_str()).collect::<Vec<_>>())
        .bind(events.iter().map(|event| event.event_version.as_str()).collect::<Vec<_>>())
        .bind(events.iter().map(|event| event.payload.clone()).collect::<Vec<_>>())
        .bind(taken.0)
        .bind(taken.1)
        .bind(taken.2)
        .bind(released.0)
        .bind(released.1)
        .bind(released.2)
        .bind(notify)
        .fetch_one(pool)
        .await;
    match inserted {
        Ok((position, tx)) => Ok(Appended { position: LogPosition { tx: tx.cast_unsigned(), position } }),
        Err(error) => Err(explain(pool, commit, error).await),
    }
}

const APPEND: &str = "
with released as (
    delete from claims c
    using unnest($12::uuid[], $13::text[], $14::text[]) as r(tenant_id, kind, value)
    where (c.tenant_id, c.kind, c.value) = (r.tenant_id, r.kind, r.value)
      and c.aggregate_type = $2 and c.aggregate_id = $3
), taken as (
    insert into claims (tenant_id, kind, value, aggregate_type, aggregate_id)
    select t.tenant_id, t.kind, t.value, $2, $3
    from unnest($9::uuid[], $10::text[], $11::text[]) as t(tenant_id, kind, value)
), appended as (
    insert into events (tenant_id, aggregate_type, aggregate_id, sequence, event_type, event_version, payload, metadata)
    select $1, $2, $3, e.sequence, e.event_type, e.event_version, e.payload, $4
    from unnest($5::bigint[], $6::text[], $7::text[], $8::jsonb[]) as e(sequence, event_type, event_version, payload)
    order by e.sequence
    returning position, tx
)
select max(position), max(tx::text::bigint)
from appended, lateral (select case when $15::text is not null then pg_notify($15, '') end) as hint";

type Claims<'a> = (Vec<Uuid>, Vec<&'static str>, Vec<&'a str>);

/// The claims to take and those to release, as columns.
fn claims(changes: &[ClaimChange]) -> (Claims<'_>, Claims<'_>) {
    let mut taken = Claims::default();
    let mut released = Claims::default();
    for change in changes {
        let (columns, scope, kind, value) = match change {
            ClaimChange::Take { scope, kind, value } => (&mut taken, scope, kind, value),
            ClaimChange::Release { scope, kind, value } => (&mut released, scope, kind, value),
        };
        columns.0.push(tenant_of(*scope));
        columns.1.push(kind);
        columns.2.push(value);
    }
    (taken, released)
}

/// The platform's own claims have the nil UUID as tenant, because a key's column cannot be null.
fn tenant_of(scope: ClaimScope) -> Uuid {
    match scope {
        ClaimScope::Platform => Uuid::nil(),
        ClaimScope::Tenant(tenant) => tenant.uuid(),
    }
}

async fn explain(pool: &PgPool, commit: &Commit, error: sqlx::Error) -> AppendError {
    let constraint = error.as_database_error().and_then(|error| error.constraint());
    match constraint {
        Some(EVENTS_KEY) => AppendError::LostRace,
        Some(CLAIMS_KEY) => taken_kind(pool, commit, error).await,
        _ => AppendError::Database(error),
    }
}

/// Which of the commit's claims is taken. An aggregate that runs into its own claim has lost a race against itself.
async fn taken_kind(pool: &PgPool, commit: &Commit, error: sqlx::Error) -> AppendError {
    let (taken, _) = claims(&commit.claims);
    let owner: Result<Option<(String, bool)>, sqlx::Error> = sqlx::query_as(
        "select c.kind, c.aggregate_type = $4 and c.aggregate_id = $5
         from claims c
         join unnest($1::uuid[], $2::text[], $3::text[]) as t(tenant_id, kind, value) using (tenant_id, kind, value)
         order by 2
         limit 1",
    )
    .bind(taken.0)
    .bind(taken.1)
    .bind(taken.2)
    .bind(commit.aggregate_type)
    .bind(&commit.aggregate_id)
    .fetch_optional(pool)
    .await;
    match owner {
        Ok(Some((kind, false))) => AppendError::Taken { kind },
        // Its own claim, or one that was released meanwhile: deciding anew settles it.
        Ok(Some((_, true)) | None) => AppendError::LostRace,
        Err(_) => AppendError::Database(error),
    }
}

fn sequence(expected: usize) -> i64 {
    i64::try_from(expected).unwrap_or(i64::MAX)
}
