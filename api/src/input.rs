//! Values in requests. Reading one never fails at once, so that an answer can name every bad field together.

use std::borrow::Cow;

use application::AppError;
use chrono::{DateTime, NaiveDate, Utc};
use domain::FieldError;
use domain::values::ValueError;
use poem_openapi::registry::{MetaSchema, MetaSchemaRef};
use poem_openapi::types::{ParseFromJSON, ParseFromParameter, ParseResult, Type};
use secrecy::SecretString;
use serde_json::Value;
use uuid::Uuid;

/// A value that requests carry as text.
pub(crate) trait FieldValue: Sized + Send + Sync {
    /// What is expected, as the end of a sentence that begins with the field's name.
    const WANTED: &'static str;

    /// True where JSON may carry it as a number too.
    const NUMERIC: bool = false;

    /// How the OpenAPI document describes it.
    fn schema() -> MetaSchema;

    /// The value; none where the text is not one.
    fn read(text: &str) -> Option<Self>;
}

/// A value of a request, or what is wrong with it.
pub(crate) struct Input<T>(Result<T, String>);

impl<T> Input<T> {
    /// A field that may be absent.
    pub(crate) fn optional(input: Option<Self>) -> Input<Option<T>> {
        Input(input.map(|input| input.0).transpose())
    }
}

impl<T: FieldValue> Input<T> {
    /// A field that is needed after all.
    pub(crate) fn missing() -> Self {
        Self(Err(format!("is missing; it {}", T::WANTED)))
    }

    fn from_text(text: &str) -> Self {
        Self(T::read(text).ok_or_else(|| T::WANTED.to_owned()))
    }
}

/// The value of the only field.
///
/// # Errors
/// `invalid`, naming the field.
pub(crate) fn one<T>(name: &str, input: Input<T>) -> Result<T, AppError> {
    input.0.map_err(|message| AppError::invalid(vec![FieldError::new(name, message)]))
}

/// The values of two fields.
///
/// # Errors
/// `invalid`, naming both where both are bad.
pub(crate) fn both<A, B>(first: (&str, Input<A>), second: (&str, Input<B>)) -> Result<(A, B), AppError> {
    match (first.1.0, second.1.0) {
        (Ok(a), Ok(b)) => Ok((a, b)),
        (a, b) => {
            let bad = [(first.0, a.err()), (second.0, b.err())];
            let named = |(name, message): (&str, Option<String>)| Some(FieldError::new(name, message?));
            Err(AppError::invalid(bad.into_iter().filter_map(named).collect()))
        }
    }
}

/// The bad fields of an input with more than two.
#[derive(Default)]
pub(crate) struct Fields(Vec<FieldError>);

impl Fields {
    /// The value of a field; none where it is bad, which is remembered.
    pub(crate) fn take<T>(&mut self, name: &str, input: Input<T>) -> Option<T> {
        input.0.map_err(|message| self.0.push(FieldError::new(name, message))).ok()
    }

    /// The value of a list.
    pub(crate) fn list<T, C: FromIterator<T>>(&mut self, name: &str, inputs: Vec<Input<T>>) -> Option<C> {
        let named = |(place, input)| self.take(&format!("{name}[{place}]"), input);
        let values: Vec<Option<T>> = inputs.into_iter().enumerate().map(named).collect();
        values.into_iter().collect()
    }

    /// The value of a field that was read otherwise.
    pub(crate) fn check<T>(&mut self, name: &str, value: Result<T, ValueError>) -> Option<T> {
        value.map_err(|error| self.0.push(FieldError::new(name, error.to_string()))).ok()
    }

    /// Passes where no field was bad.
    ///
    /// # Errors
    /// `invalid`, naming all that were.
    pub(crate) fn all_good(self) -> Result<(), AppError> {
        if self.0.is_empty() { Ok(()) } else { Err(self.bad()) }
    }

    /// What to answer where a field was bad.
    pub(crate) fn bad(self) -> AppError {
        AppError::invalid(self.0)
    }
}

impl<T: FieldValue> Type for Input<T> {
    const IS_REQUIRED: bool = true;

    type RawValueType = Self;
    type RawElementValueType = Self;

    fn name() -> Cow<'static, str> {
        "input".into()
    }

    fn schema_ref() -> MetaSchemaRef {
        MetaSchemaRef::Inline(Box::new(T::schema()))
    }

    fn as_raw_value(&self) -> Option<&Self> {
        Some(self)
    }

    fn raw_element_iter<'a>(&'a self) -> Box<dyn Iterator<Item = &'a Self> + 'a> {
        Box::new(std::iter::once(self))
    }
}

impl<T: FieldValue> ParseFromJSON for Input<T> {
    fn parse_from_json(value: Option<Value>) -> ParseResult<Self> {
        Ok(match value {
            None | Some(Value::Null) => Self::missing(),
            Some(Value::String(text)) => Self::from_text(&text),
            Some(Value::Number(number)) if T::NUMERIC => Self::from_text(&number.to_string()),
            Some(_) => Self(Err(T::WANTED.to_owned())),
        })
    }
}

impl<T: FieldValue> ParseFromParameter for Input<T> {
    fn parse_from_parameter(text: &str) -> ParseResult<Self> {
        Ok(Self::from_text(text))
    }
}

impl FieldValue for NaiveDate {
    const WANTED: &'static str = "must be a date such as 2026-06-01";

    fn schema() -> MetaSchema {
        MetaSchema { example: Some("2026-06-01".into()), ..MetaSchema::new_with_format("string", "date") }
    }

    fn read(text: &str) -> Option<Self> {
        let written_out = text.len() == "2026-06-01".len();
        written_out.then(|| Self::parse_from_str(text, "%Y-%m-%d").ok()).flatten()
    }
}

impl FieldValue for DateTime<Utc> {
    const WANTED: &'static str = "must be a time with its offset (RFC 3339) such as 2026-06-01T12:00:00Z";

    fn schema() -> MetaSchema {
        MetaSchema {
            example: Some("2026-06-01T12:00:00Z".into()),
            ..MetaSchema::new_with_format("string", "date-time")
        }
    }

    fn read(text: &str) -> Option<Self> {
        DateTime::parse_from_rfc3339(text).ok().map(|time| time.with_timezone(&Utc))
    }
}

impl FieldValue for Uuid {
    const WANTED: &'static str = "must be a UUID such as 0197b1c0-5f6e-7c3a-9d55-2f6c1a7e4b10";

    fn schema() -> MetaSchema {
        MetaSchema::new_with_format("string", "uuid")
    }

    fn read(text: &str) -> Option<Self> {
        let hyphenated = text.len() == 36;
        hyphenated.then(|| Self::try_parse(text).ok()).flatten()
    }
}

impl FieldValue for SecretString {
    const WANTED: &'static str = "must be a text";

    fn schema() -> MetaSchema {
        MetaSchema { write_only: true, ..MetaSchema::new_with_format("string", "password") }
    }

    fn read(text: &str) -> Option<Self> {
        Some(Self::from(text))
    }
}
