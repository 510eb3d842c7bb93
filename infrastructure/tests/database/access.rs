//! What roles may, in memory and in tables.

use std::sync::Arc;
use std::time::Duration;

use application::PortError;
use application::ports::access::{AccessMatrix, AddedEntries, Roles};
use application::ports::read_models::PageRequest;
use domain::access::{EntryKind, Permission, Reach, ReachSet, RoleName};
use domain::role::RoleAsk;
use infrastructure::access_matrix::LiveAccessMatrix;
use infrastructure::follower::{Follower, LiveView};
use infrastructure::read_models::catalogue_entries::CatalogueEntriesReader;
use infrastructure::read_models::roles::RolesReader;
use sea_orm::ConnectionTrait;
use testkit::TestDatabase;
use tokio::task::JoinSet;

use crate::fixtures::{context, tenant, until};
use crate::story::Company;

fn sales() -> RoleName {
    "sales".parse().unwrap()
}

async fn reads_reports(matrix: &LiveAccessMatrix, company: &Company<'_>) -> bool {
    matrix.of(company.tenant()).await.unwrap().rights(&sales()).allows(Permission::ReportsRead)
}

/// A matrix that follows the log until the second is dropped.
async fn followed(test: &TestDatabase) -> (Arc<LiveAccessMatrix>, JoinSet<()>) {
    let matrix = Arc::new(LiveAccessMatrix::new(test.database()));
    let follower = Follower::new(test.database(), test.log(), vec![Arc::clone(&matrix) as _]);
    let mut freshness = follower.freshness();
    matrix.follow(freshness.clone());
    let mut running = JoinSet::new();
    running.spawn(async move { follower.run().await });
    freshness.filled().await;
    (matrix, running)
}

fn grant() -> RoleAsk {
    RoleAsk::Grant("reports:read".parse().unwrap())
}

/// Seen to fail with `apply` that removes nothing.
#[tokio::test]
async fn a_change_reaches_every_process() {
    let test = TestDatabase::new().await;
    let company = Company::new(&test, 1);
    company.manage_access().await;
    let [(one, _running), (other, _too)] = [followed(&test).await, followed(&test).await];
    let matrices = [one, other];
    for matrix in &matrices {
        assert!(!reads_reports(matrix, &company).await);
    }
    company.role("sales", grant()).await;
    for matrix in &matrices {
        until("the grant is in force", async || reads_reports(matrix, &company).await).await;
    }
    company.role("sales", RoleAsk::Remove).await;
    for matrix in &matrices {
        until("nothing is left", async || !reads_reports(matrix, &company).await).await;
    }
}

#[tokio::test]
async fn a_company_is_read_once_and_apart_from_others() {
    let test = TestDatabase::new().await;
    let company = Company::new(&test, 1);
    company.manage_access().await;
    let (matrix, _running) = followed(&test).await;
    let first = matrix.of(company.tenant()).await.unwrap();
    assert!(Arc::ptr_eq(&first, &matrix.of(company.tenant()).await.unwrap()));
    let reach = first.rights(&sales()).reach_by_name("boats", "sail");
    assert_eq!(reach.iter().map(Reach::name).collect::<Vec<_>>(), ["own"]);
    assert!(first.rights(&sales()).reach_by_name("trains", "ride").is_empty());
    let other = matrix.of(tenant(2)).await.unwrap();
    assert_eq!(other.role(&sales()), None);
    assert_eq!(other.rights(&RoleName::owner()).reach(Permission::RunsStart), ReachSet::ALL);
}

