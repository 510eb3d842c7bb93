//! Read models are the same however often events are delivered, and whatever was in them before.

use std::collections::BTreeMap;
use std::sync::Arc;

use async_trait::async_trait;
use infrastructure::event_store::LoggedEvent;
use infrastructure::projections::{Follows, Projection, ProjectionError, Table};
use infrastructure::read_models;
use sea_orm::DatabaseTransaction;
use serde_json::Value;
use testkit::TestDatabase;

use crate::story::Company;

/// Tables that no projection writes. Every other table counts as a read model, so a new one is tested from the start.
const NOT_READ_MODELS: &[&str] = &[
    "api_key_secrets",
    "authorization_states",
    "claims",
    "credentials",
    "events",
    "log_generations",
    "mails",
    "one_time_links",
    "parked_events",
    "projection_checkpoints",
    "receipts",
    "recovery_codes",
    "refresh_tokens",
    "seaql_migrations",
    "second_factors",
    "secrets",
    "session_activity",
    "sign_in_failures",
    "staging",
    "step_claims",
    "tenant_keys",
    "token_exchanges",
    "workers",
];

async fn read_model_tables(test: &TestDatabase) -> Vec<String> {
    let tables: Vec<String> = sqlx::query_scalar(
        "select table_name::text from information_schema.tables
         where table_schema = current_schema() and table_type = 'BASE TABLE' order by 1",
    )
    .fetch_all(test.pool())
    .await
    .unwrap();
    for known in NOT_READ_MODELS {
        assert!(tables.iter().any(|table| table == known), "{known} does not exist any more");
    }
    tables.into_iter().filter(|table| !NOT_READ_MODELS.contains(&table.as_str())).collect()
}

/// All rows of all read models.
pub(crate) async fn contents(test: &TestDatabase) -> BTreeMap<String, Vec<Value>> {
    let mut contents = BTreeMap::new();
    for table in read_model_tables(test).await {
        let rows = format!("select to_jsonb(t) from {table} t order by to_jsonb(t)::text");
        contents.insert(table, sqlx::query_scalar(&rows).fetch_all(test.pool()).await.unwrap());
    }
    contents
}

pub(crate) async fn from_the_beginning(test: &TestDatabase) {
    sqlx::query("update projection_checkpoints set generation = 0, tx = '0', position = 0")
        .execute(test.pool())
        .await
        .unwrap();
}

/// Delivers every event to the projection twice in a row.
struct Twice(Arc<dyn Projection>);

#[async_trait]
impl Projection for Twice {
    fn name(&self) -> &'static str {
        self.0.name()
    }

    fn follows(&self) -> Follows {
        self.0.follows()
    }

    fn tables(&self) -> &'static [Table] {
        self.0.tables()
    }

    async fn apply(&self, transaction: &DatabaseTransaction, events: &[&LoggedEvent]) -> Result<(), ProjectionError> {
        for event in events {
            self.0.apply(transaction, &[event]).await?;
            self.0.apply(transaction, &[event]).await?;
        }
        Ok(())
    }
}

/// Seen to fail: with the writer of audit entries failing on a row that exists, and with one that counts attempts up.
#[tokio::test]
async fn read_models_do_not_change_when_everything_is_delivered_again() {
    let test = TestDatabase::new().await;
    Company::new(&test, 1).live().await;
    Company::new(&test, 2).live().await;
    test.catch_up().await;
    let once = contents(&test).await;
    for (table, rows) in &once {
        assert!(!rows.is_empty(), "the story gives {table} no row, so this test says nothing about it");
    }
    from_the_beginning(&test).await;
    test.catch_up().await;
    assert_eq!(contents(&test).await, once, "the whole log, delivered over the rows that it had led to");

    for table in once.keys() {
        sqlx::query(&format!("delete from {table}")).execute(test.pool()).await.unwrap();
    }
    from_the_beginning(&test).await;
    let twice: Vec<Arc<dyn Projection>> =
        read_models::all().into_iter().map(|projection| Arc::new(Twice(projection)) as Arc<dyn Projection>).collect();
    test.catch_up_with(&twice).await;
    assert_eq!(contents(&test).await, once, "each event twice in a row, over empty tables");
}

#[tokio::test]
async fn names_of_projections_are_their_own() {
    let names: Vec<&str> = read_models::all().iter().map(|projection| projection.name()).collect();
    let distinct: std::collections::BTreeSet<&str> = names.iter().copied().collect();
    assert_eq!(distinct.len(), names.len(), "two projections with one name would share a checkpoint: {names:?}");
}
