//! A company is set up: its first user, its integrations and its automation.

use chrono_tz::Tz;
use domain::access::RoleName;
use domain::api_key::{ApiKey, ApiKeyEvent};
use domain::automation::{Automation, AutomationEvent, Schedule};
use domain::integration::{
    AiProvider, CheckOutcome, IntegrationConfig, IntegrationEvent, IntegrationKind, IntegrationSettings, SecretName,
    SecretRef,
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
    let secret = |name, id: &str| vec![SecretRef { name, secret_id: value(id) }];
    let at = value("2026-05-04T08:31:40.518Z");
    let configured = |version, settings, secrets| {
        let tenant_id = tenant_id();
        IntegrationEvent::IntegrationConfigured { tenant_id, version, settings, secrets, at }
    };
    let amocrm = IntegrationSettings::Amocrm { base_url: value("https://severnyles.amocrm.example") };
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
        form::<IntegrationConfig>("ai", &configured(3, ai(), ai_key)),
        form::<IntegrationConfig>("telegram", &configured(1, telegram(), bot_token)),
    ];
    samples.extend(checks());
    samples
}

fn radist() -> IntegrationSettings {
    let base_url = value("https://api.radist.example/v2");
    IntegrationSettings::Radist { base_url, company_id: 48_213, requests_per_second: 20 }
}

fn ai() -> IntegrationSettings {
    IntegrationSettings::Ai {
        provider: AiProvider::Gemini,
        base_url: value("https://generativelanguage.example/v1beta"),
        model: "gemini-2.5-flash".into(),
        prompt: "Look at how agents answer questions about delivery dates.".into(),
        input_token_limit: Some(1_048_576),
    }
}

fn telegram() -> IntegrationSettings {
    let base_url = value("https://api.telegram.example");
    IntegrationSettings::Telegram { base_url, chat_id: "-1001872345096".into() }
}

fn checks() -> [Golden; 2] {
    let checked = |outcome, at: &str| IntegrationEvent::IntegrationChecked {
        tenant_id: tenant_id(),
        kind: IntegrationKind::Amocrm,
        version: 2,
        outcome,
        at: value(at),
    };
    let reason = "amoCRM does not accept the token. Issue a new long-lived token in amoCRM and save it here.".into();
    let working = checked(CheckOutcome::Working, "2026-05-04T08:31:42.090377Z");
    let failing = checked(CheckOutcome::Failing { reason }, "2026-05-11T06:00:03.771902Z");
    [usual::<IntegrationConfig>(&working), form::<IntegrationConfig>("failing", &failing)]
}

pub(super) fn automations() -> Vec<Golden> {
    let day = DayBorder { time_zone: Tz::Europe__Moscow, starts_at: value("00:00:00") };
    let (tenant_id, schedule, at) = (tenant_id(), Schedule::Manual, value("2026-05-04T08:58:20Z"));
    vec![usual::<Automation>(&AutomationEvent::AutomationDefined { tenant_id, day, schedule, at })]
}
