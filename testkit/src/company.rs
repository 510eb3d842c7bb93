//! Companies on a test system: a tenant with users, everything connected to the simulators, ready for runs.

use std::collections::BTreeMap;
use std::time::Duration;

use application::RequestContext;
use application::ports::commands::LogPosition;
use application::use_cases::{IntegrationInput, NewTenant, NewUser};
use chrono::NaiveTime;
use chrono_tz::Tz;
use domain::access::{Preset, RoleName};
use domain::automation::Schedule;
use domain::ids::{TenantId, UserId};
use domain::integration::{AiProvider, IntegrationKind, IntegrationSettings, TokenPrices};
use domain::period::DayBorder;
use domain::values::Language;
use secrecy::SecretString;
use simulator::{Accounts, Endpoints, Secret};
use synkro::wire::System;

/// The model that test companies ask at Gemini.
const GEMINI_MODEL: &str = "gemini-3.8-flash";

/// The model that they ask at an OpenAI-compatible provider.
const OPENAI_MODEL: &str = "local-large";

/// The simulator of Radist has no limit of its own.
const RADIST_CALLS_PER_SECOND: u32 = 1_000;

/// How long the read models may take to follow the log.
const PATIENCE: Duration = Duration::from_secs(20);

/// How a company uses its AI.
#[derive(Debug, Clone)]
pub struct AiChoice {
    /// Whose API it is.
    pub provider: AiProvider,
    /// What the company wants looked at.
    pub prompt: String,
    /// Tokens that the model reads at most; asked from the provider where it is none.
    pub input_token_limit: Option<u32>,
    /// What the company says that tokens cost.
    pub prices: TokenPrices,
}

impl Default for AiChoice {
    fn default() -> Self {
        Self {
            provider: AiProvider::GEMINI,
            prompt: "Look at how fast we answer.".into(),
            input_token_limit: None,
            prices: TokenPrices::default(),
        }
    }
}

/// A tenant of a test system.
#[derive(Debug, Clone)]
pub struct Company {
    /// Its id.
    pub tenant_id: TenantId,
    name: &'static str,
}

/// A user with the password that nobody but a test knows.
#[derive(Debug, Clone)]
pub struct Credential {
    /// The address to sign in with.
    pub email: String,
    /// The password.
    pub password: String,
}

impl Company {
    /// What every test company calls a day.
    pub fn day() -> DayBorder {
        DayBorder { time_zone: Tz::UTC, starts_at: NaiveTime::MIN }
    }

    /// Creates the tenant with its automation and opens it for use. It has no users and no integrations yet.
    pub(crate) async fn found(system: &System, name: &'static str, preset: Preset) -> Self {
        let company = Self { tenant_id: TenantId::from(system.ids.next()), name };
        let context = company.context(system);
        let tenant = NewTenant {
            id: company.tenant_id,
            name: name.parse().expect("a name"),
            slug: name.parse().expect("a short name"),
            language: Language::English,
            preset,
        };
        system.provisioning.provision(&context, tenant).await.expect("a new tenant");
        let defined = system.automation.define(&context, Self::day(), Schedule::Manual).await.expect("an automation");
        let active = system.provisioning.activate(&context, company.tenant_id).await.expect("an open tenant");
        settled(system, defined.max(active)).await;
        company
    }

    /// Adds a user with a fresh password.
    pub(crate) async fn employ(&self, system: &System, role: RoleName) -> Credential {
        let id = UserId::from(system.ids.next());
        let credential = Credential {
            email: format!("{}-{}@{}.example", role, id.uuid().simple(), self.name),
            password: format!("password-{}", system.ids.next().simple()),
        };
        let user = NewUser {
            id,
            tenant_id: self.tenant_id,
            email: credential.email.parse().expect("an address"),
            name: "Test person".parse().expect("a name"),
            role,
            password: SecretString::from(credential.password.as_str()),
        };
        let registered = system.registration.register(&self.context(system), user).await.expect("a new user");
        settled(system, registered).await;
        credential
    }

    /// Saves an integration with its secret and waits until runs see it.
    pub(crate) async fn connect(&self, system: &System, settings: IntegrationSettings, secret: &str) {
        let names = settings.kind().required_secrets();
        let secrets: BTreeMap<_, _> = names.iter().map(|name| (*name, SecretString::from(secret))).collect();
        let input = IntegrationInput { settings, secrets };
        let saved = system.configure.save(&self.context(system), input).await.expect("good settings");
        settled(system, saved).await;
    }

    /// The tests set companies up as a part of the system.
    fn context(&self, system: &System) -> RequestContext {
        RequestContext::for_system("test", self.tenant_id, system.ids.next(), self.tenant_id.uuid())
    }
}

/// Settings that lead to the simulators.
pub(crate) fn settings(
    kind: IntegrationKind,
    at: &Endpoints,
    accounts: &Accounts,
    ai: &AiChoice,
) -> IntegrationSettings {
    let address = |text: &str| text.parse().expect("simulators have good addresses");
    match kind {
        IntegrationKind::Supabase => IntegrationSettings::Supabase { base_url: address(&at.supabase) },
        IntegrationKind::Amocrm => IntegrationSettings::Amocrm { base_url: address(&at.amocrm), client_id: None },
        IntegrationKind::Radist => IntegrationSettings::Radist {
            base_url: address(&at.radist),
            company_id: accounts.radist_company_id,
            requests_per_second: RADIST_CALLS_PER_SECOND,
            phone_region: None,
        },
        IntegrationKind::Ai => {
            let is_gemini = ai.provider == AiProvider::GEMINI;
            let (base_url, model) = if is_gemini { (&at.gemini, GEMINI_MODEL) } else { (&at.openai, OPENAI_MODEL) };
            IntegrationSettings::Ai {
                provider: ai.provider.clone(),
                base_url: address(base_url),
                model: model.into(),
                prompt: ai.prompt.clone(),
                input_token_limit: ai.input_token_limit,
                prices: ai.prices.clone(),
            }
        }
        IntegrationKind::Telegram => IntegrationSettings::Telegram {
            base_url: address(&at.telegram),
            chat_id: accounts.telegram_chat_ids[0].to_string(),
        },
    }
}

/// The secret of the account behind [`settings`].
pub(crate) fn secret<'a>(kind: IntegrationKind, accounts: &'a Accounts, ai: &AiChoice) -> &'a str {
    let secret: &Secret = match (kind, ai.provider == AiProvider::GEMINI) {
        (IntegrationKind::Supabase, _) => &accounts.supabase_service_key,
        (IntegrationKind::Amocrm, _) => &accounts.amocrm_token,
        (IntegrationKind::Radist, _) => &accounts.radist_key,
        (IntegrationKind::Ai, true) => &accounts.gemini_key,
        (IntegrationKind::Ai, false) => &accounts.openai_key,
        (IntegrationKind::Telegram, _) => &accounts.telegram_token,
    };
    secret.expose()
}

async fn settled(system: &System, position: Option<LogPosition>) {
    if let Some(position) = position {
        let passed = system.state.progress.passed(position, PATIENCE).await.expect("the database answers");
        assert!(passed, "the read models do not follow the log");
    }
}
