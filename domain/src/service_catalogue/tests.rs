use cqrs_es::test::TestFramework;

use super::{
    CatalogueAsk, CatalogueCommand, EntryChange, MOST_ENTRIES, ServiceCatalogue, ServiceCatalogueError,
    ServiceCatalogueEvent,
};
use crate::access::{CatalogueEntry, Preset};
use crate::ids::TenantId;
use crate::values::DisplayName;

fn tenant_id() -> TenantId {
    TenantId::from(uuid::Uuid::from_u128(1))
}

fn at() -> chrono::DateTime<chrono::Utc> {
    "2026-06-01T00:00:00Z".parse().unwrap()
}

fn title() -> DisplayName {
    "A title".parse().unwrap()
}

fn service(name: &str) -> CatalogueEntry {
    CatalogueEntry::Service(name.parse().unwrap())
}

fn action(name: &str) -> CatalogueEntry {
    CatalogueEntry::Action(name.parse().unwrap())
}

fn permission(service: &str, action: &str) -> CatalogueEntry {
    CatalogueEntry::permission(service.parse().unwrap(), action.parse().unwrap())
}

fn asked(ask: CatalogueAsk) -> CatalogueCommand {
    CatalogueCommand { tenant_id: tenant_id(), ask, at: at() }
}

fn add(entry: CatalogueEntry) -> CatalogueCommand {
    asked(CatalogueAsk::Add(entry, title()))
}

fn added(entry: CatalogueEntry) -> ServiceCatalogueEvent {
    ServiceCatalogueEvent::of(tenant_id(), entry, EntryChange::Added(title()), at())
}

fn catalogue() -> TestFramework<ServiceCatalogue> {
    TestFramework::with(())
}

#[test]
fn entries_are_added_once() {
    catalogue()
        .given_no_previous_events()
        .when(add(service("boats")))
        .then_expect_events(vec![added(service("boats"))]);
    catalogue().given(vec![added(service("boats"))]).when(add(service("boats"))).then_expect_events(vec![]);
    let other = asked(CatalogueAsk::Add(service("boats"), "Ships".parse().unwrap()));
    let exists = ServiceCatalogueError::AlreadyExists(service("boats"));
    catalogue().given(vec![added(service("boats"))]).when(other).then_expect_error(exists);
}

#[test]
fn what_is_built_in_stays() {
    for entry in CatalogueEntry::built_in() {
        let built_in = ServiceCatalogueError::BuiltIn(entry.clone());
        let remove = asked(CatalogueAsk::Remove(entry.clone()));
        catalogue().given_no_previous_events().when(remove).then_expect_error(built_in.clone());
        let rename = asked(CatalogueAsk::Rename(entry.clone(), title()));
        catalogue().given_no_previous_events().when(rename).then_expect_error(built_in);
        let exists = ServiceCatalogueError::AlreadyExists(entry.clone());
        catalogue().given_no_previous_events().when(add(entry)).then_expect_error(exists);
    }
}

#[test]
fn a_permission_is_made_of_what_there_is() {
    let sail = || permission("boats", "sail");
    let missing = |entry| ServiceCatalogueError::Missing(entry);
    catalogue().given_no_previous_events().when(add(sail())).then_expect_error(missing(service("boats")));
    let boats = || added(service("boats"));
    catalogue().given(vec![boats()]).when(add(sail())).then_expect_error(missing(action("sail")));
    let both = vec![boats(), added(action("sail"))];
    catalogue().given(both).when(add(sail())).then_expect_events(vec![added(sail())]);
    let built_in = permission("reports", "start");
    catalogue().given_no_previous_events().when(add(built_in.clone())).then_expect_events(vec![added(built_in)]);
}

#[test]
fn what_a_permission_is_made_of_stays_as_long_as_it() {
    let sail = permission("boats", "sail");
    let all = vec![added(service("boats")), added(action("sail")), added(sail.clone())];
    for entry in [service("boats"), action("sail")] {
        let in_use = ServiceCatalogueError::InUse(sail.clone());
        catalogue().given(all.clone()).when(asked(CatalogueAsk::Remove(entry))).then_expect_error(in_use);
    }
    let removed = ServiceCatalogueEvent::of(tenant_id(), sail.clone(), EntryChange::Removed, at());
    catalogue().given(all).when(asked(CatalogueAsk::Remove(sail))).then_expect_events(vec![removed]);
}

#[test]
fn an_entry_is_renamed_or_not_there() {
    let rename = || asked(CatalogueAsk::Rename(action("sail"), "Go to sea".parse().unwrap()));
    let change = EntryChange::Renamed("Go to sea".parse().unwrap());
    let renamed = ServiceCatalogueEvent::of(tenant_id(), action("sail"), change, at());
    catalogue().given(vec![added(action("sail"))]).when(rename()).then_expect_events(vec![renamed.clone()]);
    catalogue().given(vec![added(action("sail")), renamed]).when(rename()).then_expect_events(vec![]);
    catalogue().given_no_previous_events().when(rename()).then_expect_error(ServiceCatalogueError::NotFound);
}

#[test]
fn a_catalogue_does_not_grow_without_end() {
    let full = (0..MOST_ENTRIES).map(|n| added(service(&format!("s{n}")))).collect();
    catalogue().given(full).when(add(service("one-more"))).then_expect_error(ServiceCatalogueError::Full);
}

#[test]
fn a_catalogue_is_filled_once() {
    let provide = || asked(CatalogueAsk::Provide(Preset::Property.catalogue()));
    let first = catalogue().given_no_previous_events().when(provide()).inspect_result().unwrap();
    assert_eq!(first.len(), Preset::Property.catalogue().len());
    catalogue().given(first).when(provide()).then_expect_events(vec![]);
}

#[test]
fn an_event_says_what_it_was_made_of() {
    for entry in [service("boats"), action("sail"), permission("boats", "sail")] {
        for change in [EntryChange::Added(title()), EntryChange::Renamed(title()), EntryChange::Removed] {
            let event = ServiceCatalogueEvent::of(tenant_id(), entry.clone(), change.clone(), at());
            assert_eq!(event.parts(), (tenant_id(), entry.clone(), change, at()));
        }
    }
}
