//! The log as the store of the cqrs-es framework.

use std::collections::HashMap;

use cqrs_es::persist::EventStoreAggregateContext;
use cqrs_es::{AggregateError, CqrsFramework, EventStore};
use domain::tenant::{Tenant, TenantCommand, TenantError, TenantEvent};
use infrastructure::event_store::LogStore;
use serde_json::{Value, json};
use testkit::TestDatabase;
use uuid::Uuid;

use crate::fixtures::{at, provision, tenant};

fn store(test: &TestDatabase) -> LogStore<Tenant> {
    LogStore::new(test.database(), test.appender())
}

#[tokio::test]
async fn commands_given_to_the_framework_are_recorded_and_loaded() {
    let test = TestDatabase::new().await;
    let framework = CqrsFramework::new(store(&test), vec![], ());
    let id = tenant(1).to_string();
    let metadata = HashMap::from([("actor_kind".to_owned(), "system".to_owned())]);
    framework.execute_with_metadata(&id, provision(tenant(1), "acme"), metadata.clone()).await.unwrap();
    framework.execute(&id, TenantCommand::Activate { at: at(1) }).await.unwrap();

    let loaded = store(&test).load_aggregate(&id).await.unwrap();
    assert!(matches!(loaded.aggregate, Tenant::Active(_)), "{:?}", loaded.aggregate);
    assert_eq!(loaded.current_sequence, 2);
    let events = store(&test).load_events(&id).await.unwrap();
    assert_eq!(events[0].metadata, metadata);
    assert!(matches!(events[1].payload, TenantEvent::TenantActivated { .. }));
    let rows: Vec<(Option<Uuid>, String, Value)> =
        sqlx::query_as("select tenant_id, event_version, metadata from events order by sequence")
            .fetch_all(test.pool())
            .await
            .unwrap();
    let owner = Some(tenant(1).uuid());
    assert_eq!(
        rows,
        [(owner, "1".to_owned(), json!({ "actor_kind": "system" })), (owner, "1".to_owned(), json!({}))],
        "the first event knows its tenant already"
    );
}

#[tokio::test]
async fn a_refusal_by_the_rules_reaches_the_caller() {
    let test = TestDatabase::new().await;
    let framework = CqrsFramework::new(store(&test), vec![], ());
    let refused = framework.execute(&tenant(1).to_string(), TenantCommand::Activate { at: at(1) }).await;
    assert!(matches!(refused, Err(AggregateError::UserError(TenantError::NotFound))), "{refused:?}");
}

#[tokio::test]
async fn a_commit_on_an_older_state_is_a_conflict() {
    let test = TestDatabase::new().await;
    let store = store(&test);
    let id = tenant(1).to_string();
    let load = || store.load_aggregate(&id);
    let (first, second): (EventStoreAggregateContext<Tenant>, _) = (load().await.unwrap(), load().await.unwrap());
    let events = Tenant::default().decide(provision(tenant(1), "acme")).unwrap();
    store.commit(events.clone(), first, HashMap::new()).await.unwrap();
    let lost = store.commit(events, second, HashMap::new()).await;
    assert!(matches!(lost, Err(AggregateError::AggregateConflict)), "{:?}", lost.err());
}
