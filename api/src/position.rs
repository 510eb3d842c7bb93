//! Reading one's own write: commands answer with their place in the log, and wait for the read models to pass it. A request that
//! names a place is answered from read models that have passed it.

use std::time::Duration;

use application::AppError;
use application::error::chain;
use application::ports::commands::LogPosition;
use domain::ErrorKind;
use poem::Request;
use poem_openapi::registry::MetaSchema;

use crate::AppState;
use crate::headers::Sent;
use crate::input::FieldValue;
use crate::problem::ApiError;

/// The header, as answers and requests spell it.
pub(crate) const SYNKRO_POSITION: &str = "Synkro-Position";

/// How long an answer waits for the read models.
const PATIENCE: Duration = Duration::from_secs(2);

/// When to ask again for what they have not passed in that time.
const ASK_AGAIN: Duration = Duration::from_secs(1);

/// The value of the header.
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

/// Waits until the read models have passed the position that the request names, if it does.
///
/// # Errors
/// Status 400 where it cannot be read, 409 where the log does not hold it, and 503 where they have not passed it in time.
pub(crate) async fn reach(request: &Request, state: &AppState) -> Result<(), ApiError> {
    let Some(position) = Sent::of(request, SYNKRO_POSITION).or_bad(SYNKRO_POSITION)? else { return Ok(()) };
    // First, because what was recorded since is ahead of a place that the log has lost.
    if !state.progress.holds(position).await.map_err(AppError::from)? {
        let detail = format!("The log holds nothing at {position}. Read again what you saw, and leave the header out.");
        return Err(AppError::new(ErrorKind::Conflict, "position.unknown", detail).into());
    }
    if settled(state, Some(position)).await {
        return Ok(());
    }
    let detail =
        format!("What was recorded up to {position} is not shown yet. Nothing is lost; ask again in a moment.");
    let behind = AppError::new(ErrorKind::Unavailable, "system.behind", detail);
    Err(AppError { retry_after: Some(ASK_AGAIN), ..behind }.into())
}

impl FieldValue for LogPosition {
    const WANTED: &'static str = "must be a place in the log as an answer gave it, such as 1-7431-205";

    fn schema() -> MetaSchema {
        MetaSchema { example: Some("1-7431-205".into()), ..MetaSchema::new("string") }
    }

    fn read(text: &str) -> Option<Self> {
        text.parse().ok()
    }
}
