//! One run of the report pipeline: eight steps, strictly in order.
//!
//! | invariant | where |
//! |---|---|
//! | a run starts once; starting it again changes nothing | `decide::start` |
//! | one attempt at a time, and only at the current step, not before its time | `attempts::begin` |
//! | only the attempt in progress can dispatch, complete or fail; a superseded one changes nothing | `attempts` |
//! | transient failures are retried by the run's policy, all others end the run | `attempts::fail` |
//! | an attempt lost after its effect was dispatched is *uncertain*, never repeated by itself | `attempts::abandon` |
//! | what the AI was asked is recorded once for each attempt, whatever became of the run meanwhile | `ai::meter` |
//! | cancelling is final and outranks retries | `decide::cancel` |
//! | an uncertain or failed notification can be sent again, by a person's decision | `decide::resend` |

mod ai;
mod attempts;
mod command;
mod decide;
mod error;
mod event;
mod failure;
mod policy;
mod state;
mod step;
#[cfg(test)]
mod tests;

pub use ai::{AiCalls, AiUse, Metered};
pub use command::{Attempt, JobRunCommand, StartRun};
pub use error::JobRunError;
pub use event::{ConfigVersion, JobRunEvent};
pub use failure::{Failure, FailureClass};
pub use policy::RetryPolicy;
pub use state::{Current, JobRun, Run};
pub use step::{Step, StepOutput};

use crate::event_sourced::EventSourced;
use crate::ids::TenantId;

aggregate!(JobRun, "job_run", JobRunCommand, JobRunEvent, JobRunError);

impl EventSourced for JobRun {
    fn exists(&self) -> bool {
        !matches!(self, Self::Absent)
    }

    fn absent() -> JobRunError {
        JobRunError::NotFound
    }

    fn tenant(&self) -> Option<TenantId> {
        self.run().map(|run| run.tenant_id)
    }
}
