//! In which language the reader is told what happened.

use domain::values::Language;
use poem::http::header::ACCEPT_LANGUAGE;
use poem::{Request, RequestBody};
use poem_openapi::registry::{MetaParamIn, MetaSchema, MetaSchemaRef};
use poem_openapi::{ApiExtractor, ApiExtractorType, ExtractParamOptions};

/// The language that the reader asks for. It is a wish: one that cannot be read, or that there is none of, is English.
pub(super) struct Spoken(pub(super) Language);

impl<'a> ApiExtractor<'a> for Spoken {
    const TYPES: &'static [ApiExtractorType] = &[ApiExtractorType::Parameter];

    type ParamType = String;
    type ParamRawType = String;

    fn param_in() -> Option<MetaParamIn> {
        Some(MetaParamIn::Header)
    }

    fn param_schema_ref() -> Option<MetaSchemaRef> {
        let schema = MetaSchema { example: Some("ru".into()), ..MetaSchema::new("string") };
        Some(MetaSchemaRef::Inline(Box::new(schema)))
    }

    async fn from_request(
        request: &'a Request,
        _body: &mut RequestBody,
        _options: ExtractParamOptions<String>,
    ) -> poem::Result<Self> {
        Ok(Self(spoken(request)))
    }
}

/// The same for whoever need not say it in the document.
pub(in crate::rest) fn spoken(request: &Request) -> Language {
    let asked = request.headers().get(ACCEPT_LANGUAGE).and_then(|value| value.to_str().ok());
    best(asked.unwrap_or_default())
}

/// The language of the highest weight (RFC 9110 section 12.5.4), of those that there are; of equal ones the first.
fn best(asked: &str) -> Language {
    let mut best = (0.0, Language::English);
    for range in asked.split(',') {
        let mut parts = range.split(';').map(str::trim);
        let primary = parts.next().unwrap_or_default().split('-').next().unwrap_or_default().to_lowercase();
        let weight = parts.find_map(|part| part.strip_prefix("q=")?.parse().ok()).unwrap_or(1.0_f32);
        let language = [Language::English, Language::Russian].into_iter().find(|language| language.code() == primary);
        if let Some(language) = language.filter(|_| weight > best.0) {
            best = (weight, language);
        }
    }
    best.1
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_language_of_the_highest_weight_is_spoken() {
        let cases = [
            ("", Language::English),
            ("ru", Language::Russian),
            ("ru-RU,ru;q=0.9,en-US;q=0.8,en;q=0.7", Language::Russian),
            ("en;q=0.5, RU;q=0.7", Language::Russian),
            ("de, en;q=0.2, ru;q=0.1", Language::English),
            ("de", Language::English),
            ("ru;q=0", Language::English),
            (";;,q=x", Language::English),
        ];
        for (asked, language) in cases {
            assert_eq!(best(asked), language, "{asked}");
        }
    }
}
