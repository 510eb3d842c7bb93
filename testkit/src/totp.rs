//! An authenticator app (RFC 6238), written without a look at the one that checks its codes.

#![expect(clippy::missing_panics_doc, reason = "a test fails by panicking; that is what these are for")]

use aws_lc_rs::hmac;
use chrono::{DateTime, Utc};

/// What the app shows at a time, for a secret in Base32.
pub fn totp(secret: &str, at: DateTime<Utc>) -> String {
    let mut bits = 0_u64;
    let mut count = 0;
    let mut key = Vec::new();
    for letter in secret.bytes() {
        let value = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567".bytes().position(|known| known == letter).expect("Base32");
        bits = bits << 5 | value as u64;
        count += 5;
        if count >= 8 {
            count -= 8;
            key.push((bits >> count & 255) as u8);
        }
    }
    let counter = (at.timestamp() / 30).to_be_bytes();
    let key = hmac::Key::new(hmac::HMAC_SHA1_FOR_LEGACY_USE_ONLY, &key);
    let tag = hmac::sign(&key, &counter);
    let start = usize::from(tag.as_ref()[19] & 0x0f);
    let number = tag.as_ref()[start..start + 4].iter().fold(0_u32, |number, byte| number << 8 | u32::from(*byte));
    format!("{:06}", (number & 0x7fff_ffff) % 1_000_000)
}
