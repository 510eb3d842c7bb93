use chrono::{DateTime, TimeDelta, Utc};
use cqrs_es::test::TestFramework;
use uuid::Uuid;

use super::{Invitation, InvitationCommand, InvitationError, InvitationEvent, InviteUser};
use crate::access::RoleName;
use crate::event_sourced::{ClaimChange, ClaimScope, EventSourced};
use crate::ids::UserId;
use crate::values::Personal;

fn at() -> DateTime<Utc> {
    "2026-06-01T00:00:00Z".parse().unwrap()
}

fn end() -> DateTime<Utc> {
    at() + TimeDelta::days(7)
}

fn ann() -> InviteUser {
    InviteUser {
        invitation_id: Uuid::from_u128(5).into(),
        tenant_id: Uuid::from_u128(1).into(),
        email: Personal::new("ann@acme.example".parse().unwrap()),
        role: RoleName::user(),
        expires_at: end(),
        at: at(),
    }
}

fn invited() -> InvitationEvent {
    let InviteUser { invitation_id, tenant_id, email, role, expires_at, at } = ann();
    InvitationEvent::UserInvited { invitation_id, tenant_id, email, role, expires_at, at }
}

fn proposed() -> InvitationEvent {
    let InviteUser { invitation_id, tenant_id, email, role, expires_at, at } = ann();
    InvitationEvent::InvitationProposed { invitation_id, tenant_id, email, role, expires_at, at }
}

fn accepted() -> InvitationEvent {
    let InviteUser { invitation_id, tenant_id, email, at, .. } = ann();
    let user_id = UserId::of_invitation(invitation_id);
    InvitationEvent::InvitationAccepted { invitation_id, tenant_id, email, user_id, at }
}

fn revoked() -> InvitationEvent {
    let InviteUser { invitation_id, tenant_id, email, at, .. } = ann();
    InvitationEvent::InvitationRevoked { invitation_id, tenant_id, email, at }
}

fn resent(expires_at: DateTime<Utc>) -> InvitationEvent {
    let InviteUser { invitation_id, tenant_id, at, .. } = ann();
    InvitationEvent::InvitationResent { invitation_id, tenant_id, expires_at, at }
}

fn invitation() -> TestFramework<Invitation> {
    TestFramework::with(())
}

const ACCEPT: fn(DateTime<Utc>) -> InvitationCommand = |at| InvitationCommand::Accept { at };

#[test]
fn an_invitation_is_made_once() {
    invitation().given_no_previous_events().when(InvitationCommand::Invite(ann())).then_expect_events(vec![invited()]);
    invitation()
        .given(vec![invited()])
        .when(InvitationCommand::Invite(ann()))
        .then_expect_error(InvitationError::AlreadyExists);
}

#[test]
fn it_is_accepted_in_its_time_and_once() {
    invitation().given(vec![invited()]).when(ACCEPT(at())).then_expect_events(vec![accepted()]);
    invitation().given(vec![invited()]).when(ACCEPT(end())).then_expect_error(InvitationError::Expired);
    invitation().given(vec![invited(), accepted()]).when(ACCEPT(end())).then_expect_events(vec![]);
    invitation().given(vec![invited(), revoked()]).when(ACCEPT(at())).then_expect_error(InvitationError::Revoked);
    invitation().given_no_previous_events().when(ACCEPT(at())).then_expect_error(InvitationError::NotFound);
}

#[test]
fn sending_it_again_gives_it_more_time() {
    let later = end() + TimeDelta::days(3);
    let resend = InvitationCommand::Resend { expires_at: later, at: at() };
    invitation().given(vec![invited()]).when(resend.clone()).then_expect_events(vec![resent(later)]);
    let accepted_later = InvitationEvent::InvitationAccepted {
        invitation_id: ann().invitation_id,
        tenant_id: ann().tenant_id,
        email: ann().email,
        user_id: UserId::of_invitation(ann().invitation_id),
        at: end(),
    };
    invitation().given(vec![invited(), resent(later)]).when(ACCEPT(end())).then_expect_events(vec![accepted_later]);
    invitation().given(vec![invited(), accepted()]).when(resend).then_expect_error(InvitationError::Accepted);
}

#[test]
fn it_can_be_revoked_until_it_is_accepted() {
    let revoke = InvitationCommand::Revoke { at: at() };
    invitation().given(vec![invited()]).when(revoke.clone()).then_expect_events(vec![revoked()]);
    invitation().given(vec![invited(), revoked()]).when(revoke.clone()).then_expect_events(vec![]);
    invitation().given(vec![invited(), accepted()]).when(revoke).then_expect_error(InvitationError::Accepted);
}

#[test]
fn one_that_was_proposed_is_accepted_after_the_company_has_sent_it() {
    let propose = InvitationCommand::Propose(ann());
    invitation().given_no_previous_events().when(propose.clone()).then_expect_events(vec![proposed()]);
    invitation().given(vec![proposed()]).when(propose).then_expect_error(InvitationError::AlreadyExists);
    invitation().given(vec![proposed()]).when(ACCEPT(at())).then_expect_error(InvitationError::NotSent);
    let send = InvitationCommand::Resend { expires_at: end(), at: at() };
    invitation().given(vec![proposed()]).when(send).then_expect_events(vec![resent(end())]);
    invitation().given(vec![proposed(), resent(end())]).when(ACCEPT(at())).then_expect_events(vec![accepted()]);
    let revoke = InvitationCommand::Revoke { at: at() };
    invitation().given(vec![proposed()]).when(revoke).then_expect_events(vec![revoked()]);
}

#[test]
fn an_address_is_claimed_within_the_company_as_long_as_the_invitation_is_open() {
    let (scope, value) = (ClaimScope::Tenant(ann().tenant_id), "ann@acme.example".to_owned());
    let take = ClaimChange::Take { scope, kind: "email", value: value.clone() };
    let release = ClaimChange::Release { scope, kind: "email", value };
    assert_eq!(Invitation::claims(&invited()), vec![take.clone()]);
    assert_eq!(Invitation::claims(&proposed()), vec![take]);
    assert_eq!(Invitation::claims(&accepted()), vec![release.clone()]);
    assert_eq!(Invitation::claims(&revoked()), vec![release]);
    assert!(Invitation::claims(&resent(end())).is_empty());
}
