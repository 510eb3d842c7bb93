//! Buckets in this process. A full bucket is one that is not remembered.

use std::collections::HashMap;
use std::hash::Hash;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

use super::Rate;

/// Buckets by their keys. Holds so many at most: beyond that, those that are nearest to full are forgotten, which is to
/// say filled.
pub(super) struct Buckets<K> {
    /// When each is full.
    full_at: Mutex<HashMap<K, Instant>>,
    most: usize,
}

/// What a question to some buckets brought.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Taken {
    /// Whether all gave. Where not, none did.
    pub(super) given: bool,
    /// How long until each is full.
    pub(super) full_in: Vec<Duration>,
}

impl<K: Copy + Eq + Hash> Buckets<K> {
    pub(super) fn new(most: usize) -> Self {
        Self { full_at: Mutex::default(), most }
    }

    /// Where some bucket would refuse for longer than `slack`: how full all of them are.
    pub(super) fn refusal(&self, keys: &[K], rate: Rate, slack: Duration, now: Instant) -> Option<Taken> {
        let buckets = self.lock();
        let full_in: Vec<Duration> = keys.iter().map(|key| full_in(&buckets, key, now)).collect();
        let refused = full_in.iter().any(|full_in| rate.wait(*full_in) > slack);
        refused.then_some(Taken { given: false, full_in })
    }

    /// Takes one from each bucket, or from none where one refuses.
    pub(super) fn take(&self, keys: &[K], rate: Rate, now: Instant) -> Taken {
        let mut buckets = self.lock();
        let mut full_in: Vec<Duration> = keys.iter().map(|key| full_in(&buckets, key, now)).collect();
        let given = full_in.iter().all(|full_in| rate.wait(*full_in).is_zero());
        if given {
            for (key, full_in) in keys.iter().zip(&mut full_in) {
                *full_in += rate.interval();
                self.remember(&mut buckets, *key, now + *full_in, now);
            }
        }
        Taken { given, full_in }
    }

    /// Remembers how full others say that the buckets are. An answer that was overtaken by a later one changes nothing.
    pub(super) fn learn(&self, keys: &[K], full_in: &[Duration], now: Instant) {
        let mut buckets = self.lock();
        for (key, full_in) in keys.iter().zip(full_in) {
            let known = buckets.get(key).copied().unwrap_or(now);
            self.remember(&mut buckets, *key, known.max(now + *full_in), now);
        }
    }

    fn remember(&self, buckets: &mut HashMap<K, Instant>, key: K, full_at: Instant, now: Instant) {
        if buckets.len() >= self.most && !buckets.contains_key(&key) {
            make_room(buckets, self.most, now);
        }
        buckets.insert(key, full_at);
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<K, Instant>> {
        self.full_at.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn full_in<K: Eq + Hash>(buckets: &HashMap<K, Instant>, key: &K, now: Instant) -> Duration {
    buckets.get(key).map_or(Duration::ZERO, |full_at| full_at.saturating_duration_since(now))
}

/// Forgets what is full; where that is less than half, also what is nearest to it. So the work is shared by as many keys as
/// there is room made for.
fn make_room<K: Copy + Eq + Hash>(buckets: &mut HashMap<K, Instant>, most: usize, now: Instant) {
    buckets.retain(|_, full_at| *full_at > now);
    if buckets.len() > most / 2 {
        let mut ends: Vec<Instant> = buckets.values().copied().collect();
        let (_, median, _) = ends.select_nth_unstable(buckets.len() / 2);
        let median = *median;
        buckets.retain(|_, full_at| *full_at > median);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MINUTE: Duration = Duration::from_mins(1);

    fn five() -> Rate {
        Rate::per_window(5, MINUTE)
    }

    #[test]
    fn a_burst_is_given_and_then_one_at_a_time() {
        let (buckets, now) = (Buckets::new(100), Instant::now());
        assert!((0..5).all(|_| buckets.take(&["a"], five(), now).given));
        assert!(!buckets.take(&["a"], five(), now).given);
        assert!(buckets.take(&["b"], five(), now).given);
        let later = now + Duration::from_secs(12);
        assert!(buckets.refusal(&["a"], five(), Duration::ZERO, later).is_none());
        assert!(buckets.take(&["a"], five(), later).given);
        assert!(!buckets.take(&["a"], five(), later).given);
    }

    /// Seen to fail with a loop that took from each bucket as it came to it.
    #[test]
    fn where_one_refuses_none_gives() {
        let (buckets, now) = (Buckets::new(100), Instant::now());
        assert!((0..5).all(|_| buckets.take(&["used up"], five(), now).given));
        assert!((0..9).all(|_| !buckets.take(&["fresh", "used up"], five(), now).given));
        assert!((0..5).all(|_| buckets.take(&["fresh"], five(), now).given));
    }

    #[test]
    fn what_others_say_counts_and_the_later_word_stays() {
        let (buckets, now) = (Buckets::new(100), Instant::now());
        buckets.learn(&["a"], &[MINUTE], now);
        buckets.learn(&["a"], &[Duration::from_secs(12)], now);
        let known = Taken { given: false, full_in: vec![MINUTE, Duration::ZERO] };
        assert_eq!(buckets.refusal(&["a", "b"], five(), Duration::ZERO, now), Some(known));
        assert_eq!(buckets.refusal(&["a", "b"], five(), Duration::from_secs(12), now), None);
    }

    /// Seen to fail with room made by forgetting everything.
    #[test]
    fn memory_is_bounded_and_those_who_ask_most_are_remembered() {
        let (buckets, now) = (Buckets::new(1_000), Instant::now());
        while buckets.take(&[0], five(), now).given {}
        for stranger in 1..100_000 {
            assert!(buckets.take(&[stranger], five(), now).given);
        }
        assert!(buckets.lock().len() <= 1_000);
        assert!(buckets.refusal(&[0], five(), Duration::ZERO, now).is_some());
        let mut all = buckets.lock();
        make_room(&mut all, 1_000, now + MINUTE);
        assert!(all.is_empty());
    }
}
