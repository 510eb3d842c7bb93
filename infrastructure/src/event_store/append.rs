//! The statement that appends: commits of many aggregates in one round trip, all or none.

use std::sync::Arc;

use application::ports::commands::LogPosition;
use domain::{ClaimChange, ClaimScope};
use serde_json::Value;
use sqlx::{PgConnection, PgPool};
use uuid::Uuid;

use super::position::{Columns, of_columns};
use super::receipts::NewReceipt;

/// The constraint that two commits of one aggregate at the same version run into.
const EVENTS_KEY: &str = "events_pkey";

/// The constraint that a taken value runs into.
const CLAIMS_KEY: &str = "claims_pkey";

/// The constraint that a repeated request runs into.
const RECEIPTS_KEY: &str = "receipts_pkey";

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
    /// What makes the request recognizable that they answer.
    pub receipt: Option<NewReceipt>,
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
    /// A place in the log at or behind its last event, and within the same transaction.
    pub position: LogPosition,
}

/// Why a commit was not recorded.
#[derive(Debug, Clone, thiserror::Error)]
pub enum AppendError {
    /// Another commit of the same aggregate was first. Nothing was recorded.
    #[error("another commit of this aggregate was first")]
    LostRace,
    /// A unique value belongs to another aggregate. Nothing was recorded.
    #[error("this {kind} is taken")]
    Taken {
        /// The claim's kind, which is the field's name.
        kind: String,
    },
    /// The request's key has a receipt already: the request was recorded before, or the key is another's. Nothing was
    /// recorded.
    #[error("the idempotency key has a receipt already")]
    Duplicate,
    /// Too many commits wait to be recorded. Nothing was recorded.
    #[error("too many decisions wait to be recorded")]
    Busy,
    /// The appender ended before it could tell. The commit may have been recorded.
    #[error("the event log did not answer")]
    Unanswered,
    /// The database did not answer as it should. Without an answer at all, the commit may have been recorded.
    #[error("the event log could not be written")]
    Database(#[source] Arc<sqlx::Error>),
}

/// Appends the commits in one statement: keeps receipts, releases and takes claims, inserts the events in order.
pub(super) async fn append(connection: &mut PgConnection, commits: &[Commit]) -> Result<Appended, sqlx::Error> {
    let rows = EventRows::of(commits);
    let (taken, released) = (Claims::taken(commits), Claims::released(commits));
    let with_receipts = commits.iter().any(|commit| commit.receipt.is_some());
    let with_claims = with_receipts || !taken.kinds.is_empty() || !released.kinds.is_empty();
    let statement = match (with_claims, with_receipts) {
        (false, _) => APPEND,
        (true, false) => APPEND_WITH_CLAIMS,
        (true, true) => APPEND_WITH_RECEIPTS,
    };
    let query = sqlx::query_as(statement)
        .bind(rows.tenants)
        .bind(rows.aggregate_types)
        .bind(rows.aggregate_ids)
        .bind(rows.sequences)
        .bind(rows.event_types)
        .bind(rows.event_versions)
        .bind(rows.payloads)
        .bind(rows.metadata);
    let query = if with_claims { released.bind(taken.bind(query)) } else { query };
    let query = if with_receipts { ReceiptRows::of(commits).bind(query) } else { query };
    Ok(Appended { position: of_columns(query.fetch_one(connection).await?) })
}

macro_rules! append_statement {
    ($before:expr, $condition:literal) => {
        concat!(
            "with ",
            $before,
            "appended as (
    insert into events (tenant_id, aggregate_type, aggregate_id, sequence, event_type, event_version, payload, metadata)
    select e.tenant_id, e.aggregate_type, e.aggregate_id, e.sequence, e.event_type, e.event_version, e.payload, e.metadata
    from unnest($1::uuid[], $2::text[], $3::text[], $4::bigint[], $5::text[], $6::text[], $7::jsonb[], $8::jsonb[])
        with ordinality
        as e(tenant_id, aggregate_type, aggregate_id, sequence, event_type, event_version, payload, metadata, place)
    ",
            $condition,
            "order by e.place
    returning generation, tx, position
)
select max(generation), max(tx::text::bigint), max(position) from appended"
        )
    };
}

