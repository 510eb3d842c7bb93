//! The statement that appends: commits of many aggregates in one round trip, all or none.

use domain::{ClaimChange, ClaimScope};
use serde_json::value::RawValue;
use sqlx::types::Json;
use uuid::Uuid;

use super::aggregate::tenant_in_key;
use super::commit::{Appended, Commit};
use super::connections::Line;
use super::position::{Columns, of_columns};
use super::receipts::NewReceipt;

/// Appends the commits in one statement: keeps receipts, releases and takes claims, inserts the events in order.
pub(super) async fn append(line: &mut Line, commits: &[Commit]) -> Result<Appended, sqlx::Error> {
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
        .bind(rows.predecessors)
        .bind(rows.event_types)
        .bind(rows.event_versions)
        .bind(rows.payloads)
        .bind(rows.metadata);
    let query = if with_claims { released.bind(taken.bind(query)) } else { query };
    let query = if with_receipts { ReceiptRows::of(commits).bind(query) } else { query };
    Ok(Appended { position: of_columns(query.fetch_one(line.connection()).await?), epoch: line.epoch })
}

// The rows get their positions in the order of the arrays: nothing sorts them on their way from there.
macro_rules! append_statement {
    ($before:expr, $condition:literal) => {
        concat!(
            "with ",
            $before,
            "appended as (
    insert into events (tenant_id, aggregate_type, aggregate_id, sequence, event_type, event_version, payload, metadata)
    select e.tenant_id, e.aggregate_type, e.aggregate_id,
        case when e.predecessor is null or (
            select true from events p
            where p.aggregate_type = e.aggregate_type and p.aggregate_id = e.aggregate_id and p.sequence = e.predecessor
        ) then e.sequence else refuse_gap() end,
        e.event_type, e.event_version, e.payload, e.metadata
    from (
        select unnest($1::uuid[]) as tenant_id, unnest($2::text[]) as aggregate_type, unnest($3::text[]) as aggregate_id,
            unnest($4::bigint[]) as sequence, unnest($5::bigint[]) as predecessor, unnest($6::text[]) as event_type,
            unnest($7::text[]) as event_version, unnest($8::jsonb[]) as payload, unnest($9::jsonb[]) as metadata
    ) as e
    ",
            $condition,
            "returning generation, tx, position
)
select max(generation), pg_current_xact_id()::text::bigint, max(position) from appended"
        )
    };
}

macro_rules! claims {
    () => {
        "taken as (
    insert into claims (tenant_id, kind, value, aggregate_type, aggregate_id)
    select * from unnest($10::uuid[], $11::text[], $12::text[], $13::text[], $14::text[])
    order by 1, 2, 3
), released as (
    delete from claims c
    using unnest($15::uuid[], $16::text[], $17::text[], $18::text[], $19::text[])
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
        $20::uuid[], $21::text[], $22::text[], $23::bytea[], $24::text[], $25::text[], $26::bigint[], $27::bigint[],
        $28::text[])
    order by 1, 2
    returning key
), "
    ),
    "where (select count(*) from received) > 0
    "
);

impl Commit {
    /// The sequence of its first event.
    fn first_sequence(&self) -> i64 {
        i64::try_from(self.expected).unwrap_or(i64::MAX - 1) + 1
    }

    /// The sequence of its last event.
    fn last_sequence(&self) -> i64 {
        i64::try_from(self.recorded()).unwrap_or(i64::MAX)
    }
}

/// The events of all commits, as columns.
#[derive(Default)]
struct EventRows<'a> {
    tenants: Vec<Option<Uuid>>,
    aggregate_types: Vec<&'static str>,
    aggregate_ids: Vec<&'a str>,
    sequences: Vec<i64>,
    /// Which event of the aggregate must be there already. None where that is no other commit's, and where this process has
    /// recorded it in this epoch: the writer has seen to that.
    predecessors: Vec<Option<i64>>,
    event_types: Vec<&'a str>,
    event_versions: Vec<&'a str>,
    payloads: Vec<Json<&'a RawValue>>,
    metadata: Vec<Json<&'a RawValue>>,
}

impl<'a> EventRows<'a> {
    fn of(commits: &'a [Commit]) -> Self {
        let mut rows = Self::default();
        for commit in commits {
            let first = commit.first_sequence();
            let must_look = commit.remembered.is_none() && first > 1;
            for (sequence, event) in (first..).zip(&commit.events) {
                rows.tenants.push(commit.tenant);
                rows.aggregate_types.push(commit.aggregate_type);
                rows.aggregate_ids.push(&commit.aggregate_id);
                rows.sequences.push(sequence);
                rows.predecessors.push((sequence == first && must_look).then_some(first - 1));
                rows.event_types.push(&event.event_type);
                rows.event_versions.push(&event.event_version);
                rows.payloads.push(Json(&event.payload));
                rows.metadata.push(Json(&commit.metadata));
            }
        }
        rows
    }
}

/// Claims of all commits, as columns.
#[derive(Default)]
pub(super) struct Claims<'a> {
    pub(super) tenants: Vec<Uuid>,
    pub(super) kinds: Vec<&'static str>,
    pub(super) values: Vec<&'a str>,
    aggregate_types: Vec<&'static str>,
    aggregate_ids: Vec<&'a str>,
}

type AppendQuery<'q> = sqlx::query::QueryAs<'q, sqlx::Postgres, Columns, sqlx::postgres::PgArguments>;

impl<'a> Claims<'a> {
    pub(super) fn taken(commits: &'a [Commit]) -> Self {
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
                claims.tenants.push(tenant_in_key(scope.tenant()));
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
