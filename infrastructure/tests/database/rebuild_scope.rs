//! Building the rows of one tenant or one aggregate anew.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};

use application::ports::commands::Commands;
use domain::ids::RunId;
use domain::rebuild::RebuildScope;
use domain::tenant::Tenant;
use infrastructure::database::Database;
use infrastructure::projections::{Projection, Rebuild};
use infrastructure::read_models;
use serde_json::Value;
use testkit::TestDatabase;
use uuid::Uuid;

use crate::fixtures::{context, count, provision, tenant, until};
use crate::rebuild::{projection, told};
use crate::replay::contents;
use crate::story::Company;

pub(crate) fn of_tenant(number: u128) -> RebuildScope {
    RebuildScope::Tenant { tenant_id: tenant(number) }
}

pub(crate) fn of_run(tenant_number: u128, run: RunId) -> RebuildScope {
    RebuildScope::Aggregate { aggregate_id: run.uuid(), tenant_id: Some(tenant(tenant_number)) }
}

pub(crate) async fn rebuild_rows(test: &TestDatabase, projection: &dyn Projection, scope: RebuildScope) {
    let rebuild = Rebuild::of_rows(test.database(), projection, scope).await.unwrap();
    rebuild.build(|_| ()).await.unwrap();
    rebuild.compare().await.unwrap();
    rebuild.exchange().await.unwrap();
}

pub(crate) async fn run_sql(test: &TestDatabase, sql: &str) {
    sqlx::query(sql).execute(test.pool()).await.unwrap();
}

/// The rows of a table that say they are of a tenant.
fn rows_of(contents: &BTreeMap<String, Vec<Value>>, table: &str, column: &str, number: u128) -> Vec<Value> {
    let owner = tenant(number).to_string();
    contents[table].iter().filter(|row| row[column] == owner).cloned().collect()
}

/// Seen to fail: without the condition on events the rows of the other tenant came back too.
#[tokio::test]
async fn one_tenants_rows_come_back_and_the_damage_of_another_stays() {
    let test = told().await;
    let before = contents(&test).await;
    for projection in read_models::all() {
        for table in projection.tables() {
            for number in [1, 2] {
                let owner = tenant(number);
                run_sql(&test, &format!("delete from {} where {} = '{owner}'", table.name, table.tenant)).await;
            }
        }
        rebuild_rows(&test, projection.as_ref(), of_tenant(1)).await;
    }
    let after = contents(&test).await;
    for table in read_models::all().iter().flat_map(|projection| projection.tables()) {
        let mine = rows_of(&before, table.name, table.tenant, 1);
        assert!(!mine.is_empty(), "the story gives {} no row", table.name);
        assert_eq!(rows_of(&after, table.name, table.tenant, 1), mine, "{}", table.name);
        assert_eq!(rows_of(&after, table.name, table.tenant, 2), [] as [Value; 0], "{}", table.name);
    }
    assert_eq!(count(test.pool(), "projection_checkpoints where name like '%@next'").await, 0);
    let schemas = "pg_namespace where starts_with(nspname::text, current_schema() || '_')";
    assert_eq!(count(test.pool(), schemas).await, 0, "neither a next nor a previous generation is left");
}

/// Seen to fail: without the deletion by key, the row that claimed another owner kept the rebuilt one out.
#[tokio::test]
async fn changed_lost_foreign_and_invented_rows_of_a_tenant_are_named_and_mended() {
    let test = told().await;
    let before = contents(&test).await;
    let (one, two) = (Company::new(&test, 1), Company::new(&test, 2));
    let (mine, theirs) = (one.tenant(), two.tenant());
    run_sql(&test, &format!("update runs set status = 'odd' where id = '{}'", one.run(1))).await;
    run_sql(&test, &format!("delete from runs where id = '{}'", one.run(2))).await;
    run_sql(&test, &format!("update runs set tenant_id = '{theirs}' where id = '{}'", one.run(3))).await;
    let invented = Uuid::from_u128(0xdead);
    let columns = "tenant_id, kind, period_from, period_to, status, started_at, finished_at";
    let copy = format!("insert into runs (id, {columns}) select '{invented}', {columns} from runs where tenant_id = ");
    run_sql(&test, &format!("{copy} '{mine}' limit 1")).await;
    run_sql(&test, &format!("update runs set status = 'odd' where id = '{}'", two.run(1))).await;

    let runs = projection("runs");
    let rebuild = Rebuild::of_rows(test.database(), runs.as_ref(), of_tenant(1)).await.unwrap();
    rebuild.build(|_| ()).await.unwrap();
    let comparison = rebuild.compare().await.unwrap();
    let named: BTreeMap<String, (bool, bool, Vec<String>)> = comparison
        .differences
        .into_iter()
        .map(|row| {
            assert_eq!((row.table.as_str(), row.tenant_id), ("runs", Some(mine.uuid())));
            (row.key, (row.in_live, row.in_next, row.columns))
        })
        .collect();
    let key = |id: Uuid| format!("{{\"id\": \"{id}\"}}");
    let expected = BTreeMap::from([
        (key(one.run(1).uuid()), (true, true, vec!["status".to_owned()])),
        (key(one.run(2).uuid()), (false, true, vec![])),
        (key(one.run(3).uuid()), (true, true, vec!["tenant_id".to_owned()])),
        (key(invented), (true, false, vec![])),
    ]);
    assert_eq!(named, expected, "the rows of the other tenant are none of its business");
    assert_eq!(comparison.rows_differing, BTreeMap::from([("runs".to_owned(), 4)]));

    rebuild.exchange().await.unwrap();
    run_sql(&test, &format!("update runs set status = 'completed' where id = '{}'", two.run(1))).await;
    assert_eq!(contents(&test).await, before, "but for the damage of the other tenant, which was left");
}

