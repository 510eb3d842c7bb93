use cqrs_es::test::TestFramework;
use uuid::Uuid;

use super::{
    CheckOutcome, Configure, IntegrationCommand, IntegrationConfig, IntegrationError, IntegrationEvent,
    IntegrationKind, IntegrationSettings, SecretName, SecretRef,
};
use crate::ids::{SecretId, TenantId};

fn secret(name: SecretName, id: u128) -> SecretRef {
    SecretRef { name, secret_id: SecretId::from(Uuid::from_u128(id)) }
}

fn telegram(chat_id: &str) -> IntegrationSettings {
    IntegrationSettings::Telegram { base_url: "https://api.telegram.example".parse().unwrap(), chat_id: chat_id.into() }
}

fn configure(settings: IntegrationSettings, secrets: Vec<SecretRef>) -> Configure {
    let tenant_id = TenantId::from(Uuid::from_u128(1));
    Configure { tenant_id, settings, secrets, at: "2026-06-01T00:00:00Z".parse().unwrap() }
}

fn token(id: u128) -> Vec<SecretRef> {
    vec![secret(SecretName::BotToken, id)]
}

fn configured(version: u32, new: Configure) -> IntegrationEvent {
    let Configure { tenant_id, settings, secrets, at } = new;
    IntegrationEvent::IntegrationConfigured { tenant_id, version, settings, secrets, at }
}

fn integration() -> TestFramework<IntegrationConfig> {
    TestFramework::with(())
}

#[test]
fn the_first_settings_are_version_1() {
    let new = configure(telegram("-100"), token(1));
    integration()
        .given_no_previous_events()
        .when(IntegrationCommand::Configure(new.clone()))
        .then_expect_events(vec![configured(1, new)]);
}

#[test]
fn saving_the_same_again_changes_nothing() {
    let same = configure(telegram("-100"), token(1));
    integration()
        .given(vec![configured(1, same.clone())])
        .when(IntegrationCommand::Configure(same))
        .then_expect_events(vec![]);
}

#[test]
fn a_new_secret_makes_the_next_version() {
    let before = configure(telegram("-100"), token(1));
    let after = configure(telegram("-100"), token(2));
    integration()
        .given(vec![configured(1, before)])
        .when(IntegrationCommand::Configure(after.clone()))
        .then_expect_events(vec![configured(2, after)]);
}

#[test]
fn saving_a_setting_keeps_the_newest_secret() {
    let rotated = configured(2, configure(telegram("-100"), token(2)));
    integration()
        .given(vec![configured(1, configure(telegram("-100"), token(1))), rotated])
        .when(IntegrationCommand::Configure(configure(telegram("-200"), vec![])))
        .then_expect_events(vec![configured(3, configure(telegram("-200"), token(2)))]);
}

#[test]
fn every_bad_field_is_named_at_once() {
    let bad = configure(telegram("group"), vec![secret(SecretName::ApiKey, 1)]);
    let Err(IntegrationError::Invalid(problems)) = IntegrationConfig::Absent.decide(IntegrationCommand::Configure(bad))
    else {
        panic!("must be refused");
    };
    let fields: Vec<&str> = problems.iter().map(|problem| problem.field.as_str()).collect();
    assert_eq!(fields, ["settings.chat_id", "secrets.bot_token", "secrets.api_key"]);
}

#[test]
fn an_integration_keeps_its_kind() {
    let supabase = IntegrationSettings::Supabase { base_url: "https://x.example".parse().unwrap() };
    integration()
        .given(vec![configured(1, configure(telegram("-100"), token(1)))])
        .when(IntegrationCommand::Configure(configure(supabase, vec![secret(SecretName::ServiceKey, 3)])))
        .then_expect_error(IntegrationError::KindIsFixed);
}

#[test]
fn a_check_is_recorded_for_the_version_that_was_checked() {
    let first = configure(telegram("-100"), token(1));
    let check = |version| IntegrationCommand::RecordCheck { version, outcome: CheckOutcome::Working, at: first.at };
    let checked = IntegrationEvent::IntegrationChecked {
        tenant_id: first.tenant_id,
        kind: IntegrationKind::Telegram,
        version: 1,
        outcome: CheckOutcome::Working,
        at: first.at,
    };
    integration().given(vec![configured(1, first.clone())]).when(check(1)).then_expect_events(vec![checked]);
    let second = configure(telegram("-200"), token(1));
    integration()
        .given(vec![configured(1, first.clone()), configured(2, second)])
        .when(check(1))
        .then_expect_events(vec![]);
}

#[test]
fn what_was_never_configured_cannot_be_checked() {
    let outcome = CheckOutcome::Failing { reason: "no answer".into() };
    integration()
        .given_no_previous_events()
        .when(IntegrationCommand::RecordCheck { version: 1, outcome, at: "2026-06-01T00:00:00Z".parse().unwrap() })
        .then_expect_error(IntegrationError::NotConfigured);
}
