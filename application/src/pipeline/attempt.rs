//! One attempt at one step: begin, work, end; each recorded.

use std::panic::AssertUnwindSafe;
use std::time::Duration;

use domain::ids::AttemptId;
use domain::job_run::{Attempt, Failure, FailureClass, JobRun, JobRunCommand, JobRunEvent, Run, Step, StepOutput};
use futures::FutureExt;

use super::Pipeline;
use super::steps;
use super::work::{StepError, Work};
use super::worker::system_context;
use crate::context::RequestContext;
use crate::error::{CommandError, PortError};
use crate::ports::commands::LogPosition;
use crate::ports::queue::{DueStep, WorkerIdentity};

/// How often an attempt in progress looks whether its run was cancelled.
const CANCEL_CHECK: Duration = Duration::from_millis(400);

/// How long the end of an attempt is tried to be recorded before it is left to a takeover.
const RECORD_PATIENCE: Duration = Duration::from_secs(30);

/// Pause after a claim that came to nothing: the queue lags behind the log for a moment.
const LAG_PAUSE: Duration = Duration::from_millis(50);

/// Does the due step, from claim to release.
pub(super) async fn run_attempt(pipeline: &Pipeline, worker: &WorkerIdentity, due: DueStep, timeout: Duration) {
    let attempted = AssertUnwindSafe(attempt(pipeline, worker, due, timeout)).catch_unwind().await;
    let recorded = match attempted {
        Ok(Ok(recorded)) => recorded,
        Ok(Err(error)) => {
            let error = crate::error::chain(&error);
            tracing::warn!(run = %due.run_id, step = due.step.name(), error, "the attempt could not be recorded");
            None
        }
        Err(_) => {
            tracing::error!(run = %due.run_id, step = due.step.name(), "the step panicked; it is repeated");
            None
        }
    };
    if recorded.is_none() {
        tokio::time::sleep(LAG_PAUSE).await;
    }
    if let Err(error) = pipeline.queue.release(worker, due.run_id, recorded).await {
        tracing::warn!(run = %due.run_id, %error, "the claim could not be given back; it ends by itself");
    }
}

async fn attempt(
    pipeline: &Pipeline,
    worker: &WorkerIdentity,
    due: DueStep,
    timeout: Duration,
) -> Result<Option<LogPosition>, PortError> {
    let context = system_context(due.tenant_id, pipeline.ids.next(), due.run_id.uuid());
    let Some((run, attempt_id)) = begin(pipeline, worker, &context, due).await? else { return Ok(None) };
    let work = Work::new(pipeline, &context, &run, attempt_id).await?;
    let ended = tokio::select! {
        ended = tokio::time::timeout(timeout, steps::run(&work, due.step)) => ended,
        () = cancelled(pipeline, due) => {
            tracing::info!(run = %due.run_id, step = due.step.name(), "the run was cancelled; the step stops");
            return match work.metered(false) {
                Some(metered) => record_end(pipeline, &context, &run, metered).await,
                None => Ok(None),
            };
        }
    };
    if let Some(metered) = work.metered(matches!(ended, Ok(Ok(_)))) {
        record_end(pipeline, &context, &run, metered).await?;
    }
    let at = |attempt_id| Attempt { attempt_id, at: pipeline.clock.now() };
    let command = match ended.unwrap_or_else(|_| Err(timed_out(due.step, timeout, work.dispatched()))) {
        Ok(output) => JobRunCommand::Complete { attempt: at(attempt_id), output },
        Err(StepError::Uncertain(error)) => {
            tracing::warn!(run = %due.run_id, %error, "whether the notification arrived is not known");
            JobRunCommand::LeaveUncertain(at(attempt_id))
        }
        Err(StepError::Failed(failure)) => {
            tracing::info!(run = %due.run_id, step = due.step.name(), message = %failure.message, "the step failed");
            JobRunCommand::Fail { attempt: at(attempt_id), failure, jitter: pipeline.ids.chance() }
        }
        Err(StepError::System(error)) => JobRunCommand::Fail {
            attempt: at(attempt_id),
            failure: system_failure(&error),
            jitter: pipeline.ids.chance(),
        },
    };
    record_end(pipeline, &context, &run, command).await
}

/// The run as it is after the attempt's beginning was recorded; none where another worker was first.
async fn begin(
    pipeline: &Pipeline,
    worker: &WorkerIdentity,
    context: &RequestContext,
    due: DueStep,
) -> Result<Option<(Run, AttemptId)>, PortError> {
    let begin = JobRunCommand::Begin { step: due.step, worker: worker.id.to_string(), at: pipeline.clock.now() };
    let events = match pipeline.runs.execute(context, due.run_id.uuid(), begin).await {
        Ok(recorded) => recorded.events,
        Err(CommandError::Log(error)) => return Err(error),
        Err(_) => return Ok(None),
    };
    let started = events.iter().find_map(|event| match event {
        JobRunEvent::StepStarted { attempt_id, .. } => Some(*attempt_id),
        _ => None,
    });
    let run = pipeline.runs.load(due.run_id.uuid()).await?;
    Ok(run.run().cloned().zip(started))
}

/// Records how the attempt ended. The work is done and must not be lost to a short outage of the database.
async fn record_end(
    pipeline: &Pipeline,
    context: &RequestContext,
    run: &Run,
    command: JobRunCommand,
) -> Result<Option<LogPosition>, PortError> {
    let deadline = tokio::time::Instant::now() + RECORD_PATIENCE;
    loop {
        match pipeline.runs.execute(context, run.run_id.uuid(), command.clone()).await {
            Ok(recorded) => return Ok(recorded.position),
            Err(CommandError::Log(error @ (PortError::Unavailable(_) | PortError::Unanswered(_)))) => {
                if tokio::time::Instant::now() > deadline {
                    return Err(error);
                }
                tokio::time::sleep(CANCEL_CHECK).await;
            }
            Err(CommandError::Log(error)) => return Err(error),
            Err(error) => {
                tracing::info!(run = %run.run_id, %error, "the attempt's end came too late");
                return Ok(None);
            }
        }
    }
}

/// Ends when the run is cancelled.
async fn cancelled(pipeline: &Pipeline, due: DueStep) {
    loop {
        tokio::time::sleep(CANCEL_CHECK).await;
        if let Ok(JobRun::Cancelled(_)) = pipeline.runs.load(due.run_id.uuid()).await {
            return;
        }
    }
}

fn timed_out(step: Step, timeout: Duration, dispatched: bool) -> StepError {
    let message = format!("the step {} took longer than {} s", step.name(), timeout.as_secs());
    if dispatched {
        return StepError::Uncertain(message);
    }
    StepError::Failed(Failure {
        class: FailureClass::Transient,
        message,
        advice: "It is tried again by itself. If it keeps happening, choose a shorter period.".into(),
        retry_after_ms: None,
    })
}

fn system_failure(error: &PortError) -> Failure {
    tracing::error!(error = %crate::error::chain(error), "a step failed on our side");
    Failure {
        class: match error {
            PortError::Unavailable(_) | PortError::Busy { .. } | PortError::Unanswered(_) => FailureClass::Transient,
            PortError::Internal(_) => FailureClass::Permanent,
        },
        message: error.to_string(),
        advice: "Nothing needs to be changed in your settings. If it stays, tell support.".into(),
        retry_after_ms: None,
    }
}

/// What a step answers.
pub(super) type StepResult = Result<StepOutput, StepError>;
