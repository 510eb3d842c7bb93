//! What Telegram says of itself.

use application::ports::providers::{Absent, Field, Form, Provider, SecretField, Text};
use domain::integration::{IntegrationKind, IntegrationSettings as Settings, SecretName, Trial};

use super::Telegram;
use crate::connectors::registry::{Open, Registered, wrong_place};

pub(in crate::connectors) static PROVIDER: Registered = Registered {
    describes: Provider {
        kind: IntegrationKind::Telegram,
        name: "telegram",
        title: "Telegram",
        steps: &[
            Text {
                en: "Write /newbot to @BotFather in Telegram, and copy the token that it gives you.",
                ru: "Напишите /newbot боту @BotFather в Telegram и скопируйте токен, который он выдаст.",
            },
            Text {
                en: "Add the bot to the group that shall get the reports, and let it write there.",
                ru: "Добавьте бота в группу, куда должны приходить отчёты, и разрешите ему писать.",
            },
            Text {
                en: "Enter the number of the group, such as -1001234567890, or @channelname.",
                ru: "Укажите номер группы, например -1001234567890, или @channelname.",
            },
        ],
        fields: &[
            Field {
                name: "base_url",
                title: Text { en: "Address of the Bot API", ru: "Адрес Bot API" },
                form: Form::Address,
                absent: Absent::Text("https://api.telegram.org"),
            },
            Field {
                name: "chat_id",
                title: Text { en: "Group", ru: "Группа" },
                form: Form::Text { most: 100, lines: false },
                absent: Absent::Refused,
            },
        ],
        secrets: &[SecretField {
            name: SecretName::BotToken,
            title: Text { en: "Bot token", ru: "Токен бота" },
            required: true,
        }],
        trials: &[Trial::Message, Trial::Report],
        writes: false,
    },
    open: Open::Notifier(|tools, account| match &account.settings {
        Settings::Telegram { base_url, chat_id } => {
            Ok(Box::new(Telegram::open(&tools.http, account, base_url, chat_id)?))
        }
        _ => Err(wrong_place(account, "a notifier")),
    }),
};
