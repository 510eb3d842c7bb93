//! How much each service bears, and the counters that enforce it.

use std::{
    collections::{HashMap, VecDeque},
    hash::Hash,
    sync::{Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

/// What each service bears before it answers 429. [`Limits::NONE`] lifts a single one of them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Requests a second; the next one is refused (amoCRM sheet §5).
    pub amocrm_per_second: u32,
    /// Requests a second. The vendor publishes no number, so there is none by default (Radist sheet §1).
    pub radist_per_second: u32,
    /// Requests a minute, of `generateContent` and of `chat/completions`, each counted for itself.
    pub gemini_per_minute: u32,
    /// Messages a second to one chat (Telegram sheet §5).
    pub telegram_per_second_per_chat: u32,
    /// Messages a minute to one group (Telegram sheet §5).
    pub telegram_per_minute_per_group: u32,
    /// Input limit of the large models, in tokens; the small ones stay at 32,768.
    pub gemini_input_tokens: u32,
    /// Models of a page of the list, however many are asked for (Gemini sheet §2).
    pub gemini_models_per_page: u32,
}

impl Limits {
    /// The value of a rate that is not limited.
    pub const NONE: u32 = u32::MAX;
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            amocrm_per_second: 7,
            radist_per_second: Self::NONE,
            gemini_per_minute: 1_000,
            telegram_per_second_per_chat: 1,
            telegram_per_minute_per_group: 20,
            gemini_input_tokens: 1_048_576,
            gemini_models_per_page: 1_000,
        }
    }
}

/// Counts what was let through in a sliding period, for each key apart.
pub(crate) struct Window<K> {
    limit: u32,
    period: Duration,
    passed: Mutex<HashMap<K, VecDeque<Instant>>>,
}

impl<K: Eq + Hash> Window<K> {
    pub(crate) fn new(limit: u32, period: Duration) -> Self {
        Self { limit, period, passed: Mutex::default() }
    }

    /// How long `key` must wait before it may pass; nothing if it may pass now.
    pub(crate) fn wait(&self, key: &K, now: Instant) -> Option<Duration> {
        self.locked().get(key).and_then(|recent| self.wait_after(recent, now))
    }

    /// Counts one that passed.
    pub(crate) fn count(&self, key: K, now: Instant) {
        self.count_after(self.locked().entry(key).or_default(), now);
    }

    /// Lets one pass and counts it, or says how long to wait.
    pub(crate) fn pass(&self, key: K) -> Result<(), Duration> {
        let now = Instant::now();
        let mut passed = self.locked();
        let recent = passed.entry(key).or_default();
        if let Some(wait) = self.wait_after(recent, now) {
            return Err(wait);
        }
        self.count_after(recent, now);
        Ok(())
    }

    fn wait_after(&self, recent: &VecDeque<Instant>, now: Instant) -> Option<Duration> {
        let inside = recent.iter().filter(|at| now.duration_since(**at) < self.period).count();
        let surplus = (inside + 1).checked_sub(self.limit as usize).filter(|surplus| *surplus > 0)?;
        let frees = recent.get(recent.len() - inside + surplus - 1).copied().unwrap_or(now);
        Some(self.period.saturating_sub(now.duration_since(frees)))
    }

    fn count_after(&self, recent: &mut VecDeque<Instant>, now: Instant) {
        if self.limit == Limits::NONE {
            return;
        }
        while recent.front().is_some_and(|at| now.duration_since(*at) >= self.period) {
            recent.pop_front();
        }
        recent.push_back(now);
    }

    fn locked(&self) -> MutexGuard<'_, HashMap<K, VecDeque<Instant>>> {
        self.passed.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Whole seconds, rounded up, at least one: what `Retry-After` carries.
pub(crate) fn whole_seconds(wait: Duration) -> u64 {
    let rounded = if wait.subsec_nanos() > 0 { wait.as_secs() + 1 } else { wait.as_secs() };
    rounded.max(1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_one_over_the_limit_waits_until_the_oldest_leaves_the_period() {
        let window = Window::new(2, Duration::from_secs(1));
        let start = Instant::now();
        for after in [0, 300] {
            let now = start + Duration::from_millis(after);
            assert_eq!(window.wait(&"a", now), None);
            window.count("a", now);
        }
        let now = start + Duration::from_millis(400);
        assert_eq!(window.wait(&"a", now), Some(Duration::from_millis(600)));
        assert_eq!(window.wait(&"b", now), None);
        assert_eq!(window.wait(&"a", start + Duration::from_secs(1)), None);
    }

    #[test]
    fn retry_after_is_never_zero() {
        assert_eq!(whole_seconds(Duration::from_millis(1)), 1);
        assert_eq!(whole_seconds(Duration::from_millis(2_001)), 3);
        assert_eq!(whole_seconds(Duration::ZERO), 1);
    }
}
