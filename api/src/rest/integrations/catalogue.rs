use application::ports::providers::{Absent, Field, Form, Provider, SecretField};
use domain::integration::Trial;
use poem_openapi::types::Any;
use poem_openapi::{Enum, Object};
use serde_json::{Value, json};

use super::body::TextBody;

/// A provider that can be connected.
#[derive(Object)]
#[oai(rename = "Provider")]
pub(super) struct ProviderBody {
    /// The kind of service that it is.
    kind: String,
    /// Its name, for `provider`.
    name: String,
    /// The name as people write it.
    title: String,
    /// What to do at the provider before anything is saved here, in order.
    steps: Vec<TextBody>,
    /// The settings to fill in.
    fields: Vec<FieldBody>,
    /// The secrets to fill in.
    secrets: Vec<SecretBody>,
    /// What can be tried once it is saved; the first is tried where a request does not say.
    trials: Vec<String>,
    /// Whether what a trial found can be written to the company's storage.
    writes: bool,
}

impl From<&'static Provider> for ProviderBody {
    fn from(provider: &'static Provider) -> Self {
        Self {
            kind: provider.kind.name().to_owned(),
            name: provider.name.to_owned(),
            title: provider.title.to_owned(),
            steps: provider.steps.iter().copied().map(TextBody::from).collect(),
            fields: provider.fields.iter().map(FieldBody::from).collect(),
            secrets: provider.secrets.iter().map(SecretBody::from).collect(),
            trials: provider.trials.iter().copied().map(Trial::name).map(str::to_owned).collect(),
            writes: provider.writes,
        }
    }
}

/// What a setting holds.
#[derive(Enum)]
#[oai(rename = "ProviderFieldType", rename_all = "snake_case")]
enum FieldType {
    /// The address of an API.
    Address,
    /// One line of text.
    Line,
    /// A text of several lines.
    Text,
    /// One of the words in `choices`.
    Choice,
    /// A whole number.
    Whole,
}

/// A setting of a provider.
#[derive(Object)]
#[oai(rename = "ProviderField")]
struct FieldBody {
    /// Its name, for `settings`.
    name: String,
    /// What people call it.
    title: TextBody,
    /// What it holds.
    #[oai(rename = "type")]
    kind: FieldType,
    /// Whether it has to be given.
    required: bool,
    /// What it holds where it is left out; `null` where nothing, or where it has to be given.
    #[oai(nullable)]
    default: Option<Any<Value>>,
    /// The words to choose from; `null` where it is no choice.
    #[oai(nullable)]
    choices: Option<Vec<String>>,
    /// Its most characters; `null` for what is no text.
    #[oai(nullable)]
    max_length: Option<u64>,
    /// The smallest number; `null` for what is none.
    #[oai(nullable)]
    minimum: Option<i64>,
    /// The largest number; `null` for what is none.
    #[oai(nullable)]
    maximum: Option<i64>,
}

impl From<&Field> for FieldBody {
    fn from(field: &Field) -> Self {
        let (kind, max_length, minimum, maximum) = match field.form {
            Form::Address => (FieldType::Address, None, None, None),
            Form::Text { most, lines: false } => (FieldType::Line, Some(most as u64), None, None),
            Form::Text { most, lines: true } => (FieldType::Text, Some(most as u64), None, None),
            Form::Choice(_) => (FieldType::Choice, None, None, None),
            Form::Whole { least, most } => (FieldType::Whole, None, Some(least), Some(most)),
        };
        let choices = match field.form {
            Form::Choice(words) => Some(words.iter().map(|word| (*word).to_owned()).collect()),
            Form::Address | Form::Text { .. } | Form::Whole { .. } => None,
        };
        let default = match field.absent {
            Absent::Refused | Absent::Nothing => None,
            Absent::Text(text) => Some(Any(json!(text))),
            Absent::Whole(number) => Some(Any(json!(number))),
        };
        Self {
            name: field.name.to_owned(),
            title: field.title.into(),
            kind,
            required: field.absent == Absent::Refused,
            default,
            choices,
            max_length,
            minimum,
            maximum,
        }
    }
}

/// A secret of a provider.
#[derive(Object)]
#[oai(rename = "ProviderSecret")]
struct SecretBody {
    /// Its name, for `secrets`.
    name: String,
    /// What people call it.
    title: TextBody,
    /// Whether the provider cannot be called without it.
    required: bool,
}

impl From<&SecretField> for SecretBody {
    fn from(secret: &SecretField) -> Self {
        Self { name: secret.name.name().to_owned(), title: secret.title.into(), required: secret.required }
    }
}
