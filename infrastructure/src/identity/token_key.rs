//! One RSA key, as signing, verifying and publishing need it.

use std::path::Path;

use application::ports::identity::PublicKey;
use aws_lc_rs::digest::{SHA256, digest};
use aws_lc_rs::encoding::{AsDer, Pkcs8V1Der, PublicKeyX509Der};
use aws_lc_rs::rsa::{KeyPair, KeySize};
use aws_lc_rs::signature::KeyPair as _;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jsonwebtoken::{DecodingKey, EncodingKey};
use zeroize::Zeroizing;

use crate::crypto::hex;

/// The shortest modulus that is taken, in bytes (2048 bits, RFC 7518 §3.3).
const SHORTEST_MODULUS: usize = 256;

/// Why the token keys cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum TokenError {
    /// A file cannot be read or written.
    #[error("the token key file {path} cannot be used; check that it exists and who may read and write it")]
    File {
        /// Its path.
        path: String,
        /// The cause.
        #[source]
        source: std::io::Error,
    },
    /// A file holds no usable key.
    #[error(
        "the token key must be an RSA private key of 2048 bits or more in PKCS#8 PEM, as `openssl genpkey -algorithm RSA -pkeyopt rsa_keygen_bits:2048` prints it"
    )]
    Malformed,
    /// A file of the folder does not say from when its key signs.
    #[error(
        "the token key file {path} must be named by the time from which it signs, such as 20260601T090000Z.pem (UTC)"
    )]
    Name {
        /// Its path.
        path: String,
    },
    /// The keys are one file, to which no second key can be added.
    #[error(
        "the token key is the single file {path}, which leaves no room for a second one: put it into a folder as 20260101T000000Z.pem, let SYNKRO_JWT_KEY_FILE name the folder, and rotate there"
    )]
    Single {
        /// The file.
        path: String,
    },
    /// There is no such key.
    #[error("there is no token key {key_id}; `synkro keys list` shows those that there are")]
    Unknown {
        /// What was asked for.
        key_id: String,
    },
    /// Taking the key away would refuse tokens that are good.
    #[error("the token key {key_id} {why}; to take it away all the same, because it is no secret any more, add --now")]
    InUse {
        /// The key.
        key_id: String,
        /// What it is used for.
        why: &'static str,
    },
}

impl TokenError {
    pub(super) fn file(path: &Path, source: std::io::Error) -> Self {
        Self::File { path: path.display().to_string(), source }
    }
}

/// A key that can sign and verify.
pub(super) struct TokenKey {
    pub(super) public: PublicKey,
    pub(super) signing: EncodingKey,
    pub(super) verifying: DecodingKey,
}

impl TokenKey {
    /// The key of a PEM text.
    pub(super) fn from_pem(text: &str) -> Result<Self, TokenError> {
        let parsed = pem::parse(text).map_err(|_| TokenError::Malformed)?;
        let contents = Zeroizing::new(parsed.into_contents());
        let pair = KeyPair::from_pkcs8(&contents).map_err(|_| TokenError::Malformed)?;
        if pair.public_modulus_len() < SHORTEST_MODULUS {
            return Err(TokenError::Malformed);
        }
        let der: PublicKeyX509Der<'_> = pair.public_key().as_der().map_err(|_| TokenError::Malformed)?;
        let (modulus, exponent) = (pair.public_key().modulus(), pair.public_key().exponent());
        let (modulus, exponent) =
            (modulus.big_endian_without_leading_zero(), exponent.big_endian_without_leading_zero());
        let public = PublicKey {
            key_id: hex(&digest(&SHA256, der.as_ref()).as_ref()[..8]),
            modulus: URL_SAFE_NO_PAD.encode(modulus),
            exponent: URL_SAFE_NO_PAD.encode(exponent),
        };
        let signing = EncodingKey::from_rsa_pem(text.as_bytes()).map_err(|_| TokenError::Malformed)?;
        Ok(Self { public, signing, verifying: DecodingKey::from_rsa_raw_components(modulus, exponent) })
    }

    /// A new key, as PEM text.
    pub(super) fn generate() -> Result<Zeroizing<String>, TokenError> {
        let pair = KeyPair::generate(KeySize::Rsa2048).map_err(|_| TokenError::Malformed)?;
        let der: Pkcs8V1Der<'_> = pair.as_der().map_err(|_| TokenError::Malformed)?;
        Ok(Zeroizing::new(pem::encode(&pem::Pem::new("PRIVATE KEY", der.as_ref().to_vec()))))
    }
}
