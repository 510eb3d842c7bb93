//! From a prompt to an answer, in tokens that are counted like this: four bytes of UTF-8 are one.

use serde_json::{Map, Value};

use super::derive::{self, Answer};

const BYTES_PER_TOKEN: usize = 4;

/// What the model is given.
#[derive(Debug, Default)]
pub(super) struct Prompt {
    /// Instructions and earlier turns, which count as input.
    pub(super) context: Vec<String>,
    /// The last message of the user.
    pub(super) user: String,
}

/// In which form the answer is wanted.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Form {
    Text,
    /// A JSON object; with a schema, only the properties that it names.
    Json {
        schema: Option<Value>,
    },
}

/// An answer as far as the output limit allows.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Completion {
    pub(super) text: String,
    pub(super) is_truncated: bool,
}

impl Prompt {
    pub(super) fn tokens(&self) -> usize {
        let bytes: usize = self.context.iter().map(String::len).sum();
        (bytes + self.user.len()).div_ceil(BYTES_PER_TOKEN)
    }
}

impl Completion {
    pub(super) fn tokens(&self) -> usize {
        tokens(&self.text)
    }
}

fn tokens(text: &str) -> usize {
    text.len().div_ceil(BYTES_PER_TOKEN)
}

/// Answers the prompt with at most `max_tokens`.
pub(super) fn complete(prompt: &Prompt, form: &Form, max_tokens: usize) -> Completion {
    let answer = derive::answer(&prompt.user);
    let text = match form {
        Form::Text => answer.to_text(),
        Form::Json { schema } => Value::Object(shaped(&answer, schema.as_ref())).to_string(),
    };
    if tokens(&text) <= max_tokens {
        return Completion { text, is_truncated: false };
    }
    let mut end = max_tokens.saturating_mul(BYTES_PER_TOKEN);
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    Completion { text: text[..end].to_owned(), is_truncated: true }
}

/// The answer as an object that keeps to the properties of the schema: those that the answer has, else its text under
/// every property that takes a text.
fn shaped(answer: &Answer, schema: Option<&Value>) -> Map<String, Value> {
    let own = answer.to_object();
    let Some(properties) = schema.and_then(|schema| schema.get("properties")).and_then(Value::as_object) else {
        return own;
    };
    let known: Map<String, Value> = own.into_iter().filter(|(name, _)| properties.contains_key(name)).collect();
    if !known.is_empty() {
        return known;
    }
    let takes_text = |property: &Value| {
        property.get("type").and_then(Value::as_str).is_some_and(|kind| kind.eq_ignore_ascii_case("string"))
    };
    let texts = properties.iter().filter(|(_, property)| takes_text(property));
    texts.map(|(name, _)| (name.clone(), Value::String(answer.to_text()))).collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn prompt(user: &str) -> Prompt {
        Prompt { context: vec!["12345".into()], user: user.into() }
    }

    #[test]
    fn four_bytes_are_a_token() {
        assert_eq!(prompt("").tokens(), 2);
        assert_eq!(prompt("привет!").tokens(), 5);
    }

    #[test]
    fn a_long_answer_is_cut_at_the_limit() {
        let full = complete(&prompt("вопрос о доставке"), &Form::Text, 1_000);
        assert!(!full.is_truncated);
        let cut = complete(&prompt("вопрос о доставке"), &Form::Text, 3);
        assert!(cut.is_truncated && cut.tokens() <= 3 && full.text.starts_with(&cut.text));
    }

    #[test]
    fn a_schema_decides_which_properties_there_are() {
        let schema =
            json!({"type": "object", "properties": {"reply": {"type": "string"}, "score": {"type": "number"}}});
        let completion = complete(&prompt("parcel parcel"), &Form::Json { schema: Some(schema) }, 1_000);
        let value: Value = serde_json::from_str(&completion.text).unwrap();
        assert!(value["reply"].as_str().unwrap().contains("parcel (2)"), "{value}");
        assert_eq!(value.as_object().unwrap().len(), 1);
    }
}
