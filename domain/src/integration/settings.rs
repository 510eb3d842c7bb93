use serde::{Deserialize, Serialize};

use super::{AiProvider, TokenPrices};
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

    /// The secrets without which the service cannot be called, where nobody authorizes Synkro at the service itself:
    /// [`IntegrationSettings::needed_secrets`] knows that too.
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
    /// amoCRM's token: a long-lived one, or the one of now of an account that is connected by OAuth.
    AccessToken,
    /// Radist's or the AI provider's key.
    ApiKey,
    /// Telegram's bot token.
    BotToken,
    /// Supabase's `anon` or `sb_publishable_` key.
    PublicKey,
    /// What amoCRM's integration proves itself with.
    ClientSecret,
    /// What the next access token is had for, once.
    RefreshToken,
}

impl SecretName {
    /// The frozen name; it binds a ciphertext to its field.
    pub fn name(self) -> &'static str {
        match self {
            Self::ServiceKey => "service_key",
            Self::AccessToken => "access_token",
            Self::ApiKey => "api_key",
            Self::BotToken => "bot_token",
            Self::PublicKey => "public_key",
            Self::ClientSecret => "client_secret",
            Self::RefreshToken => "refresh_token",
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
        /// The id of the integration in amoCRM that somebody authorizes; none where a long-lived token is used.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        client_id: Option<String>,
    },
    /// The tenant's Radist company.
    Radist {
        /// The API's address, version included.
        base_url: BaseUrl,
        /// The company in Radist.
        company_id: i64,
        /// How many calls a second Radist is asked at most.
        requests_per_second: u32,
        /// The country (ISO 3166-1) in whose way phones without a country code are read, those of the CRM too; none where such
        /// phones are not to be guessed.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        phone_region: Option<String>,
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
        /// What the company pays for the model's tokens.
        #[serde(flatten)]
        prices: TokenPrices,
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

    /// Whose API it is, by its name in the catalogue; of a kind that has one provider, the kind's name.
    pub fn provider(&self) -> &str {
        match self {
            Self::Ai { provider, .. } => provider.name(),
            Self::Supabase { .. } | Self::Amocrm { .. } | Self::Radist { .. } | Self::Telegram { .. } => {
                self.kind().name()
            }
        }
    }

    /// True where a person lets Synkro in at the service itself, and the tokens come from there (OAuth).
    pub fn is_authorized_there(&self) -> bool {
        matches!(self, Self::Amocrm { client_id: Some(_), .. })
    }

    /// The id of the integration that is authorized; none where nothing is.
    pub fn client_id(&self) -> Option<&str> {
        match self {
            Self::Amocrm { client_id, .. } => client_id.as_deref(),
            Self::Supabase { .. } | Self::Radist { .. } | Self::Ai { .. } | Self::Telegram { .. } => None,
        }
    }

    /// The country in whose way phones without a country code are read; none where nobody says.
    pub fn phone_region(&self) -> Option<&str> {
        match self {
            Self::Radist { phone_region, .. } => phone_region.as_deref(),
            Self::Supabase { .. } | Self::Amocrm { .. } | Self::Ai { .. } | Self::Telegram { .. } => None,
        }
    }

    /// The address of the service.
    pub fn base_url(&self) -> &BaseUrl {
        match self {
            Self::Supabase { base_url }
            | Self::Amocrm { base_url, .. }
            | Self::Radist { base_url, .. }
            | Self::Ai { base_url, .. }
            | Self::Telegram { base_url, .. } => base_url,
        }
    }

    /// The same settings at another address.
    #[must_use]
    pub fn at(mut self, address: BaseUrl) -> Self {
        match &mut self {
            Self::Supabase { base_url }
            | Self::Amocrm { base_url, .. }
            | Self::Radist { base_url, .. }
            | Self::Ai { base_url, .. }
            | Self::Telegram { base_url, .. } => *base_url = address,
        }
        self
    }

    /// The secrets that must be saved with these settings.
    pub fn needed_secrets(&self) -> &'static [SecretName] {
        if self.is_authorized_there() { &[SecretName::ClientSecret] } else { self.kind().required_secrets() }
    }

    /// The secrets that people may give for these settings.
    pub fn given_secrets(&self) -> &'static [SecretName] {
        match self {
            Self::Supabase { .. } => &[SecretName::ServiceKey, SecretName::PublicKey],
            Self::Amocrm { .. } | Self::Radist { .. } | Self::Ai { .. } | Self::Telegram { .. } => {
                self.needed_secrets()
            }
        }
    }

    /// Whether both are at one address of one provider.
    pub fn is_at_the_place_of(&self, other: &Self) -> bool {
        self.base_url() == other.base_url() && self.provider() == other.provider()
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
            Self::Supabase { .. } | Self::Amocrm { client_id: None, .. } => {}
            Self::Amocrm { client_id: Some(id), .. } => {
                let plain = id.len() <= 64 && id.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-');
                let wanted =
                    "must be the integration id that amoCRM shows, such as 11111111-2222-3333-4444-555555555555";
                expect(plain && !id.is_empty(), "client_id", wanted);
            }
            Self::Radist { company_id, requests_per_second, phone_region, .. } => {
                expect(*company_id > 0, "company_id", "must be the company's number from Radist");
                let rate = (1..=1000).contains(requests_per_second);
                expect(rate, "requests_per_second", "must lie between 1 and 1000");
                let code = |code: &str| code.len() == 2 && code.bytes().all(|byte| byte.is_ascii_uppercase());
                let region = phone_region.as_deref().is_none_or(code);
                expect(region, "phone_region", "must be the two letters of a country, such as UZ");
            }
            Self::Ai { model, prompt, input_token_limit, prices, .. } => {
                expect(!model.trim().is_empty(), "model", "must name a model of the provider");
                expect(prompt.chars().count() <= 20_000, "prompt", "must be at most 20,000 characters");
                let limit = input_token_limit.is_none_or(|tokens| tokens >= 2_000);
                expect(limit, "input_token_limit", "must be at least 2,000 tokens");
                prices.problems().iter().for_each(|(field, message)| expect(false, field, message));
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
