//! The AI's narrative: asked in one piece, or in parts that are merged where the package is larger than the model
//! reads. Every answer is validated against a JSON schema; a bad one gets one repair attempt, then the step fails.

mod answer;
mod meter;
mod prompt;
mod split;
#[cfg(test)]
mod tests;

use domain::ids::TenantId;
use domain::job_run::AiCalls;
use domain::narrative::Narrative;
use domain::period::Period;
use domain::values::Language;
use serde::{Deserialize, Serialize};

use self::answer::{AnswerCheck, Rejection};
pub(super) use self::meter::{Meter, Terms};
use self::meter::{Remembered, one_call};
use self::prompt::Task;
use super::package::Package;
use super::work::StepError;
use crate::ports::services::{Analyst, Completion, Prompt, Tokens};
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
    /// The version of the settings that it was asked by; none where nobody says, as earlier releases did not.
    #[serde(default)]
    pub(super) prompt_version: Option<u32>,
}

/// One analysis.
pub(super) struct Analysis<'a> {
    analyst: &'a dyn Analyst,
    staging: &'a dyn Staging,
    tenant: TenantId,
    brief: Brief,
    model: String,
    meter: &'a Meter,
    check: AnswerCheck,
}

impl<'a> Analysis<'a> {
    pub(super) fn new(
        analyst: &'a dyn Analyst,
        staging: &'a dyn Staging,
        tenant: TenantId,
        brief: Brief,
        model: String,
        meter: &'a Meter,
    ) -> Self {
        Self { analyst, staging, tenant, brief, model, meter, check: AnswerCheck::new() }
    }

    /// The narrative of the package. What it took is counted by the meter.
    pub(super) async fn of(&self, package: &Package) -> Result<Analysed, StepError> {
        let limit = self.analyst.input_token_limit().await?;
        let whole = Task::analyse(&self.brief, Some(&package.metrics), &package.dialogues);
        if split::fits(&prompt::of(&self.brief, &whole), limit) {
            return Ok(self.done(self.ask(&whole).await?));
        }
        let room = split::room(&prompt::of(&self.brief, &Task::analyse(&self.brief, None, &[])), limit)?;
        let mut narratives = Vec::new();
        for dialogues in split::dialogues(&package.dialogues, room) {
            let part = Task::analyse(&self.brief, None, &dialogues);
            narratives.push(self.ask(&part).await?);
        }
        Ok(self.done(self.merge(package, narratives, limit).await?))
    }

    /// Merges narratives, in rounds where they do not fit into one question.
    async fn merge(&self, package: &Package, mut parts: Vec<Narrative>, limit: u32) -> Result<Narrative, StepError> {
        loop {
            let whole = Task::merge(&self.brief, Some(&package.metrics), &parts);
            if split::fits(&prompt::of(&self.brief, &whole), limit) {
                return self.ask(&whole).await;
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
                    Err(group) => self.ask(&Task::merge(&self.brief, None, &group)).await?,
                };
                parts.push(merged);
            }
        }
    }

    /// A valid answer: asked once, and once more with what was wrong. One that was paid for before a crash is not paid
    /// for again; one that was refused is not kept.
    async fn ask(&self, task: &Task<'_>) -> Result<Narrative, StepError> {
        let known = task.known_ids();
        let prompt = prompt::of(&self.brief, task);
        let question = [self.model.as_str(), &prompt.system, &prompt.user].join("\u{1f}");
        if let Some(remembered) = self.remembered(&question).await?
            && let Ok(narrative) = self.check.narrative(&remembered.answer.text, &known)
        {
            if self.meter.takes_over(remembered.payer) {
                self.remember(&question, remembered.answer, remembered.calls).await?;
                self.meter.count(remembered.calls);
            }
            return Ok(narrative);
        }
        let (first, calls) = self.complete(&prompt).await?;
        let (narrative, answer, calls) = match self.check.narrative(&first.text, &known) {
            Ok(narrative) => (narrative, first, calls),
            Err(rejection) => {
                tracing::info!(problems = ?rejection.problems, "the AI's answer is not valid; asking once more");
                let repair = prompt::repair(&self.brief, task, &first.text, &rejection);
                let (second, mended) = self.complete(&repair).await?;
                let repaired = self.check.narrative(&second.text, &known);
                (repaired.map_err(|rejection| refused(&rejection))?, second, calls + mended)
            }
        };
        self.remember(&question, answer, calls).await?;
        Ok(narrative)
    }

    /// Keeps an answer, for whose calls this attempt accounts from now on.
    async fn remember(&self, question: &str, answer: Completion, calls: AiCalls) -> Result<(), StepError> {
        let remembered = Remembered { answer, calls, payer: self.meter.payer() };
        let bytes = serde_json::to_vec(&remembered).map_err(|error| crate::PortError::Internal(error.into()))?;
        Ok(self.staging.remember(self.tenant, question.as_bytes(), &bytes).await?)
    }

    async fn remembered(&self, question: &str) -> Result<Option<Remembered>, StepError> {
        let bytes = self.staging.recall(self.tenant, question.as_bytes()).await?;
        Ok(bytes.and_then(|bytes| serde_json::from_slice(&bytes).ok()))
    }

    /// An answer, and what it took. A call that failed is counted too where the provider says what it took.
    async fn complete(&self, prompt: &Prompt) -> Result<(Completion, AiCalls), StepError> {
        let answered = self.analyst.complete(prompt).await;
        let tokens = match &answered {
            Ok(Completion { input_tokens, output_tokens, .. }) => {
                Some(Tokens { input: *input_tokens, output: *output_tokens })
            }
            Err(error) => error.tokens,
        };
        let calls = tokens.map(one_call).unwrap_or_default();
        self.meter.count(calls);
        Ok((answered?, calls))
    }

    fn done(&self, narrative: Narrative) -> Analysed {
        let prompt_version = self.meter.terms().map(|terms| terms.prompt_version);
        Analysed { narrative, model: self.model.clone(), prompt_version }
    }
}

fn refused(rejection: &Rejection) -> StepError {
    let first = rejection.problems.first().map(String::as_str).unwrap_or_default();
    StepError::permanent(
        format!("the AI's answer did not have the expected form, twice ({first})"),
        "Choose another model in Settings → AI, or shorten your prompt there, and start the run again.",
    )
}
