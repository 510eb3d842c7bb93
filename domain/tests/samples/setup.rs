//! A company is set up: its first user, its integrations and its automation.

use chrono_tz::Tz;
use domain::access::RoleName;
use domain::api_key::{ApiKey, ApiKeyEvent};
use domain::automation::{Automation, AutomationEvent, Schedule};
use domain::integration::{
    AiProvider, CheckOutcome, IntegrationConfig, IntegrationEvent, IntegrationKind, IntegrationSettings, SecretName,
    SecretRef, TokenPrices, Trial,
};
use domain::period::DayBorder;
use domain::user::{User, UserEvent};
use domain::values::Personal;

use super::{form, tenant_id, usual, value};
use crate::golden_files::Golden;

pub(super) fn users() -> Vec<Golden> {
    let (tenant_id, user_id) = (tenant_id(), value("019df20e-1370-7e0b-b3d2-6c94a1f05e12"));
    let (email, name) = (Personal::new(value("olga@severny-les.example")), Personal::new(value("Olga Smirnova")));
    let (role, at) = (RoleName::owner(), value("2026-05-04T08:15:02Z"));
    vec![
        usual::<User>(&UserEvent::UserRegistered { user_id, tenant_id, email, name, role, at }),
        usual::<User>(&UserEvent::UserPasswordSet {
            user_id,
            tenant_id: Some(tenant_id),
            at: value("2026-05-04T08:16:37.204118Z"),
        }),
    ]
}

pub(super) fn api_keys() -> Vec<Golden> {
    let (tenant_id, api_key_id) = (tenant_id(), value("019df24a-7f10-7b2d-8c54-91e3d0a6f4b7"));
    let (created_by, name) = (value("019df20e-1370-7e0b-b3d2-6c94a1f05e12"), value("Export to the warehouse"));
    let scopes = vec![value("reports:read"), value("runs:read")];
    let (expires_at, at) = (value("2026-08-02T09:00:00Z"), value("2026-05-04T09:21:16.730912Z"));
    let revoked_by = created_by;
    vec![
        usual::<ApiKey>(&ApiKeyEvent::ApiKeyCreated {
            api_key_id,
            tenant_id,
            name,
            scopes,
            expires_at,
            created_by,
            at,
        }),
        usual::<ApiKey>(&ApiKeyEvent::ApiKeyRevoked {
            api_key_id,
            tenant_id,
            revoked_by,
            at: value("2026-06-11T14:05:48.000317Z"),
        }),
    ]
}

pub(super) fn integrations() -> Vec<Golden> {
    let at = value("2026-05-04T08:31:40.518Z");
    let configured = |version, settings, secrets| {
        let (tenant_id, changed) = (tenant_id(), Vec::new());
        IntegrationEvent::IntegrationConfigured { tenant_id, version, settings, secrets, changed, at }
    };
    let amocrm = IntegrationSettings::Amocrm { base_url: value("https://severnyles.amocrm.example"), client_id: None };
    let supabase = IntegrationSettings::Supabase { base_url: value("https://qkzvhtrmwb.supabase.example") };
    let access_token = secret(SecretName::AccessToken, "019df21d-4de0-7210-8f6e-94d0c2b7a523");
    let service_key = secret(SecretName::ServiceKey, "019df21a-90c8-7d34-a1b7-5be2f8036d9c");
    let radist_key = secret(SecretName::ApiKey, "019df21f-02b4-7a66-93cd-e07c41f8b25a");
    let ai_key = secret(SecretName::ApiKey, "019df220-6f10-7c0e-8d15-3a9bd4e6f708");
    let bot_token = secret(SecretName::BotToken, "019df222-1d58-79f3-b46a-c2508e7d91ab");
    let mut samples = vec![
        usual::<IntegrationConfig>(&configured(2, amocrm, access_token)),
        form::<IntegrationConfig>("supabase", &configured(1, supabase, service_key)),
        form::<IntegrationConfig>("radist", &configured(1, radist(), radist_key)),
        form::<IntegrationConfig>("radist_with_region", &configured(2, radist_in(Some("UZ")), Vec::new())),
        form::<IntegrationConfig>("ai", &configured(3, ai(), ai_key)),
        form::<IntegrationConfig>("ai_with_prices", &configured(4, ai_with(prices()), Vec::new())),
        form::<IntegrationConfig>("telegram", &configured(1, telegram(), bot_token)),
        form::<IntegrationConfig>("changed", &changed_key()),
    ];
    samples.extend(checks());
    samples.extend(trials());
    samples.extend(tokens());
    samples
}

