//! Access tokens: RS256 JWTs (RFC 7519, RFC 7518 section 3.3) of ten minutes.

use std::path::Path;

use application::ports::identity::{AccessToken, Tokens};
use application::{PortError, Principal};
use aws_lc_rs::digest;
use aws_lc_rs::encoding::{AsDer, Pkcs8V1Der, PublicKeyX509Der};
use aws_lc_rs::rsa::{KeyPair, KeySize};
use aws_lc_rs::signature::KeyPair as _;
use chrono::{DateTime, TimeDelta, Utc};
use domain::access::Role;
use domain::ids::{TenantId, UserId};
use jsonwebtoken::{Algorithm, DecodingKey, EncodingKey, Header, Validation};
use secrecy::SecretString;
use serde::{Deserialize, Serialize};

use crate::crypto::hex;
use crate::error::internal;
use crate::files::write_private;

/// How long a token is valid.
const LIFETIME: TimeDelta = TimeDelta::minutes(10);

const ISSUER: &str = "synkro";
const AUDIENCE: &str = "synkro-api";

/// Why the signing key cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum TokenError {
    /// The file cannot be read or written.
    #[error("the token key file {path} cannot be used")]
    File {
        /// Its path.
        path: String,
        /// The cause.
        #[source]
        source: std::io::Error,
    },
    /// The file holds no usable key.
    #[error(
        "the token key must be an RSA private key of 2048 bits or more in PKCS#8 PEM, as `openssl genpkey -algorithm RSA -pkeyopt rsa_keygen_bits:2048` prints it"
    )]
    Malformed,
}

#[derive(Serialize, Deserialize)]
struct Claims {
    sub: UserId,
    role: Role,
    company_id: TenantId,
    iat: i64,
    exp: i64,
    iss: String,
    aud: String,
}

/// Signs and verifies with one RSA key.
pub struct RsaTokens {
    key_id: String,
    signing: EncodingKey,
    verifying: DecodingKey,
}

impl RsaTokens {
    /// With the key of a PEM text.
    pub fn from_pem(text: &str) -> Result<Self, TokenError> {
        let parsed = pem::parse(text).map_err(|_| TokenError::Malformed)?;
        let pair = KeyPair::from_pkcs8(parsed.contents()).map_err(|_| TokenError::Malformed)?;
        let public: PublicKeyX509Der<'_> = pair.public_key().as_der().map_err(|_| TokenError::Malformed)?;
        let fingerprint = digest::digest(&digest::SHA256, public.as_ref());
        let key_id = hex(&fingerprint.as_ref()[..8]);
        let signing = EncodingKey::from_rsa_pem(text.as_bytes()).map_err(|_| TokenError::Malformed)?;
        let public_pem = pem::encode(&pem::Pem::new("PUBLIC KEY", public.as_ref().to_vec()));
        let verifying = DecodingKey::from_rsa_pem(public_pem.as_bytes()).map_err(|_| TokenError::Malformed)?;
        Ok(Self { key_id, signing, verifying })
    }

    /// With the key of a file.
    pub fn load(path: &Path) -> Result<Self, TokenError> {
        let text = std::fs::read_to_string(path).map_err(|source| file_error(path, source))?;
        Self::from_pem(&zeroize::Zeroizing::new(text))
    }

    /// With the key of a file, which is made with a new key where it is missing.
    pub fn load_or_create(path: &Path) -> Result<Self, TokenError> {
        if !path.exists() {
            let pair = KeyPair::generate(KeySize::Rsa2048).map_err(|_| TokenError::Malformed)?;
            let der: Pkcs8V1Der<'_> = pair.as_der().map_err(|_| TokenError::Malformed)?;
            let text = zeroize::Zeroizing::new(pem::encode(&pem::Pem::new("PRIVATE KEY", der.as_ref().to_vec())));
            write_private(path, text.as_bytes()).map_err(|source| file_error(path, source))?;
        }
        Self::load(path)
    }
}

impl Tokens for RsaTokens {
    fn issue(&self, principal: Principal, now: DateTime<Utc>) -> Result<AccessToken, PortError> {
        let expires_at = now + LIFETIME;
        let claims = Claims {
            sub: principal.user_id,
            role: principal.role,
            company_id: principal.tenant_id,
            iat: now.timestamp(),
            exp: expires_at.timestamp(),
            iss: ISSUER.into(),
            aud: AUDIENCE.into(),
        };
        let header = Header { kid: Some(self.key_id.clone()), ..Header::new(Algorithm::RS256) };
        let token = jsonwebtoken::encode(&header, &claims, &self.signing).map_err(internal)?;
        Ok(AccessToken { token: SecretString::from(token), expires_at })
    }

    fn verify(&self, token: &str, now: DateTime<Utc>) -> Option<Principal> {
        let mut validation = Validation::new(Algorithm::RS256);
        validation.set_issuer(&[ISSUER]);
        validation.set_audience(&[AUDIENCE]);
        // The time is the application's clock, checked below.
        validation.validate_exp = false;
        let claims = jsonwebtoken::decode::<Claims>(token, &self.verifying, &validation).ok()?.claims;
        let in_time = claims.iat <= now.timestamp() && now.timestamp() < claims.exp;
        in_time.then_some(Principal { user_id: claims.sub, tenant_id: claims.company_id, role: claims.role })
    }
}

fn file_error(path: &Path, source: std::io::Error) -> TokenError {
    TokenError::File { path: path.display().to_string(), source }
}

#[cfg(test)]
mod tests {
    use secrecy::ExposeSecret;
    use uuid::Uuid;

    use super::*;

    fn tokens(folder: &tempfile::TempDir) -> RsaTokens {
        RsaTokens::load_or_create(&folder.path().join("key.pem")).unwrap()
    }

    fn owner() -> Principal {
        Principal {
            user_id: UserId::from(Uuid::from_u128(2)),
            tenant_id: TenantId::from(Uuid::from_u128(1)),
            role: Role::Owner,
        }
    }

    #[test]
    fn a_token_is_valid_for_ten_minutes_and_after_a_restart() {
        let folder = tempfile::tempdir().unwrap();
        let now: DateTime<Utc> = "2026-06-01T09:00:00Z".parse().unwrap();
        let token = tokens(&folder).issue(owner(), now).unwrap();
        let verify = |at| tokens(&folder).verify(token.token.expose_secret(), at);
        assert_eq!(verify(now), Some(owner()));
        assert_eq!(verify(now + TimeDelta::seconds(599)), Some(owner()));
        assert_eq!(verify(now + TimeDelta::seconds(600)), None);
        assert_eq!(verify(now - TimeDelta::seconds(1)), None);
    }

    #[test]
    fn a_tampered_or_foreign_token_is_refused() {
        let (ours, theirs) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        let now: DateTime<Utc> = "2026-06-01T09:00:00Z".parse().unwrap();
        let token = tokens(&ours).issue(owner(), now).unwrap().token.expose_secret().to_owned();
        assert_eq!(tokens(&theirs).verify(&token, now), None);
        let mut parts: Vec<String> = token.split('.').map(str::to_owned).collect();
        parts[1] = parts[1].replace(&parts[1][10..12], "AA");
        assert_eq!(tokens(&ours).verify(&parts.join("."), now), None);
        for nonsense in ["", "a.b.c", "eyJhbGciOiJub25lIn0.e30."] {
            assert_eq!(tokens(&ours).verify(nonsense, now), None, "{nonsense}");
        }
    }
}
