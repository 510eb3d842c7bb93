//! Access tokens: RS256 JWTs (RFC 7519, RFC 7518 section 3.3) of ten minutes.

use std::collections::HashMap;
use std::path::Path;
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use application::ports::identity::{AccessToken, CsrfHash, PublicKey, TokenSubject, Tokens};
use application::{ActingStaff, PortError, Principal};
use aws_lc_rs::digest::{SHA256, digest};
use chrono::{DateTime, TimeDelta, Utc};
use domain::ids::{SessionId, TenantId, UserId};
use domain::user::Membership;
use jsonwebtoken::{Algorithm, DecodingKey, Header, Validation};
use quick_cache::sync::Cache;
use secrecy::SecretString;
use serde::{Deserialize, Serialize};

use super::key_files::{KeyFiles, KeyState, KeyTexts, state};
use super::token_key::{TokenError, TokenKey};
use crate::error::internal;

/// How long a token is valid.
pub(super) const LIFETIME: TimeDelta = TimeDelta::minutes(10);

/// How far the clock of the process that issued a token may be ahead of this one's.
const CLOCK_SKEW: TimeDelta = TimeDelta::seconds(30);

/// How often the keys are looked at.
const LOOK_EVERY: Duration = Duration::from_secs(2);

/// Verified tokens that are remembered. The oldest are forgotten first.
const MOST_REMEMBERED: usize = 20_000;

const ISSUER: &str = "synkro";
const AUDIENCE: &str = "synkro-api";

#[derive(Serialize, Deserialize)]
struct Claims {
    sub: UserId,
    /// The role in the company, or on the staff where no company is named.
    role: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    company_id: Option<TenantId>,
    sid: SessionId,
    /// The user's token version.
    ver: u32,
    /// Whether a code of a second factor was shown in the session, where that matters: on the staff.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    mfa: bool,
    /// The member of staff who acts in the user's name (RFC 8693 section 4.1).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    act: Option<Act>,
    /// The hash of the CSRF token, where the token lives in a cookie.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    csrf: Option<String>,
    iat: i64,
    exp: i64,
    iss: String,
    aud: String,
}

#[derive(Serialize, Deserialize)]
struct Act {
    sub: UserId,
    /// The token version of the member of staff.
    ver: u32,
}

/// What a verified token says, and when.
#[derive(Clone)]
struct Remembered {
    subject: Arc<TokenSubject>,
    key_id: Arc<str>,
    issued_at: i64,
    expires_at: i64,
}

impl Remembered {
    fn is_in_time(&self, now: DateTime<Utc>) -> bool {
        self.issued_at <= (now + CLOCK_SKEW).timestamp() && now.timestamp() < self.expires_at
    }
}

/// The keys, oldest first.
struct KeySet {
    fingerprint: Vec<u8>,
    times: Vec<DateTime<Utc>>,
    keys: Vec<TokenKey>,
    by_id: HashMap<Arc<str>, usize>,
}

impl KeySet {
    fn of(texts: &KeyTexts) -> Result<Self, TokenError> {
        let (times, keys): (Vec<_>, Vec<_>) = texts.parse()?.into_iter().unzip();
        if keys.is_empty() {
            return Err(TokenError::Malformed);
        }
        let by_id = keys.iter().enumerate().map(|(index, key)| (key.public.key_id.as_str().into(), index)).collect();
        Ok(Self { fingerprint: texts.fingerprint(), times, keys, by_id })
    }

    fn signing(&self, now: DateTime<Utc>) -> Option<&TokenKey> {
        let index = (0..self.keys.len()).find(|index| state(&self.times, *index, now) == KeyState::Signing);
        index.map(|index| &self.keys[index])
    }

    /// The key of that id, as long as it verifies.
    fn verifying(&self, key_id: &str, now: DateTime<Utc>) -> Option<(&Arc<str>, &DecodingKey)> {
        let (key_id, &index) = self.by_id.get_key_value(key_id)?;
        (state(&self.times, index, now) != KeyState::Done).then(|| (key_id, &self.keys[index].verifying))
    }
}

/// Signs with the key whose turn it is, and verifies with those that have signed what may still be valid.
pub struct RsaTokens {
    files: KeyFiles,
    keys: RwLock<Arc<KeySet>>,
    validation: Validation,
    /// By the SHA-256 of the whole token, so that no token is kept.
    verified: Cache<[u8; 32], Remembered>,
}

impl RsaTokens {
    /// With the keys of these files.
    pub fn load(files: KeyFiles) -> Result<Self, TokenError> {
        let keys = RwLock::new(Arc::new(KeySet::of(&files.read()?)?));
        let mut validation = Validation::new(Algorithm::RS256);
        validation.set_issuer(&[ISSUER]);
        validation.set_audience(&[AUDIENCE]);
        validation.set_required_spec_claims(&["exp", "iss", "aud", "sub"]);
        // The time is the application's clock, asked for each use of the token.
        validation.validate_exp = false;
        Ok(Self { files, keys, validation, verified: Cache::new(MOST_REMEMBERED) })
    }

