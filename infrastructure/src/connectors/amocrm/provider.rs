//! What amoCRM says of itself.

use application::ports::providers::{Absent, Field, Form, Provider, SecretField, Text};
use domain::integration::{IntegrationKind, IntegrationSettings as Settings, SecretName, Trial};

use super::Amocrm;
use crate::connectors::registry::{Open, Registered, wrong_place};

pub(in crate::connectors) static PROVIDER: Registered = Registered {
    describes: Provider {
        kind: IntegrationKind::Amocrm,
        name: "amocrm",
        title: "amoCRM",
        steps: &[
            Text {
                en: "Sign in to amoCRM as an administrator, and open Settings → Integrations.",
                ru: "Войдите в amoCRM как администратор и откройте Настройки → Интеграции.",
            },
            Text {
                en: "Create an external integration that may read the data of the account.",
                ru: "Создайте внешнюю интеграцию с доступом к данным аккаунта.",
            },
            Text {
                en: "As its redirect URL, enter the callback_url that is shown with this form: Synkro's own address, \
                     then /integrations/amocrm/callback/ and your company's short name.",
                ru: "В поле «Ссылка для перенаправления» укажите показанный с этой формой callback_url: адрес Synkro, \
                     затем /integrations/amocrm/callback/ и короткое имя вашей компании.",
            },
            Text {
                en: "Under Keys and scopes, copy the integration id and the secret key, and connect here; or create a long-lived token and copy that.",
                ru: "На вкладке «Ключи и доступы» скопируйте ID интеграции и секретный ключ и подключитесь здесь; либо создайте и скопируйте долгосрочный токен.",
            },
            Text {
                en: "Enter the address of your own account, such as https://company.amocrm.ru.",
                ru: "Укажите адрес своего аккаунта, например https://company.amocrm.ru.",
            },
        ],
        fields: &[
            Field {
                name: "base_url",
                title: Text { en: "Address of the account", ru: "Адрес аккаунта" },
                form: Form::Address,
                absent: Absent::Refused,
            },
            Field {
                name: "client_id",
                title: Text { en: "Integration id", ru: "ID интеграции" },
                form: Form::Text { most: 100, lines: false },
                absent: Absent::Nothing,
            },
        ],
        secrets: &[
            SecretField {
                name: SecretName::ClientSecret,
                title: Text {
                    en: "Secret key of the integration", ru: "Секретный ключ интеграции"
                },
                required: false,
            },
            SecretField {
                name: SecretName::AccessToken,
                title: Text { en: "Long-lived token", ru: "Долгосрочный токен" },
                required: false,
            },
        ],
        trials: &[Trial::Deals],
        writes: true,
    },
    open: Open::Crm(|tools, account| match &account.settings {
        Settings::Amocrm { .. } => Ok(Box::new(Amocrm::open(&tools.http, account)?)),
        _ => Err(wrong_place(account, "a CRM")),
    }),
};
