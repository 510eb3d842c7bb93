//! Starting a run and showing how it goes.

use std::collections::HashMap;
use std::time::Duration;

use application::ports::read_models::{RunStatus, RunView, StepStatus, StepView};
use application::use_cases::RunRequest;
use chrono::NaiveDate;
use domain::ids::RunId;
use domain::job_run::Step;
use indicatif::{ProgressBar, ProgressStyle};

use super::company::Company;
use super::{CliError, provision, say};
use crate::wire::System;

/// How often the run is looked at.
const LOOK_EVERY: Duration = Duration::from_millis(100);

/// Starts the run, or finds it, and follows it to its end.
pub(super) async fn run(
    system: &System,
    company: &Company,
    title: &str,
    (id, first_day, last_day): (RunId, NaiveDate, NaiveDate),
) -> Result<RunView, CliError> {
    let context = provision::context(system, company);
    let request = RunRequest { id: Some(id), first_day, last_day };
    let started = system.state.runs.start(&context, request).await?;
    provision::wait(system, started.position).await?;
    let mut progress = Progress::new(title, first_day, last_day);
    loop {
        let run = system.state.read_runs.get(&context, started.run_id).await?.item;
        progress.show(&run);
        if run.status != RunStatus::Running {
            progress.end(&run);
            return Ok(run);
        }
        tokio::time::sleep(LOOK_EVERY).await;
    }
}

/// A bar on a terminal; elsewhere a line for every change of a step.
struct Progress {
    bar: ProgressBar,
    title: String,
    seen: HashMap<Step, (StepStatus, u32)>,
}

impl Progress {
    fn new(title: &str, first: NaiveDate, last: NaiveDate) -> Self {
        let days = if first == last { first.to_string() } else { format!("{first} to {last}") };
        let style = ProgressStyle::with_template("{prefix} [{bar:24}] {pos}/{len} {msg} ({elapsed})");
        let bar = ProgressBar::new(Step::ALL.len() as u64)
            .with_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()))
            .with_prefix(format!("{title}, {days}"));
        Self { bar, title: format!("{title}, {days}"), seen: HashMap::new() }
    }

    fn show(&mut self, run: &RunView) {
        for step in &run.steps {
            let now = (step.status, step.attempts);
            if self.seen.insert(step.step, now) != Some(now) {
                self.changed(step);
            }
        }
        let done = run.steps.iter().filter(|step| step.status == StepStatus::Completed).count();
        self.bar.set_position(done as u64);
    }

    fn changed(&self, step: &StepView) {
        if step.status == StepStatus::Waiting && step.failure.is_none() {
            return;
        }
        let text = describe(step);
        if self.bar.is_hidden() {
            say(&format!("{}: step {}/{} {text}", self.title, step.step.number(), Step::ALL.len()));
        } else {
            self.bar.set_message(text);
        }
    }

    fn end(&self, run: &RunView) {
        self.bar.abandon_with_message(run.status.name());
    }
}

fn describe(step: &StepView) -> String {
    let counts: Vec<String> = step.counts.iter().map(|(name, count)| format!("{count} {name}")).collect();
    let failure = step.failure.as_ref().map(|failure| format!(": {}", failure.message)).unwrap_or_default();
    let counts = if counts.is_empty() { String::new() } else { format!(" ({})", counts.join(", ")) };
    format!("{} {}{counts}{failure}", step.step.name(), step.status.name())
}
