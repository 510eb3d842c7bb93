//! Keys and sealing (envelope encryption).
//!
//! AES-256-GCM with a data key per tenant, wrapped by a key-encryption key that the database never sees and that can be
//! exchanged (ADR 0025). Every ciphertext is bound to its place by associated data and opens nowhere else.

mod kek;
mod key_ring;
mod resealing;
mod rewrapping;
mod sealing;
mod token;
mod vault;

pub use kek::{KekError, Keks};
pub use key_ring::{KeyRing, TenantKeys};
pub use resealing::{PgDataKeyGenerations, SEALED};
pub use rewrapping::{PgDataKeys, used_keks};
pub(crate) use token::{random_token, token_hash};
pub use vault::PgVault;
pub(crate) use vault::seal;

/// Lower-case hexadecimal digits.
pub(crate) fn hex(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    let digit = |nibble: u8| char::from(DIGITS[usize::from(nibble)]);
    bytes.iter().flat_map(|byte| [digit(byte >> 4), digit(byte & 15)]).collect()
}
