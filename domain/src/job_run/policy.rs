use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::{Failure, FailureClass};

/// How a run deals with transient failures. Frozen into the run when it starts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct RetryPolicy {
    /// Failed attempts of one step after which the run fails.
    pub max_attempts: u32,
    /// Wait after the first failure, in milliseconds; it doubles with each further one.
    pub first_delay_ms: u64,
    /// Longest such wait, in milliseconds.
    pub max_delay_ms: u64,
    /// Attempts of one step that may be lost to dying workers before the run fails.
    pub max_lost: u32,
}

impl Default for RetryPolicy {
    fn default() -> Self {
        Self { max_attempts: 5, first_delay_ms: 2_000, max_delay_ms: 120_000, max_lost: 25 }
    }
}

impl RetryPolicy {
    /// How long to wait after the `failures`-th failure, or `None` where the step has failed for good.
    ///
    /// `jitter` between 0 and 1 spreads the wait over its upper half; the provider's own word is a lower bound.
    pub fn wait(&self, failures: u32, failure: &Failure, jitter: f64) -> Option<Duration> {
        if failure.class != FailureClass::Transient || failures >= self.max_attempts {
            return None;
        }
        let doublings = failures.saturating_sub(1).min(32);
        let delay = self.first_delay_ms.saturating_mul(1 << doublings).min(self.max_delay_ms);
        let spread = Duration::from_millis(delay).mul_f64(0.5 + jitter.clamp(0.0, 1.0) / 2.0);
        Some(spread.max(Duration::from_millis(failure.retry_after_ms.unwrap_or(0))))
    }
}
