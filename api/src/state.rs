use std::sync::Arc;

use application::ports::clock::Ids;
use application::ports::health::Health;
use application::ports::projections::Standings;
use application::ports::read_models::Progress;
use application::use_cases::{CancelRun, ReadReports, ReadRuns, ResendNotification, RunStarter, SignIn};

/// What the operations call. Made once, by the composition root.
pub struct AppState {
    /// Signing in, and who a token speaks of.
    pub sign_in: Arc<SignIn>,
    /// Starting runs.
    pub runs: Arc<RunStarter>,
    /// Stopping runs.
    pub cancel: Arc<CancelRun>,
    /// Sending notifications again.
    pub resend: Arc<ResendNotification>,
    /// Looking at runs.
    pub read_runs: Arc<ReadRuns>,
    /// Looking at reports.
    pub read_reports: Arc<ReadReports>,
    /// How far the read models have come.
    pub progress: Arc<dyn Progress>,
    /// Where the projections stand.
    pub standings: Arc<dyn Standings>,
    /// Whether the dependencies answer.
    pub health: Arc<dyn Health>,
    /// Ids of requests.
    pub ids: Arc<dyn Ids>,
}
