//! Building a read model anew beside the live one.

use std::sync::Arc;

use application::ports::commands::Commands;
use domain::tenant::Tenant;
use infrastructure::projections::{Projection, Rebuild};
use infrastructure::read_models;
use testkit::TestDatabase;

use crate::fixtures::{context, count, provision, tenant};
use crate::replay::contents;
use crate::story::Company;

fn projection(name: &str) -> Arc<dyn Projection> {
    read_models::all().into_iter().find(|projection| projection.name() == name).unwrap()
}

async fn told() -> TestDatabase {
    let test = TestDatabase::new().await;
    Company::new(&test, 1).live().await;
    Company::new(&test, 2).live().await;
    test.catch_up().await;
    test
}

#[tokio::test]
async fn every_read_model_that_is_rebuilt_equals_the_live_one() {
    let test = told().await;
    let before = contents(&test).await;
    for projection in read_models::all() {
        let rebuild = Rebuild::of(test.database(), projection.as_ref()).await.unwrap();
        rebuild.build(|_| ()).await.unwrap();
        let comparison = rebuild.compare().await.unwrap();
        assert!(comparison.is_equal(), "{}: {:?}", projection.name(), comparison.differences);
        assert!(!comparison.digests.is_empty(), "{} has rows to compare", projection.name());
        rebuild.exchange().await.unwrap();
    }
    assert_eq!(contents(&test).await, before);
}

/// Seen to fail: with a comparison of row counts alone, the changed row was not found.
#[tokio::test]
async fn what_differs_is_named_by_tenant_and_row_and_mended_by_the_exchange() {
    let test = told().await;
    let before = contents(&test).await;
    sqlx::query("update users set name = 'Somebody else' where tenant_id = $1")
        .bind(tenant(1).uuid())
        .execute(test.pool())
        .await
        .unwrap();
    let users = projection("users");
    let rebuild = Rebuild::of(test.database(), users.as_ref()).await.unwrap();
    rebuild.build(|_| ()).await.unwrap();
    let comparison = rebuild.compare().await.unwrap();
    let differing: Vec<_> =
        comparison.digests.iter().filter(|digest| !digest.is_equal()).map(|digest| digest.tenant_id).collect();
    assert_eq!(differing, [Some(tenant(1).uuid())]);
    assert!(comparison.differences.iter().all(|row| row.live.as_ref().unwrap().contains("Somebody else")));
    rebuild.exchange().await.unwrap();
    assert_eq!(contents(&test).await, before);
    assert!(rebuild.drop_previous().await.unwrap(), "the replaced tables were kept until now");
    assert!(!rebuild.drop_previous().await.unwrap());
}

#[tokio::test]
async fn the_rebuilt_tables_have_the_indexes_of_the_live_ones_and_go_on_following_the_log() {
    let test = told().await;
    let indexes = async || -> Vec<(String, String)> {
        sqlx::query_as(
            "select i.relname::text, regexp_replace(pg_get_indexdef(x.indexrelid), ' ON \\S+ ', ' ON ')
             from pg_index x join pg_class i on i.oid = x.indexrelid join pg_class t on t.oid = x.indrelid
             where t.relnamespace = current_schema()::regnamespace order by 1",
        )
        .fetch_all(test.pool())
        .await
        .unwrap()
    };
    let before = indexes().await;
    for name in ["audit_entries", "tenants"] {
        let projection = projection(name);
        let rebuild = Rebuild::of(test.database(), projection.as_ref()).await.unwrap();
        rebuild.build(|_| ()).await.unwrap();
        rebuild.exchange().await.unwrap();
    }
    assert_eq!(indexes().await, before);
    let tenants = test.commands::<Tenant>();
    tenants.execute(&context(tenant(9)), tenant(9).uuid(), provision(tenant(9), "ninth")).await.unwrap();
    test.catch_up().await;
    assert_eq!(count(test.pool(), "audit_entries").await, count(test.pool(), "events").await);
    assert_eq!(count(test.pool(), "tenants").await, 3);
}

#[tokio::test]
async fn a_rebuild_that_was_cut_off_goes_on_and_one_given_up_leaves_nothing() {
    let test = told().await;
    let audit = projection("audit_entries");
    Rebuild::of(test.database(), audit.as_ref()).await.unwrap().build(|_| ()).await.unwrap();
    let tenants = test.commands::<Tenant>();
    tenants.execute(&context(tenant(9)), tenant(9).uuid(), provision(tenant(9), "ninth")).await.unwrap();
    test.catch_up().await;
    let again = Rebuild::of(test.database(), audit.as_ref()).await.unwrap();
    let mut seen = Vec::new();
    again.build(|progress| seen.push(progress.done)).await.unwrap();
    assert!(seen.iter().all(|done| *done <= 1), "only what is new is built: {seen:?}");
    assert!(again.compare().await.unwrap().is_equal());
    again.abandon().await.unwrap();
    let schemas: i64 =
        sqlx::query_scalar("select count(*) from pg_namespace where nspname like current_schema() || '\\_next%'")
            .fetch_one(test.pool())
            .await
            .unwrap();
    assert_eq!(schemas, 0);
}

/// Seen to fail: with the exchange not bringing the next generation to the live checkpoint first, rows were missing.
#[tokio::test]
async fn nothing_is_lost_or_doubled_when_events_go_on_during_a_rebuild() {
    let test = told().await;
    let projections = read_models::all();
    let audit = projection("audit_entries");
    let tenants = test.commands::<Tenant>();
    let writes = async {
        for number in 100..140 {
            let new = provision(tenant(number), &format!("t{number}"));
            tenants.execute(&context(tenant(number)), tenant(number).uuid(), new).await.unwrap();
        }
    };
    let rebuilds = async {
        for _ in 0..3 {
            let rebuild = Rebuild::of(test.database(), audit.as_ref()).await.unwrap();
            rebuild.build(|_| ()).await.unwrap();
            rebuild.exchange().await.unwrap();
        }
    };
    let runner = test.runner();
    tokio::select! {
        () = runner.run(&projections) => {}
        ((), ()) = async { tokio::join!(writes, rebuilds) } => {}
    }
    test.catch_up().await;
    assert_eq!(count(test.pool(), "audit_entries").await, count(test.pool(), "events").await);
}
