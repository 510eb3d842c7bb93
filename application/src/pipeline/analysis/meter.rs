//! Counts the calls of an attempt while they are answered, so that they are known however the attempt ends.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, OnceLock, PoisonError};

use domain::ids::AttemptId;
use domain::job_run::{AiCalls, Run, Step};
use domain::money::TokenPrice;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::ports::services::{Completion, Tokens};

/// By which settings the AI is asked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::pipeline) struct Terms {
    /// The version of the settings, and so of the prompt.
    pub(in crate::pipeline) prompt_version: u32,
    /// The model.
    pub(in crate::pipeline) model: String,
    /// What its tokens cost.
    pub(in crate::pipeline) price: Option<TokenPrice>,
}

/// An answer that is remembered, and who paid for it.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Remembered {
    pub(super) answer: Completion,
    /// What the answer took: the call, and the one before it where that was mended.
    pub(super) calls: AiCalls,
    /// The attempt that accounts for these calls.
    pub(super) payer: Uuid,
}

/// The calls of one attempt.
#[derive(Debug)]
pub(in crate::pipeline) struct Meter {
    payer: Uuid,
    /// Earlier attempts whose calls are not recorded: their workers died. What they paid for is taken over.
    lost: Vec<Uuid>,
    calls: Mutex<AiCalls>,
    /// Whether the provider did not tell what a call took: every question has tokens.
    untold: AtomicBool,
    terms: OnceLock<Terms>,
}

impl Meter {
    /// Of an attempt at a run.
    pub(in crate::pipeline) fn of_attempt(run: &Run, attempt_id: AttemptId) -> Self {
        let earlier = (1..run.begun).map(|number| AttemptId::of(run.run_id, Step::Analyse, number));
        let lost = earlier.filter(|earlier| !run.metered.contains(earlier)).map(AttemptId::uuid).collect();
        Self {
            payer: attempt_id.uuid(),
            lost,
            calls: Mutex::default(),
            untold: AtomicBool::new(false),
            terms: OnceLock::new(),
        }
    }

    /// Of what is tried apart from any run.
    pub(in crate::pipeline) fn apart() -> Self {
        Self {
            payer: Uuid::nil(),
            lost: Vec::new(),
            calls: Mutex::default(),
            untold: AtomicBool::new(false),
            terms: OnceLock::new(),
        }
    }

    /// Says by which settings this attempt asks. The first word holds: all its calls go by the same.
    pub(in crate::pipeline) fn asks(&self, terms: Terms) {
        self.terms.get_or_init(|| terms);
    }

    /// By which settings it asks, without the price where the cost cannot be told; none where it asks nothing.
    pub(in crate::pipeline) fn terms(&self) -> Option<Terms> {
        let terms = self.terms.get()?.clone();
        let price = terms.price.filter(|_| !self.untold.load(Ordering::Relaxed));
        Some(Terms { price, ..terms })
    }

    /// What was answered so far.
    pub(in crate::pipeline) fn total(&self) -> AiCalls {
        *self.calls.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn payer(&self) -> Uuid {
        self.payer
    }

    /// Whether calls that this attempt paid for are known to nobody but their answers.
    pub(super) fn takes_over(&self, payer: Uuid) -> bool {
        self.lost.contains(&payer)
    }

    pub(super) fn count(&self, calls: AiCalls) {
        if calls.calls > 0 && calls.input_tokens == 0 {
            self.untold.store(true, Ordering::Relaxed);
        }
        let mut total = self.calls.lock().unwrap_or_else(PoisonError::into_inner);
        *total = *total + calls;
    }
}

/// The most tokens that a call is taken to have used, whatever its provider says: sums stay numbers that the database can add up.
const MOST_TOKENS: u64 = 1 << 32;

/// One call of so many tokens.
pub(super) fn one_call(Tokens { input, output }: Tokens) -> AiCalls {
    AiCalls { calls: 1, input_tokens: input.min(MOST_TOKENS), output_tokens: output.min(MOST_TOKENS) }
}