macro_rules! claims {
    () => {
        "taken as (
    insert into claims (tenant_id, kind, value, aggregate_type, aggregate_id)
    select * from unnest($9::uuid[], $10::text[], $11::text[], $12::text[], $13::text[])
    order by 1, 2, 3
), released as (
    delete from claims c
    using unnest($14::uuid[], $15::text[], $16::text[], $17::text[], $18::text[])
        as r(tenant_id, kind, value, aggregate_type, aggregate_id)
    where (c.tenant_id, c.kind, c.value, c.aggregate_type, c.aggregate_id)
        = (r.tenant_id, r.kind, r.value, r.aggregate_type, r.aggregate_id)
), "
    };
}

/// The usual form: neither claims nor receipts.
const APPEND: &str = append_statement!("", "");

const APPEND_WITH_CLAIMS: &str = append_statement!(claims!(), "");

/// With claims, which may be none, and at least one receipt. The condition, which always holds, lets the receipts be
/// inserted before the events: a repeat is told from a lost race, whichever of both it is.
const APPEND_WITH_RECEIPTS: &str = append_statement!(
    concat!(
        claims!(),
        "received as (
    insert into receipts
        (tenant_id, key, operation, request_hash, aggregate_type, aggregate_id, first_sequence, last_sequence, actor_id)
    select * from unnest(
        $19::uuid[], $20::text[], $21::text[], $22::bytea[], $23::text[], $24::text[], $25::bigint[], $26::bigint[],
        $27::text[])
    order by 1, 2
    returning key
), "
    ),
    "where (select count(*) from received) > 0
    "
);

impl Commit {
    /// Whose events they are: the aggregate's type and id.
    pub(super) fn key(&self) -> (&'static str, &str) {
        (self.aggregate_type, &self.aggregate_id)
    }

    /// The sequence of its first event.
    fn first_sequence(&self) -> i64 {
        i64::try_from(self.expected).unwrap_or(i64::MAX - 1) + 1
    }

    /// The sequence of its last event.
    fn last_sequence(&self) -> i64 {
        i64::try_from(self.expected + self.events.len()).unwrap_or(i64::MAX)
    }
}

/// The events of all commits, as columns.
#[derive(Default)]
struct EventRows<'a> {
    tenants: Vec<Option<Uuid>>,
    aggregate_types: Vec<&'static str>,
    aggregate_ids: Vec<&'a str>,
    sequences: Vec<i64>,
    event_types: Vec<&'a str>,
    event_versions: Vec<&'a str>,
    payloads: Vec<&'a Value>,
    metadata: Vec<&'a Value>,
}

impl<'a> EventRows<'a> {
    fn of(commits: &'a [Commit]) -> Self {
        let mut rows = Self::default();
        for commit in commits {
            for (sequence, event) in (commit.first_sequence()..).zip(&commit.events) {
                rows.tenants.push(commit.tenant);
                rows.aggregate_types.push(commit.aggregate_type);
                rows.aggregate_ids.push(&commit.aggregate_id);
                rows.sequences.push(sequence);
                rows.event_types.push(&event.event_type);
                rows.event_versions.push(&event.event_version);
                rows.payloads.push(&event.payload);
                rows.metadata.push(&commit.metadata);
            }
        }
        rows
    }
}

/// Claims of all commits, as columns.
#[derive(Default)]
struct Claims<'a> {
    tenants: Vec<Uuid>,
    kinds: Vec<&'static str>,
    values: Vec<&'a str>,
    aggregate_types: Vec<&'static str>,
    aggregate_ids: Vec<&'a str>,
}

type AppendQuery<'q> = sqlx::query::QueryAs<'q, sqlx::Postgres, Columns, sqlx::postgres::PgArguments>;

impl<'a> Claims<'a> {
    fn taken(commits: &'a [Commit]) -> Self {
        Self::of(commits, |change| match change {
            ClaimChange::Take { scope, kind, value } => Some((*scope, kind, value)),
            ClaimChange::Release { .. } => None,
        })
    }

    fn released(commits: &'a [Commit]) -> Self {
        Self::of(commits, |change| match change {
            ClaimChange::Release { scope, kind, value } => Some((*scope, kind, value)),
            ClaimChange::Take { .. } => None,
        })
    }

