//! Rebuilds are recorded: who built what anew, why, and what differed.

use std::sync::Arc;

use application::ports::rebuilds::{RebuildEngine, RebuildTarget, TargetAggregate};
use application::use_cases::{ReadModelRebuilding, RebuildRequest, Rebuilt};
use application::{AppError, RequestContext};
use domain::ErrorKind;
use domain::rebuild::RebuildGoal;
use infrastructure::projections::PgRebuildEngine;
use infrastructure::read_models;
use infrastructure::system::{SystemClock, SystemIds};
use serde_json::{Value, json};
use testkit::TestDatabase;
use uuid::Uuid;

use crate::fixtures::{context, count, tenant};
use crate::rebuild::told;
use crate::rebuild_scope::run_sql;
use crate::replay::contents;
use crate::story::Company;

const REASON: &str = "Rows were changed by hand.";

fn rebuilding(test: &TestDatabase) -> ReadModelRebuilding {
    let engine = PgRebuildEngine::new(test.database().clone(), read_models::all());
    rebuilding_with(test, Arc::new(engine))
}

pub(crate) fn rebuilding_with(test: &TestDatabase, engine: Arc<dyn RebuildEngine>) -> ReadModelRebuilding {
    ReadModelRebuilding {
        rebuilds: Arc::new(test.commands()),
        engine,
        clock: Arc::new(SystemClock),
        ids: Arc::new(SystemIds),
    }
}

pub(crate) fn support() -> RequestContext {
    RequestContext::for_support("ops-anna".parse().unwrap(), Uuid::from_u128(0xc))
}

pub(crate) fn request(projection: &str, goal: RebuildGoal) -> RebuildRequest {
    let target = RebuildTarget { projection: projection.to_owned(), tenant: None, aggregate: None };
    RebuildRequest { target, goal, reason: (goal == RebuildGoal::Exchange).then(|| REASON.to_owned()) }
}

fn named(aggregate_type: &str, aggregate_id: Uuid) -> TargetAggregate {
    TargetAggregate { aggregate_type: aggregate_type.to_owned(), aggregate_id }
}

async fn carry_out(test: &TestDatabase, request: RebuildRequest) -> Result<Rebuilt, AppError> {
    rebuilding(test).rebuild(&support(), request, &|_| ()).await
}

/// The events of a rebuild: owner, payload and metadata.
pub(crate) async fn recorded(test: &TestDatabase, id: Uuid) -> Vec<(Option<Uuid>, Value, Value)> {
    let sql = "select tenant_id, payload, metadata from events
               where aggregate_type = 'rebuild' and aggregate_id = $1 order by sequence";
    sqlx::query_as(sql).bind(id.to_string()).fetch_all(test.pool()).await.unwrap()
}

/// The last rebuild that was begun.
pub(crate) async fn last_rebuild(test: &TestDatabase) -> Uuid {
    let sql = "select aggregate_id::uuid from events where event_type = 'RebuildStarted'
               order by generation desc, tx desc, position desc limit 1";
    sqlx::query_scalar(sql).fetch_one(test.pool()).await.unwrap()
}

#[tokio::test]
async fn the_log_says_who_rebuilt_a_tenants_rows_why_and_what_differed() {
    let test = told().await;
    let before = contents(&test).await;
    let owner = tenant(1);
    run_sql(&test, &format!("update run_steps set status = 'odd' where tenant_id = '{owner}' and number < 3")).await;
    run_sql(&test, &format!("update runs set status = 'odd' where tenant_id = '{owner}'")).await;
    let mut request = request("runs", RebuildGoal::Exchange);
    request.target.tenant = Some(owner);
    let rebuilt = carry_out(&test, request).await.unwrap();
    let differing = rebuilt.comparison.rows_differing.clone();
    assert_eq!(differing["runs"], 5);
    assert!(differing["run_steps"] > 5);

    let id = rebuilt.id.uuid();
    let events = recorded(&test, id).await;
    let [(started_for, started, by), (finished_for, finished, also_by)] = events.as_slice() else {
        panic!("{events:?}")
    };
    assert_eq!((*started_for, *finished_for), (Some(owner.uuid()), Some(owner.uuid())));
    let scope = json!({"rows_of": "tenant", "tenant_id": owner});
    for (field, value) in [
        ("type", json!("RebuildStarted")),
        ("projection", json!("runs")),
        ("scope", scope),
        ("goal", json!("exchange")),
        ("reason", json!(REASON)),
    ] {
        assert_eq!(started[field], value, "{field}");
    }
    for (field, value) in [
        ("type", json!("RebuildFinished")),
        ("outcome", json!("exchanged")),
        ("tenants_differing", json!(1)),
        ("rows_differing", json!(differing)),
    ] {
        assert_eq!(finished[field], value, "{field}");
    }
    for metadata in [by, also_by] {
        assert_eq!((&metadata["actor_kind"], &metadata["actor_id"]), (&json!("support"), &json!("ops-anna")));
    }
    test.catch_up().await;
    let shown =
        format!("audit_entries where aggregate_id = '{id}' and tenant_id = '{owner}' and actor_id = 'ops-anna'");
    assert_eq!(count(test.pool(), &shown).await, 2, "the tenant's own audit shows it");
    let mut after = contents(&test).await;
    after.get_mut("audit_entries").unwrap().retain(|row| row["aggregate_id"] != id.to_string());
    assert_eq!(after, before);
}

