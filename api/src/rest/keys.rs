//! The keys that access tokens are verified with.

use std::sync::Arc;

use application::ports::identity::PublicKey;
use poem::http::header::CACHE_CONTROL;
use poem::web::Data;
use poem_openapi::payload::Response;
use poem_openapi::{Object, OpenApi};

use super::Chapter;
use super::body::Shown;
use crate::AppState;

/// How long others may keep the keys. A new one is published for longer before it signs.
const KEPT: &str = "public, max-age=60";

/// A set of keys (RFC 7517 §5).
#[derive(Object)]
#[oai(rename = "Jwks")]
struct JwksBody {
    /// The keys, oldest first. A token names its key in `kid`.
    keys: Vec<JwkBody>,
}

/// An RSA key (RFC 7517 §4, RFC 7518 §6.3).
#[derive(Object)]
#[oai(rename = "Jwk")]
struct JwkBody {
    /// Always `RSA`.
    kty: String,
    /// Always `sig`: it verifies signatures.
    #[oai(rename = "use")]
    usage: String,
    /// Always `RS256`.
    alg: String,
    /// The key's id.
    kid: String,
    /// The modulus, base64url.
    n: String,
    /// The exponent, base64url.
    e: String,
}

impl From<PublicKey> for JwkBody {
    fn from(key: PublicKey) -> Self {
        let PublicKey { key_id, modulus, exponent } = key;
        Self { kty: "RSA".into(), usage: "sig".into(), alg: "RS256".into(), kid: key_id, n: modulus, e: exponent }
    }
}

pub(super) struct KeysApi;

#[expect(clippy::unused_async, reason = "the form that every operation has")]
#[OpenApi(tag = "Chapter::Health")]
impl KeysApi {
    /// Which keys sign access tokens?
    ///
    /// For services that verify tokens on their own. A key is here before it signs and until its last token has ended.
    /// Whether a token was revoked only Synkro knows.
    #[oai(path = "/.well-known/jwks.json", method = "get", operation_id = "get_token_keys")]
    async fn keys(&self, state: Data<&Arc<AppState>>) -> Response<Shown<JwksBody>> {
        let keys = state.authentication.public_keys().into_iter().map(JwkBody::from).collect();
        Response::new(Shown::new(JwksBody { keys })).header(CACHE_CONTROL, KEPT)
    }
}
