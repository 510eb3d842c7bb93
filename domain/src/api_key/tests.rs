use chrono::TimeDelta;
use cqrs_es::Aggregate;
use cqrs_es::test::TestFramework;
use uuid::Uuid;

use super::{ApiKey, ApiKeyCommand, ApiKeyError, ApiKeyEvent, CreateApiKey, LONGEST_LIFE};
use crate::access::Grant;
use crate::error::{Classified, ErrorKind};
use crate::ids::{ApiKeyId, TenantId, UserId};

fn scope(text: &str) -> Grant {
    text.parse().unwrap()
}

fn new() -> CreateApiKey {
    let at = "2026-06-01T00:00:00Z".parse().unwrap();
    CreateApiKey {
        api_key_id: ApiKeyId::from(Uuid::from_u128(3)),
        tenant_id: TenantId::from(Uuid::from_u128(1)),
        name: "Export to the warehouse".parse().unwrap(),
        scopes: vec![scope("runs:read"), scope("reports:read"), scope("runs:read")],
        beyond_creator: Vec::new(),
        expires_at: at + TimeDelta::days(90),
        created_by: UserId::from(Uuid::from_u128(2)),
        at,
    }
}

fn created() -> ApiKeyEvent {
    let CreateApiKey { api_key_id, tenant_id, name, expires_at, created_by, at, .. } = new();
    let scopes = vec![scope("reports:read"), scope("runs:read")];
    ApiKeyEvent::ApiKeyCreated { api_key_id, tenant_id, name, scopes, expires_at, created_by, at }
}

fn revoked() -> ApiKeyEvent {
    let CreateApiKey { api_key_id, tenant_id, created_by: revoked_by, at, .. } = new();
    ApiKeyEvent::ApiKeyRevoked { api_key_id, tenant_id, revoked_by, at }
}

fn revoke() -> ApiKeyCommand {
    ApiKeyCommand::Revoke { revoked_by: new().created_by, at: new().at }
}

fn key() -> TestFramework<ApiKey> {
    TestFramework::with(())
}

#[test]
fn a_key_is_created_with_each_scope_once() {
    key().given_no_previous_events().when(ApiKeyCommand::Create(new())).then_expect_events(vec![created()]);
}

#[test]
fn an_id_is_used_once() {
    for events in [vec![created()], vec![created(), revoked()]] {
        key().given(events).when(ApiKeyCommand::Create(new())).then_expect_error(ApiKeyError::AlreadyExists);
    }
}

#[test]
fn nobody_gives_a_key_what_they_have_not() {
    let beyond_creator = vec![scope("settings:write"), scope("users:write")];
    let error = ApiKey::Absent.decide(ApiKeyCommand::Create(CreateApiKey { beyond_creator, ..new() })).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Forbidden);
    assert!(error.to_string().contains("settings:write, users:write"), "{error}");
}

#[test]
fn all_bad_fields_are_named() {
    let bad = |scopes: Vec<Grant>, life: TimeDelta| {
        let expires_at = new().at + life;
        let command = ApiKeyCommand::Create(CreateApiKey { scopes, expires_at, ..new() });
        let fields = ApiKey::Absent.decide(command).unwrap_err().fields();
        fields.into_iter().map(|field| field.field).collect::<Vec<_>>()
    };
    assert_eq!(bad(Vec::new(), TimeDelta::zero()), ["scopes", "expires_at"]);
    assert_eq!(bad(new().scopes, LONGEST_LIFE + TimeDelta::seconds(1)), ["expires_at"]);
    let many = (0..51).map(|number| scope(&format!("things:do_{number}"))).collect();
    assert_eq!(bad(many, LONGEST_LIFE), ["scopes"]);
}

#[test]
fn revoking_is_final_and_can_be_repeated() {
    key().given(vec![created()]).when(revoke()).then_expect_events(vec![revoked()]);
    key().given(vec![created(), revoked()]).when(revoke()).then_expect_events(vec![]);
    key().given_no_previous_events().when(revoke()).then_expect_error(ApiKeyError::NotFound);
}

#[test]
fn only_a_key_in_force_allows_anything() {
    let mut key = ApiKey::default();
    assert!(key.allows_at(new().at).is_none());
    key.apply(created());
    assert!(key.allows_at(new().at).is_some_and(|details| details.scopes.len() == 2));
    assert!(key.allows_at(new().expires_at - TimeDelta::seconds(1)).is_some());
    assert!(key.allows_at(new().expires_at).is_none());
    key.apply(revoked());
    assert!(key.allows_at(new().at).is_none());
}
