//! What makes a request recognizable when it is repeated: its key, and a hash over all that it asks for.

use application::{IdempotencyKey, Receipt, RequestHash};
use aws_lc_rs::digest::{SHA256, digest};
use serde_json::{Value, json};

/// The receipt of a request for `operation`; none where the client gave it no key.
///
/// The hash is over values that were read, so that neither white space nor the order of fields matters. It is compared
/// with hashes of earlier releases, so what an operation puts in must stay as it is.
pub(crate) fn receipt(
    key: Option<IdempotencyKey>,
    operation: &'static str,
    path: &[String],
    body: &Value,
) -> Option<Receipt> {
    let asked = json!([operation, path, body]).to_string();
    let mut request_hash = RequestHash([0; 32]);
    request_hash.0.copy_from_slice(digest(&SHA256, asked.as_bytes()).as_ref());
    Some(Receipt { key: key?, operation, request_hash })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hash(operation: &'static str, path: &[&str], body: &Value) -> RequestHash {
        let path: Vec<String> = path.iter().map(|&part| part.to_owned()).collect();
        receipt("k".parse().ok(), operation, &path, body).unwrap().request_hash
    }

    /// Receipts outlive releases: a new release must recognize what an old one was asked.
    #[test]
    fn the_hash_of_a_request_is_frozen() {
        let days = json!({"from": "2026-06-01", "to": "2026-06-02"});
        let expected = "d3c9e3776c3e79febeda715c2c0d22f7e5f4b61231440233b11548d8cd567e3e";
        assert_eq!(format!("{:?}", hash("start_run", &[], &days)), expected);
    }

    #[test]
    fn every_part_of_a_request_is_in_its_hash() {
        let hashes = [
            hash("cancel_run", &["1"], &Value::Null),
            hash("resend_notification", &["1"], &Value::Null),
            hash("cancel_run", &["2"], &Value::Null),
            hash("cancel_run", &["1"], &json!({})),
            hash("cancel_run", &["1", "2"], &Value::Null),
        ];
        for (n, hash) in hashes.iter().enumerate() {
            assert!(!hashes[..n].contains(hash), "{n}");
        }
    }

    #[test]
    fn without_a_key_there_is_no_receipt() {
        assert_eq!(receipt(None, "start_run", &[], &Value::Null), None);
    }
}