    /// With the keys of a folder, which is made with a first key where there is none.
    pub fn load_or_create(folder: &Path, now: DateTime<Utc>) -> Result<Self, TokenError> {
        Self::load(KeyFiles::at(folder).or_create(now)?)
    }

    /// Takes up keys that were added or taken away, for as long as it is polled.
    pub async fn watch(&self) {
        loop {
            tokio::time::sleep(LOOK_EVERY).await;
            match self.reload().await {
                Ok(false) => {}
                Ok(true) => tracing::info!("the keys of access tokens have changed"),
                Err(error) => {
                    tracing::error!(
                        error = application::error::chain(&error),
                        "the keys of access tokens stay as they are"
                    );
                }
            }
        }
    }

    /// Reads the keys again; true where they have changed.
    async fn reload(&self) -> Result<bool, PortError> {
        let (files, known) = (self.files.clone(), self.keys().fingerprint.clone());
        let read = tokio::task::spawn_blocking(move || {
            let texts = files.read()?;
            if texts.fingerprint() == known { Ok(None) } else { KeySet::of(&texts).map(Some) }
        });
        let read: Result<Option<KeySet>, TokenError> = read.await.map_err(internal)?;
        let Some(keys) = read.map_err(internal)? else { return Ok(false) };
        *self.keys.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(keys);
        self.verified.clear();
        Ok(true)
    }

    fn keys(&self) -> Arc<KeySet> {
        Arc::clone(&self.keys.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// What a token says that is whole and ours, whenever it is.
    fn check(&self, token: &str, now: DateTime<Utc>) -> Option<Remembered> {
        let key_id = jsonwebtoken::decode_header(token).ok()?.kid?;
        let keys = self.keys();
        let (key_id, key) = keys.verifying(&key_id, now)?;
        let claims = jsonwebtoken::decode::<Claims>(token, key, &self.validation).ok()?.claims;
        let membership = match claims.company_id {
            Some(tenant_id) => Membership::Tenant { tenant_id, role: claims.role.parse().ok()? },
            None => Membership::Platform { role: claims.role.parse().ok()? },
        };
        let (user_id, session_id, second_factor) = (claims.sub, claims.sid, claims.mfa);
        let acting =
            claims.act.map(|Act { sub: staff_id, ver: token_version }| ActingStaff { staff_id, token_version });
        let principal = Principal { user_id, membership, session_id, second_factor, acting };
        let subject = TokenSubject { principal, token_version: claims.ver, csrf: claims.csrf.map(CsrfHash) };
        let (issued_at, expires_at) = (claims.iat, claims.exp);
        Some(Remembered { subject: Arc::new(subject), key_id: Arc::clone(key_id), issued_at, expires_at })
    }
}

impl Tokens for RsaTokens {
    fn issue_until(
        &self,
        subject: &TokenSubject,
        now: DateTime<Utc>,
        until: DateTime<Utc>,
    ) -> Result<AccessToken, PortError> {
        let expires_at = until.min(now + LIFETIME);
        let Principal { user_id, membership, session_id, second_factor, acting } = &subject.principal;
        let claims = Claims {
            sub: *user_id,
            role: membership.role_name().to_owned(),
            company_id: membership.tenant(),
            sid: *session_id,
            mfa: *second_factor,
            act: acting.map(|ActingStaff { staff_id, token_version }| Act { sub: staff_id, ver: token_version }),
            ver: subject.token_version,
            csrf: subject.csrf.as_ref().map(|CsrfHash(hash)| hash.clone()),
            iat: now.timestamp(),
            exp: expires_at.timestamp(),
            iss: ISSUER.into(),
            aud: AUDIENCE.into(),
        };
        let keys = self.keys();
        let key = keys.signing(now).ok_or_else(|| internal("there is no key to sign with"))?;
        let header = Header { kid: Some(key.public.key_id.clone()), ..Header::new(Algorithm::RS256) };
        let token = jsonwebtoken::encode(&header, &claims, &key.signing).map_err(internal)?;
        Ok(AccessToken { token: SecretString::from(token), expires_at })
    }

    fn verify(&self, token: &str, now: DateTime<Utc>) -> Option<Arc<TokenSubject>> {
        let mut hash = [0; 32];
        hash.copy_from_slice(digest(&SHA256, token.as_bytes()).as_ref());
        if let Some(known) = self.verified.get(&hash) {
            let stands = known.is_in_time(now) && self.keys().verifying(&known.key_id, now).is_some();
            return stands.then_some(known.subject);
        }
        let checked = self.check(token, now).filter(|checked| checked.is_in_time(now))?;
        let subject = Arc::clone(&checked.subject);
        self.verified.insert(hash, checked);
        Some(subject)
    }

    fn public_keys(&self, now: DateTime<Utc>) -> Vec<PublicKey> {
        let keys = self.keys();
        let live = keys.keys.iter().enumerate().filter(|(index, _)| state(&keys.times, *index, now) != KeyState::Done);
        live.map(|(_, key)| key.public.clone()).collect()
    }
}

#[cfg(test)]
mod tests;
