//! Reading what people fill in for an integration, by the provider's own description: every bad field at once.

use std::collections::BTreeMap;

use domain::FieldError;
use domain::integration::{IntegrationConfig, IntegrationSettings, SecretName};
use domain::values::BaseUrl;
use secrecy::SecretString;
use serde_json::{Map, Value, json};

use super::IntegrationInput;
use crate::ports::providers::{Absent, Field, Form, Provider};

/// What stands in answers for a stored secret. Sent back, it keeps what is stored.
pub const STORED: &str = "***";

/// Words of a choice that a refusal names.
const NAMED_WORDS: usize = 10;

/// The longest secret, in characters.
const LONGEST_SECRET: usize = 8_192;

/// What somebody filled in.
pub struct IntegrationForm {
    /// Whose service it is, by its name in the catalogue; none where the kind has one provider, or it stays the same.
    pub provider: Option<String>,
    /// The settings by name.
    pub settings: Map<String, Value>,
    /// The secrets by name; [`STORED`] keeps what is stored, as leaving one out does.
    pub secrets: BTreeMap<String, Option<SecretString>>,
}

/// The input that the form makes, where this is saved.
///
/// # Errors
/// Every bad field, those that the rules about secrets find too.
pub(super) fn read(
    provider: &Provider,
    form: IntegrationForm,
    saved: &IntegrationConfig,
) -> Result<IntegrationInput, Vec<FieldError>> {
    let mut problems = Vec::new();
    let stored: Vec<SecretName> =
        saved.configured().map(|config| config.secrets.iter().map(|secret| secret.name).collect()).unwrap_or_default();
    let settings = settings(provider, form.settings, &mut problems);
    let has_address = problems.iter().all(|problem| problem.field != "settings.base_url");
    let secrets = secrets(provider, form.secrets, &stored, &mut problems);
    let Some(settings) = settings else { return Err(problems) };
    if problems.is_empty() {
        return Ok(IntegrationInput { settings, secrets });
    }
    // Nobody knows yet whether an address that cannot be read is another one.
    let settings = match saved.configured() {
        Some(saved) if !has_address => settings.at(saved.settings.base_url().clone()),
        _ => settings,
    };
    let given: Vec<SecretName> = secrets.into_keys().collect();
    add(&mut problems, saved.secret_problems(&settings, &given));
    Err(problems)
}

/// Adds problems of fields that none is known of yet.
fn add(problems: &mut Vec<FieldError>, more: Vec<FieldError>) {
    let named: Vec<String> = problems.iter().map(|problem| problem.field.clone()).collect();
    problems.extend(more.into_iter().filter(|problem| !named.contains(&problem.field)));
}

/// The settings. Where a field is bad, a value that fits stands in for it, so that the rules about the others are asked too.
fn settings(
    provider: &Provider,
    mut given: Map<String, Value>,
    problems: &mut Vec<FieldError>,
) -> Option<IntegrationSettings> {
    let mut read = Map::from_iter([
        ("kind".to_owned(), json!(provider.kind.name())),
        ("provider".to_owned(), json!(provider.name)),
    ]);
    for field in provider.fields {
        let value = value(field, given.remove(field.name)).unwrap_or_else(|message| {
            problems.push(FieldError::new(format!("settings.{}", field.name), message));
            stand_in(field.form)
        });
        read.insert(field.name.to_owned(), value);
    }
    for unknown in given.keys() {
        let message = format!("{} has no such setting", provider.title);
        problems.push(FieldError::new(format!("settings.{unknown}"), message));
    }
    match serde_json::from_value::<IntegrationSettings>(Value::Object(read)) {
        Ok(settings) => {
            add(problems, settings.problems());
            Some(settings)
        }
        Err(error) => {
            problems.push(FieldError::new("settings", format!("cannot be read: {error}")));
            None
        }
    }
}

