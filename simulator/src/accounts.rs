//! Credentials that the simulators accept.

use std::fmt;

use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// A credential. It can be stored with serde, but never printed by accident.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Secret(String);

impl Secret {
    pub fn new(value: impl Into<String>) -> Self {
        Self(value.into())
    }

    /// The credential itself, for the place that sends or stores it.
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("***")
    }
}

/// One account with every service. The caller keeps it, so that a restarted demo has the same credentials.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Accounts {
    /// Bearer token of an administrator (long-lived kind, amoCRM sheet §2.6).
    pub amocrm_token: Secret,
    /// The integration that an administrator may let in (amoCRM sheet §2).
    #[serde(default = "uuid")]
    pub amocrm_client_id: String,
    #[serde(default = "client_secret")]
    pub amocrm_client_secret: Secret,
    pub radist_key: Secret,
    pub radist_company_id: i64,
    /// Bypasses row-level security. `sb_secret_…` or a legacy JWT (Supabase sheet §1).
    pub supabase_service_key: Secret,
    /// Subject to row-level security: reads see no rows, writes are refused.
    pub supabase_anon_key: Secret,
    pub gemini_key: Secret,
    pub openai_key: Secret,
    pub telegram_token: Secret,
    /// Chats that the bot may write to. A negative id is a group.
    pub telegram_chat_ids: Vec<i64>,
}

impl Accounts {
    /// Fresh random credentials in the shapes that the services themselves hand out.
    pub fn generate() -> Self {
        let ids = random();
        Self {
            amocrm_token: Secret(format!("{}.{}.{}", hex(2), hex(4), hex(3))),
            amocrm_client_id: uuid(),
            amocrm_client_secret: client_secret(),
            radist_key: Secret(hex(2)),
            radist_company_id: 10_000 + below(ids, 90_000),
            supabase_service_key: Secret(format!("sb_secret_{}", hex(1))),
            supabase_anon_key: Secret(format!("sb_publishable_{}", hex(1))),
            gemini_key: Secret(format!("AIza{}", &hex(2)[..35])),
            openai_key: Secret(format!("sk-{}", hex(2))),
            telegram_token: Secret(format!("{}:AA{}", 100_000_000 + below(ids >> 32, 900_000_000), &hex(2)[..33])),
            telegram_chat_ids: vec![-1_001_000_000_000 - below(ids >> 64, 1_000_000_000)],
        }
    }
}

fn uuid() -> String {
    Uuid::from_u128(random()).to_string()
}

fn client_secret() -> Secret {
    Secret(hex(2))
}

/// A credential that nobody has yet, after `prefix`.
pub(crate) fn fresh(prefix: &str) -> String {
    format!("{prefix}{}", hex(3))
}

#[expect(clippy::disallowed_methods, reason = "credentials must be random; nothing is replayed from them")]
fn random() -> u128 {
    Uuid::new_v4().as_u128()
}

fn hex(blocks: usize) -> String {
    (0..blocks).map(|_| Uuid::from_u128(random()).simple().to_string()).collect()
}

/// A number of `0..bound`, taken from random bits.
fn below(bits: u128, bound: u32) -> i64 {
    i64::try_from(bits % u128::from(bound)).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn debug_output_shows_no_credential() {
        let accounts = Accounts::generate();
        let shown = format!("{accounts:?}");
        for secret in [&accounts.amocrm_token, &accounts.gemini_key, &accounts.telegram_token] {
            assert!(!shown.contains(secret.expose()));
        }
    }

    #[test]
    fn stored_accounts_come_back_the_same() {
        let accounts = Accounts::generate();
        let stored = serde_json::to_string(&accounts).unwrap();
        let back: Accounts = serde_json::from_str(&stored).unwrap();
        assert_eq!(back.telegram_token, accounts.telegram_token);
        assert_eq!(back.radist_company_id, accounts.radist_company_id);
    }

    #[test]
    fn two_accounts_differ_and_have_the_right_shapes() {
        let (one, other) = (Accounts::generate(), Accounts::generate());
        assert_ne!(one.openai_key, other.openai_key);
        assert_eq!(one.gemini_key.expose().len(), 39);
        let (bot, secret) = one.telegram_token.expose().split_once(':').unwrap();
        assert!(bot.parse::<u64>().is_ok());
        assert_eq!(secret.len(), 35);
        assert!(one.telegram_chat_ids[0] < 0);
    }
}
