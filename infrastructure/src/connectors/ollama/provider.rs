//! What Ollama says of itself.

use application::ports::providers::{Absent, Provider, Text};
use domain::integration::{IntegrationKind, Trial};

use super::Ollama;
use crate::connectors::ai_fields::{API_KEY, fields, settings};
use crate::connectors::registry::{Open, Registered, wrong_place};

pub(in crate::connectors) static PROVIDER: Registered = Registered {
    describes: Provider {
        kind: IntegrationKind::Ai,
        name: "ollama",
        title: "Ollama",
        steps: &[
            Text {
                en: "Run Ollama on a server of your own behind a proxy that asks for a key, or create a key at ollama.com.",
                ru: "Запустите Ollama на своём сервере за прокси, который проверяет ключ, или создайте ключ на ollama.com.",
            },
            Text {
                en: "Pull a model that reads long texts, save the key here, and choose the model from the list.",
                ru: "Загрузите модель, которая читает длинные тексты, сохраните ключ здесь и выберите модель из списка.",
            },
        ],
        fields: &fields(Absent::Text("https://ollama.com/api"), "gpt-oss:120b"),
        secrets: &[API_KEY],
        trials: &[Trial::Analysis],
        writes: false,
    },
    open: Open::Analyst(|tools, account| {
        let (base_url, model, limit) = settings(account).ok_or_else(|| wrong_place(account, "an AI provider"))?;
        Ok(Box::new(Ollama::open(&tools.http, account, base_url, model, limit)?))
    }),
};
