//! Whether a log and everything derived from it are whole, and hold all that was acknowledged.

use std::collections::{BTreeMap, BTreeSet};

use application::ports::commands::LogPosition;
use domain::ids::TenantId;
use domain::integration::IntegrationConfig;
use domain::job_run::JobRun;
use domain::tenant::Tenant;
use domain::user::User;
use domain::{ClaimChange, ClaimScope, EventSourced};
use infrastructure::event_store::LoggedEvent;
use infrastructure::projections::Rebuild;
use infrastructure::read_models;
use uuid::Uuid;

use super::Acknowledgement;
use crate::TestDatabase;

/// An aggregate's type name and its id.
type Aggregate = (String, String);

/// A claim as the table holds it: tenant, kind, value and owner.
type Claim = (Uuid, String, String, Aggregate);

/// Fails unless the log is whole, holds all that was acknowledged, and everything derived from it is as it says.
///
/// - Every acknowledged commit is in the log once, at the sequences and the place that were said.
/// - No aggregate's sequences have a gap, and no request was recorded twice or in parts.
/// - The claims are those that the events take and release.
/// - Every read model equals the one that is built anew from the log.
///
/// Nobody may write meanwhile.
///
/// # Panics
/// Where any of it does not hold.
pub async fn assert_whole(test: &TestDatabase, acknowledged: &[Acknowledgement]) {
    test.catch_up().await;
    let events = events(test).await;
    assert_acknowledged(&events, acknowledged);
    assert_sequences(&events);
    assert_eq!(claims(test).await, expected_claims(&events), "the claims are not those of the events");
    assert_nothing_is_parked(test).await;
    assert_read_models(test, events.len()).await;
}

async fn events(test: &TestDatabase) -> Vec<LoggedEvent> {
    let reader = test.reader();
    let mut events: Vec<LoggedEvent> = Vec::new();
    loop {
        let from = events.last().map_or(LogPosition::BEGINNING, |event| event.position);
        let next = reader.after(from, 5_000).await.expect("the log must be readable");
        if next.is_empty() {
            break;
        }
        events.extend(next);
    }
    let all: i64 = count(test, "events").await;
    assert_eq!(i64::try_from(events.len()), Ok(all), "the log's order passes events over");
    events
}

/// The events of each request.
fn commits(events: &[LoggedEvent]) -> BTreeMap<String, Vec<&LoggedEvent>> {
    let mut commits: BTreeMap<String, Vec<&LoggedEvent>> = BTreeMap::new();
    for event in events {
        let request = event.circumstance("request_id").expect("every event says which request caused it");
        commits.entry(request).or_default().push(event);
    }
    commits
}

fn assert_acknowledged(events: &[LoggedEvent], acknowledged: &[Acknowledgement]) {
    let commits = commits(events);
    for (request, events) in &commits {
        let transactions: BTreeSet<_> = events.iter().map(|event| event.position.tx).collect();
        assert_eq!(transactions.len(), 1, "the request {request} was recorded twice, or in parts: {events:?}");
    }
    let lost: Vec<_> = acknowledged.iter().filter(|said| !commits.contains_key(&said.request_id.to_string())).collect();
    assert!(
        lost.is_empty(),
        "{} of {} acknowledged commits are not in the log: {lost:?}",
        lost.len(),
        acknowledged.len()
    );
    for said in acknowledged {
        let found = &commits[&said.request_id.to_string()];
        let sequences: Vec<i64> = found.iter().map(|event| event.sequence).collect();
        let place = |event: &&LoggedEvent| {
            (event.position.generation, event.position.tx) == (said.position.generation, said.position.tx)
                && event.position <= said.position
        };
        assert!(
            found.iter().all(|event| (&event.aggregate_type, &event.aggregate_id)
                == (&said.aggregate_type, &said.aggregate_id.to_string()))
                && sequences == (said.first..=said.last).collect::<Vec<_>>()
                && found.iter().all(place),
            "{said} was acknowledged, and this is in the log: {found:?}"
        );
    }
}

fn assert_sequences(events: &[LoggedEvent]) {
    let mut newest: BTreeMap<(&str, &str), i64> = BTreeMap::new();
    for event in events {
        let newest = newest.entry((&event.aggregate_type, &event.aggregate_id)).or_default();
        assert_eq!(event.sequence, *newest + 1, "after the sequence {newest} of its aggregate comes {event:?}");
        *newest = event.sequence;
    }
}

async fn claims(test: &TestDatabase) -> BTreeSet<Claim> {
    let rows: Vec<(Uuid, String, String, String, String)> =
        sqlx::query_as("select tenant_id, kind, value, aggregate_type, aggregate_id from claims")
            .fetch_all(test.pool())
            .await
            .expect("the claims must be readable");
    rows.into_iter().map(|(tenant, kind, value, of, id)| (tenant, kind, value, (of, id))).collect()
}

/// The claims that are left after all events, by what each kind of aggregate says of its own.
fn expected_claims(events: &[LoggedEvent]) -> BTreeSet<Claim> {
    let mut claims = BTreeSet::new();
    for event in events {
        let changes = match event.aggregate_type.as_str() {
            "tenant" => changes::<Tenant>(event),
            "user" => changes::<User>(event),
            "integration" => changes::<IntegrationConfig>(event),
            "job_run" => changes::<JobRun>(event),
            other => panic!("the load has no aggregates of the kind {other}"),
        };
        let owner = (event.aggregate_type.clone(), event.aggregate_id.clone());
        for change in changes {
            match change {
                ClaimChange::Take { scope, kind, value } => {
                    claims.insert((tenant_of(scope), kind.to_owned(), value, owner.clone()));
                }
                ClaimChange::Release { scope, kind, value } => {
                    claims.remove(&(tenant_of(scope), kind.to_owned(), value, owner.clone()));
                }
            }
        }
    }
    claims
}

fn changes<A: EventSourced>(event: &LoggedEvent) -> Vec<ClaimChange> {
    A::claims(&event.decode::<A::Event>().expect("an event of its aggregate"))
}

/// The platform's claims have the nil UUID in the table.
fn tenant_of(scope: ClaimScope) -> Uuid {
    scope.tenant().map_or(Uuid::nil(), TenantId::uuid)
}

async fn assert_nothing_is_parked(test: &TestDatabase) {
    assert_eq!(count(test, "parked_events").await, 0, "a read model could not apply events");
}

async fn assert_read_models(test: &TestDatabase, events: usize) {
    let entries = count(test, "audit_entries").await;
    assert_eq!(i64::try_from(events), Ok(entries), "every event has one entry in the audit trail");
    for projection in read_models::all() {
        let name = projection.name();
        let rebuild = Rebuild::of(test.database(), projection.as_ref()).await.expect("a rebuild can begin");
        rebuild.build(|_| ()).await.expect("a read model can be built anew");
        let comparison = rebuild.compare().await.expect("two generations can be compared");
        assert!(comparison.is_equal(), "{name} differs from one built anew: {:?}", comparison.differences);
        rebuild.abandon().await.expect("a rebuild can be given up");
    }
}

async fn count(test: &TestDatabase, table: &str) -> i64 {
    let sql = format!("select count(*) from {table}");
    sqlx::query_scalar(&sql).fetch_one(test.pool()).await.expect("a table can be counted")
}
