//! What a process remembers of the log for as long as a follower tells it what has changed.
//!
//! Whoever looks something up in the log and wants to remember it says what had been forgotten before the look: a look that
//! was overtaken by a change since may not hold that change, and is not kept.

use std::collections::HashMap;
use std::hash::Hash;
use std::sync::{OnceLock, PoisonError, RwLock};
use std::time::{Duration, Instant};

use crate::follower::Freshness;

/// A bounded map from keys to what was found under them.
pub(crate) struct FollowedCache<K, V> {
    kept: RwLock<Kept<K, V>>,
    most: usize,
    life: Duration,
    freshness: OnceLock<Freshness>,
}

struct Kept<K, V> {
    entries: HashMap<K, (V, Instant)>,
    /// Counts what was forgotten, so that a look can tell whether it was overtaken.
    forgotten: u64,
}

/// The state of a cache before a look at the log.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) struct BeforeLook(u64);

/// Whether what is remembered can be relied on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Sight {
    /// The follower has seen the end of the log lately.
    Clear,
    /// It has not.
    Lost,
    /// Nobody follows the log.
    Never,
}

impl<K: Eq + Hash, V: Clone> FollowedCache<K, V> {
    /// An empty one of so many entries, each of which is remembered for so long at most.
    pub(crate) fn new(most: usize, life: Duration) -> Self {
        let kept = RwLock::new(Kept { entries: HashMap::new(), forgotten: 0 });
        Self { kept, most, life, freshness: OnceLock::new() }
    }

    /// Says where to ask how current the cache is. The first one stays.
    pub(crate) fn follow(&self, freshness: Freshness) {
        self.freshness.get_or_init(|| freshness);
    }

    /// Whether the end of the log was seen within this time.
    pub(crate) fn sight(&self, within: Duration) -> Sight {
        match self.freshness.get() {
            Some(freshness) if freshness.within(within) => Sight::Clear,
            Some(_) => Sight::Lost,
            None => Sight::Never,
        }
    }

    /// What is remembered under the key. Whether that can be relied on, [`Self::sight`] says.
    pub(crate) fn get(&self, key: &K) -> Option<V> {
        let kept = self.kept.read().unwrap_or_else(PoisonError::into_inner);
        let found = kept.entries.get(key).filter(|(_, since)| since.elapsed() < self.life);
        found.map(|(value, _)| value.clone())
    }

    /// What to remember before a look whose outcome shall be kept.
    pub(crate) fn before_look(&self) -> BeforeLook {
        BeforeLook(self.kept.read().unwrap_or_else(PoisonError::into_inner).forgotten)
    }

    /// Remembers what the look has found, unless anything was forgotten since. A full cache begins anew.
    pub(crate) fn keep(&self, key: K, value: V, before: BeforeLook) {
        let mut kept = self.kept.write().unwrap_or_else(PoisonError::into_inner);
        if BeforeLook(kept.forgotten) != before {
            return;
        }
        if kept.entries.len() >= self.most {
            kept.entries.clear();
        }
        kept.entries.insert(key, (value, Instant::now()));
    }

    /// Forgets what is kept under these keys.
    pub(crate) fn forget(&self, keys: impl Iterator<Item = K>) {
        self.change(|entries| keys.for_each(|key| _ = entries.remove(&key)));
    }

    /// Forgets all that does not stay.
    pub(crate) fn forget_unless(&self, stays: impl Fn(&V) -> bool) {
        self.change(|entries| entries.retain(|_, (value, _)| stays(value)));
    }

    /// Forgets everything.
    pub(crate) fn forget_all(&self) {
        self.change(HashMap::clear);
    }

    /// Counts under the lock under which looks are kept, so that none slips in between the count and the map.
    fn change(&self, change: impl FnOnce(&mut HashMap<K, (V, Instant)>)) {
        let mut kept = self.kept.write().unwrap_or_else(PoisonError::into_inner);
        kept.forgotten += 1;
        change(&mut kept.entries);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LONG: Duration = Duration::from_hours(1);

    /// Seen to fail with `keep` that does not compare.
    #[test]
    fn a_look_that_was_overtaken_is_not_kept() {
        let cache = FollowedCache::new(10, LONG);
        let before = cache.before_look();
        cache.forget([9_u8].into_iter());
        cache.keep(1, 1, before);
        assert_eq!(cache.get(&1), None);
        cache.keep(1, 2, cache.before_look());
        assert_eq!(cache.get(&1), Some(2));
        cache.forget([1].into_iter());
        assert_eq!(cache.get(&1), None);
    }

    #[test]
    fn it_is_bounded_in_size_and_time() {
        let cache = FollowedCache::new(2, LONG);
        for n in 0..5 {
            cache.keep(n, n, cache.before_look());
        }
        let kept: Vec<u8> = (0..5).filter_map(|n| cache.get(&n)).collect();
        assert!(kept.len() <= 2 && kept.contains(&4), "{kept:?}");
        let brief = FollowedCache::new(2, Duration::ZERO);
        brief.keep(1, 1, brief.before_look());
        assert_eq!(brief.get(&1), None, "its time is over at once");
        assert_eq!(brief.sight(LONG), Sight::Never);
    }
}
