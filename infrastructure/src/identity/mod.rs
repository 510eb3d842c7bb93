//! Passwords and access tokens.

mod credentials;
mod password;
mod tokens;

pub use credentials::PgCredentials;
pub use password::{Argon2Hasher, PasswordCost};
pub use tokens::{RsaTokens, TokenError};