fn tokens() -> Vec<Golden> {
    let (tenant_id, at) = (tenant_id(), value("2026-05-04T08:36:02.771Z"));
    let authorized_by = value("019df20e-1370-7e0b-b3d2-6c94a1f05e12");
    let client_id = Some("5c9f1d3a-7e42-4b18-9a60-d2f83b71c4e5".to_owned());
    let settings = IntegrationSettings::Amocrm { base_url: value("https://severnyles.amocrm.example"), client_id };
    let secret = |name, id: &str| SecretRef { name, secret_id: value(id) };
    let client_secret = secret(SecretName::ClientSecret, "019df223-0a14-7c52-8b37-41e96d0f2c88");
    let pair = |access: &str, refresh: &str| {
        vec![client_secret, secret(SecretName::AccessToken, access), secret(SecretName::RefreshToken, refresh)]
    };
    let first = pair("019df224-6b90-7f1e-a2c5-93d80e47b61a", "019df224-6b90-7a43-8e0d-5f21c7b9d304");
    let next = pair("019df74a-1c38-7d05-b9f2-08a6e3d51c7f", "019df74a-1c38-7261-94ab-e7c05f38d2b6");
    let reason = "amoCRM does not accept the refresh token any more. Connect again.".into();
    vec![
        form::<IntegrationConfig>(
            "oauth",
            &IntegrationEvent::IntegrationConfigured {
                tenant_id,
                version: 3,
                settings: settings.clone(),
                secrets: vec![client_secret],
                changed: Vec::new(),
                at: value("2026-05-04T08:35:11.090Z"),
            },
        ),
        usual::<IntegrationConfig>(&IntegrationEvent::IntegrationAuthorized {
            tenant_id,
            version: 4,
            settings: settings.clone(),
            secrets: first,
            expires_at: value("2026-05-05T08:36:02.771Z"),
            authorized_by,
            at,
        }),
        usual::<IntegrationConfig>(&IntegrationEvent::IntegrationTokensRenewed {
            tenant_id,
            version: 4,
            settings,
            secrets: next,
            expires_at: value("2026-05-06T08:31:47.115Z"),
            at: value("2026-05-05T08:31:47.115Z"),
        }),
        usual::<IntegrationConfig>(&IntegrationEvent::IntegrationAccessLost {
            tenant_id,
            kind: IntegrationKind::Amocrm,
            version: 4,
            reason,
            at: value("2026-08-06T08:00:00.420Z"),
        }),
    ]
}

fn radist() -> IntegrationSettings {
    radist_in(None)
}

fn radist_in(region: Option<&str>) -> IntegrationSettings {
    IntegrationSettings::Radist {
        base_url: value("https://api.radist.example/v2"),
        company_id: 48_213,
        requests_per_second: 20,
        phone_region: region.map(str::to_owned),
    }
}

fn ai() -> IntegrationSettings {
    ai_with(TokenPrices::default())
}

fn prices() -> TokenPrices {
    TokenPrices { input_price_minor: Some(30), output_price_minor: Some(250), price_currency: Some("USD".into()) }
}

fn ai_with(prices: TokenPrices) -> IntegrationSettings {
    IntegrationSettings::Ai {
        provider: AiProvider::GEMINI,
        base_url: value("https://generativelanguage.example/v1beta"),
        model: "gemini-2.5-flash".into(),
        prompt: "Look at how agents answer questions about delivery dates.".into(),
        input_token_limit: Some(1_048_576),
        prices,
    }
}

fn telegram() -> IntegrationSettings {
    let base_url = value("https://api.telegram.example");
    IntegrationSettings::Telegram { base_url, chat_id: "-1001872345096".into() }
}

fn secret(name: SecretName, id: &str) -> Vec<SecretRef> {
    vec![SecretRef { name, secret_id: value(id) }]
}

