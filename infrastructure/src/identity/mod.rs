//! Passwords, access tokens, sessions (ADR 0018) and API keys.

mod activity;
mod api_keys;
mod credentials;
mod email_owners;
mod guard;
mod key_files;
mod live_api_keys;
mod one_time_links;
mod password;
mod refresh_tokens;
mod revocations;
mod second_factors;
mod token_key;
mod tokens;
mod totp;

pub use activity::SessionActivity;
pub use api_keys::PgApiKeySecrets;
pub use credentials::PgCredentials;
pub use email_owners::PgEmailOwners;
pub use guard::{LockoutPolicy, PgSignInGuard};
pub use key_files::{KeyFile, KeyFiles, KeyState};
pub use live_api_keys::LiveApiKeys;
pub use one_time_links::PgOneTimeLinks;
pub use password::{Argon2Hasher, PasswordCost};
pub use refresh_tokens::PgRefreshTokens;
pub use revocations::LiveRevocations;
pub use second_factors::PgSecondFactors;
pub use token_key::TokenError;
pub use tokens::RsaTokens;