#[tokio::test]
async fn a_verification_changes_nothing_but_the_log_and_starts_no_work() {
    let test = told().await;
    let (before, events) = (contents(&test).await, count(test.pool(), "events").await);
    for projection in read_models::all() {
        let rebuilt = carry_out(&test, request(projection.name(), RebuildGoal::Verify)).await.unwrap();
        assert!(rebuilt.comparison.is_equal(), "{}", projection.name());
        let recorded = recorded(&test, rebuilt.id.uuid()).await;
        assert!(recorded.iter().all(|(owner, ..)| owner.is_none()), "all rows are the platform's business");
        assert_eq!(recorded[0].1["reason"], Value::Null);
        assert_eq!(recorded[1].1["outcome"], "verified");
        assert_eq!(recorded[1].1["tenants_differing"], 0);
    }
    assert_eq!(contents(&test).await, before, "nobody feeds the live tables");
    test.catch_up().await;
    let all = i64::try_from(read_models::all().len()).unwrap();
    assert_eq!(count(test.pool(), "events").await, events + 2 * all, "no other event was caused");
    let mut after = contents(&test).await;
    after.get_mut("audit_entries").unwrap().retain(|row| row["actor_kind"] != "support");
    assert_eq!(after, before, "no step became due");
}

/// Seen to fail: with the end recorded only where it went well.
#[tokio::test]
async fn a_rebuild_that_fails_is_recorded_as_abandoned_with_what_differed() {
    let test = told().await;
    let (one, two) = (Company::new(&test, 1), Company::new(&test, 2));
    run_sql(&test, &format!("delete from users where id = '{}'", one.user())).await;
    run_sql(&test, &format!("update users set email = '{}' where id = '{}'", one.email(), two.user())).await;
    let mut request = request("users", RebuildGoal::Exchange);
    request.target.aggregate = Some(named("user", one.user().uuid()));
    let error = carry_out(&test, request).await.unwrap_err();
    assert_eq!((error.kind, error.code), (ErrorKind::Conflict, "rebuild.rows_of_others"));
    let events = recorded(&test, last_rebuild(&test).await).await;
    assert_eq!(events[0].1["scope"]["tenant_id"], json!(one.tenant()), "the aggregate's owner is found in the log");
    assert_eq!(events[1].1["outcome"], "abandoned");
    assert_eq!(events[1].1["rows_differing"], json!({"users": 1}));
}

#[tokio::test]
async fn everything_that_is_wrong_with_a_request_is_said_and_nothing_is_recorded() {
    let test = told().await;
    let events = count(test.pool(), "events").await;
    let (one, two, nobody) = (Company::new(&test, 1), Company::new(&test, 2), tenant(99));
    let unknown = Uuid::from_u128(0xdead);
    let asked = |projection: &str, tenant, aggregate: Option<(&str, Uuid)>, reason: Option<&str>| RebuildRequest {
        target: RebuildTarget {
            projection: projection.to_owned(),
            tenant,
            aggregate: aggregate.map(|(kind, id)| named(kind, id)),
        },
        goal: RebuildGoal::Exchange,
        reason: reason.map(str::to_owned),
    };
    for (request, fields) in [
        (asked("nothing", Some(nobody), None, None), vec!["projection", "tenant", "reason"]),
        (asked("users", None, None, Some("two\nlines")), vec!["reason"]),
        (asked("users", None, Some(("user", unknown)), Some(REASON)), vec!["aggregate"]),
        (asked("users", None, Some(("user", one.run(1).uuid())), Some(REASON)), vec!["aggregate"]),
        (asked("users", None, Some(("job_run", one.run(1).uuid())), Some(REASON)), vec!["aggregate"]),
        (asked("users", Some(two.tenant()), Some(("user", one.user().uuid())), Some(REASON)), vec!["aggregate"]),
        (asked("integrations", None, Some(("integration", unknown)), Some(REASON)), vec!["aggregate"]),
    ] {
        let error = carry_out(&test, request.clone()).await.unwrap_err();
        assert_eq!(error.kind, ErrorKind::Invalid);
        let named: Vec<&str> = error.fields.iter().map(|field| field.field.as_str()).collect();
        assert_eq!(named, fields, "{request:?}");
        if request.target.projection == "integrations" {
            assert!(error.fields[0].message.contains("--tenant"), "{:?}", error.fields);
        }
    }
    let system = rebuilding(&test).rebuild(&context(tenant(1)), request("users", RebuildGoal::Verify), &|_| ()).await;
    assert_eq!(system.unwrap_err().kind, ErrorKind::Forbidden);
    assert_eq!(count(test.pool(), "events").await, events);
}