/// Seen to fail with a matrix that does not ask how current it is: a right that was taken was told for ever.
#[tokio::test]
async fn nobody_is_told_rights_by_a_process_that_does_not_see_the_log() {
    let test = TestDatabase::new().await;
    let company = Company::new(&test, 1);
    company.manage_access().await;
    let (matrix, running) = followed(&test).await;
    assert!(!reads_reports(&matrix, &company).await);
    drop(running);
    let refused = async || matches!(matrix.of(company.tenant()).await, Err(PortError::Unavailable(_)));
    assert!(!refused().await, "it was seen just now");
    tokio::time::sleep(Duration::from_millis(5_100)).await;
    assert!(refused().await);
    company.role("sales", grant()).await;
    let unfollowed = LiveAccessMatrix::new(test.database());
    assert!(reads_reports(&unfollowed, &company).await, "where nobody follows the log, it is read");
    company.role("sales", RoleAsk::Remove).await;
    assert!(!reads_reports(&unfollowed, &company).await);
}

/// Seen to fail with a fill that is kept without looking at the count.
#[tokio::test]
async fn a_fill_that_a_change_has_overtaken_is_not_kept() {
    let test = TestDatabase::new().await;
    // PGlite has one connection: a fill and a change cannot overlap.
    let Some(other) = test.another_process().await else { return assert!(test.is_embedded()) };
    let company = Company::new(&test, 1);
    company.manage_access().await;
    let events =
        test.reader().committed(&["role"], application::ports::commands::LogPosition::BEGINNING, 1).await.unwrap();
    // Its follower tells it nothing, only that the log was seen.
    let matrix = Arc::new(LiveAccessMatrix::new(test.database()));
    let follower = Follower::new(test.database(), test.log(), Vec::new());
    let mut freshness = follower.freshness();
    matrix.follow(freshness.clone());
    let mut running = JoinSet::new();
    running.spawn(async move { follower.run().await });
    freshness.filled().await;
    let slow = other.begin_as_owner().await.unwrap();
    slow.execute_unprepared("lock table events in access exclusive mode").await.unwrap();
    let filling = Arc::clone(&matrix);
    let tenant_id = company.tenant();
    let fill = tokio::spawn(async move { filling.of(tenant_id).await.unwrap() });
    tokio::time::sleep(Duration::from_millis(300)).await;
    matrix.apply(&events);
    slow.rollback().await.unwrap();
    fill.await.unwrap();
    // Nobody tells the matrix of this one, so it is seen only where the fill was not kept.
    company.role("sales", grant()).await;
    assert!(reads_reports(&matrix, &company).await);
}

#[tokio::test]
async fn tables_show_roles_and_entries_as_the_events_left_them() {
    let test = TestDatabase::new().await;
    let company = Company::new(&test, 1);
    company.manage_access().await;
    Company::new(&test, 2).manage_access().await;
    test.catch_up().await;
    let scope = context(company.tenant()).authorize(Permission::RolesRead).unwrap();
    let roles = RolesReader::new(test.database());
    let page = roles.list(&scope, PageRequest { after: None, limit: 10 }).await.unwrap();
    let [role] = &page.items[..] else { panic!("the removed one is not shown: {page:?}") };
    assert_eq!((role.name.clone(), role.title.as_str(), role.level, role.version), (sales(), "Sellers", 40, 4));
    assert!(role.permissions.contains(&"boats:sail:own".to_owned()), "{:?}", role.permissions);
    assert!(!role.permissions.contains(&"clients:view:limited".to_owned()), "{:?}", role.permissions);
    let foreign = context(tenant(3)).authorize(Permission::RolesRead).unwrap();
    assert_eq!(roles.get(&foreign, role.id).await.unwrap().item, None);
    let entries = CatalogueEntriesReader::new(test.database());
    for (kind, name) in
        [(EntryKind::Service, "boats"), (EntryKind::Action, "sail"), (EntryKind::Permission, "boats:sail")]
    {
        let found = entries.of_kind(&scope, kind).await.unwrap().item;
        let shown: Vec<_> = found.iter().map(|view| (view.entry.to_string(), view.title.as_str())).collect();
        assert_eq!(shown, [(name.to_owned(), "Second name")]);
    }
}
