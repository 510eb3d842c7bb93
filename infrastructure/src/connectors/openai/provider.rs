//! What OpenAI-compatible says of itself.

use application::ports::providers::{Absent, Provider, Text};
use domain::integration::{IntegrationKind, Trial};

use super::Openai;
use crate::connectors::ai_fields::{API_KEY, fields, settings};
use crate::connectors::registry::{Open, Registered, wrong_place};

pub(in crate::connectors) static PROVIDER: Registered = Registered {
    describes: Provider {
        kind: IntegrationKind::Ai,
        name: "openai_compatible",
        title: "OpenAI-compatible",
        steps: &[
            Text {
                en: "Create an API key at a provider whose API understands chat/completions of OpenAI.",
                ru: "Создайте ключ API у провайдера, чей API понимает chat/completions от OpenAI.",
            },
            Text {
                en: "Enter the address of its API with the version, such as https://api.openai.com/v1, save the key, and choose a model from the list.",
                ru: "Укажите адрес его API с версией, например https://api.openai.com/v1, сохраните ключ и выберите модель из списка.",
            },
        ],
        fields: &fields(Absent::Text("https://api.openai.com/v1"), "gpt-4.1-mini"),
        secrets: &[API_KEY],
        trials: &[Trial::Analysis],
        writes: false,
    },
    open: Open::Analyst(|tools, account| {
        let (base_url, model, limit) = settings(account).ok_or_else(|| wrong_place(account, "an AI provider"))?;
        Ok(Box::new(Openai::open(&tools.http, account, base_url, model, limit)?))
    }),
};
