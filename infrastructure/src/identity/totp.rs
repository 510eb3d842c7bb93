//! One-time passwords from the time (TOTP, RFC 6238): HMAC-SHA-1, 6 digits, steps of 30 seconds, as common apps know them.

use aws_lc_rs::constant_time::verify_slices_are_equal;
use aws_lc_rs::hmac::{HMAC_SHA1_FOR_LEGACY_USE_ONLY, Key, sign};
use chrono::{DateTime, Utc};

/// The length of a step in seconds.
const STEP: i64 = 30;

/// How many digits a code has, as the number that it is below.
const BELOW: u32 = 1_000_000;

/// How many steps the app's clock may be ahead or behind.
const DRIFT: i64 = 1;

/// The letters of Base32 (RFC 4648 section 6).
const BASE32: &[u8; 32] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";

/// The code of a step (RFC 4226 section 5.3).
fn code(secret: &[u8], step: i64) -> String {
    let key = Key::new(HMAC_SHA1_FOR_LEGACY_USE_ONLY, secret);
    let tag = sign(&key, &step.to_be_bytes());
    let tag = tag.as_ref();
    let offset = usize::from(tag[tag.len() - 1] & 15);
    let chosen = [tag[offset] & 127, tag[offset + 1], tag[offset + 2], tag[offset + 3]];
    format!("{:06}", u32::from_be_bytes(chosen) % BELOW)
}

/// The step after `last`, near this time, whose code this is.
pub(super) fn step_of(secret: &[u8], presented: &str, last: i64, now: DateTime<Utc>) -> Option<i64> {
    let current = now.timestamp().div_euclid(STEP);
    let fits = |step: &i64| verify_slices_are_equal(code(secret, *step).as_bytes(), presented.as_bytes()).is_ok();
    (current - DRIFT..=current + DRIFT).filter(|step| *step > last).find(fits)
}

/// Bytes in Base32, without padding. Every length that is used here is a multiple of five.
pub(super) fn base32(bytes: &[u8]) -> String {
    let group = |group: &[u8]| {
        let bits = group.iter().fold(0_u64, |bits, byte| bits << 8 | u64::from(*byte));
        (0..8).rev().map(move |place| char::from(BASE32[usize::try_from(bits >> (5 * place) & 31).unwrap_or_default()]))
    };
    bytes.chunks_exact(5).flat_map(group).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: i64) -> DateTime<Utc> {
        DateTime::from_timestamp(seconds, 0).unwrap()
    }

    /// RFC 6238 appendix B, the last six of the eight digits there.
    #[test]
    fn the_codes_are_those_of_the_rfc() {
        for (seconds, expected) in [
            (59, "287082"),
            (1_111_111_109, "081804"),
            (1_111_111_111, "050471"),
            (1_234_567_890, "005924"),
            (2_000_000_000, "279037"),
            (20_000_000_000, "353130"),
        ] {
            assert_eq!(code(b"12345678901234567890", seconds / STEP), expected, "{seconds}");
        }
    }

    /// Seen to fail without the comparison with the last step.
    #[test]
    fn a_code_is_good_one_step_around_and_not_after_it_was_accepted() {
        let secret = b"12345678901234567890";
        for (now, good) in [(59 - 60, false), (59 - 30, true), (59, true), (59 + 30, true), (59 + 60, false)] {
            assert_eq!(step_of(secret, "287082", 0, at(now)), good.then_some(1), "{now}");
        }
        assert_eq!(step_of(secret, "287082", 1, at(59)), None);
        assert_eq!(step_of(secret, "287083", 0, at(59)), None);
        assert_eq!(step_of(secret, "", 0, at(59)), None);
    }

    /// RFC 4648 section 10, and the secret that the vectors are made with.
    #[test]
    fn base32_is_that_of_the_rfc() {
        assert_eq!(base32(b"fooba"), "MZXW6YTB");
        assert_eq!(base32(b"12345678901234567890"), "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ");
    }
}
