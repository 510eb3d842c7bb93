use cqrs_es::test::TestFramework;

use super::{ProvisionTenant, Tenant, TenantCommand, TenantError, TenantEvent, TenantExport};
use crate::event_sourced::{ClaimChange, ClaimScope, EventSourced};
use crate::ids::TenantId;
use crate::values::Language;

fn acme() -> ProvisionTenant {
    ProvisionTenant {
        tenant_id: TenantId::from(uuid::Uuid::from_u128(1)),
        name: "Acme".parse().unwrap(),
        slug: "acme".parse().unwrap(),
        language: Language::English,
        at: "2026-06-01T00:00:00Z".parse().unwrap(),
    }
}

fn provisioned() -> TenantEvent {
    let ProvisionTenant { tenant_id, name, slug, language, at } = acme();
    TenantEvent::TenantProvisioned { tenant_id, name, slug, language, at }
}

fn activated() -> TenantEvent {
    TenantEvent::TenantActivated { tenant_id: acme().tenant_id, at: acme().at }
}

fn tenant() -> TestFramework<Tenant> {
    TestFramework::with(())
}

#[test]
fn a_new_tenant_is_provisioned() {
    tenant().given_no_previous_events().when(TenantCommand::Provision(acme())).then_expect_events(vec![provisioned()]);
}

#[test]
fn the_same_provisioning_again_changes_nothing() {
    tenant().given(vec![provisioned()]).when(TenantCommand::Provision(acme())).then_expect_events(vec![]);
}

#[test]
fn an_id_in_use_cannot_become_another_company() {
    let other = ProvisionTenant { name: "Other".parse().unwrap(), ..acme() };
    tenant()
        .given(vec![provisioned()])
        .when(TenantCommand::Provision(other))
        .then_expect_error(TenantError::AlreadyExists);
}

#[test]
fn a_provisioned_tenant_is_activated_once() {
    let activate = || TenantCommand::Activate { at: acme().at };
    tenant().given(vec![provisioned()]).when(activate()).then_expect_events(vec![activated()]);
    tenant().given(vec![provisioned(), activated()]).when(activate()).then_expect_events(vec![]);
}

#[test]
fn what_was_never_provisioned_cannot_be_activated() {
    tenant()
        .given_no_previous_events()
        .when(TenantCommand::Activate { at: acme().at })
        .then_expect_error(TenantError::NotFound);
}

#[test]
fn provisioning_claims_the_slug_in_the_whole_platform() {
    let claim = ClaimChange::Take { scope: ClaimScope::Platform, kind: "slug", value: "acme".into() };
    assert_eq!(Tenant::claims(&provisioned()), vec![claim]);
    assert_eq!(Tenant::claims(&activated()), vec![]);
}

fn suspended() -> TenantEvent {
    let ProvisionTenant { tenant_id, at, .. } = acme();
    TenantEvent::TenantSuspended { tenant_id, reason: "Bills are not paid.".parse().unwrap(), at }
}

fn resumed() -> TenantEvent {
    TenantEvent::TenantResumed { tenant_id: acme().tenant_id, at: acme().at }
}

fn offboarding() -> TenantEvent {
    let ProvisionTenant { tenant_id, at, .. } = acme();
    TenantEvent::TenantOffboardingBegun { tenant_id, reason: "The contract has ended.".parse().unwrap(), at }
}

fn export() -> TenantExport {
    TenantExport { events: 7, digest: "a".repeat(64).parse().unwrap(), at: acme().at }
}

fn exported() -> TenantEvent {
    let TenantExport { events, digest, at } = export();
    TenantEvent::TenantExported { tenant_id: acme().tenant_id, events, digest, at }
}

fn closed() -> TenantEvent {
    TenantEvent::TenantClosed { tenant_id: acme().tenant_id, slug: acme().slug, at: acme().at }
}

fn suspend() -> TenantCommand {
    TenantCommand::Suspend { reason: "Bills are not paid.".parse().unwrap(), at: acme().at }
}

fn resume() -> TenantCommand {
    TenantCommand::Resume { at: acme().at }
}

fn offboard() -> TenantCommand {
    TenantCommand::BeginOffboarding { reason: "The contract has ended.".parse().unwrap(), at: acme().at }
}

fn close() -> TenantCommand {
    TenantCommand::Close { at: acme().at }
}

