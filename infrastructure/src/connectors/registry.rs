//! How a provider is registered: what it says of itself, and how its adapter is made for an account.

use std::sync::{Arc, LazyLock};

use application::ports::clock::Clock;
use application::ports::providers::Provider;
use application::ports::services::{
    Account, Analyst, Conversations, Crm, Delivery, Notifier, TenantStorage, UpstreamError,
};
use domain::job_run::FailureClass;

use super::REGISTRY;
use super::http::HttpClient;

/// A provider with its adapter.
pub(super) struct Registered {
    /// What it says of itself.
    pub(super) describes: Provider,
    /// How its adapter is made.
    pub(super) open: Open,
}

/// What adapters are made with.
pub(super) struct Tools {
    pub(super) http: Arc<HttpClient>,
    pub(super) clock: Arc<dyn Clock>,
}

type Make<T> = fn(&Tools, &Account) -> Result<Box<T>, UpstreamError>;

/// Making an adapter, by the port that it serves.
pub(super) enum Open {
    Crm(Make<dyn Crm>),
    Conversations(Make<dyn Conversations>),
    Storage(Make<dyn TenantStorage>),
    Analyst(Make<dyn Analyst>),
    Notifier(Make<dyn Notifier>),
}

/// What every registered provider says of itself.
pub(super) static DESCRIPTIONS: LazyLock<Vec<&'static Provider>> =
    LazyLock::new(|| REGISTRY.iter().map(|registered| &registered.describes).collect());

/// The provider that the account is at.
pub(super) fn of(account: &Account) -> Result<&'static Registered, UpstreamError> {
    let (kind, name) = (account.settings.kind(), account.settings.provider());
    let mut registered = REGISTRY.iter().copied();
    let found = registered.find(|it| it.describes.kind == kind && it.describes.name == name);
    found.ok_or_else(|| UpstreamError {
        service: kind,
        class: FailureClass::Permanent,
        message: format!("Synkro no longer knows the provider {name}"),
        advice: format!("Choose another provider in Settings → {}", kind.title()),
        retry_after: None,
        delivery: Delivery::NotDelivered,
        tokens: None,
        was_turned_away: false,
    })
}

/// The refusal to use an account for what its provider is not.
pub(super) fn wrong_place(account: &Account, role: &str) -> UpstreamError {
    let service = account.settings.kind();
    UpstreamError {
        service,
        class: FailureClass::Permanent,
        message: format!("{} cannot be used as {role}", service.title()),
        advice: "Connect a service of the right kind in Settings".to_owned(),
        retry_after: None,
        delivery: Delivery::NotDelivered,
        tokens: None,
        was_turned_away: false,
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use application::ports::providers::{Absent, Form, Text};
    use domain::integration::IntegrationKind;
    use domain::values::BaseUrl;

    use super::*;

    #[test]
    fn every_kind_has_a_provider_and_no_two_share_a_name() {
        let names: BTreeSet<_> = DESCRIPTIONS.iter().map(|provider| (provider.kind, provider.name)).collect();
        assert_eq!(names.len(), DESCRIPTIONS.len());
        for kind in IntegrationKind::ALL {
            let first = DESCRIPTIONS.iter().find(|provider| provider.kind == kind).unwrap();
            assert!(kind == IntegrationKind::Ai || first.name == kind.name(), "settings of {kind:?} name no provider");
        }
    }

    #[test]
    fn an_adapter_serves_the_port_of_its_kind() {
        for registered in REGISTRY {
            let serves = match registered.open {
                Open::Storage(_) => IntegrationKind::Supabase,
                Open::Crm(_) => IntegrationKind::Amocrm,
                Open::Conversations(_) => IntegrationKind::Radist,
                Open::Analyst(_) => IntegrationKind::Ai,
                Open::Notifier(_) => IntegrationKind::Telegram,
            };
            assert_eq!(serves, registered.describes.kind, "{}", registered.describes.name);
        }
    }

    #[test]
    fn a_provider_describes_itself_in_both_languages_and_asks_for_all_that_it_needs() {
        for provider in DESCRIPTIONS.iter() {
            let told = provider.fields.iter().map(|field| field.title);
            let told =
                told.chain(provider.secrets.iter().map(|secret| secret.title)).chain(provider.steps.iter().copied());
            for Text { en, ru } in told {
                let english = en.chars().all(|char| char.is_ascii() || char == '→');
                assert!(english && !en.is_empty(), "{}: {en}", provider.name);
                assert!(!ru.is_empty(), "{}: {en}", provider.name);
            }
            assert!(!provider.steps.is_empty() && !provider.trials.is_empty(), "{}", provider.name);
            assert!(provider.trials.iter().all(|trial| trial.kind() == provider.kind), "{}", provider.name);
            for needed in provider.kind.required_secrets() {
                assert!(provider.secret(needed.name()).is_some(), "{} asks for no {}", provider.name, needed.name());
            }
            for field in provider.fields {
                if let (Form::Address, Absent::Text(address)) = (field.form, field.absent) {
                    assert!(address.parse::<BaseUrl>().is_ok(), "{}: {address}", provider.name);
                }
            }
        }
    }
}
