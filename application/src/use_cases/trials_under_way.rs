//! Trials that are under way, by the keys of their requests: a repeat meanwhile shall send nothing and pay for nothing.

use std::collections::HashSet;
use std::sync::{Arc, Mutex, PoisonError};

use domain::ErrorKind;
use domain::ids::TenantId;

use crate::error::AppError;
use crate::idempotency::IdempotencyKey;

/// The trials that this process is at. It knows nothing of those of other processes.
#[derive(Debug, Default)]
pub struct TrialsUnderWay(Mutex<HashSet<(TenantId, IdempotencyKey)>>);

/// A key that is held until this value is dropped.
#[derive(Debug)]
pub(super) struct HeldKey {
    trials: Arc<TrialsUnderWay>,
    key: (TenantId, IdempotencyKey),
}

impl TrialsUnderWay {
    /// Holds a key for one trial.
    ///
    /// # Errors
    /// `conflict` while another trial holds it.
    pub(super) fn hold(self: &Arc<Self>, tenant: TenantId, key: &IdempotencyKey) -> Result<HeldKey, AppError> {
        let key = (tenant, key.clone());
        if self.0.lock().unwrap_or_else(PoisonError::into_inner).insert(key.clone()) {
            Ok(HeldKey { trials: Arc::clone(self), key })
        } else {
            Err(under_way())
        }
    }
}

impl Drop for HeldKey {
    fn drop(&mut self) {
        self.trials.0.lock().unwrap_or_else(PoisonError::into_inner).remove(&self.key);
    }
}

fn under_way() -> AppError {
    let detail =
        "A trial under this idempotency key is still under way, and nothing was done again. Ask again in a moment.";
    AppError::new(ErrorKind::Conflict, "integration.trial_under_way", detail)
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;

    #[test]
    fn a_key_is_held_by_one_trial_of_a_company_until_it_ends() {
        let trials = Arc::new(TrialsUnderWay::default());
        let (home, other) = (TenantId::from(Uuid::from_u128(1)), TenantId::from(Uuid::from_u128(2)));
        let [key, another] = ["one", "two"].map(|key| key.parse::<IdempotencyKey>().unwrap());
        let held = trials.hold(home, &key).unwrap();
        assert_eq!(trials.hold(home, &key).unwrap_err().code, "integration.trial_under_way");
        drop((trials.hold(home, &another).unwrap(), trials.hold(other, &key).unwrap()));
        drop(held);
        drop(trials.hold(home, &key).unwrap());
    }
}
