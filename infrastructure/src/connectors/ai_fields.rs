//! What all AI providers are asked about.

use application::ports::providers::{Absent, Field, Form, SecretField, Text};
use application::ports::services::Account;
use domain::integration::{IntegrationSettings, SecretName};
use domain::values::BaseUrl;

/// The longest prompt, in characters.
const LONGEST_PROMPT: usize = 20_000;

/// All of them: where the API is where nobody says, and the model that is asked where nobody has chosen one yet.
pub(super) const fn fields(address: Absent, usual_model: &'static str) -> [Field; 7] {
    let (base_url, model) = (base_url(address), model(usual_model));
    [base_url, model, PROMPT, INPUT_TOKEN_LIMIT, INPUT_PRICE, OUTPUT_PRICE, PRICE_CURRENCY]
}

/// Where the API is.
const fn base_url(absent: Absent) -> Field {
    let title = Text { en: "Address of the API", ru: "Адрес API" };
    Field { name: "base_url", title, form: Form::Address, absent }
}

/// Which model answers. `usual` is asked where nobody has chosen one yet, so that the key can be saved and the list be loaded.
const fn model(usual: &'static str) -> Field {
    let title = Text { en: "Model", ru: "Модель" };
    Field { name: "model", title, form: Form::Text { most: 200, lines: false }, absent: Absent::Text(usual) }
}

/// What the tenant wants looked at.
const PROMPT: Field = Field {
    name: "prompt",
    title: Text { en: "What the analyst shall look at", ru: "На что смотреть аналитику" },
    form: Form::Text { most: LONGEST_PROMPT, lines: true },
    absent: Absent::Text(""),
};

/// How much the model reads.
const INPUT_TOKEN_LIMIT: Field = Field {
    name: "input_token_limit",
    title: Text {
        en: "Tokens that the model reads at most", ru: "Сколько токенов читает модель, не больше"
    },
    form: Form::Whole { least: 2_000, most: 10_000_000 },
    absent: Absent::Nothing,
};

/// What the tokens cost: all three, or none.
const INPUT_PRICE: Field = Field {
    name: "input_price_minor",
    title: Text {
        en: "Price of a million tokens that the model reads, in minor units of the currency",
        ru: "Цена миллиона прочитанных токенов, в минимальных единицах валюты",
    },
    form: PRICE,
    absent: Absent::Nothing,
};

/// The same for what the model writes.
const OUTPUT_PRICE: Field = Field {
    name: "output_price_minor",
    title: Text {
        en: "Price of a million tokens that the model writes, in minor units of the currency",
        ru: "Цена миллиона написанных токенов, в минимальных единицах валюты",
    },
    form: PRICE,
    absent: Absent::Nothing,
};

/// In which currency.
const PRICE_CURRENCY: Field = Field {
    name: "price_currency",
    title: Text { en: "Currency of the prices, such as USD", ru: "Валюта цен, например USD" },
    form: Form::Text { most: 3, lines: false },
    absent: Absent::Nothing,
};

const PRICE: Form = Form::Whole { least: 0, most: 1_000_000_000_000 };

/// The key of the account.
pub(super) const API_KEY: SecretField =
    SecretField { name: SecretName::ApiKey, title: Text { en: "API key", ru: "Ключ API" }, required: true };

/// The settings of an AI account: where it is, the model, and how much that reads. None for an account of another kind.
pub(super) fn settings(account: &Account) -> Option<(&BaseUrl, &str, Option<u32>)> {
    match &account.settings {
        IntegrationSettings::Ai { base_url, model, input_token_limit, .. } => {
            Some((base_url, model.as_str(), *input_token_limit))
        }
        _ => None,
    }
}
