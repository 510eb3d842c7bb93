use serde::{Deserialize, Serialize};

/// What a failed attempt means for the next one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FailureClass {
    /// May pass by itself: network, overload, rate limit. Retried.
    Transient,
    /// The same call fails again: bad request, missing table, an answer that makes no sense. Not retried.
    Permanent,
    /// The provider's quota is used up; a retry would only be refused again.
    Quota,
    /// The provider does not accept the key.
    Auth,
}

/// Why an attempt failed, in words that a tenant's user can act on; never with a secret.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Failure {
    /// What it means for the next attempt.
    pub class: FailureClass,
    /// What happened.
    pub message: String,
    /// What to do about it.
    pub advice: String,
    /// The provider's own word on when to come back, in milliseconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub retry_after_ms: Option<u64>,
}
