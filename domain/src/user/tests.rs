use cqrs_es::test::TestFramework;

use super::{RegisterStaff, RegisterUser, User, UserCommand, UserError, UserEvent};
use crate::access::{RoleName, StaffRole};
use crate::event_sourced::{ClaimChange, ClaimScope, EventSourced};
use crate::ids::{TenantId, UserId};
use crate::values::Personal;

fn ann() -> RegisterUser {
    RegisterUser {
        user_id: UserId::from(uuid::Uuid::from_u128(2)),
        tenant_id: TenantId::from(uuid::Uuid::from_u128(1)),
        email: Personal::new("ann@acme.example".parse().unwrap()),
        name: Personal::new("Ann".parse().unwrap()),
        role: RoleName::owner(),
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
    let other = RegisterUser { role: RoleName::user(), ..ann() };
    user().given(vec![registered()]).when(UserCommand::Register(other)).then_expect_error(UserError::AlreadyExists);
}

#[test]
fn a_password_is_recorded_without_its_value() {
    let set = UserEvent::UserPasswordSet { user_id: ann().user_id, tenant_id: Some(ann().tenant_id), at: ann().at };
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

const LATER: &str = "2026-06-02T00:00:00Z";

fn later() -> chrono::DateTime<chrono::Utc> {
    LATER.parse().unwrap()
}

fn role_changed(role: &str, token_version: u32) -> UserEvent {
    let RegisterUser { user_id, tenant_id, .. } = ann();
    UserEvent::UserRoleChanged { user_id, tenant_id, role: role.parse().unwrap(), token_version, at: later() }
}

fn deactivated(token_version: u32) -> UserEvent {
    let RegisterUser { user_id, tenant_id, email, .. } = ann();
    UserEvent::UserDeactivated { user_id, tenant_id: Some(tenant_id), email, token_version, at: later() }
}

fn reactivated() -> UserEvent {
    let RegisterUser { user_id, tenant_id, email, .. } = ann();
    UserEvent::UserReactivated { user_id, tenant_id: Some(tenant_id), email, at: later() }
}

#[test]
fn another_role_ends_the_tokens_of_the_old_one() {
    let change = |role: &str| UserCommand::ChangeRole { role: role.parse().unwrap(), at: later() };
    user().given(vec![registered()]).when(change("user")).then_expect_events(vec![role_changed("user", 1)]);
    user()
        .given(vec![registered(), role_changed("user", 1)])
        .when(change("owner"))
        .then_expect_events(vec![role_changed("owner", 2)]);
    user().given(vec![registered()]).when(change("owner")).then_expect_events(vec![]);
}

#[test]
fn deactivation_ends_the_tokens_and_frees_the_email() {
    let deactivate = UserCommand::Deactivate { at: later() };
    user()
        .given(vec![registered(), role_changed("user", 1)])
        .when(deactivate.clone())
        .then_expect_events(vec![deactivated(2)]);
    user().given(vec![registered(), deactivated(1)]).when(deactivate).then_expect_events(vec![]);
    let value = "ann@acme.example".to_owned();
    let release = ClaimChange::Release { scope: ClaimScope::Platform, kind: "email", value: value.clone() };
    assert_eq!(User::claims(&deactivated(1)), vec![release]);
    let take = ClaimChange::Take { scope: ClaimScope::Platform, kind: "email", value };
    assert_eq!(User::claims(&reactivated()), vec![take]);
}

#[test]
fn reactivation_keeps_the_token_version() {
    user()
        .given(vec![registered(), deactivated(1)])
        .when(UserCommand::Reactivate { at: later() })
        .then_expect_events(vec![reactivated()]);
    user()
        .given(vec![registered(), deactivated(1), reactivated()])
        .when(UserCommand::Deactivate { at: later() })
        .then_expect_events(vec![deactivated(2)]);
    user().given(vec![registered()]).when(UserCommand::Reactivate { at: later() }).then_expect_events(vec![]);
}

#[test]
fn a_deactivated_user_is_not_changed() {
    let at = later();
    for command in [
        UserCommand::ChangeRole { role: RoleName::user(), at },
        UserCommand::Rename { name: Personal::new("Bob".parse().unwrap()), at },
        UserCommand::RecordPasswordSet { at },
        UserCommand::RecordPasswordChanged { at },
    ] {
        user().given(vec![registered(), deactivated(1)]).when(command).then_expect_error(UserError::Deactivated);
    }
    user()
        .given(vec![registered(), deactivated(1)])
        .when(UserCommand::RecordLockout { failures: 5, until: at, at })
        .then_expect_events(vec![]);
}

#[test]
fn another_name_ends_no_tokens() {
    let RegisterUser { user_id, tenant_id, .. } = ann();
    let name = Personal::new("Ann Smith".parse().unwrap());
    let renamed = UserEvent::UserRenamed { user_id, tenant_id: Some(tenant_id), name: name.clone(), at: later() };
    user()
        .given(vec![registered()])
        .when(UserCommand::Rename { name, at: later() })
        .then_expect_events(vec![renamed.clone()]);
    user()
        .given(vec![registered(), renamed])
        .when(UserCommand::Deactivate { at: later() })
        .then_expect_events(vec![deactivated(1)]);
}

#[test]
fn lockouts_and_changed_passwords_are_recorded() {
    let RegisterUser { user_id, tenant_id, .. } = ann();
    let (at, until) = (later(), later());
    user().given(vec![registered()]).when(UserCommand::RecordLockout { failures: 5, until, at }).then_expect_events(
        vec![UserEvent::UserLockedOut { user_id, tenant_id: Some(tenant_id), failures: 5, until, at }],
    );
    user()
        .given(vec![registered()])
        .when(UserCommand::RecordPasswordChanged { at })
        .then_expect_events(vec![UserEvent::UserPasswordChanged { user_id, tenant_id: Some(tenant_id), at }]);
}

fn email_changed(former: &str, email: &str) -> UserEvent {
    let RegisterUser { user_id, tenant_id, .. } = ann();
    let address = |text: &str| Personal::new(text.parse().unwrap());
    UserEvent::UserEmailChanged {
        user_id,
        tenant_id: Some(tenant_id),
        former: address(former),
        email: address(email),
        at: later(),
    }
}

#[test]
fn another_address_moves_the_claim() {
    let change = |email: &str| UserCommand::ChangeEmail { email: Personal::new(email.parse().unwrap()), at: later() };
    let changed = email_changed("ann@acme.example", "ann.smith@acme.example");
    user().given(vec![registered()]).when(change("Ann.Smith@acme.example")).then_expect_events(vec![changed.clone()]);
    user().given(vec![registered(), changed.clone()]).when(change("ann.smith@acme.example")).then_expect_events(vec![]);
    user()
        .given(vec![registered(), changed.clone()])
        .when(change("ann@acme.example"))
        .then_expect_events(vec![email_changed("ann.smith@acme.example", "ann@acme.example")]);
    user()
        .given(vec![registered(), deactivated(1)])
        .when(change("ann.smith@acme.example"))
        .then_expect_error(UserError::Deactivated);
    let (scope, kind) = (ClaimScope::Platform, "email");
    let release = ClaimChange::Release { scope, kind, value: "ann@acme.example".into() };
    let take = ClaimChange::Take { scope, kind, value: "ann.smith@acme.example".into() };
    assert_eq!(User::claims(&changed), vec![release, take]);
}

#[test]
fn a_deactivation_gives_back_the_address_of_now() {
    let RegisterUser { user_id, tenant_id, .. } = ann();
    let email = Personal::new("ann.smith@acme.example".parse().unwrap());
    user()
        .given(vec![registered(), email_changed("ann@acme.example", "ann.smith@acme.example")])
        .when(UserCommand::Deactivate { at: later() })
        .then_expect_events(vec![UserEvent::UserDeactivated {
            user_id,
            tenant_id: Some(tenant_id),
            email,
            token_version: 1,
            at: later(),
        }]);
}

#[test]
fn a_password_that_was_chosen_by_a_link_is_recorded_as_such() {
    let RegisterUser { user_id, tenant_id, .. } = ann();
    user()
        .given(vec![registered()])
        .when(UserCommand::RecordPasswordReset { at: later() })
        .then_expect_events(vec![UserEvent::UserPasswordReset { user_id, tenant_id: Some(tenant_id), at: later() }]);
}

fn sam() -> RegisterStaff {
    RegisterStaff {
        user_id: UserId::from(uuid::Uuid::from_u128(7)),
        email: Personal::new("sam@synkro.example".parse().unwrap()),
        name: Personal::new("Sam".parse().unwrap()),
        role: StaffRole::AdminLite,
        at: "2026-06-01T00:00:00Z".parse().unwrap(),
    }
}

fn staff_registered() -> UserEvent {
    let RegisterStaff { user_id, email, name, role, at } = sam();
    UserEvent::StaffRegistered { user_id, email, name, role, at }
}

fn staff_role_changed(role: StaffRole, token_version: u32) -> UserEvent {
    UserEvent::StaffRoleChanged { user_id: sam().user_id, role, token_version, at: later() }
}

fn change_staff_role(role: StaffRole) -> UserCommand {
    UserCommand::ChangeStaffRole { role, by: Some(UserId::from(uuid::Uuid::from_u128(8))), at: later() }
}

#[test]
fn staff_are_registered_once_and_claim_their_address_like_everybody() {
    let register = || UserCommand::RegisterStaff(sam());
    user().given_no_previous_events().when(register()).then_expect_events(vec![staff_registered()]);
    user().given(vec![staff_registered()]).when(register()).then_expect_events(vec![]);
    let other = UserCommand::RegisterStaff(RegisterStaff { role: StaffRole::SuperAdmin, ..sam() });
    user().given(vec![staff_registered()]).when(other).then_expect_error(UserError::AlreadyExists);
    let claim = ClaimChange::Take { scope: ClaimScope::Platform, kind: "email", value: "sam@synkro.example".into() };
    assert_eq!(User::claims(&staff_registered()), vec![claim]);
}

#[test]
fn another_role_on_the_staff_ends_the_tokens_of_the_old_one() {
    user()
        .given(vec![staff_registered()])
        .when(change_staff_role(StaffRole::Support))
        .then_expect_events(vec![staff_role_changed(StaffRole::Support, 1)]);
    user().given(vec![staff_registered()]).when(change_staff_role(StaffRole::AdminLite)).then_expect_events(vec![]);
    user()
        .given(vec![staff_registered(), staff_role_changed(StaffRole::Support, 1)])
        .when(change_staff_role(StaffRole::SuperAdmin))
        .then_expect_events(vec![staff_role_changed(StaffRole::SuperAdmin, 2)]);
}

#[test]
fn nobody_changes_the_own_role_on_the_staff() {
    for role in StaffRole::ALL {
        let own = UserCommand::ChangeStaffRole { role, by: Some(sam().user_id), at: later() };
        user().given(vec![staff_registered()]).when(own).then_expect_error(UserError::OwnRole);
    }
    let terminal = UserCommand::ChangeStaffRole { role: StaffRole::Auditor, by: None, at: later() };
    user()
        .given(vec![staff_registered()])
        .when(terminal)
        .then_expect_events(vec![staff_role_changed(StaffRole::Auditor, 1)]);
}

#[test]
fn staff_and_companies_people_stay_apart() {
    user()
        .given(vec![registered()])
        .when(change_staff_role(StaffRole::Support))
        .then_expect_error(UserError::OtherMembership);
    user()
        .given(vec![staff_registered()])
        .when(UserCommand::ChangeRole { role: RoleName::owner(), at: later() })
        .then_expect_error(UserError::OtherMembership);
}

#[test]
fn what_happens_to_staff_names_no_tenant() {
    let RegisterStaff { user_id, email, .. } = sam();
    let (tenant_id, at) = (None, later());
    let deactivated = UserEvent::UserDeactivated { user_id, tenant_id, email: email.clone(), token_version: 1, at };
    user()
        .given(vec![staff_registered()])
        .when(UserCommand::Deactivate { at })
        .then_expect_events(vec![deactivated.clone()]);
    user()
        .given(vec![staff_registered(), deactivated])
        .when(UserCommand::Reactivate { at })
        .then_expect_events(vec![UserEvent::UserReactivated { user_id, tenant_id, email, at }]);
    user()
        .given(vec![staff_registered()])
        .when(UserCommand::RecordPasswordReset { at })
        .then_expect_events(vec![UserEvent::UserPasswordReset { user_id, tenant_id, at }]);
}

#[test]
fn who_is_deactivated_can_be_removed_for_good() {
    let RegisterUser { user_id, tenant_id, .. } = ann();
    let (remove, at) = (UserCommand::Remove { at: later() }, later());
    let removed = UserEvent::UserRemoved { user_id, tenant_id: Some(tenant_id), at };
    user().given(vec![registered()]).when(remove.clone()).then_expect_error(UserError::NotDeactivated);
    user().given(vec![registered(), deactivated(1)]).when(remove.clone()).then_expect_events(vec![removed.clone()]);
    let gone = vec![registered(), deactivated(1), removed];
    user().given(gone.clone()).when(remove.clone()).then_expect_events(vec![]);
    user().given(gone.clone()).when(UserCommand::Reactivate { at }).then_expect_error(UserError::NotFound);
    user().given(gone).when(UserCommand::Register(ann())).then_expect_error(UserError::AlreadyExists);
    user().given_no_previous_events().when(remove).then_expect_error(UserError::NotFound);
}
