//! The AI's narrative: asked in one piece, or in parts that are merged where the package is larger than the model
//! reads. Every answer is validated against a JSON schema; a bad one gets one repair attempt, then the step fails.

mod answer;
mod prompt;
mod split;
#[cfg(test)]
mod tests;

use domain::ids::TenantId;
use domain::narrative::Narrative;
use domain::period::Period;
use domain::values::Language;
use serde::{Deserialize, Serialize};

use self::answer::{AnswerCheck, Rejection};
use self::prompt::Task;
use super::package::Package;
use super::work::StepError;
use crate::ports::services::{Analyst, Completion, Prompt};
use crate::ports::staging::Staging;

/// What the analyst is told besides the package.
pub(super) struct Brief {
    /// The language to write in.
    pub(super) language: Language,
    /// The time that the package covers.
    pub(super) period: Period,
    /// What the tenant wants looked at.
    pub(super) wishes: String,
}

/// The narrative and who wrote it, as step 6 stages it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Analysed {
    pub(super) narrative: Narrative,
    pub(super) model: String,
}

/// What the calls to the AI cost.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Usage {
    pub(super) calls: usize,
    pub(super) input_tokens: usize,
    pub(super) output_tokens: usize,
}

impl Usage {
    fn add(&mut self, completion: &Completion) {
        let tokens = |count: u64| usize::try_from(count).unwrap_or(usize::MAX);
        self.calls += 1;
        self.input_tokens += tokens(completion.input_tokens);
        self.output_tokens += tokens(completion.output_tokens);
    }
}

/// A narrative with its cost.
#[derive(Debug)]
pub(super) struct WithUsage {
    pub(super) result: Analysed,
    pub(super) usage: Usage,
}

/// One analysis.
pub(super) struct Analysis<'a> {
    analyst: &'a dyn Analyst,
    staging: &'a dyn Staging,
    tenant: TenantId,
    brief: Brief,
    model: String,
    check: AnswerCheck,
}

impl<'a> Analysis<'a> {
    pub(super) fn new(
        analyst: &'a dyn Analyst,
        staging: &'a dyn Staging,
        tenant: TenantId,
        brief: Brief,
        model: String,
    ) -> Self {
        Self { analyst, staging, tenant, brief, model, check: AnswerCheck::new() }
    }

    /// The narrative of the package.
    pub(super) async fn of(&self, package: &Package) -> Result<WithUsage, StepError> {
        let mut usage = Usage::default();
        let limit = self.analyst.input_token_limit().await?;
        let whole = Task::analyse(&self.brief, Some(&package.metrics), &package.dialogues);
        if split::fits(&prompt::of(&self.brief, &whole), limit) {
            let narrative = self.ask(&whole, &mut usage).await?;
            return Ok(self.done(narrative, usage));
        }
        let room = split::room(&prompt::of(&self.brief, &Task::analyse(&self.brief, None, &[])), limit)?;
        let mut narratives = Vec::new();
        for dialogues in split::dialogues(&package.dialogues, room) {
            let part = Task::analyse(&self.brief, None, &dialogues);
            narratives.push(self.ask(&part, &mut usage).await?);
        }
        let narrative = self.merge(package, narratives, limit, &mut usage).await?;
        Ok(self.done(narrative, usage))
    }

    /// Merges narratives, in rounds where they do not fit into one question.
    async fn merge(
        &self,
        package: &Package,
        mut parts: Vec<Narrative>,
        limit: u32,
        usage: &mut Usage,
    ) -> Result<Narrative, StepError> {
        loop {
            let whole = Task::merge(&self.brief, Some(&package.metrics), &parts);
            if split::fits(&prompt::of(&self.brief, &whole), limit) {
                return self.ask(&whole, usage).await;
            }
            let room = split::room(&prompt::of(&self.brief, &Task::merge(&self.brief, None, &[])), limit)?;
            let groups = split::groups(parts, room);
            if groups.iter().all(|group| group.len() == 1) {
                return Err(split::too_small());
            }
            parts = Vec::new();
            for group in groups {
                let merged = match <[Narrative; 1]>::try_from(group) {
                    Ok([single]) => single,
                    Err(group) => self.ask(&Task::merge(&self.brief, None, &group), usage).await?,
                };
                parts.push(merged);
            }
        }
    }

    /// A valid answer: asked once, and once more with what was wrong. One that was paid for before a crash is not paid
    /// for again; one that was refused is not kept.
    async fn ask(&self, task: &Task<'_>, usage: &mut Usage) -> Result<Narrative, StepError> {
        let known = task.known_ids();
        let prompt = prompt::of(&self.brief, task);
        let question = [self.model.as_str(), &prompt.system, &prompt.user].join("\u{1f}");
        if let Some(remembered) = self.remembered(&question).await?
            && let Ok(narrative) = self.check.narrative(&remembered.text, &known)
        {
            usage.add(&remembered);
            return Ok(narrative);
        }
        let first = self.complete(&prompt, usage).await?;
        let (narrative, answer) = match self.check.narrative(&first.text, &known) {
            Ok(narrative) => (narrative, first),
            Err(rejection) => {
                tracing::info!(problems = ?rejection.problems, "the AI's answer is not valid; asking once more");
                let repair = prompt::repair(&self.brief, task, &first.text, &rejection);
                let second = self.complete(&repair, usage).await?;
                let repaired = self.check.narrative(&second.text, &known);
                (repaired.map_err(|rejection| refused(&rejection))?, second)
            }
        };
        let bytes = serde_json::to_vec(&answer).map_err(|error| crate::PortError::Internal(error.into()))?;
        self.staging.remember(self.tenant, question.as_bytes(), &bytes).await?;
        Ok(narrative)
    }

    async fn remembered(&self, question: &str) -> Result<Option<Completion>, StepError> {
        let bytes = self.staging.recall(self.tenant, question.as_bytes()).await?;
        Ok(bytes.and_then(|bytes| serde_json::from_slice(&bytes).ok()))
    }

    async fn complete(&self, prompt: &Prompt, usage: &mut Usage) -> Result<Completion, StepError> {
        let completion = self.analyst.complete(prompt).await?;
        usage.add(&completion);
        Ok(completion)
    }

    fn done(&self, narrative: Narrative, usage: Usage) -> WithUsage {
        WithUsage { result: Analysed { narrative, model: self.model.clone() }, usage }
    }
}

fn refused(rejection: &Rejection) -> StepError {
    let first = rejection.problems.first().map(String::as_str).unwrap_or_default();
    StepError::permanent(
        format!("the AI's answer did not have the expected form, twice ({first})"),
        "Choose another model in Settings → AI, or shorten your prompt there, and start the run again.",
    )
}
