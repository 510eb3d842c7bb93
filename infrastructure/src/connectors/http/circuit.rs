//! The circuit breaker of one account: a service that is out of order is left alone for a while, then tried by one call.
//!
//! | state | a call | leaves it |
//! |---|---|---|
//! | closed | goes through | after several outages in a row, or when half of the last calls were some |
//! | open | is refused at once | when its pause is over |
//! | half-open | the first one goes through as a probe, others come back soon | with the probe: closed, or open for longer |
//!
//! An outage is no connection, no whole answer, or a failure of the service's own. A refusal, of a bad key as of too many
//! requests, is none: the service works.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use application::ports::circuits::CircuitState;
use backon::{BackoffBuilder, ExponentialBackoff, ExponentialBuilder};
use tokio::time::Instant;

/// How many of the last calls count.
const REMEMBERED: u32 = 20;

/// When a circuit opens, and for how long.
#[derive(Debug, Clone)]
pub struct CircuitOptions {
    /// Outages in a row that open it.
    pub outages: u32,
    /// The first pause. It doubles with each probe that fails, with jitter.
    pub first_pause: Duration,
    /// The longest pause.
    pub longest_pause: Duration,
}

impl Default for CircuitOptions {
    fn default() -> Self {
        Self { outages: 5, first_pause: Duration::from_secs(15), longest_pause: Duration::from_mins(5) }
    }
}

impl CircuitOptions {
    fn pauses(&self) -> ExponentialBackoff {
        ExponentialBuilder::new()
            .with_min_delay(self.first_pause)
            .with_max_delay(self.longest_pause)
            .without_max_times()
            .with_jitter()
            .build()
    }
}

/// What a call says of the service.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Sign {
    /// It works.
    Works,
    /// It is out of order; what happened, in words for the tenant's user.
    Outage(String),
    /// Neither: it was not asked, or asked to be left alone.
    Nothing,
}

/// Why a call does not go through.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Refused {
    /// The service is left alone for so long.
    Open { retry_in: Duration, reason: String },
    /// Another call is finding out whether the service works again.
    Probing { reason: String },
}

/// One account's circuit breaker.
pub(super) struct Breaker {
    options: CircuitOptions,
    state: Mutex<State>,
}

struct State {
    phase: Phase,
    /// The last calls, the latest in the lowest bit; a set bit is an outage.
    calls: u32,
    /// How many of the bits are calls.
    seen: u32,
    pauses: ExponentialBackoff,
    reason: String,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Phase {
    Closed,
    Open {
        until: Instant,
    },
    /// A probe is under way.
    Probing,
}

/// The right to make one call. Dropped without a word, it says nothing of the service, and a probe may be made by another.
pub(super) struct Pass<'a> {
    breaker: &'a Breaker,
    is_probe: bool,
}

impl Breaker {
    pub(super) fn new(options: CircuitOptions) -> Self {
        let state = Mutex::new(State::closed(&options));
        Self { options, state }
    }

    /// Lets a call through, or says why not.
    ///
    /// # Errors
    /// While the service is left alone, or another call finds out whether it works.
    pub(super) fn admit(&self, now: Instant) -> Result<Pass<'_>, Refused> {
        let mut state = self.lock();
        match state.phase {
            Phase::Closed => Ok(Pass { breaker: self, is_probe: false }),
            Phase::Open { until } if until > now => {
                Err(Refused::Open { retry_in: until - now, reason: state.reason.clone() })
            }
            Phase::Open { .. } => {
                state.phase = Phase::Probing;
                Ok(Pass { breaker: self, is_probe: true })
            }
            Phase::Probing => Err(Refused::Probing { reason: state.reason.clone() }),
        }
    }

    /// Where it stands.
    pub(super) fn state(&self, now: Instant) -> CircuitState {
        let state = self.lock();
        let reason = || state.reason.clone();
        match state.phase {
            Phase::Closed => CircuitState::Closed,
            Phase::Open { until } if until > now => CircuitState::Open { retry_in: until - now, reason: reason() },
            Phase::Open { .. } | Phase::Probing => CircuitState::HalfOpen { reason: reason() },
        }
    }

    /// Why a call would be refused for a while. None of those that may come back soon.
    pub(super) fn is_open(&self, now: Instant) -> Option<Refused> {
        let retry_in = self.open_for(now)?;
        Some(Refused::Open { retry_in, reason: self.lock().reason.clone() })
    }

    /// How long it is open still; none where calls may be made.
    pub(super) fn open_for(&self, now: Instant) -> Option<Duration> {
        match self.lock().phase {
            Phase::Open { until } => until.checked_duration_since(now).filter(|left| !left.is_zero()),
            Phase::Closed | Phase::Probing => None,
        }
    }

    /// Whether it knows nothing bad of the service.
    pub(super) fn is_untroubled(&self) -> bool {
        let state = self.lock();
        state.phase == Phase::Closed && state.calls == 0
    }

    /// A call that began before the circuit opened has nothing to say any more: only a probe moves it then.
    fn learn(&self, is_probe: bool, sign: Sign, now: Instant) {
        let mut state = self.lock();
        match (state.phase, sign) {
            (Phase::Closed, Sign::Works) => state.remember(false),
            (Phase::Closed, Sign::Outage(reason)) => {
                state.remember(true);
                state.reason = reason;
                if state.is_too_much(self.options.outages) {
                    state.open(now, &self.options);
                }
            }
            (Phase::Probing, Sign::Works) if is_probe => *state = State::closed(&self.options),
            (Phase::Probing, Sign::Outage(reason)) if is_probe => {
                state.reason = reason;
                state.open(now, &self.options);
            }
            (Phase::Probing, Sign::Nothing) if is_probe => state.phase = Phase::Open { until: now },
            _ => {}
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn closed(options: &CircuitOptions) -> Self {
        Self { phase: Phase::Closed, calls: 0, seen: 0, pauses: options.pauses(), reason: String::new() }
    }

    fn remember(&mut self, outage: bool) {
        self.calls = ((self.calls << 1) | u32::from(outage)) & ((1 << REMEMBERED) - 1);
        self.seen = (self.seen + 1).min(REMEMBERED);
    }

    fn is_too_much(&self, in_a_row: u32) -> bool {
        let half = self.seen == REMEMBERED && self.calls.count_ones() >= REMEMBERED / 2;
        self.calls.trailing_ones() >= in_a_row || half
    }

    fn open(&mut self, now: Instant, options: &CircuitOptions) {
        let pause = self.pauses.next().map_or(options.longest_pause, |pause| pause.min(options.longest_pause));
        self.phase = Phase::Open { until: now + pause };
    }
}

impl Pass<'_> {
    /// Tells the breaker what the call has shown.
    pub(super) fn learn(mut self, sign: Sign, now: Instant) {
        let is_probe = std::mem::take(&mut self.is_probe);
        self.breaker.learn(is_probe, sign, now);
    }
}

impl Drop for Pass<'_> {
    fn drop(&mut self) {
        if self.is_probe {
            self.breaker.learn(true, Sign::Nothing, Instant::now());
        }
    }
}

#[cfg(test)]
mod tests;
