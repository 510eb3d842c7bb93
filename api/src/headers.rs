//! Values in request headers. One that cannot be read is refused and never passed over: a key that is not understood
//! must not be taken for none.

use application::IdempotencyKey;
use application::ports::commands::Expect;
use domain::FieldError;
use poem::{Request, RequestBody};
use poem_openapi::registry::{MetaParamIn, MetaSchema, MetaSchemaRef};
use poem_openapi::{ApiExtractor, ApiExtractorType, ExtractParamOptions};

use crate::input::FieldValue;
use crate::problem::ApiError;

/// The names, as answers and the OpenAPI document spell them.
pub(crate) const IDEMPOTENCY_KEY: &str = "Idempotency-Key";
pub(crate) const IF_MATCH: &str = "If-Match";

/// What a request says in a header that it may leave out.
pub(crate) struct Sent<T>(Result<Option<T>, &'static str>);

impl<T: FieldValue> Sent<T> {
    /// The header of this name.
    pub(crate) fn of(request: &Request, name: &str) -> Self {
        let mut values = request.headers().get_all(name).iter();
        Self(match (values.next(), values.next()) {
            (None, _) => Ok(None),
            (Some(value), None) => value.to_str().ok().and_then(T::read).map(Some).ok_or(T::WANTED),
            (Some(_), Some(_)) => Err("must be sent once"),
        })
    }
}

impl<T> Sent<T> {
    /// # Errors
    /// Status 400, naming the header.
    pub(crate) fn or_bad(self, name: &str) -> Result<Option<T>, ApiError> {
        self.0.map_err(|message| ApiError::Headers(vec![FieldError::new(name, message)]))
    }
}

impl<'a, T: FieldValue> ApiExtractor<'a> for Sent<T> {
    const TYPES: &'static [ApiExtractorType] = &[ApiExtractorType::Parameter];

    type ParamType = T;
    type ParamRawType = T;

    fn param_in() -> Option<MetaParamIn> {
        Some(MetaParamIn::Header)
    }

    fn param_schema_ref() -> Option<MetaSchemaRef> {
        Some(MetaSchemaRef::Inline(Box::new(T::schema())))
    }

    async fn from_request(
        request: &'a Request,
        _body: &mut RequestBody,
        options: ExtractParamOptions<T>,
    ) -> poem::Result<Self> {
        Ok(Self::of(request, options.name))
    }
}

/// The key under which a request may be repeated.
///
/// # Errors
/// Status 400, naming the header.
pub(crate) fn key(key: Sent<IdempotencyKey>) -> Result<Option<IdempotencyKey>, ApiError> {
    key.or_bad(IDEMPOTENCY_KEY)
}

/// The key under which a request may be repeated, and the version that it is about.
///
/// # Errors
/// Status 400, naming both headers where both are bad.
pub(crate) fn key_and_version(
    key: Sent<IdempotencyKey>,
    version: Sent<VersionTag>,
) -> Result<(Option<IdempotencyKey>, Expect), ApiError> {
    match (key.0, version.0) {
        (Ok(key), Ok(version)) => Ok((key, version.map_or(Expect::Any, |VersionTag(expect)| expect))),
        (key, version) => {
            let bad = [(IDEMPOTENCY_KEY, key.err()), (IF_MATCH, version.err())];
            let named = |(name, message): (&str, Option<&str>)| Some(FieldError::new(name, message?));
            Err(ApiError::Headers(bad.into_iter().filter_map(named).collect()))
        }
    }
}

/// The version that a request is about.
///
/// # Errors
/// Status 400, naming the header.
pub(crate) fn version(version: Sent<VersionTag>) -> Result<Expect, ApiError> {
    let version = version.or_bad(IF_MATCH)?;
    Ok(version.map_or(Expect::Any, |VersionTag(expect)| expect))
}

/// The entity tag of something at this version.
pub(crate) fn entity_tag(version: u64) -> String {
    format!("\"{version}\"")
}

/// A version as `If-Match` names it.
pub(crate) struct VersionTag(Expect);

impl FieldValue for VersionTag {
    const WANTED: &'static str = "must be one ETag as an answer gave it, such as \"7\" with its quotation marks, or *";

    fn schema() -> MetaSchema {
        MetaSchema { example: Some("\"7\"".into()), ..MetaSchema::new("string") }
    }

    fn read(text: &str) -> Option<Self> {
        if text == "*" {
            return Some(Self(Expect::Any));
        }
        let version = text.trim_matches('"').parse().ok()?;
        (entity_tag(version) == text).then_some(Self(Expect::Version(version)))
    }
}

impl FieldValue for IdempotencyKey {
    const WANTED: &'static str = "must be 1 to 128 visible ASCII characters without spaces, such as a UUID";

    fn schema() -> MetaSchema {
        MetaSchema {
            min_length: Some(1),
            max_length: Some(128),
            pattern: Some("^[!-~]+$".into()),
            ..MetaSchema::new("string")
        }
    }

    fn read(text: &str) -> Option<Self> {
        text.parse().ok()
    }
}
