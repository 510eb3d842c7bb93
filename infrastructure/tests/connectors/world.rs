//! The simulators with the demo's dialogues, and the accounts of one tenant there.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use application::ports::clock::Clock;
use application::ports::services::{
    Account, Analyst, Connectors, Conversations, Crm, Notifier, TenantStorage, UpstreamError,
};
use chrono::{DateTime, TimeDelta, Utc};
use domain::ids::TenantId;
use domain::integration::{AiProvider, IntegrationSettings, SecretName, TokenPrices};
use domain::period::Period;
use infrastructure::connectors::supabase::{ColumnType, SCHEMA_VERSION, TABLES, Table, VERSIONS};
use infrastructure::connectors::{EgressPolicy, HttpConnectors, HttpOptions, RetryOptions};
use secrecy::SecretString;
use simulator::{
    Accounts, Column, ColumnKind, DEMO_DIALOGUES, DialogueSet, Limits, Secret, Service, SimulatorOptions, Simulators,
    TableDefinition,
};
use tempfile::TempDir;

pub(crate) const GEMINI_MODEL: &str = "gemini-3.8-flash";
pub(crate) const OPENAI_MODEL: &str = "local-large";
pub(crate) const RADIST_RATE: u32 = 1_000;

struct FixedClock;

impl Clock for FixedClock {
    fn now(&self) -> DateTime<Utc> {
        "2026-11-20T08:15:30Z".parse().unwrap()
    }
}

/// Options for tests: this machine only, and retries without long waits.
pub(crate) fn quick() -> HttpOptions {
    HttpOptions {
        connect_timeout: Duration::from_secs(2),
        call_timeout: Duration::from_secs(10),
        retry: RetryOptions { tries: 3, first_delay: Duration::from_millis(2), longest_wait: Duration::from_secs(2) },
        egress: EgressPolicy::LoopbackOnly,
        ..HttpOptions::default()
    }
}

pub(crate) fn connectors(options: HttpOptions) -> HttpConnectors {
    HttpConnectors::new(options, Arc::new(FixedClock)).unwrap()
}

/// An account with one secret.
pub(crate) fn account(settings: IntegrationSettings, name: SecretName, secret: &str) -> Account {
    Account {
        tenant_id: TenantId::from(uuid::Uuid::from_u128(7)),
        settings,
        version: 1,
        phone_region: None,
        secrets: BTreeMap::from([(name, SecretString::from(secret))]),
        renewal: None,
        is_awaited: false,
    }
}

pub(crate) fn table_definition(table: &Table) -> TableDefinition {
    let kind = |kind| match kind {
        ColumnType::BigInt => ColumnKind::Integer,
        ColumnType::Text => ColumnKind::Text,
        ColumnType::Timestamp => ColumnKind::Timestamp,
        ColumnType::Uuid => ColumnKind::Uuid,
        ColumnType::Json => ColumnKind::Json,
    };
    let column = |column: &infrastructure::connectors::supabase::ColumnDefinition| Column {
        name: column.name.to_owned(),
        kind: kind(column.kind),
        nullable: column.nullable,
    };
    TableDefinition {
        name: table.name.to_owned(),
        columns: table.columns.iter().map(column).collect(),
        key: table.key.iter().map(|&name| name.to_owned()).collect(),
        rows: Vec::new(),
    }
}

pub(crate) struct World {
    pub(crate) simulators: Simulators,
    pub(crate) dialogues: Arc<DialogueSet>,
    pub(crate) accounts: Accounts,
    pub(crate) connectors: HttpConnectors,
    _state: TempDir,
}

impl World {
    pub(crate) async fn start() -> Self {
        Self::start_with(Limits::default(), TABLES).await
    }

    pub(crate) async fn start_with(limits: Limits, tables: &[&Table]) -> Self {
        Self::start_at_version(limits, tables, SCHEMA_VERSION).await
    }

    pub(crate) async fn start_at_version(limits: Limits, tables: &[&Table], version: u32) -> Self {
        let versions = table_definition(&VERSIONS).with_row(&[("version", version.into())]);
        let state = tempfile::tempdir().unwrap();
        let dialogues = Arc::new(DialogueSet::parse(DEMO_DIALOGUES.as_bytes()).unwrap());
        let accounts = Accounts::generate();
        let simulators = Simulators::start(SimulatorOptions {
            state_dir: state.path().to_owned(),
            dialogues: Arc::clone(&dialogues),
            accounts: accounts.clone(),
            supabase_tables: tables.iter().map(|table| table_definition(table)).chain([versions]).collect(),
            limits,
        })
        .await
        .unwrap();
        Self { simulators, dialogues, accounts, connectors: connectors(quick()), _state: state }
    }

