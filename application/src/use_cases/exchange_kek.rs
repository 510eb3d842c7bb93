//! Exchanging the key-encryption key: every data key is wrapped by the current one, while all goes on.

use std::sync::Arc;

use domain::ErrorKind;
use domain::ids::KekRotationId;
use domain::kek_rotation::{KekRotation, KekRotationCommand};

use crate::context::RequestContext;
use crate::error::AppError;
use crate::ports::clock::Clock;
use crate::ports::commands::Commands;
use crate::ports::data_keys::{DataKeys, Wrapping};

/// How far an exchange has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct KekProgress {
    /// Data keys that are wrapped anew.
    pub done: u64,
    /// Data keys that were to be wrapped anew when it began.
    pub all: u64,
}

/// Exchanges the key-encryption key.
pub struct KekExchange {
    /// The log.
    pub rotations: Arc<dyn Commands<KekRotation>>,
    /// The data keys.
    pub data_keys: Arc<dyn DataKeys>,
    /// The time.
    pub clock: Arc<dyn Clock>,
}

impl KekExchange {
    /// Wraps every data key with the current key-encryption key, and says how many that were. Beginning and end are in the log;
    /// one that is cut off goes on where it was.
    ///
    /// # Errors
    /// `forbidden` for all but support staff; `conflict` where a data key is wrapped by a key that this process does not have,
    /// before anything is done, and where other processes go on wrapping with another key than the current one.
    pub async fn exchange(
        &self,
        context: &RequestContext,
        show: &(dyn Fn(KekProgress) + Send + Sync),
    ) -> Result<u64, AppError> {
        let context = context.require_support(None)?;
        let before = self.data_keys.wrapping().await?;
        require_none_unknown(&unknown(&before))?;
        let all = before.others().map(|used| used.data_keys).sum();
        let id = KekRotationId::to(&before.current).uuid();
        if all > 0 {
            let begin = KekRotationCommand::Begin { kek_id: before.current, data_keys: all, at: self.clock.now() };
            self.rotations.execute(&context, id, begin).await?;
        }
        let mut done = 0;
        loop {
            show(KekProgress { done, all });
            match self.data_keys.rewrap_some().await? {
                0 => break,
                some => done += some,
            }
            // New ones may come meanwhile; twice as many as there were come from somebody who does not stop.
            if done > 2 * all + MOST_NEW {
                return Err(conflict("kek.still_used", STILL_USED));
            }
        }
        // Also one that was cut off between its last data key and this.
        if let KekRotation::Running { .. } = self.rotations.load(id).await? {
            self.rotations.execute(&context, id, KekRotationCommand::Complete { at: self.clock.now() }).await?;
        }
        Ok(done)
    }
}

const STILL_USED: &str = "Other processes go on wrapping data keys with another key than the current one. Give all of them the \
    same keys in the same order, restart them, and repeat this.";

/// New data keys that may come while the old ones are wrapped anew.
const MOST_NEW: u64 = 1_000;

fn unknown(wrapping: &Wrapping) -> Vec<String> {
    wrapping.used.iter().filter(|used| !used.is_known).map(|used| used.kek_id.clone()).collect()
}

/// Refuses where data keys are wrapped by keys that this process does not have; those are their names.
pub(super) fn require_none_unknown(unknown: &[String]) -> Result<(), AppError> {
    if unknown.is_empty() {
        return Ok(());
    }
    let detail = format!(
        "Data keys are wrapped by {}, which this process does not have. Add what is missing to the key-encryption keys, below \
         the current one. Nothing was changed.",
        unknown.join(", ")
    );
    Err(conflict("kek.unknown", &detail))
}

fn conflict(code: &'static str, detail: &str) -> AppError {
    AppError::new(ErrorKind::Conflict, code, detail)
}
