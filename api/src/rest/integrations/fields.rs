//! What forms of integrations hold. Which fields there are is the provider's to say, so they are read by name.

use std::borrow::Cow;
use std::collections::BTreeMap;

use application::AppError;
use domain::FieldError;
use poem_openapi::registry::{MetaSchema, MetaSchemaRef};
use poem_openapi::types::{ParseFromJSON, ParseResult, Type};
use secrecy::SecretString;
use serde_json::{Map, Value};

/// Values by name, or that it is no object. Secrets among them are in memory that is wiped.
pub(super) struct ByName<T>(Option<BTreeMap<String, T>>);

/// How a value is read, and how the OpenAPI document describes it.
pub(super) trait Named: Sized + Send + Sync {
    fn schema() -> MetaSchemaRef;

    fn read(value: Value) -> Self;
}

impl Named for Value {
    fn schema() -> MetaSchemaRef {
        MetaSchemaRef::Inline(Box::new(MetaSchema::ANY))
    }

    fn read(value: Value) -> Self {
        value
    }
}

/// A secret; none where it is no text.
impl Named for Option<SecretString> {
    fn schema() -> MetaSchemaRef {
        let secret = MetaSchema { write_only: true, ..MetaSchema::new_with_format("string", "password") };
        MetaSchemaRef::Inline(Box::new(secret))
    }

    fn read(value: Value) -> Self {
        match value {
            Value::String(text) => Some(SecretString::from(text)),
            _ => None,
        }
    }
}

impl<T> ByName<T> {
    /// The values; those of a field that was left out are none.
    ///
    /// # Errors
    /// `invalid`, naming the field.
    pub(super) fn values(field: &str, sent: Option<Self>) -> Result<BTreeMap<String, T>, AppError> {
        match sent {
            None => Ok(BTreeMap::new()),
            Some(Self(Some(values))) => Ok(values),
            Some(Self(None)) => {
                let message = "must be an object with a value for each name";
                Err(AppError::invalid(vec![FieldError::new(field, message)]))
            }
        }
    }
}

impl ByName<Value> {
    /// The same as JSON.
    ///
    /// # Errors
    /// `invalid`, naming the field.
    pub(super) fn json(field: &str, sent: Option<Self>) -> Result<Map<String, Value>, AppError> {
        Ok(Self::values(field, sent)?.into_iter().collect())
    }
}

impl<T: Named> Type for ByName<T> {
    const IS_REQUIRED: bool = true;

    type RawValueType = Self;
    type RawElementValueType = Self;

    fn name() -> Cow<'static, str> {
        "values".into()
    }

    fn schema_ref() -> MetaSchemaRef {
        let schema = MetaSchema { additional_properties: Some(Box::new(T::schema())), ..MetaSchema::new("object") };
        MetaSchemaRef::Inline(Box::new(schema))
    }

    fn as_raw_value(&self) -> Option<&Self> {
        Some(self)
    }

    fn raw_element_iter<'a>(&'a self) -> Box<dyn Iterator<Item = &'a Self> + 'a> {
        Box::new(std::iter::once(self))
    }
}

impl<T: Named> ParseFromJSON for ByName<T> {
    fn parse_from_json(value: Option<Value>) -> ParseResult<Self> {
        Ok(match value {
            None | Some(Value::Null) => Self(Some(BTreeMap::new())),
            Some(Value::Object(values)) => {
                Self(Some(values.into_iter().map(|(name, value)| (name, T::read(value))).collect()))
            }
            Some(_) => Self(None),
        })
    }
}