fn value(field: &Field, given: Option<Value>) -> Result<Value, String> {
    let given = given.filter(|value| !value.is_null() && value.as_str().is_none_or(|text| !text.trim().is_empty()));
    let Some(given) = given else {
        return match field.absent {
            Absent::Refused => Err("must be given".to_owned()),
            Absent::Nothing => Ok(Value::Null),
            Absent::Text(text) => Ok(json!(text)),
            Absent::Whole(number) => Ok(json!(number)),
        };
    };
    match field.form {
        Form::Address => {
            let text = given.as_str().ok_or("must be a text")?.trim();
            text.parse::<BaseUrl>().map(|url| json!(url)).map_err(|error| error.to_string())
        }
        Form::Text { most, lines } => {
            let text = given.as_str().ok_or("must be a text")?;
            let text = if lines { text } else { text.trim() };
            if text.chars().count() > most {
                return Err(format!("must be at most {most} characters"));
            }
            if text.contains('\0') || (!lines && text.contains(char::is_control)) {
                return Err("must be one line of plain text".to_owned());
            }
            Ok(json!(text))
        }
        Form::Choice(words) => {
            let text = given.as_str().ok_or("must be a text")?.trim();
            let word = words.iter().find(|word| **word == text);
            word.map(|word| json!(word)).ok_or_else(|| unknown_word(words))
        }
        Form::Whole { least, most } => {
            let fits = given.as_i64().filter(|number| (least..=most).contains(number));
            fits.map(|number| json!(number)).ok_or_else(|| format!("must be a whole number from {least} to {most}"))
        }
    }
}

fn unknown_word(words: &[&str]) -> String {
    let named = words.iter().take(NAMED_WORDS).copied().collect::<Vec<_>>().join(", ");
    if words.len() > NAMED_WORDS {
        format!("must be one of those in the catalogue, such as {named}")
    } else {
        format!("must be one of {named}")
    }
}

fn stand_in(form: Form) -> Value {
    match form {
        Form::Address => json!("https://stand-in.invalid"),
        Form::Text { .. } => json!("1"),
        Form::Choice(words) => json!(words.first()),
        Form::Whole { least, .. } => json!(least),
    }
}

fn secrets(
    provider: &Provider,
    given: BTreeMap<String, Option<SecretString>>,
    stored: &[SecretName],
    problems: &mut Vec<FieldError>,
) -> BTreeMap<SecretName, SecretString> {
    let mut read = BTreeMap::new();
    let mut refuse = |name: &str, message: String| problems.push(FieldError::new(format!("secrets.{name}"), message));
    let mut refused = Vec::new();
    for (name, value) in given {
        let Some(secret) = provider.secret(&name) else {
            refuse(&name, format!("{} has no such secret", provider.title));
            continue;
        };
        match value.as_ref().map(given_secret) {
            Some(Given::Value(value)) => drop(read.insert(secret.name, value)),
            Some(Given::Kept) if stored.contains(&secret.name) => {}
            Some(Given::Kept) => {
                refuse(&name, format!("{STORED} keeps what is stored, and nothing is; enter the value"));
                refused.push(secret.name);
            }
            Some(Given::Bad(message)) => {
                refuse(&name, message);
                refused.push(secret.name);
            }
            None => {
                refuse(&name, format!("must be a text; leave it out, or send {STORED}, to keep what is stored"));
                refused.push(secret.name);
            }
        }
    }
    for secret in provider.secrets.iter().filter(|secret| secret.required) {
        let known = stored.contains(&secret.name) || read.contains_key(&secret.name) || refused.contains(&secret.name);
        if !known {
            refuse(secret.name.name(), "must be given".to_owned());
        }
    }
    read
}

enum Given {
    Value(SecretString),
    Kept,
    Bad(String),
}

fn given_secret(value: &SecretString) -> Given {
    use secrecy::ExposeSecret;
    let text = value.expose_secret().trim();
    if text == STORED {
        return Given::Kept;
    }
    if text.is_empty() {
        return Given::Bad(format!("must not be empty; leave it out, or send {STORED}, to keep what is stored"));
    }
    if text.chars().count() > LONGEST_SECRET || text.contains(char::is_control) {
        return Given::Bad(format!("must be one line of at most {LONGEST_SECRET} characters"));
    }
    Given::Value(SecretString::from(text))
}

#[cfg(test)]
mod tests {
    use domain::ids::{SecretId, TenantId};
    use domain::integration::{Access, Configured, IntegrationKind, SecretRef, Trial};
    use secrecy::ExposeSecret;
    use uuid::Uuid;

