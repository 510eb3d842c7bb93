use cqrs_es::test::TestFramework;

use super::{RegisterUser, User, UserCommand, UserError, UserEvent};
use crate::access::Role;
use crate::event_sourced::{ClaimChange, ClaimScope, EventSourced};
use crate::ids::{TenantId, UserId};
use crate::values::Personal;

fn ann() -> RegisterUser {
    RegisterUser {
        user_id: UserId::from(uuid::Uuid::from_u128(2)),
        tenant_id: TenantId::from(uuid::Uuid::from_u128(1)),
        email: Personal::new("ann@acme.example".parse().unwrap()),
        name: Personal::new("Ann".parse().unwrap()),
        role: Role::Owner,
        at: "2026-06-01T00:00:00Z".parse().unwrap(),
    }
}

fn registered() -> UserEvent {
    let RegisterUser { user_id, tenant_id, email, name, role, at } = ann();
    UserEvent::UserRegistered { user_id, tenant_id, email, name, role, at }
}

fn user() -> TestFramework<User> {
    TestFramework::with(())
}

#[test]
fn a_new_user_is_registered() {
    user().given_no_previous_events().when(UserCommand::Register(ann())).then_expect_events(vec![registered()]);
}

#[test]
fn the_same_registration_again_changes_nothing() {
    user().given(vec![registered()]).when(UserCommand::Register(ann())).then_expect_events(vec![]);
}

#[test]
fn an_id_in_use_cannot_become_another_person() {
    let other = RegisterUser { role: Role::User, ..ann() };
    user().given(vec![registered()]).when(UserCommand::Register(other)).then_expect_error(UserError::AlreadyExists);
}

#[test]
fn a_password_is_recorded_without_its_value() {
    let set = UserEvent::UserPasswordSet { user_id: ann().user_id, tenant_id: ann().tenant_id, at: ann().at };
    user()
        .given(vec![registered()])
        .when(UserCommand::RecordPasswordSet { at: ann().at })
        .then_expect_events(vec![set]);
}

#[test]
fn an_unknown_user_has_no_password() {
    user()
        .given_no_previous_events()
        .when(UserCommand::RecordPasswordSet { at: ann().at })
        .then_expect_error(UserError::NotFound);
}

#[test]
fn registration_claims_the_email_in_the_whole_platform() {
    let claim = ClaimChange::Take { scope: ClaimScope::Platform, kind: "email", value: "ann@acme.example".into() };
    assert_eq!(User::claims(&registered()), vec![claim]);
}
