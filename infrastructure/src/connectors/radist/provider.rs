//! What Radist says of itself.

use application::ports::providers::{Absent, Field, Form, Provider, SecretField, Text};
use domain::integration::{IntegrationKind, IntegrationSettings as Settings, SecretName, Trial};

use super::Radist;
use crate::connectors::phones::REGIONS;
use crate::connectors::registry::{Open, Registered, wrong_place};

pub(in crate::connectors) static PROVIDER: Registered = Registered {
    describes: Provider {
        kind: IntegrationKind::Radist,
        name: "radist",
        title: "Radist",
        steps: &[
            Text {
                en: "Open the settings of your company in Radist.Online, and create an API key with the messaging scope.",
                ru: "Откройте настройки компании в Radist.Online и создайте ключ API с доступом к сообщениям.",
            },
            Text {
                en: "Copy the key, and the number of the company.", ru: "Скопируйте ключ и номер компании."
            },
        ],
        fields: &[
            Field {
                name: "base_url",
                title: Text { en: "Address of the API", ru: "Адрес API" },
                form: Form::Address,
                absent: Absent::Text("https://api.radist.online/v2"),
            },
            Field {
                name: "company_id",
                title: Text { en: "Number of the company", ru: "Номер компании" },
                form: Form::Whole { least: 1, most: i64::MAX },
                absent: Absent::Refused,
            },
            Field {
                name: "requests_per_second",
                title: Text {
                    en: "Requests a second at most", ru: "Запросов в секунду, не больше"
                },
                form: Form::Whole { least: 1, most: 1_000 },
                absent: Absent::Whole(5),
            },
            Field {
                name: "phone_region",
                title: Text {
                    en: "Country of phones that have no country code, in amoCRM too",
                    ru: "Страна телефонов без кода страны, в том числе в amoCRM",
                },
                form: Form::Choice(REGIONS),
                absent: Absent::Nothing,
            },
        ],
        secrets: &[SecretField {
            name: SecretName::ApiKey,
            title: Text { en: "API key", ru: "Ключ API" },
            required: true,
        }],
        trials: &[Trial::Dialogues],
        writes: true,
    },
    open: Open::Conversations(|tools, account| match &account.settings {
        Settings::Radist { base_url, company_id, requests_per_second, phone_region } => {
            let region = phone_region.as_deref();
            Ok(Box::new(Radist::open(&tools.http, account, base_url, *company_id, *requests_per_second, region)?))
        }
        _ => Err(wrong_place(account, "a source of conversations")),
    }),
};
