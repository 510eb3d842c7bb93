//! Reading one's own write: commands answer with their place in the log, and wait for the read models to pass it.

use std::time::Duration;

use application::error::chain;
use application::ports::commands::LogPosition;

use crate::AppState;

/// How long a command's answer waits for the read models.
const PATIENCE: Duration = Duration::from_secs(2);

/// The value of the header `Synkro-Position`.
pub(crate) fn header(position: LogPosition) -> String {
    position.to_string()
}

/// Waits until the read models have passed the position; false where they did not in time.
///
/// The command is recorded whatever happens here, so a failure to look is logged and answered with false.
pub(crate) async fn settled(state: &AppState, position: Option<LogPosition>) -> bool {
    let Some(position) = position else { return true };
    match state.progress.passed(position, PATIENCE).await {
        Ok(passed) => passed,
        Err(error) => {
            tracing::warn!(error = chain(&error), "cannot tell how far the read models have come");
            false
        }
    }
}
