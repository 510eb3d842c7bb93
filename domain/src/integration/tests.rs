use chrono::{DateTime, Utc};
use cqrs_es::test::TestFramework;
use uuid::Uuid;

use super::{
    AiProvider, CheckOutcome, Configure, IntegrationCommand, IntegrationConfig, IntegrationError, IntegrationEvent,
    IntegrationKind, IntegrationSettings, MovedGroup, SecretName, SecretRef, TokenPrices, Trial, TrialRecord, Tried,
    WriteRecord,
};
use crate::error::FieldError;
use crate::ids::{SecretId, TenantId};

fn secret(name: SecretName, id: u128) -> SecretRef {
    SecretRef { name, secret_id: SecretId::from(Uuid::from_u128(id)) }
}

fn telegram(chat_id: &str) -> IntegrationSettings {
    IntegrationSettings::Telegram { base_url: "https://api.telegram.example".parse().unwrap(), chat_id: chat_id.into() }
}

fn configure(settings: IntegrationSettings, secrets: Vec<SecretRef>) -> Configure {
    let tenant_id = TenantId::from(Uuid::from_u128(1));
    Configure { tenant_id, settings, secrets, expected: None, at: at() }
}

fn token(id: u128) -> Vec<SecretRef> {
    vec![secret(SecretName::BotToken, id)]
}

/// The event of a version, and what it says has changed.
fn with_changes(version: u32, new: Configure, changed: &[&str]) -> IntegrationEvent {
    let Configure { tenant_id, settings, secrets, at, .. } = new;
    let changed = changed.iter().map(|name| (*name).to_owned()).collect();
    IntegrationEvent::IntegrationConfigured { tenant_id, version, settings, secrets, changed, at }
}

fn configured(version: u32, new: Configure) -> IntegrationEvent {
    with_changes(version, new, &[])
}

fn at() -> DateTime<Utc> {
    "2026-06-01T00:00:00Z".parse().unwrap()
}

fn integration() -> TestFramework<IntegrationConfig> {
    TestFramework::with(())
}

#[test]
fn the_first_settings_are_version_1() {
    let new = configure(telegram("-100"), token(1));
    integration().given_no_previous_events().when(IntegrationCommand::Configure(new.clone())).then_expect_events(vec![
        with_changes(1, new, &["settings.base_url", "settings.chat_id", "secrets.bot_token"]),
    ]);
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
        .then_expect_events(vec![with_changes(2, after, &["secrets.bot_token"])]);
}

