//! The report pipeline: a worker that takes due steps from the queue and does them.
//!
//! The log is the truth. A worker claims a step, appends its beginning (so that two cannot own one attempt), does the
//! work, and appends its end. Every step can be repeated: what it writes outside is an upsert by natural key, what it
//! leaves inside is named by its content. The one effect that cannot be repeated, the notification, is announced in
//! the log before it happens; an attempt cut off after that is left *uncertain* for a person to decide.

mod analysis;
mod attempt;
mod package;
mod report_chart;
mod report_text;
mod run_stopper;
pub(crate) mod sample;
mod steps;
mod work;
mod worker;

pub use run_stopper::RunStopper;
pub use worker::{Worker, WorkerOptions};

use std::sync::Arc;

use domain::job_run::JobRun;
use domain::report::Report;
use domain::tenant::Tenant;

use crate::ports::charts::Charts;
use crate::ports::clock::{Clock, Ids};
use crate::ports::commands::Commands;
use crate::ports::queue::StepQueue;
use crate::ports::services::Connectors;
use crate::ports::staging::Staging;
use crate::use_cases::{FollowMovedGroup, OpenAccount};

/// What the pipeline needs from outside.
pub struct Pipeline {
    /// The log of runs.
    pub runs: Arc<dyn Commands<JobRun>>,
    /// The log of reports.
    pub reports: Arc<dyn Commands<Report>>,
    /// The log of tenants.
    pub tenants: Arc<dyn Commands<Tenant>>,
    /// Due steps.
    pub queue: Arc<dyn StepQueue>,
    /// Data between steps.
    pub staging: Arc<dyn Staging>,
    /// The tenants' accounts.
    pub accounts: Arc<OpenAccount>,
    /// What corrects the settings where a group has moved.
    pub moved_groups: Arc<FollowMovedGroup>,
    /// What draws the chart of a report.
    pub charts: Arc<dyn Charts>,
    /// The adapters.
    pub connectors: Arc<dyn Connectors>,
    /// The time.
    pub clock: Arc<dyn Clock>,
    /// Ids and chance.
    pub ids: Arc<dyn Ids>,
}
