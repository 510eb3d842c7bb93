use serde::{Deserialize, Serialize};

use crate::error::FieldError;
use crate::ids::SecretId;
use crate::values::BaseUrl;

/// The kinds of services that a tenant connects. A tenant has at most one configuration of each.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum IntegrationKind {
    /// The tenant's own storage.
    Supabase,
    /// The tenant's CRM: source of deals.
    Amocrm,
    /// Source of conversations.
    Radist,
    /// The AI provider.
    Ai,
    /// Where notifications go.
    Telegram,
}

impl IntegrationKind {
    /// All kinds, in the order in which a tenant sets them up.
    pub const ALL: [Self; 5] = [Self::Supabase, Self::Amocrm, Self::Radist, Self::Ai, Self::Telegram];

    /// The frozen name.
    pub fn name(self) -> &'static str {
        match self {
            Self::Supabase => "supabase",
            Self::Amocrm => "amocrm",
            Self::Radist => "radist",
            Self::Ai => "ai",
            Self::Telegram => "telegram",
        }
    }

    /// The name as people write it.
    pub fn title(self) -> &'static str {
        match self {
            Self::Supabase => "Supabase",
            Self::Amocrm => "amoCRM",
            Self::Radist => "Radist",
            Self::Ai => "AI",
            Self::Telegram => "Telegram",
        }
    }

    /// The secrets without which the service cannot be called.
    pub fn required_secrets(self) -> &'static [SecretName] {
        match self {
            Self::Supabase => &[SecretName::ServiceKey],
            Self::Amocrm => &[SecretName::AccessToken],
            Self::Radist | Self::Ai => &[SecretName::ApiKey],
            Self::Telegram => &[SecretName::BotToken],
        }
    }
}

/// The secrets that integrations know.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SecretName {
    /// Supabase's `service_role` or `sb_secret_` key.
    ServiceKey,
    /// amoCRM's long-lived token.
    AccessToken,
    /// Radist's or the AI provider's key.
    ApiKey,
    /// Telegram's bot token.
    BotToken,
}

impl SecretName {
    /// The frozen name; it binds a ciphertext to its field.
    pub fn name(self) -> &'static str {
        match self {
            Self::ServiceKey => "service_key",
            Self::AccessToken => "access_token",
            Self::ApiKey => "api_key",
            Self::BotToken => "bot_token",
        }
    }
}

/// A stored secret: which field it is and which version of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct SecretRef {
    /// The field.
    pub name: SecretName,
    /// The stored version.
    pub secret_id: SecretId,
}

/// The AI providers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AiProvider {
    /// Google Gemini, `generateContent`.
    Gemini,
    /// Any service with OpenAI's `chat/completions`.
    OpenaiCompatible,
}

/// What a service needs besides its secrets.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum IntegrationSettings {
    /// The tenant's Supabase project.
    Supabase {
        /// The project's address.
        base_url: BaseUrl,
    },
    /// The tenant's amoCRM account.
    Amocrm {
        /// The account's own host, never the shared one.
        base_url: BaseUrl,
    },
    /// The tenant's Radist company.
    Radist {
        /// The API's address, version included.
        base_url: BaseUrl,
        /// The company in Radist.
        company_id: i64,
        /// How many calls a second Radist is asked at most.
        requests_per_second: u32,
    },
    /// The tenant's AI account.
    Ai {
        /// Whose API it is.
        provider: AiProvider,
        /// The API's address, version included.
        base_url: BaseUrl,
        /// The chosen model.
        model: String,
        /// What the tenant wants the analyst to look at.
        prompt: String,
        /// Tokens that the model reads at most; asked from the provider where it tells.
        input_token_limit: Option<u32>,
    },
    /// The tenant's bot and group.
    Telegram {
        /// The Bot API's address.
        base_url: BaseUrl,
        /// The group's id, or `@channel`.
        chat_id: String,
    },
}

impl IntegrationSettings {
    /// The kind that these settings belong to.
    pub fn kind(&self) -> IntegrationKind {
        match self {
            Self::Supabase { .. } => IntegrationKind::Supabase,
            Self::Amocrm { .. } => IntegrationKind::Amocrm,
            Self::Radist { .. } => IntegrationKind::Radist,
            Self::Ai { .. } => IntegrationKind::Ai,
            Self::Telegram { .. } => IntegrationKind::Telegram,
        }
    }

    /// Every bad field.
    pub fn problems(&self) -> Vec<FieldError> {
        let mut problems = Vec::new();
        let mut expect = |fine: bool, field: &str, message: &str| {
            if !fine {
                problems.push(FieldError::new(format!("settings.{field}"), message));
            }
        };
        match self {
            Self::Supabase { .. } | Self::Amocrm { .. } => {}
            Self::Radist { company_id, requests_per_second, .. } => {
                expect(*company_id > 0, "company_id", "must be the company's number from Radist");
                let rate = (1..=1000).contains(requests_per_second);
                expect(rate, "requests_per_second", "must lie between 1 and 1000");
            }
            Self::Ai { model, prompt, input_token_limit, .. } => {
                expect(!model.trim().is_empty(), "model", "must name a model of the provider");
                expect(prompt.chars().count() <= 20_000, "prompt", "must be at most 20,000 characters");
                let limit = input_token_limit.is_none_or(|tokens| tokens >= 2_000);
                expect(limit, "input_token_limit", "must be at least 2,000 tokens");
            }
            Self::Telegram { chat_id, .. } => {
                let channel = chat_id.strip_prefix('@').is_some_and(|name| !name.is_empty());
                let fine = channel || chat_id.parse::<i64>().is_ok();
                expect(fine, "chat_id", "must be a number such as -1001234567890, or @channelname");
            }
        }
        problems
    }
}
