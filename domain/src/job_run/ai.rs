//! What the AI did for a run, and what it cost.
//!
//! It is recorded when an attempt ends, however it ends, so that calls of failed attempts are known too. Each record is of all
//! attempts so far: whoever reads it has nothing to add up.

use std::ops::Add;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use super::{JobRun, JobRunError, JobRunEvent, Step};
use crate::ids::AttemptId;
use crate::money::{Cost, TokenPrice};

/// Calls of the AI that were answered, and their tokens.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct AiCalls {
    /// How many.
    pub calls: u64,
    /// Tokens that the model read.
    pub input_tokens: u64,
    /// Tokens that it wrote.
    pub output_tokens: u64,
}

impl Add for AiCalls {
    type Output = Self;

    fn add(self, other: Self) -> Self {
        Self {
            calls: self.calls.saturating_add(other.calls),
            input_tokens: self.input_tokens.saturating_add(other.input_tokens),
            output_tokens: self.output_tokens.saturating_add(other.output_tokens),
        }
    }
}

/// What the AI did for a run so far.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AiUse {
    /// The version of the AI's settings, and so of the prompt, that the last attempt used whose calls are known.
    pub prompt_version: u32,
    /// The model that it asked.
    pub model: String,
    /// The calls of all attempts that are known.
    pub total: AiCalls,
    /// What they cost, each attempt by the prices of its own settings; none where that is not known of one of them, or they are
    /// in several currencies.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cost: Option<Cost>,
}

/// What one attempt asked the AI.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Metered {
    /// The attempt.
    pub attempt_id: AttemptId,
    /// The version of the AI's settings that it used.
    pub prompt_version: u32,
    /// The model that it asked.
    pub model: String,
    /// Its calls, and those that it took over from attempts that were lost.
    pub calls: AiCalls,
    /// The prices of those settings; none where the company has entered none, or the provider did not tell what a call took.
    pub price: Option<TokenPrice>,
    /// Now.
    pub at: DateTime<Utc>,
}

impl JobRun {
    /// What was asked was asked, whatever became of the run meanwhile. An attempt is recorded once, and not any more when another
    /// one has begun after it: that one accounts for its answers.
    pub(super) fn meter(&self, metered: Metered) -> Result<Vec<JobRunEvent>, JobRunError> {
        let run = self.run().ok_or(JobRunError::NotFound)?;
        let Metered { attempt_id, prompt_version, model, calls, price, at } = metered;
        let is_last = attempt_id == AttemptId::of(run.run_id, Step::Analyse, run.begun) && run.step == Step::Analyse;
        if !is_last || run.metered.contains(&attempt_id) {
            return Ok(Vec::new());
        }
        let own = price.map(|price| price.of(calls.input_tokens, calls.output_tokens));
        let (total, cost) = match &run.ai {
            None => (calls, own),
            Some(before) if calls.calls == 0 => (before.total, before.cost.clone()),
            Some(before) => {
                let both = before.cost.as_ref().zip(own);
                (before.total + calls, both.and_then(|(before, own)| before.plus(&own)))
            }
        };
        let (run_id, tenant_id) = (run.run_id, run.tenant_id);
        Ok(vec![JobRunEvent::AiUsed { run_id, tenant_id, attempt_id, prompt_version, model, total, cost, at }])
    }
}