    use super::*;
    use crate::ports::providers::{SecretField, Text};

    const ANY: Text = Text { en: "Any", ru: "Любой" };
    const TEXT: Form = Form::Text { most: 100, lines: false };

    static RADIST: Provider = Provider {
        kind: IntegrationKind::Radist,
        name: "radist",
        title: "Radist",
        steps: &[],
        fields: &[
            Field {
                name: "base_url",
                title: ANY,
                form: Form::Address,
                absent: Absent::Text("https://api.radist.example/v2"),
            },
            Field {
                name: "company_id",
                title: ANY,
                form: Form::Whole { least: 1, most: 1 << 40 },
                absent: Absent::Refused,
            },
            Field {
                name: "requests_per_second",
                title: ANY,
                form: Form::Whole { least: 1, most: 1_000 },
                absent: Absent::Whole(5),
            },
            Field { name: "phone_region", title: ANY, form: Form::Choice(&["RU", "UZ"]), absent: Absent::Nothing },
        ],
        secrets: &[SecretField { name: SecretName::ApiKey, title: ANY, required: true }],
        trials: &[Trial::Dialogues],
        writes: true,
    };

    /// As the real one: which secret is needed depends on the settings, so the form requires none of both.
    static AMOCRM: Provider = Provider {
        kind: IntegrationKind::Amocrm,
        name: "amocrm",
        title: "amoCRM",
        steps: &[],
        fields: &[
            Field { name: "base_url", title: ANY, form: Form::Address, absent: Absent::Refused },
            Field { name: "client_id", title: ANY, form: TEXT, absent: Absent::Nothing },
        ],
        secrets: &[
            SecretField { name: SecretName::ClientSecret, title: ANY, required: false },
            SecretField { name: SecretName::AccessToken, title: ANY, required: false },
        ],
        trials: &[Trial::Deals],
        writes: true,
    };

    /// What is saved with one secret.
    fn saved(settings: IntegrationSettings, name: SecretName) -> IntegrationConfig {
        IntegrationConfig::Configured(Configured {
            tenant_id: TenantId::from(Uuid::from_u128(1)),
            version: 1,
            decided: 1,
            settings,
            secrets: vec![SecretRef { name, secret_id: SecretId::from(Uuid::from_u128(2)) }],
            tried: None,
            access: Access::Given,
        })
    }

    fn radist() -> IntegrationConfig {
        let base_url = "https://api.radist.example/v2".parse().unwrap();
        let settings =
            IntegrationSettings::Radist { base_url, company_id: 7, requests_per_second: 5, phone_region: None };
        saved(settings, SecretName::ApiKey)
    }

    fn amocrm() -> IntegrationConfig {
        let base_url = "https://acme.amocrm.example".parse().unwrap();
        saved(IntegrationSettings::Amocrm { base_url, client_id: None }, SecretName::AccessToken)
    }

    fn form(settings: Value, secrets: &[(&str, Option<&str>)]) -> IntegrationForm {
        let Value::Object(settings) = settings else { panic!("settings are an object") };
        let secret = |(name, value): &(&str, Option<&str>)| ((*name).to_owned(), value.map(SecretString::from));
        IntegrationForm { provider: None, settings, secrets: secrets.iter().map(secret).collect() }
    }

    fn bad_of(provider: &Provider, form: IntegrationForm, saved: &IntegrationConfig) -> Vec<String> {
        let Err(problems) = read(provider, form, saved) else { panic!("must be refused") };
        problems.into_iter().map(|problem| problem.field).collect()
    }

    fn bad(form: IntegrationForm) -> Vec<String> {
        bad_of(&RADIST, form, &IntegrationConfig::Absent)
    }

    #[test]
    fn what_is_left_out_is_what_the_provider_says() {
        let least = form(json!({"company_id": 7}), &[("api_key", Some(" key\n"))]);
        let good = read(&RADIST, least, &IntegrationConfig::Absent).unwrap();
        let IntegrationSettings::Radist { base_url, company_id, requests_per_second, phone_region: None } =
            good.settings
        else {
            panic!("other settings")
        };
        assert_eq!((base_url.as_str(), company_id, requests_per_second), ("https://api.radist.example/v2", 7, 5));
        assert_eq!(good.secrets[&SecretName::ApiKey].expose_secret(), "key");
    }