/// Seen to fail: with rows told apart by the tenant alone, the damage of the other run was mended too.
#[tokio::test]
async fn one_aggregates_rows_come_back_and_the_damage_of_another_stays() {
    let test = told().await;
    let company = Company::new(&test, 1);
    let (first, second) = (company.run(1), company.run(2));
    let before = contents(&test).await;
    for run in [first, second] {
        run_sql(&test, &format!("delete from run_steps where run_id = '{run}' and number > 2")).await;
        run_sql(&test, &format!("update runs set status = 'odd' where id = '{run}'")).await;
        run_sql(&test, &format!("update audit_entries set actor_kind = 'odd' where aggregate_id = '{run}'")).await;
    }
    let audit = projection("audit_entries");
    let rebuild = Rebuild::of_rows(test.database(), audit.as_ref(), of_run(1, first)).await.unwrap();
    rebuild.build(|_| ()).await.unwrap();
    for row in rebuild.compare().await.unwrap().differences {
        let key: BTreeMap<String, i64> = serde_json::from_str(&row.key).unwrap();
        assert_eq!(key.keys().collect::<Vec<_>>(), ["generation", "position", "tx"], "the whole key names a row");
        assert_eq!(row.columns, ["actor_kind"]);
    }
    rebuild.exchange().await.unwrap();
    rebuild_rows(&test, projection("runs").as_ref(), of_run(1, first)).await;
    let after = contents(&test).await;
    for (table, column) in [("runs", "id"), ("run_steps", "run_id"), ("audit_entries", "aggregate_id")] {
        let of = |contents: &BTreeMap<String, Vec<Value>>, run: RunId| -> Vec<Value> {
            contents[table].iter().filter(|row| row[column] == run.to_string()).cloned().collect()
        };
        assert_eq!(of(&after, first), of(&before, first), "{table}");
        assert_ne!(of(&after, second), of(&before, second), "{table}");
        let others = |contents: &BTreeMap<String, Vec<Value>>| contents[table].len() - of(contents, second).len();
        assert_eq!(others(&after), others(&before), "{table}");
    }
}

#[tokio::test]
async fn a_rebuild_of_a_scope_reads_the_events_of_that_scope_alone() {
    let test = told().await;
    let company = Company::new(&test, 1);
    let (tenant, run) = (company.tenant(), company.run(1));
    for name in ["audit_entries", "runs"] {
        let projection = projection(name);
        for (scope, events) in [
            (of_tenant(1), format!("events where tenant_id = '{tenant}'")),
            (of_run(1, run), format!("events where aggregate_type = 'job_run' and aggregate_id = '{run}'")),
        ] {
            let rebuild = Rebuild::of_rows(test.database(), projection.as_ref(), scope).await.unwrap().in_batches_of(7);
            let mut last = None;
            rebuild.build(|progress| last = Some(progress)).await.unwrap();
            let all = count(test.pool(), &events).await.cast_unsigned();
            assert!(all > 7, "more than one batch");
            assert_eq!(last.map(|last| (last.done, last.total)), Some((all, all)), "{name} {scope:?}");
            assert!(rebuild.compare().await.unwrap().is_equal(), "{name} {scope:?}");
            rebuild.abandon().await.unwrap();
        }
    }
}

