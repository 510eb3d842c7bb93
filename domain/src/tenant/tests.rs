use cqrs_es::test::TestFramework;

use super::{ProvisionTenant, Tenant, TenantCommand, TenantError, TenantEvent};
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