    fn of(
        commits: &'a [Commit],
        chosen: impl Fn(&'a ClaimChange) -> Option<(ClaimScope, &'static str, &'a String)>,
    ) -> Self {
        let mut claims = Self::default();
        for commit in commits {
            for (scope, kind, value) in commit.claims.iter().filter_map(&chosen) {
                claims.tenants.push(tenant_of(scope));
                claims.kinds.push(kind);
                claims.values.push(value);
                claims.aggregate_types.push(commit.aggregate_type);
                claims.aggregate_ids.push(&commit.aggregate_id);
            }
        }
        claims
    }

    fn bind<'q>(self, query: AppendQuery<'q>) -> AppendQuery<'q>
    where
        'a: 'q,
    {
        query.bind(self.tenants).bind(self.kinds).bind(self.values).bind(self.aggregate_types).bind(self.aggregate_ids)
    }
}

/// The receipts of all commits, as columns.
#[derive(Default)]
struct ReceiptRows<'a> {
    tenants: Vec<Uuid>,
    keys: Vec<&'a str>,
    operations: Vec<&'static str>,
    request_hashes: Vec<&'a [u8]>,
    aggregate_types: Vec<&'static str>,
    aggregate_ids: Vec<&'a str>,
    first_sequences: Vec<i64>,
    last_sequences: Vec<i64>,
    actors: Vec<&'a str>,
}

impl<'a> ReceiptRows<'a> {
    fn of(commits: &'a [Commit]) -> Self {
        let mut rows = Self::default();
        for commit in commits {
            let Some(NewReceipt { tenant, actor, receipt }) = &commit.receipt else { continue };
            rows.tenants.push(*tenant);
            rows.keys.push(receipt.key.as_str());
            rows.operations.push(receipt.operation);
            rows.request_hashes.push(&receipt.request_hash.0);
            rows.aggregate_types.push(commit.aggregate_type);
            rows.aggregate_ids.push(&commit.aggregate_id);
            rows.first_sequences.push(commit.first_sequence());
            rows.last_sequences.push(commit.last_sequence());
            rows.actors.push(actor);
        }
        rows
    }

    fn bind<'q>(self, query: AppendQuery<'q>) -> AppendQuery<'q>
    where
        'a: 'q,
    {
        query
            .bind(self.tenants)
            .bind(self.keys)
            .bind(self.operations)
            .bind(self.request_hashes)
            .bind(self.aggregate_types)
            .bind(self.aggregate_ids)
            .bind(self.first_sequences)
            .bind(self.last_sequences)
            .bind(self.actors)
    }
}

/// The platform's own claims have the nil UUID as tenant, because a key's column cannot be null.
fn tenant_of(scope: ClaimScope) -> Uuid {
    match scope {
        ClaimScope::Platform => Uuid::nil(),
        ClaimScope::Tenant(tenant) => tenant.uuid(),
    }
}

/// What a failed statement means to the only commit in it.
pub(super) async fn explain(pool: &PgPool, commit: &Commit, error: Arc<sqlx::Error>) -> AppendError {
    let constraint = error.as_database_error().and_then(|error| error.constraint());
    match constraint {
        Some(EVENTS_KEY) => AppendError::LostRace,
        Some(RECEIPTS_KEY) => AppendError::Duplicate,
        Some(CLAIMS_KEY) => taken_kind(pool, commit, error).await,
        _ => AppendError::Database(error),
    }
}

/// Which of the commit's claims is taken. An aggregate that runs into its own claim has lost a race against itself.
async fn taken_kind(pool: &PgPool, commit: &Commit, error: Arc<sqlx::Error>) -> AppendError {
    let taken = Claims::taken(std::slice::from_ref(commit));
    let owner: Result<Option<(String, bool)>, sqlx::Error> = sqlx::query_as(
        "select c.kind, c.aggregate_type = $4 and c.aggregate_id = $5
         from claims c
         join unnest($1::uuid[], $2::text[], $3::text[]) as t(tenant_id, kind, value) using (tenant_id, kind, value)
         order by 2
         limit 1",
    )
    .bind(taken.tenants)
    .bind(taken.kinds)
    .bind(taken.values)
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