/// A log of 40,000 events of 400 tenants that the projection has seen.
async fn long_log(test: &TestDatabase, name: &str) {
    run_sql(
        test,
        "insert into events (tenant_id, aggregate_type, aggregate_id, sequence, event_type, event_version, payload, metadata)
         select lpad((n % 400)::text, 32, '0')::uuid, 'user', lpad((n % 8000)::text, 32, '0')::uuid::text, n / 8000 + 1,
                'UserPasswordSet', '1', '{}', '{}'
         from generate_series(0, 39999) n",
    )
    .await;
    run_sql(test, "analyze events").await;
    let seen = "insert into projection_checkpoints (name, generation, tx, position)
                select $1, generation, tx, position from events order by generation desc, tx desc, position desc limit 1";
    sqlx::query(seen).bind(name).execute(test.pool()).await.unwrap();
}

/// Seen to fail: with a rebuild that reads every event and passes those of others over.
#[tokio::test]
async fn a_rebuild_of_a_scope_never_scans_the_log() {
    let test = TestDatabase::new().await;
    let Some(url) = test.url() else {
        assert!(test.is_embedded());
        return;
    };
    long_log(&test, "audit_entries").await;
    // One connection: it can be told to publish what it has counted.
    let alone = Database::connect(&url, 1).await.unwrap();
    let scans = async || -> i64 {
        sqlx::query("select pg_stat_force_next_flush()").execute(alone.pool()).await.unwrap();
        let sql = "select seq_scan from pg_stat_user_tables where relid = 'events'::regclass";
        sqlx::query_scalar(sql).fetch_one(alone.pool()).await.unwrap()
    };
    let (audit, id) =
        (projection("audit_entries"), |number: u128| -> Uuid { format!("{number:032}").parse().unwrap() });
    let tenant_id = id(7).into();
    for (scope, rows) in [
        (RebuildScope::Aggregate { aggregate_id: id(407), tenant_id: Some(tenant_id) }, 5),
        (RebuildScope::Tenant { tenant_id }, 100),
    ] {
        let before = scans().await;
        let rebuild = Rebuild::of_rows(&alone, audit.as_ref(), scope).await.unwrap().in_batches_of(40);
        rebuild.build(|_| ()).await.unwrap();
        rebuild.compare().await.unwrap();
        rebuild.exchange().await.unwrap();
        assert_eq!(scans().await, before, "{scope:?}");
        assert_eq!(count(test.pool(), "audit_entries").await, rows, "{scope:?}");
    }
    alone.close().await;
}

/// Seen to fail: with the exchange not bringing the next generation to the live checkpoint first, readers missed rows.
#[tokio::test]
async fn readers_and_commands_go_on_while_a_tenants_rows_are_exchanged() {
    let test = told().await;
    let (projections, audit, tenants) = (read_models::all(), projection("audit_entries"), test.commands::<Tenant>());
    let mine = format!("audit_entries where tenant_id = '{}'", tenant(1));
    let (least, reads) = (count(test.pool(), &mine).await, AtomicU64::new(0));
    let writes = async {
        for number in 100..130 {
            let new = provision(tenant(number), &format!("t{number}"));
            tenants.execute(&context(tenant(number)), tenant(number).uuid(), new).await.unwrap();
            Company::new(&test, 1).complete_run(Company::new(&test, 1).run(number), crate::fixtures::at(500)).await;
        }
    };
    let rebuilds = async {
        for _ in 0..4 {
            let earlier = reads.load(Ordering::Relaxed);
            rebuild_rows(&test, audit.as_ref(), of_tenant(1)).await;
            until("readers go on", async || reads.load(Ordering::Relaxed) > earlier).await;
        }
    };
    let reader = async {
        let mut most = least;
        loop {
            let now = count(test.pool(), &mine).await;
            assert!(now >= most, "rows were gone: {now} after {most}");
            most = now;
            reads.fetch_add(1, Ordering::Relaxed);
            tokio::task::yield_now().await;
        }
    };
    let runner = test.runner();
    tokio::select! {
        () = runner.run(&projections) => {}
        () = reader => {}
        ((), ()) = async { tokio::join!(writes, rebuilds) } => {}
    }
    test.catch_up().await;
    assert_eq!(count(test.pool(), "audit_entries").await, count(test.pool(), "events").await);
    let live = contents(&test).await;
    for projection in read_models::all() {
        rebuild_rows(&test, projection.as_ref(), RebuildScope::Everyone).await;
    }
    assert_eq!(contents(&test).await, live, "as from scratch");
}
