//! Setting the company up, through the use cases that every other entry point uses.

use std::collections::BTreeMap;
use std::time::Duration;

use application::RequestContext;
use application::ports::commands::LogPosition;
use application::use_cases::{IntegrationInput, NewTenant, NewUser};
use domain::access::{Permission, Preset, RoleName};
use domain::automation::Schedule;
use domain::integration::{AiProvider, CheckOutcome, IntegrationSettings, SecretName, TokenPrices};
use domain::values::Language;
use secrecy::SecretString;
use simulator::{Secret, Simulators};

use super::company::Company;
use super::{CliError, say};
use crate::wire::System;

/// The model that the demo asks.
const MODEL: &str = "gemini-3.8-flash";

/// The stand-in of Radist has no limit of its own; a real account starts at a few calls a second.
const RADIST_CALLS_PER_SECOND: u32 = 500;

const PROMPT: &str = "Look at how fast and how completely customers are answered, at what they ask for most, and at \
                      deals that were lost although the customer was ready to buy.";

/// How long the tables may take to follow.
const PATIENCE: Duration = Duration::from_secs(20);

/// Creates the company with its owner, integrations and automation. Doing it again changes nothing.
pub(super) async fn company(system: &System, company: &Company, simulators: &Simulators) -> Result<(), CliError> {
    let context = context(system, company);
    let tenant = NewTenant {
        id: company.tenant_id,
        name: "Demo company".parse()?,
        slug: company.slug.parse()?,
        language: Language::English,
        preset: Preset::Sales,
    };
    system.provisioning.provision(&context, tenant).await?;
    let owner = NewUser {
        id: company.owner_id,
        tenant_id: company.tenant_id,
        email: company.email.parse()?,
        name: "Demo owner".parse()?,
        role: RoleName::owner(),
        password: SecretString::from(company.password.as_str()),
    };
    let mut last = system.registration.register(&context, owner).await?;
    for input in integrations(company, simulators)? {
        last = last.max(system.configure.save(&context, input).await?);
    }
    last = last.max(system.automation.define(&context, Company::day(), Schedule::Manual).await?);
    last = last.max(system.provisioning.activate(&context, company.tenant_id).await?);
    wait(system, last).await?;
    check(system, &context).await
}

/// Checks what was not checked yet.
async fn check(system: &System, context: &RequestContext) -> Result<(), CliError> {
    let scope = context.authorize(Permission::SettingsWrite)?;
    let mut last = None;
    for integration in system.integrations.list(&scope).await? {
        if integration.checked.is_some() {
            continue;
        }
        let report = system.check.check(context, integration.kind).await?;
        last = last.max(report.position);
        if let CheckOutcome::Failing { reason } = report.outcome {
            say(&format!("{}: {reason}", integration.kind.title()));
        }
    }
    wait(system, last).await
}

/// The demo acts as a part of the system, for its own tenant only.
pub(super) fn context(system: &System, company: &Company) -> RequestContext {
    RequestContext::for_system("demo", company.tenant_id, system.ids.next(), company.tenant_id.uuid())
}

/// Waits until the tables have seen the position.
pub(super) async fn wait(system: &System, position: Option<LogPosition>) -> Result<(), CliError> {
    if let Some(position) = position
        && !system.state.progress.passed(position, PATIENCE).await?
    {
        return Err("the read models do not follow the log; see the log with --log info".into());
    }
    Ok(())
}

fn integrations(company: &Company, simulators: &Simulators) -> Result<Vec<IntegrationInput>, CliError> {
    let (accounts, at) = (&company.accounts, simulators.endpoints());
    let chat_id = accounts.telegram_chat_ids.first().ok_or("the demo's bot has no group")?.to_string();
    let supabase = IntegrationSettings::Supabase { base_url: at.supabase.parse()? };
    let amocrm = IntegrationSettings::Amocrm { base_url: at.amocrm.parse()?, client_id: None };
    let radist = IntegrationSettings::Radist {
        base_url: at.radist.parse()?,
        company_id: accounts.radist_company_id,
        requests_per_second: RADIST_CALLS_PER_SECOND,
        phone_region: None,
    };
    let ai = IntegrationSettings::Ai {
        provider: AiProvider::GEMINI,
        base_url: at.gemini.parse()?,
        model: MODEL.into(),
        prompt: PROMPT.into(),
        input_token_limit: None,
        prices: TokenPrices::default(),
    };
    let telegram = IntegrationSettings::Telegram { base_url: at.telegram.parse()?, chat_id };
    Ok(vec![
        input(supabase, SecretName::ServiceKey, &accounts.supabase_service_key),
        input(amocrm, SecretName::AccessToken, &accounts.amocrm_token),
        input(radist, SecretName::ApiKey, &accounts.radist_key),
        input(ai, SecretName::ApiKey, &accounts.gemini_key),
        input(telegram, SecretName::BotToken, &accounts.telegram_token),
    ])
}

fn input(settings: IntegrationSettings, name: SecretName, secret: &Secret) -> IntegrationInput {
    IntegrationInput { settings, secrets: BTreeMap::from([(name, SecretString::from(secret.expose()))]) }
}