    #[test]
    fn every_bad_field_is_named_at_once() {
        let wrong = json!({"base_url": "nowhere", "company_id": 0, "requests_per_second": 1.5, "colour": "red"});
        let fields = bad(form(wrong, &[("api_key", None), ("bot_token", Some("x"))]));
        let settings = ["settings.base_url", "settings.company_id", "settings.requests_per_second", "settings.colour"];
        assert_eq!(fields[..4], settings);
        assert_eq!(fields[4..], ["secrets.api_key", "secrets.bot_token"]);
        assert_eq!(bad(form(json!({}), &[])), ["settings.company_id", "secrets.api_key"]);
    }

    #[test]
    fn a_secret_that_the_settings_decide_on_is_named_beside_other_bad_fields() {
        let wrong = |client_id: Value, secrets: &[(&str, Option<&str>)], saved: &IntegrationConfig| {
            let settings = json!({"base_url": "nowhere", "client_id": client_id});
            bad_of(&AMOCRM, form(settings, secrets), saved)
        };
        let absent = IntegrationConfig::Absent;
        let token = [("access_token", Some("a"))];
        assert_eq!(wrong(Value::Null, &[], &absent), ["settings.base_url", "secrets.access_token"]);
        assert_eq!(wrong(Value::Null, &token, &absent), ["settings.base_url"]);
        let both = ["settings.base_url", "secrets.client_secret", "secrets.access_token"];
        assert_eq!(wrong(json!("an-id"), &token, &absent), both, "a token comes from amoCRM there");
        let mangled = wrong(Value::Null, &[("access_token", None)], &absent);
        assert_eq!(mangled, ["settings.base_url", "secrets.access_token"], "named once");
    }

    /// An address that cannot be read is not said to be another one.
    #[test]
    fn a_secret_that_must_be_given_again_is_named_beside_other_bad_fields() {
        let moved = json!({"base_url": "https://elsewhere.example", "company_id": 0});
        assert_eq!(bad_of(&RADIST, form(moved, &[]), &radist()), ["settings.company_id", "secrets.api_key"]);
        let here = json!({"base_url": "https://api.radist.example/v2", "company_id": 0});
        assert_eq!(bad_of(&RADIST, form(here, &[]), &radist()), ["settings.company_id"]);
        let unread = json!({"base_url": "nowhere"});
        assert_eq!(bad_of(&AMOCRM, form(unread, &[]), &amocrm()), ["settings.base_url"]);
    }

    #[test]
    fn a_choice_is_one_of_its_words() {
        let region = |region: Value| {
            let form = form(json!({"company_id": 7, "phone_region": region}), &[("api_key", Some("key"))]);
            read(&RADIST, form, &IntegrationConfig::Absent)
        };
        assert_eq!(region(json!(" UZ ")).unwrap().settings.phone_region(), Some("UZ"));
        assert_eq!(region(json!("")).unwrap().settings.phone_region(), None);
        for wrong in [json!("XX"), json!("uz"), json!(998)] {
            let Err(problems) = region(wrong) else { panic!("must be refused") };
            assert_eq!(problems.len(), 1, "{problems:?}");
            assert_eq!(problems[0].field, "settings.phone_region");
        }
    }

    /// Seen to fail: with the asterisks taken for a secret.
    #[test]
    fn three_asterisks_keep_what_is_stored_and_nothing_else() {
        let asterisks = || form(json!({"company_id": 7}), &[("api_key", Some(STORED))]);
        assert!(read(&RADIST, asterisks(), &radist()).unwrap().secrets.is_empty());
        let Err(nothing) = read(&RADIST, asterisks(), &IntegrationConfig::Absent) else { panic!("must be refused") };
        assert!(nothing.len() == 1 && nothing[0].message.contains("enter the value"), "{nothing:?}");
        let left_out = form(json!({"company_id": 7}), &[]);
        assert!(read(&RADIST, left_out, &radist()).unwrap().secrets.is_empty());
        for value in ["", "  ", "two\nlines"] {
            assert_eq!(bad(form(json!({"company_id": 7}), &[("api_key", Some(value))])), ["secrets.api_key"]);
        }
    }
}
