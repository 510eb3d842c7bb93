//! What Gemini says of itself.

use application::ports::providers::{Absent, Provider, Text};
use domain::integration::{IntegrationKind, Trial};

use super::Gemini;
use crate::connectors::ai_fields::{API_KEY, fields, settings};
use crate::connectors::registry::{Open, Registered, wrong_place};

pub(in crate::connectors) static PROVIDER: Registered = Registered {
    describes: Provider {
        kind: IntegrationKind::Ai,
        name: "gemini",
        title: "Gemini",
        steps: &[
            Text {
                en: "Open aistudio.google.com, and create an API key in a project with billing.",
                ru: "Откройте aistudio.google.com и создайте ключ API в проекте с оплатой.",
            },
            Text {
                en: "Save the key here, load the list of models, and choose one.",
                ru: "Сохраните ключ здесь, загрузите список моделей и выберите одну.",
            },
        ],
        fields: &fields(Absent::Text("https://generativelanguage.googleapis.com/v1beta"), "gemini-2.5-flash"),
        secrets: &[API_KEY],
        trials: &[Trial::Analysis],
        writes: false,
    },
    open: Open::Analyst(|tools, account| {
        let (base_url, model, limit) = settings(account).ok_or_else(|| wrong_place(account, "an AI provider"))?;
        Ok(Box::new(Gemini::open(&tools.http, account, base_url, model, limit)?))
    }),
};
