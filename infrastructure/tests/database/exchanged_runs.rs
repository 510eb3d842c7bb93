//! Reading runs while their tables are being exchanged.

use application::TenantScope;
use application::ports::read_models::{PageRequest, Runs};
use domain::access::Permission;
use domain::ids::TenantId;
use infrastructure::read_models::runs::RunsReader;
use sea_orm::{ConnectionTrait, DbBackend, Statement};
use testkit::TestDatabase;
use uuid::Uuid;

use crate::fixtures::{context, until};
use crate::rebuild::told;
use crate::story::Company;

fn scope(tenant: TenantId) -> TenantScope {
    context(tenant).authorize(Permission::RunsRead).unwrap()
}

/// What an exchange does: other tables take the place of the live ones. A run and its steps are in them that the exchange's own
/// transaction has written.
fn exchange(schema: &str, copied: Uuid, new: Uuid) -> Vec<String> {
    let mut statements = vec![
        "lock table runs, run_steps in access exclusive mode".to_owned(),
        format!("create schema {schema}_next_runs"),
        format!("create schema {schema}_old_runs"),
    ];
    for (table, key) in [("runs", "id"), ("run_steps", "run_id")] {
        statements.extend([
            format!("create table {schema}_next_runs.{table} (like {table} including all)"),
            format!("select isolate('{schema}_next_runs.{table}', 'tenant_id', 'select, insert', 'select')"),
            format!("insert into {schema}_next_runs.{table} select * from {table}"),
            format!(
                "insert into {schema}_next_runs.{table}
                 select (jsonb_populate_record(row, jsonb_build_object('{key}', '{new}'))).*
                 from {table} row where {key} = '{copied}'"
            ),
            format!("alter table {table} set schema {schema}_old_runs"),
            format!("alter table {schema}_next_runs.{table} set schema {schema}"),
        ]);
    }
    statements
}

/// How many wait for a lock of the session.
async fn waiting_for(test: &TestDatabase, holder: i32) -> i64 {
    let sql = "select count(*) from pg_stat_activity where $1 = any(pg_blocking_pids(pid))";
    sqlx::query_scalar(sql).bind(holder).fetch_one(test.pool()).await.unwrap()
}

/// Seen to fail: with runs and steps read in one repeatable-read snapshot, nothing was found.
#[tokio::test]
async fn a_reader_who_waited_for_an_exchange_sees_what_the_exchange_has_written() {
    let test = told().await;
    let Some(elsewhere) = test.another_process().await else { return assert!(test.is_embedded()) };
    let company = Company::new(&test, 1);
    let new = Uuid::from_u128(0xfeed);
    let schema: String = sqlx::query_scalar("select current_schema()::text").fetch_one(test.pool()).await.unwrap();
    let page = PageRequest { after: None, limit: 100 };
    let reader = RunsReader::new(test.database());
    // Statements are prepared, as they are in a process that has read before.
    let before = reader.list(&scope(company.tenant()), page).await.unwrap().items.len();

    let transaction = elsewhere.begin_as_owner().await.unwrap();
    for statement in exchange(&schema, company.run(1).uuid(), new) {
        transaction.execute_unprepared(&statement).await.unwrap();
    }
    let holder = Statement::from_string(DbBackend::Postgres, "select pg_backend_pid()");
    let holder: i32 = transaction.query_one(holder).await.unwrap().unwrap().try_get_by_index(0).unwrap();
    let mine = scope(company.tenant());
    let reading = tokio::spawn(async move { tokio::join!(reader.list(&mine, page), reader.get(&mine, new.into())) });
    until("both wait", async || waiting_for(&test, holder).await == 2).await;
    transaction.commit().await.unwrap();

    let (listed, found) = reading.await.unwrap();
    let listed = listed.unwrap().items;
    assert_eq!(listed.len(), before + 1);
    assert!(listed.iter().any(|run| run.id.uuid() == new));
    assert!(listed.iter().all(|run| run.steps.len() == 8), "rows and steps are of one moment");
    assert_eq!(found.unwrap().item.unwrap().steps.len(), 8);
}