/// A new key, under the name of what was changed.
fn changed_key() -> IntegrationEvent {
    IntegrationEvent::IntegrationConfigured {
        tenant_id: tenant_id(),
        version: 2,
        settings: radist(),
        secrets: secret(SecretName::ApiKey, "019e0a4c-77b1-7f02-9c3d-1b5a60e7d8f4"),
        changed: vec!["settings.requests_per_second".into(), "secrets.api_key".into()],
        at: value("2026-05-18T07:02:11.250Z"),
    }
}

fn trials() -> [Golden; 4] {
    let counts = |counts: &[(&str, u64)]| counts.iter().map(|(name, count)| ((*name).to_owned(), *count)).collect();
    let tried = IntegrationEvent::IntegrationTried {
        tenant_id: tenant_id(),
        kind: IntegrationKind::Ai,
        version: 3,
        trial: Trial::Analysis,
        outcome: CheckOutcome::Working,
        counts: counts(&[("dialogues", 3), ("input_tokens", 1_840), ("output_tokens", 312)]),
        staged: Some(value(&"5e".repeat(32))),
        answer: Some(Personal::new("# Two of three were answered late\n\nIrina waited for a day.".into())),
        model: Some("gemini-2.5-flash".into()),
        at: value("2026-05-04T09:12:45.001Z"),
    };
    let written = IntegrationEvent::IntegrationWritten {
        tenant_id: tenant_id(),
        kind: IntegrationKind::Amocrm,
        version: 2,
        outcome: CheckOutcome::Working,
        written: counts(&[("contacts", 2), ("deals", 3)]),
        confirmed: counts(&[("contacts", 2), ("deals", 3)]),
        at: value("2026-05-04T09:14:02.480Z"),
    };
    let reason = "Supabase cannot be reached. Check its address.".into();
    let failed = IntegrationEvent::IntegrationTried {
        tenant_id: tenant_id(),
        kind: IntegrationKind::Ai,
        version: 3,
        trial: Trial::Analysis,
        outcome: CheckOutcome::Failing {
            reason: "The AI did not answer in the form that was asked for. Try again.".into(),
        },
        counts: counts(&[("dialogues", 3)]),
        staged: None,
        answer: Some(Personal::new("I cannot help with that.".into())),
        model: Some("gemini-2.5-flash".into()),
        at: value("2026-05-04T09:15:31.600Z"),
    };
    let unwritten = IntegrationEvent::IntegrationWritten {
        tenant_id: tenant_id(),
        kind: IntegrationKind::Radist,
        version: 1,
        outcome: CheckOutcome::Failing { reason },
        written: counts(&[]),
        confirmed: counts(&[]),
        at: value("2026-05-04T09:16:11.020Z"),
    };
    [
        usual::<IntegrationConfig>(&tried),
        usual::<IntegrationConfig>(&written),
        form::<IntegrationConfig>("failing", &failed),
        form::<IntegrationConfig>("failing", &unwritten),
    ]
}

fn checks() -> [Golden; 3] {
    let checked = |outcome, attention: Option<&str>, at: &str| IntegrationEvent::IntegrationChecked {
        tenant_id: tenant_id(),
        kind: IntegrationKind::Amocrm,
        version: 2,
        outcome,
        attention: attention.map(str::to_owned),
        at: value(at),
    };
    let reason = "amoCRM does not accept the token. Issue a new long-lived token in amoCRM and save it here.".into();
    let working = checked(CheckOutcome::Working, None, "2026-05-04T08:31:42.090377Z");
    let failing = checked(CheckOutcome::Failing { reason }, None, "2026-05-11T06:00:03.771902Z");
    let advice = "The token ends in five days. Issue a new one in amoCRM and save it here.";
    let attention = checked(CheckOutcome::Working, Some(advice), "2026-05-19T06:00:04.110Z");
    [
        usual::<IntegrationConfig>(&working),
        form::<IntegrationConfig>("failing", &failing),
        form::<IntegrationConfig>("attention", &attention),
    ]
}

pub(super) fn automations() -> Vec<Golden> {
    let day = DayBorder { time_zone: Tz::Europe__Moscow, starts_at: value("00:00:00") };
    let (tenant_id, schedule, at) = (tenant_id(), Schedule::Manual, value("2026-05-04T08:58:20Z"));
    vec![usual::<Automation>(&AutomationEvent::AutomationDefined { tenant_id, day, schedule, at })]
}
