use cqrs_es::test::TestFramework;

use super::{Role, RoleAsk, RoleChange, RoleCommand, RoleError, RoleEvent};
use crate::access::{Authority, AuthorityError, Grant, ManageList, Preset, RoleDefinition, RoleName};
use crate::ids::{RoleId, TenantId};

fn tenant_id() -> TenantId {
    TenantId::from(uuid::Uuid::from_u128(1))
}

fn at() -> chrono::DateTime<chrono::Utc> {
    "2026-06-01T00:00:00Z".parse().unwrap()
}

fn of_salon(name: &str) -> RoleDefinition {
    Preset::Salon.roles().into_iter().find(|role| role.name.as_str() == name).unwrap()
}

fn person(name: &str) -> Authority {
    Authority::Person(Box::new(of_salon(name)))
}

fn defined(role: RoleDefinition) -> RoleEvent {
    let RoleDefinition { name, title, level, permissions, may_manage } = role;
    let (tenant_id, role_id) = (tenant_id(), RoleId::of(tenant_id(), &name));
    RoleEvent::RoleDefined { role_id, tenant_id, name, title, level, permissions, may_manage, at: at() }
}

fn id(name: &str) -> RoleId {
    RoleId::of(tenant_id(), &name.parse().unwrap())
}

fn permission(text: &str) -> Grant {
    text.parse().unwrap()
}

fn asked(ask: RoleAsk, by: Authority) -> RoleCommand {
    RoleCommand { ask, by, at: at() }
}

fn role() -> TestFramework<Role> {
    TestFramework::with(())
}

fn not_on_list(name: &str) -> RoleError {
    AuthorityError::NotOnList(name.parse().unwrap()).into()
}

#[test]
fn a_new_role_is_defined_by_one_who_manages_it() {
    let sales = of_salon("sales");
    let define = |by| asked(RoleAsk::Define(tenant_id(), of_salon("sales")), by);
    role().given_no_previous_events().when(define(person("director"))).then_expect_events(vec![defined(sales.clone())]);
    role().given_no_previous_events().when(define(person("manager"))).then_expect_error(not_on_list("sales"));
    role().given(vec![defined(sales.clone())]).when(define(person("director"))).then_expect_events(vec![]);
    let other = RoleDefinition { title: "Other".parse().unwrap(), ..sales.clone() };
    let exists = RoleError::AlreadyExists(sales.name.clone());
    role().given(vec![defined(other)]).when(define(person("director"))).then_expect_error(exists);
}

#[test]
fn a_role_with_more_than_its_maker_has_is_refused() {
    let greedy = RoleDefinition { permissions: [permission("finance:view_profit")].into(), ..of_salon("sales") };
    let define = asked(RoleAsk::Define(tenant_id(), greedy), person("admin"));
    let held = AuthorityError::NotHeld(permission("finance:view_profit")).into();
    role().given_no_previous_events().when(define).then_expect_error(held);
    let wide = RoleDefinition { may_manage: ManageList::Every, permissions: [].into(), ..of_salon("sales") };
    let define = asked(RoleAsk::Define(tenant_id(), wide), person("admin"));
    role().given_no_previous_events().when(define).then_expect_error(AuthorityError::WiderList.into());
}

#[test]
fn what_was_set_up_again_does_not_undo_what_was_decided_since() {
    let provide = || asked(RoleAsk::Provide(tenant_id(), of_salon("sales")), Authority::Platform);
    let removed = RoleEvent::RoleRemoved { role_id: id("sales"), tenant_id: tenant_id(), at: at() };
    let define = defined(of_salon("sales"));
    role().given_no_previous_events().when(provide()).then_expect_events(vec![define.clone()]);
    role().given(vec![define.clone(), removed.clone()]).when(provide()).then_expect_events(vec![]);
    let anew = asked(RoleAsk::Define(tenant_id(), of_salon("sales")), person("owner"));
    role().given(vec![define.clone(), removed]).when(anew).then_expect_events(vec![define]);
}

