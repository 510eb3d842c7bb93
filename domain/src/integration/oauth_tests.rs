//! Accounts into which a person lets Synkro at the service itself.

use chrono::{DateTime, TimeDelta, Utc};
use cqrs_es::Aggregate;
use uuid::Uuid;

use super::{
    Access, Authorize, CheckOutcome, Configure, IntegrationCommand, IntegrationConfig, IntegrationError,
    IntegrationEvent, IntegrationSettings, Renew, SecretName, SecretRef, TokenPairRef, Trial, TrialRecord,
};
use crate::ids::{SecretId, TenantId, UserId};

const APP: &str = "11111111-2222-3333-4444-555555555555";

fn id(number: u128) -> SecretId {
    SecretId::from(Uuid::from_u128(number))
}

fn at(minute: i64) -> DateTime<Utc> {
    "2026-06-01T00:00:00Z".parse::<DateTime<Utc>>().unwrap() + TimeDelta::minutes(minute)
}

fn amocrm(client_id: Option<&str>) -> IntegrationSettings {
    let base_url = "https://acme.amocrm.ru".parse().unwrap();
    IntegrationSettings::Amocrm { base_url, client_id: client_id.map(str::to_owned) }
}

fn save(client_id: Option<&str>, secrets: &[(SecretName, u128)]) -> IntegrationCommand {
    let secrets = secrets.iter().map(|(name, number)| SecretRef { name: *name, secret_id: id(*number) }).collect();
    let tenant_id = TenantId::from(Uuid::from_u128(1));
    IntegrationCommand::Configure(Configure {
        tenant_id,
        settings: amocrm(client_id),
        secrets,
        expected: None,
        at: at(0),
    })
}

/// The same at the address that the account turned out to have.
fn save_there(client_id: Option<&str>, secrets: &[(SecretName, u128)]) -> IntegrationCommand {
    let IntegrationCommand::Configure(config) = save(client_id, secrets) else { panic!("settings are saved") };
    let settings = config.settings.at("https://moved.amocrm.ru".parse().unwrap());
    IntegrationCommand::Configure(Configure { settings, ..config })
}

fn pair(access: u128, refresh: u128) -> TokenPairRef {
    TokenPairRef { access_token: id(access), refresh_token: id(refresh), expires_at: at(1_440) }
}

fn authorize(client_id: &str, tokens: TokenPairRef) -> IntegrationCommand {
    let authorized_by = UserId::from(Uuid::from_u128(2));
    let base_url = "https://moved.amocrm.ru".parse().unwrap();
    IntegrationCommand::Authorize(Authorize { client_id: client_id.into(), base_url, tokens, authorized_by, at: at(1) })
}

fn renew(replaces: u128, tokens: TokenPairRef) -> IntegrationCommand {
    let base_url = "https://moved.amocrm.ru".parse().unwrap();
    IntegrationCommand::Renew(Renew { replaces: id(replaces), base_url, tokens, at: at(2) })
}

fn lose(refresh: u128) -> IntegrationCommand {
    IntegrationCommand::LoseAccess { refresh_token: id(refresh), reason: "connect again".into(), at: at(3) }
}

/// What is left after these commands, each of which must be accepted.
fn after(commands: Vec<IntegrationCommand>) -> IntegrationConfig {
    commands.into_iter().fold(IntegrationConfig::Absent, |mut config, command| {
        for event in config.decide(command).unwrap() {
            config.apply(event);
        }
        config
    })
}

fn secrets(config: &IntegrationConfig) -> Vec<(SecretName, SecretId)> {
    let secrets = config.configured().unwrap().secrets.iter();
    secrets.map(|secret| (secret.name, secret.secret_id)).collect()
}

fn bad_fields(config: &IntegrationConfig, command: IntegrationCommand) -> Vec<String> {
    let Err(IntegrationError::Invalid(problems)) = config.decide(command) else { panic!("must be refused") };
    problems.into_iter().map(|problem| problem.field).collect()
}

fn connected() -> Vec<IntegrationCommand> {
    vec![save(Some(APP), &[(SecretName::ClientSecret, 1)]), authorize(APP, pair(2, 3))]
}

#[test]
fn exactly_one_of_both_ways_is_complete() {
    let absent = IntegrationConfig::Absent;
    assert_eq!(bad_fields(&absent, save(None, &[])), ["secrets.access_token"]);
    assert_eq!(bad_fields(&absent, save(Some(APP), &[])), ["secrets.client_secret"]);
    let both = [(SecretName::ClientSecret, 1), (SecretName::AccessToken, 2), (SecretName::RefreshToken, 3)];
    assert_eq!(bad_fields(&absent, save(Some(APP), &both)), ["secrets.access_token", "secrets.refresh_token"]);
    assert_eq!(bad_fields(&absent, save(None, &both)), ["secrets.client_secret", "secrets.refresh_token"]);
    assert_eq!(bad_fields(&absent, save(Some("my app"), &both[..1])), ["settings.client_id"]);
    let waiting = after(vec![save(Some(APP), &both[..1])]);
    assert_eq!(waiting.configured().unwrap().access, Access::Awaited);
    assert_eq!(after(vec![save(None, &both[1..2])]).configured().unwrap().access, Access::Given);
}