    /// From the first message to the last one.
    pub(crate) fn whole_period(&self) -> Period {
        Period { from: self.dialogues.first_message_at(), to: self.dialogues.last_message_at() + TimeDelta::seconds(1) }
    }

    pub(crate) fn settings(&self, service: Service) -> IntegrationSettings {
        let at = self.simulators.endpoints();
        let ai = |provider, base_url: &str, model: &str| IntegrationSettings::Ai {
            provider,
            base_url: base_url.parse().unwrap(),
            model: model.to_owned(),
            prompt: String::new(),
            input_token_limit: None,
            prices: TokenPrices::default(),
        };
        match service {
            Service::Amocrm => IntegrationSettings::Amocrm { base_url: at.amocrm.parse().unwrap(), client_id: None },
            Service::Radist => IntegrationSettings::Radist {
                base_url: at.radist.parse().unwrap(),
                company_id: self.accounts.radist_company_id,
                requests_per_second: RADIST_RATE,
                phone_region: None,
            },
            Service::Supabase => IntegrationSettings::Supabase { base_url: at.supabase.parse().unwrap() },
            Service::Gemini => ai(AiProvider::GEMINI, &at.gemini, GEMINI_MODEL),
            Service::Openai => ai(AiProvider::OPENAI_COMPATIBLE, &at.openai, OPENAI_MODEL),
            Service::Telegram => IntegrationSettings::Telegram {
                base_url: at.telegram.parse().unwrap(),
                chat_id: self.accounts.telegram_chat_ids[0].to_string(),
            },
        }
    }

    fn secret(&self, service: Service) -> (SecretName, &Secret) {
        let accounts = &self.accounts;
        match service {
            Service::Amocrm => (SecretName::AccessToken, &accounts.amocrm_token),
            Service::Radist => (SecretName::ApiKey, &accounts.radist_key),
            Service::Supabase => (SecretName::ServiceKey, &accounts.supabase_service_key),
            Service::Gemini => (SecretName::ApiKey, &accounts.gemini_key),
            Service::Openai => (SecretName::ApiKey, &accounts.openai_key),
            Service::Telegram => (SecretName::BotToken, &accounts.telegram_token),
        }
    }

    pub(crate) fn account(&self, service: Service) -> Account {
        let (name, secret) = self.secret(service);
        account(self.settings(service), name, secret.expose())
    }

    /// The same account with another key of the same length and shape.
    pub(crate) fn account_with_wrong_key(&self, service: Service) -> Account {
        let (name, secret) = self.secret(service);
        let wrong: String = secret.expose().chars().rev().collect();
        let wrong = if service == Service::Supabase { format!("sb_secret_{wrong}") } else { wrong };
        account(self.settings(service), name, &wrong)
    }

    pub(crate) fn crm(&self) -> Box<dyn Crm> {
        self.connectors.crm(self.account(Service::Amocrm)).unwrap()
    }

    pub(crate) fn conversations(&self) -> Box<dyn Conversations> {
        self.connectors.conversations(self.account(Service::Radist)).unwrap()
    }

    pub(crate) fn storage(&self) -> Box<dyn TenantStorage> {
        self.connectors.storage(self.account(Service::Supabase)).unwrap()
    }

    pub(crate) fn analyst(&self, service: Service) -> Box<dyn Analyst> {
        self.connectors.analyst(self.account(service)).unwrap()
    }

    pub(crate) fn notifier(&self) -> Box<dyn Notifier> {
        self.connectors.notifier(self.account(Service::Telegram)).unwrap()
    }

    /// Statuses that a service answered, in order; nothing for a connection that was cut.
    pub(crate) fn answers(&self, service: Service) -> Vec<Option<u16>> {
        let calls = self.simulators.calls();
        calls.into_iter().filter(|call| call.service == service).map(|call| call.status).collect()
    }

    /// Fails where any account's secret, or a telling part of it, can be read in the error.
    pub(crate) fn assert_keeps_secrets(&self, error: &UpstreamError) {
        self.assert_no_secret_in(&format!("{error} {error:?} {error:#?}"));
    }

    /// Fails where any account's secret, or a telling part of it, can be read in the text.
    pub(crate) fn assert_no_secret_in(&self, text: &str) {
        for service in Service::ALL {
            assert_not_told(text, self.secret(service).1.expose());
        }
    }
}

/// Fails where the secret, or its last ten characters, can be read in the error.
pub(crate) fn assert_no_secret(error: &UpstreamError, secret: &str) {
    assert_not_told(&format!("{error} {error:?} {error:#?}"), secret);
}

fn assert_not_told(shown: &str, secret: &str) {
    let tail = &secret[secret.len().saturating_sub(10)..];
    assert!(!shown.contains(secret) && !shown.contains(tail), "a secret is in: {shown}");
}