#[test]
fn saving_a_setting_keeps_the_newest_secret() {
    let rotated = configured(2, configure(telegram("-100"), token(2)));
    integration()
        .given(vec![configured(1, configure(telegram("-100"), token(1))), rotated])
        .when(IntegrationCommand::Configure(configure(telegram("-200"), vec![])))
        .then_expect_events(vec![with_changes(3, configure(telegram("-200"), token(2)), &["settings.chat_id"])]);
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

/// Seen to fail: with the version not asked for.
#[test]
fn a_check_is_recorded_for_the_version_that_was_checked() {
    let first = configure(telegram("-100"), token(1));
    let check = |version| IntegrationCommand::RecordCheck {
        version,
        outcome: CheckOutcome::Working,
        attention: Some("Run the newest SQL.".into()),
        at: first.at,
    };
    let checked = IntegrationEvent::IntegrationChecked {
        tenant_id: first.tenant_id,
        kind: IntegrationKind::Telegram,
        version: 1,
        outcome: CheckOutcome::Working,
        attention: Some("Run the newest SQL.".into()),
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
        .when(IntegrationCommand::RecordCheck { version: 1, outcome, attention: None, at: at() })
        .then_expect_error(IntegrationError::NotConfigured);
}

#[test]
fn a_change_of_another_version_than_the_newest_is_refused() {
    let first = configure(telegram("-100"), token(1));
    let change = |expected| Configure { expected: Some(expected), ..configure(telegram("-200"), vec![]) };
    let stale = IntegrationCommand::Configure(change(0));
    let given = || integration().given(vec![configured(1, first.clone())]);
    given().when(stale).then_expect_error(IntegrationError::Changed { current: 1 });
    let whole = configure(telegram("-200"), token(1));
    given().when(IntegrationCommand::Configure(change(1))).then_expect_events(vec![with_changes(
        2,
        whole,
        &["settings.chat_id"],
    )]);
    let too_early = Configure { expected: Some(1), ..first.clone() };
    integration()
        .given_no_previous_events()
        .when(IntegrationCommand::Configure(too_early))
        .then_expect_error(IntegrationError::Changed { current: 0 });
}

fn trial(version: u32, trial: Trial) -> TrialRecord {
    TrialRecord {
        version,
        trial,
        outcome: CheckOutcome::Working,
        counts: [("messages".to_owned(), 1)].into(),
        staged: Some("ab".repeat(32).parse().unwrap()),
        answer: None,
        model: None,
        at: at(),
    }
}

#[test]
fn a_trial_belongs_to_the_version_and_the_kind_that_were_tried() {
    let first = configured(1, configure(telegram("-100"), token(1)));
    let given = || integration().given(vec![first.clone()]);
    let changed = IntegrationError::Changed { current: 1 };
    given().when(IntegrationCommand::RecordTrial(trial(2, Trial::Message))).then_expect_error(changed.clone());
    given()
        .when(IntegrationCommand::RecordTrial(trial(1, Trial::Deals)))
        .then_expect_error(IntegrationError::KindIsFixed);
    let written =
        WriteRecord { version: 2, outcome: CheckOutcome::Working, written: [].into(), confirmed: [].into(), at: at() };
    given().when(IntegrationCommand::RecordWrite(written)).then_expect_error(changed);
}

#[test]
fn what_was_tried_is_remembered_until_the_settings_change() {
    let mut config = IntegrationConfig::Absent.evolve(configured(1, configure(telegram("-100"), token(1))));
    let tried = config.decide(IntegrationCommand::RecordTrial(trial(1, Trial::Message))).unwrap();
    for event in tried {
        config = config.evolve(event);
    }
    let staged = "ab".repeat(32).parse().unwrap();
    let expected = Some(Tried { trial: Trial::Message, staged, at: at() });
    assert_eq!(config.configured().unwrap().tried, expected);
    let config = config.evolve(configured(2, configure(telegram("-200"), token(1))));
    assert_eq!(config.configured().unwrap().tried, None);
}

/// A message that is in the group cannot be taken back.
#[test]
fn what_was_done_is_recorded_though_the_settings_were_changed_meanwhile() {
    let events =
        [configured(1, configure(telegram("-100"), token(1))), configured(2, configure(telegram("-200"), token(1)))];
    let config = events.into_iter().fold(IntegrationConfig::Absent, IntegrationConfig::evolve);
    let tried = config.decide(IntegrationCommand::RecordTrial(trial(1, Trial::Message))).unwrap();
    assert!(matches!(tried[..], [IntegrationEvent::IntegrationTried { version: 1, .. }]), "{tried:?}");
    let written =
        WriteRecord { version: 1, outcome: CheckOutcome::Working, written: [].into(), confirmed: [].into(), at: at() };
    assert_eq!(config.decide(IntegrationCommand::RecordWrite(written)).unwrap().len(), 1);
    let config = tried.into_iter().fold(config, IntegrationConfig::evolve);
    assert_eq!(config.configured().unwrap().tried, None, "the settings of now have not been tried");
}

/// What an admin has saved meanwhile is not overwritten.
#[test]
fn a_group_that_moved_is_followed_unless_the_settings_name_another_one() {
    let before = configure(telegram("-5"), token(1));
    let follow = |from: &str, to: &str| {
        IntegrationCommand::FollowGroup(MovedGroup { from: from.into(), to: to.into(), at: before.at })
    };
    let given = || integration().given(vec![configured(1, before.clone())]);
    let after = Configure { settings: telegram("-1005"), ..before.clone() };
    given().when(follow("-5", "-1005")).then_expect_events(vec![with_changes(2, after, &["settings.chat_id"])]);
    given().when(follow("-7", "-1005")).then_expect_events(vec![]);
    given().when(follow("-5", "-5")).then_expect_events(vec![]);
    integration()
        .given_no_previous_events()
        .when(follow("-5", "-1005"))
        .then_expect_error(IntegrationError::NotConfigured);
}

/// Seen to fail: with secrets that are kept wherever the settings lead.
#[test]
fn a_secret_goes_nowhere_but_where_it_was_given_for() {
    let before = configure(telegram("-100"), token(1));
    let elsewhere = telegram("-100").at("https://thief.example".parse().unwrap());
    let moved = Configure { settings: elsewhere, secrets: Vec::new(), ..before.clone() };
    let again = "must be given again: the address or the provider is another";
    let problem = FieldError::new("secrets.bot_token", again);
    let given = || integration().given(vec![configured(1, before.clone())]);
    given()
        .when(IntegrationCommand::Configure(moved.clone()))
        .then_expect_error(IntegrationError::Invalid(vec![problem]));
    let with_token = Configure { secrets: token(2), ..moved };
    given().when(IntegrationCommand::Configure(with_token.clone())).then_expect_events(vec![with_changes(
        2,
        with_token,
        &["settings.base_url", "secrets.bot_token"],
    )]);
}

fn ai(prices: TokenPrices) -> IntegrationSettings {
    IntegrationSettings::Ai {
        provider: AiProvider::GEMINI,
        base_url: "https://api.gemini.example".parse().unwrap(),
        model: "model-1".into(),
        prompt: String::new(),
        input_token_limit: None,
        prices,
    }
}

/// Seen to fail: with prices that are taken as they come.
#[test]
fn a_price_is_whole_or_not_there() {
    let bad = |prices: TokenPrices| -> Vec<String> {
        ai(prices).problems().into_iter().map(|problem| problem.field).collect()
    };
    let whole =
        TokenPrices { input_price_minor: Some(30), output_price_minor: Some(0), price_currency: Some("UZS".into()) };
    assert_eq!((bad(whole.clone()), bad(TokenPrices::default())), (vec![], vec![]));
    assert_eq!(whole.price().unwrap().of(1, 1).amount_minor, 1);
    let input_alone = TokenPrices { input_price_minor: Some(30), ..TokenPrices::default() };
    assert_eq!(input_alone.price(), None);
    assert_eq!(bad(input_alone), ["settings.output_price_minor", "settings.price_currency"]);
    let absurd = TokenPrices { input_price_minor: Some(u64::MAX), price_currency: Some("dollars".into()), ..whole };
    assert_eq!(bad(absurd), ["settings.input_price_minor", "settings.price_currency"]);
}

#[test]
fn settings_without_a_price_are_stored_as_they_always_were() {
    let without = serde_json::to_value(ai(TokenPrices::default())).unwrap();
    assert_eq!(without.as_object().unwrap().len(), 6, "{without}");
    assert_eq!(serde_json::from_value::<IntegrationSettings>(without).unwrap(), ai(TokenPrices::default()));
}