#[test]
fn a_tenant_is_renamed_and_keeps_its_slug() {
    let (name, at) = ("Acme & Sons".parse::<crate::values::DisplayName>().unwrap(), acme().at);
    let renamed = TenantEvent::TenantRenamed { tenant_id: acme().tenant_id, name: name.clone(), at };
    let rename = || TenantCommand::Rename { name: name.clone(), at };
    tenant().given(vec![provisioned()]).when(rename()).then_expect_events(vec![renamed.clone()]);
    tenant().given(vec![provisioned(), renamed]).when(rename()).then_expect_events(vec![]);
}

#[test]
fn an_active_tenant_is_suspended_once_and_resumed_once() {
    let active = || vec![provisioned(), activated()];
    tenant().given(active()).when(suspend()).then_expect_events(vec![suspended()]);
    tenant().given([active(), vec![suspended()]].concat()).when(suspend()).then_expect_events(vec![]);
    tenant().given([active(), vec![suspended()]].concat()).when(resume()).then_expect_events(vec![resumed()]);
    tenant().given([active(), vec![suspended(), resumed()]].concat()).when(resume()).then_expect_events(vec![]);
    tenant().given(vec![provisioned()]).when(suspend()).then_expect_error(TenantError::NotActive);
}

#[test]
fn an_offboarding_can_be_thought_better_of() {
    let leaving = vec![provisioned(), activated(), suspended(), offboarding()];
    tenant().given(leaving.clone()).when(offboard()).then_expect_events(vec![]);
    tenant().given(leaving.clone()).when(suspend()).then_expect_error(TenantError::Offboarding);
    tenant().given(leaving).when(resume()).then_expect_events(vec![resumed()]);
}

#[test]
fn a_tenant_is_closed_only_after_its_data_was_handed_out() {
    let leaving = || vec![provisioned(), activated(), offboarding()];
    tenant().given(vec![provisioned(), activated()]).when(close()).then_expect_error(TenantError::NotOffboarding);
    tenant().given(leaving()).when(close()).then_expect_error(TenantError::NotExported);
    let record = TenantCommand::RecordExport(export());
    tenant().given(leaving()).when(record).then_expect_events(vec![exported()]);
    tenant().given([leaving(), vec![exported()]].concat()).when(close()).then_expect_events(vec![closed()]);
    let again = [leaving(), vec![exported(), resumed(), offboarding()]].concat();
    tenant().given(again).when(close()).then_expect_error(TenantError::NotExported);
}

#[test]
fn nothing_happens_to_a_closed_tenant() {
    let gone = || vec![provisioned(), activated(), offboarding(), exported(), closed()];
    tenant().given(gone()).when(close()).then_expect_events(vec![]);
    for command in [suspend(), resume(), offboard(), TenantCommand::RecordExport(export())] {
        tenant().given(gone()).when(command).then_expect_error(TenantError::Closed);
    }
}

#[test]
fn only_a_tenant_that_is_not_kept_out_is_open() {
    let after = |events: Vec<TenantEvent>| events.into_iter().fold(Tenant::default(), Tenant::evolve);
    assert!(after(vec![provisioned()]).is_open());
    assert!(after(vec![provisioned(), activated(), suspended(), resumed()]).is_open());
    assert_eq!(after(vec![provisioned()]).require_open(), Ok(()));
    assert_eq!(Tenant::default().require_open(), Err(TenantError::NotFound));
    for shut in [suspended(), offboarding()] {
        let shut = after(vec![provisioned(), activated(), shut]);
        assert!(!shut.is_open());
        assert_eq!(shut.require_open(), Err(TenantError::KeptOut));
    }
}

#[test]
fn data_is_handed_out_for_good_while_a_tenant_is_offboarded() {
    let after = |events: Vec<TenantEvent>| events.into_iter().fold(Tenant::default(), Tenant::evolve);
    let required = |events| after(events).require_offboarding();
    assert_eq!(required(vec![]), Err(TenantError::NotFound));
    assert_eq!(required(vec![provisioned(), activated()]), Err(TenantError::NotOffboarding));
    assert_eq!(required(vec![provisioned(), activated(), offboarding()]), Ok(()));
    assert_eq!(
        required(vec![provisioned(), activated(), offboarding(), exported(), closed()]),
        Err(TenantError::Closed)
    );
}

#[test]
fn closing_gives_the_slug_back() {
    let claim = ClaimChange::Release { scope: ClaimScope::Platform, kind: "slug", value: "acme".into() };
    assert_eq!(Tenant::claims(&closed()), vec![claim]);
}
