//! The five services of a company, and where in the pipeline each is needed first.

use domain::integration::{IntegrationKind, IntegrationSettings};
use simulator::{FaultKind, Service};

/// One of the company's services.
#[derive(Clone, Copy)]
pub(crate) struct Needed {
    pub(crate) kind: IntegrationKind,
    pub(crate) service: Service,
    /// The step that calls it first.
    pub(crate) step: &'static str,
    /// How its provider's name begins a message.
    pub(crate) provider: &'static str,
    /// Its page in the settings.
    pub(crate) title: &'static str,
}

/// In the order in which a run needs them.
pub(crate) const NEEDED: [Needed; 5] = [
    needed(IntegrationKind::Amocrm, Service::Amocrm, "fetch_deals", "amoCRM", "amoCRM"),
    needed(IntegrationKind::Supabase, Service::Supabase, "save_deals", "Supabase", "Supabase"),
    needed(IntegrationKind::Radist, Service::Radist, "fetch_chats", "Radist", "Radist"),
    needed(IntegrationKind::Ai, Service::Gemini, "analyse", "Gemini", "AI"),
    needed(IntegrationKind::Telegram, Service::Telegram, "notify", "Telegram", "Telegram"),
];

const fn needed(
    kind: IntegrationKind,
    service: Service,
    step: &'static str,
    provider: &'static str,
    title: &'static str,
) -> Needed {
    Needed { kind, service, step, provider, title }
}

/// The same settings with another address.
pub(crate) fn moved(settings: IntegrationSettings, address: &str) -> IntegrationSettings {
    let base_url = address.parse().unwrap();
    match settings {
        IntegrationSettings::Supabase { .. } => IntegrationSettings::Supabase { base_url },
        IntegrationSettings::Amocrm { client_id, .. } => IntegrationSettings::Amocrm { base_url, client_id },
        IntegrationSettings::Radist { company_id, requests_per_second, phone_region, .. } => {
            IntegrationSettings::Radist { base_url, company_id, requests_per_second, phone_region }
        }
        IntegrationSettings::Ai { provider, model, prompt, input_token_limit, prices, .. } => {
            IntegrationSettings::Ai { provider, base_url, model, prompt, input_token_limit, prices }
        }
        IntegrationSettings::Telegram { chat_id, .. } => IntegrationSettings::Telegram { base_url, chat_id },
    }
}

/// An answer that refuses.
pub(crate) fn refusal(status: u16, headers: &[(&str, &str)]) -> FaultKind {
    let headers = headers.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
    FaultKind::Status { status, body: "<html>busy</html>".into(), headers }
}