#[test]
fn who_lets_synkro_in_makes_the_next_version_at_the_accounts_own_address() {
    let config = after(connected());
    let now = config.configured().unwrap();
    assert_eq!((now.version, now.settings.base_url().as_str()), (2, "https://moved.amocrm.ru"));
    assert_eq!(now.access, Access::Granted { expires_at: at(1_440) });
    let kept = [(SecretName::ClientSecret, id(1)), (SecretName::AccessToken, id(2)), (SecretName::RefreshToken, id(3))];
    assert_eq!(secrets(&config), kept);
    assert_eq!(config.decide(authorize(APP, pair(2, 3))), Ok(vec![]), "the same once more");
    assert_eq!(config.decide(authorize("another", pair(4, 5))), Err(IntegrationError::AppChanged));
}

/// Seen to fail with a renewal that does not look at what it replaces.
#[test]
fn a_renewal_that_comes_late_changes_nothing() {
    let mut commands = connected();
    commands.push(renew(3, pair(4, 5)));
    let config = after(commands);
    assert_eq!(config.decide(renew(3, pair(6, 7))), Ok(vec![]));
    assert_eq!(config.decide(lose(3)), Ok(vec![]));
    let now = config.configured().unwrap();
    assert_eq!((now.version, now.secret(SecretName::RefreshToken)), (2, Some(id(5))));
}

#[test]
fn lost_access_is_said_once_and_ends_when_somebody_connects_again() {
    let mut commands = connected();
    commands.push(lose(3));
    let lost = after(commands.clone());
    assert_eq!(lost.configured().unwrap().access, Access::Lost { reason: "connect again".into() });
    assert_eq!(lost.decide(lose(3)), Ok(vec![]));
    commands.push(authorize(APP, pair(4, 5)));
    assert!(matches!(after(commands).configured().unwrap().access, Access::Granted { .. }));
}

/// Seen to fail with tokens that stay when the client secret changes.
#[test]
fn tokens_of_one_integration_are_none_of_another() {
    let kept = after(connected().into_iter().chain([save_there(Some(APP), &[])]).collect());
    assert!(matches!(kept.configured().unwrap().access, Access::Granted { .. }));
    for change in [save_there(Some("another"), &[]), save_there(Some(APP), &[(SecretName::ClientSecret, 9)])] {
        let changed = after(connected().into_iter().chain([change]).collect());
        assert_eq!(changed.configured().unwrap().access, Access::Awaited);
        assert_eq!(changed.configured().unwrap().secret(SecretName::AccessToken), None);
    }
    assert_eq!(bad_fields(&after(connected()), save_there(None, &[])), ["secrets.access_token"]);
    let given = after(connected().into_iter().chain([save_there(None, &[(SecretName::AccessToken, 9)])]).collect());
    assert_eq!(secrets(&given), [(SecretName::AccessToken, id(9))]);
    let long_lived = after(vec![save(None, &[(SecretName::AccessToken, 9)])]);
    assert_eq!(bad_fields(&long_lived, save(Some(APP), &[])), ["secrets.client_secret"]);
}

#[test]
fn what_was_never_configured_cannot_be_authorized() {
    for command in [authorize(APP, pair(1, 2)), renew(1, pair(2, 3)), lose(1)] {
        assert_eq!(IntegrationConfig::Absent.decide(command), Err(IntegrationError::NotConfigured));
    }
    let events = after(connected()).decide(save_there(Some("another"), &[])).unwrap();
    assert!(matches!(events[..], [IntegrationEvent::IntegrationConfigured { version: 3, .. }]));
}

fn check(version: u32) -> IntegrationCommand {
    IntegrationCommand::RecordCheck { version, outcome: CheckOutcome::Working, attention: None, at: at(4) }
}

fn trial(version: u32) -> IntegrationCommand {
    IntegrationCommand::RecordTrial(TrialRecord {
        version,
        trial: Trial::Deals,
        outcome: CheckOutcome::Working,
        counts: [].into(),
        staged: Some("ab".repeat(32).parse().unwrap()),
        answer: None,
        model: None,
        at: at(4),
    })
}

/// A call that has its token renewed may be led to the account's new address while it is under way.
#[test]
fn what_was_found_while_the_account_moved_holds_at_the_new_address() {
    let base_url = "https://elsewhere.amocrm.ru".parse().unwrap();
    let renewed = Renew { replaces: id(3), base_url, tokens: pair(4, 5), at: at(2) };
    let moved = || connected().into_iter().chain([IntegrationCommand::Renew(renewed.clone())]);
    let config = after(moved().collect());
    assert_eq!(config.configured().unwrap().version, 3);
    let checked = config.decide(check(2)).unwrap();
    assert!(matches!(checked[..], [IntegrationEvent::IntegrationChecked { version: 3, .. }]), "{checked:?}");
    assert_eq!(config.decide(check(1)), Ok(vec![]), "nobody had let Synkro in by then");
    assert!(after(moved().chain([trial(2)]).collect()).configured().unwrap().tried.is_some());
    assert_eq!(after(moved().chain([trial(1)]).collect()).configured().unwrap().tried, None);
}
