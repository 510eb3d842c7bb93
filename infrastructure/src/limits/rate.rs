//! The arithmetic of a bucket, told as the time until it is full (GCRA, ITU-T I.371).

use std::time::Duration;

/// How often something may be done: evenly at a rate, with a few at once after a pause.
///
/// In a time `t`, at most `t / interval + burst` are done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Rate {
    interval: Duration,
    burst: u32,
}

impl Rate {
    /// One in each interval.
    pub(crate) const fn every(interval: Duration) -> Self {
        Self { interval, burst: 1 }
    }

    /// So many a second, evenly spaced.
    pub(crate) fn per_second(count: u32) -> Self {
        Self::every(Duration::from_secs(1) / count.max(1))
    }

    /// So many in each window, all at once where nothing was done before. The interval is whole microseconds, as Redis
    /// counts, and rounded up, so that the window never sees more.
    pub(crate) fn per_window(count: u32, window: Duration) -> Self {
        let micros = window.as_micros().div_ceil(u128::from(count.max(1)));
        Self { interval: Duration::from_micros(u64::try_from(micros).unwrap_or(u64::MAX)), burst: count.max(1) }
    }

    /// What one takes.
    pub(crate) fn interval(self) -> Duration {
        self.interval
    }

    /// What a full bucket holds, as time.
    pub(crate) fn capacity(self) -> Duration {
        self.interval * self.burst
    }

    /// How long until one may be done, where the bucket is full in this time.
    pub(crate) fn wait(self, full_in: Duration) -> Duration {
        (full_in + self.interval).saturating_sub(self.capacity())
    }

    /// How many may be done now, where the bucket is full in this time.
    pub(crate) fn remaining(self, full_in: Duration) -> u32 {
        let left = self.capacity().saturating_sub(full_in).as_nanos();
        u32::try_from(left / self.interval.as_nanos().max(1)).unwrap_or(self.burst)
    }

    /// The time until full that makes the next one wait for so long.
    pub(crate) fn full_in_after(self, pause: Duration) -> Duration {
        pause + self.capacity().saturating_sub(self.interval)
    }

    /// The most at once.
    pub(crate) fn burst(self) -> u32 {
        self.burst
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bucket_empties_one_by_one_and_says_when_to_come_back() {
        let rate = Rate::per_window(5, Duration::from_mins(1));
        assert_eq!(rate.interval(), Duration::from_secs(12));
        let full_in = |taken: u32| rate.interval() * taken;
        assert_eq!([0, 1, 4, 5].map(|taken| rate.remaining(full_in(taken))), [5, 4, 1, 0]);
        assert!(rate.wait(full_in(4)).is_zero());
        assert_eq!(rate.wait(full_in(5)), Duration::from_secs(12));
        assert_eq!(rate.wait(full_in(5).saturating_sub(Duration::from_secs(11))), Duration::from_secs(1));
    }

    #[test]
    fn a_limit_that_does_not_divide_the_minute_is_never_exceeded() {
        let rate = Rate::per_window(7, Duration::from_mins(1));
        assert!(rate.capacity() >= Duration::from_mins(1) && rate.remaining(Duration::ZERO) == 7);
    }

    #[test]
    fn a_pause_makes_the_next_one_wait() {
        let rate = Rate::per_window(5, Duration::from_secs(1));
        assert_eq!(rate.wait(rate.full_in_after(Duration::from_secs(7))), Duration::from_secs(7));
    }
}
