use std::borrow::Cow;

use serde::{Deserialize, Serialize};

use crate::values::ValueError;

/// Whose API the tenant's AI account is at: a name of the catalogue of providers. The domain knows no list of them, so that a
/// new provider changes no rule.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct AiProvider(Cow<'static, str>);

impl AiProvider {
    /// Google Gemini, `generateContent`.
    pub const GEMINI: Self = Self(Cow::Borrowed("gemini"));
    /// Any service with OpenAI's `chat/completions`.
    pub const OPENAI_COMPATIBLE: Self = Self(Cow::Borrowed("openai_compatible"));
    /// The longest name, in characters.
    const LONGEST: usize = 40;

    /// The frozen name.
    pub fn name(&self) -> &str {
        &self.0
    }
}

impl TryFrom<String> for AiProvider {
    type Error = ValueError;

    fn try_from(name: String) -> Result<Self, ValueError> {
        let fits = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_';
        if name.is_empty() || name.len() > Self::LONGEST || !name.bytes().all(fits) {
            return Err(ValueError("must be the name of a provider in the catalogue, such as gemini".into()));
        }
        Ok(Self(Cow::Owned(name)))
    }
}

impl From<AiProvider> for String {
    fn from(provider: AiProvider) -> Self {
        provider.0.into_owned()
    }
}
