//! What Supabase says of itself.

use application::ports::providers::{Absent, Field, Form, Provider, SecretField, Text};
use domain::integration::{IntegrationKind, IntegrationSettings as Settings, SecretName, Trial};

use super::Supabase;
use crate::connectors::registry::{Open, Registered, wrong_place};

pub(in crate::connectors) static PROVIDER: Registered = Registered {
    describes: Provider {
        kind: IntegrationKind::Supabase,
        name: "supabase",
        title: "Supabase",
        steps: &[
            Text {
                en: "Create a project at supabase.com, in the region where your data shall be.",
                ru: "Создайте проект на supabase.com в регионе, где должны лежать ваши данные.",
            },
            Text {
                en: "Open the SQL editor, and run the SQL that this step shows. It makes the tables; running it again changes nothing.",
                ru: "Откройте SQL Editor и выполните SQL, который показан на этом шаге. Он создаёт таблицы; повторный запуск ничего не меняет.",
            },
            Text {
                en: "Copy the project URL and the keys from Project Settings → API: service_role or secret, and anon or publishable.",
                ru: "Скопируйте адрес проекта и ключи из Project Settings → API: service_role или secret, а также anon или publishable.",
            },
        ],
        fields: &[Field {
            name: "base_url",
            title: Text { en: "Project URL", ru: "Адрес проекта" },
            form: Form::Address,
            absent: Absent::Refused,
        }],
        secrets: &[
            SecretField {
                name: SecretName::ServiceKey,
                title: Text { en: "service_role or secret key", ru: "Ключ service_role или secret" },
                required: true,
            },
            SecretField {
                name: SecretName::PublicKey,
                title: Text { en: "anon or publishable key", ru: "Ключ anon или publishable" },
                required: false,
            },
        ],
        trials: &[Trial::Schema],
        writes: false,
    },
    open: Open::Storage(|tools, account| match &account.settings {
        Settings::Supabase { base_url } => {
            Ok(Box::new(Supabase::open(&tools.http, account, base_url, tools.clock.now())?))
        }
        _ => Err(wrong_place(account, "a storage")),
    }),
};