#[test]
fn permissions_come_and_go_once() {
    let (role_id, tenant_id) = (id("manager"), tenant_id());
    let permission = permission("clients:view:stats");
    let grant = || asked(RoleAsk::Grant(permission.clone()), person("admin"));
    let revoke = || asked(RoleAsk::Revoke(permission.clone()), person("admin"));
    let granted = RoleEvent::PermissionGranted { role_id, tenant_id, permission: permission.clone(), at: at() };
    let revoked = RoleEvent::PermissionRevoked { role_id, tenant_id, permission: permission.clone(), at: at() };
    let manager = defined(of_salon("manager"));
    role().given(vec![manager.clone()]).when(grant()).then_expect_events(vec![granted.clone()]);
    role().given(vec![manager.clone(), granted.clone()]).when(grant()).then_expect_events(vec![]);
    role().given(vec![manager.clone(), granted]).when(revoke()).then_expect_events(vec![revoked]);
    role().given(vec![manager]).when(revoke()).then_expect_events(vec![]);
}

#[test]
fn nobody_raises_themselves_or_others_above_themselves() {
    let grant = |by, what: &str| asked(RoleAsk::Grant(permission(what)), by);
    let admin = || vec![defined(of_salon("admin"))];
    let own = AuthorityError::OwnRole("admin".parse().unwrap()).into();
    role().given(admin()).when(grant(person("admin"), "clients:view")).then_expect_error(own);
    role().given(admin()).when(grant(person("manager"), "clients:view")).then_expect_error(not_on_list("admin"));
    let manager = || vec![defined(of_salon("manager"))];
    let held = AuthorityError::NotHeld(permission("*")).into();
    role().given(manager()).when(grant(person("admin"), "*")).then_expect_error(held);
    let level = of_salon("admin").level;
    let RoleDefinition { title, may_manage, .. } = of_salon("manager");
    let raise = asked(RoleAsk::Change(RoleChange { title, level, may_manage }), person("admin"));
    let not_below = AuthorityError::NotBelow { role: "manager".parse().unwrap(), theirs: level, yours: level };
    role().given(manager()).when(raise).then_expect_error(not_below.into());
}

#[test]
fn the_owners_role_stays_as_it_is() {
    let owner = || vec![defined(of_salon("owner"))];
    let (permission, RoleDefinition { title, may_manage, .. }) = (permission("*"), of_salon("owner"));
    let change = RoleChange { title, level: of_salon("user").level, may_manage };
    for ask in [RoleAsk::Remove, RoleAsk::Revoke(permission), RoleAsk::Change(change)] {
        for by in [Authority::Platform, person("owner")] {
            role().given(owner()).when(asked(ask.clone(), by)).then_expect_error(RoleError::OwnerFixed);
        }
    }
    assert!(RoleName::owner().is_owner());
}

#[test]
fn a_role_is_changed_and_removed_by_those_above() {
    let (role_id, tenant_id, at) = (id("sales"), tenant_id(), at());
    let sales = || vec![defined(of_salon("sales"))];
    let RoleDefinition { title, level, may_manage, .. } = of_salon("sales");
    let same = RoleChange { title, level, may_manage: may_manage.clone() };
    let renamed = RoleChange { title: "Sellers".parse().unwrap(), ..same.clone() };
    let title = renamed.title.clone();
    let changed = RoleEvent::RoleChanged { role_id, tenant_id, title, level, may_manage, at };
    let change = |change| asked(RoleAsk::Change(change), person("director"));
    role().given(sales()).when(change(same)).then_expect_events(vec![]);
    role().given(sales()).when(change(renamed)).then_expect_events(vec![changed]);
    let removed = RoleEvent::RoleRemoved { role_id, tenant_id, at };
    let remove = || asked(RoleAsk::Remove, person("director"));
    role().given(sales()).when(remove()).then_expect_events(vec![removed.clone()]);
    role().given(vec![defined(of_salon("sales")), removed]).when(remove()).then_expect_events(vec![]);
    role().given_no_previous_events().when(remove()).then_expect_error(RoleError::NotFound);
}
