//! Seven requests a second, and an end of patience (amoCRM sheet §5).

use std::{
    collections::VecDeque,
    sync::{Mutex, PoisonError},
    time::{Duration, Instant},
};

use super::errors::Problem;
use crate::limits::Window;

/// More refusals than this within [`MEMORY`] shut the caller out. The vendor names no number; ten is far from what a
/// client that waits after a 429 ever reaches.
const TOLERATED: usize = 10;
const MEMORY: Duration = Duration::from_mins(1);

/// Counts requests and refusals of the account.
pub(super) struct Throttle {
    requests: Window<()>,
    refusals: Mutex<VecDeque<Instant>>,
}

impl Throttle {
    pub(super) fn new(per_second: u32) -> Self {
        Self { requests: Window::new(per_second, Duration::from_secs(1)), refusals: Mutex::default() }
    }

    pub(super) fn pass(&self) -> Result<(), Problem> {
        self.pass_at(Instant::now())
    }

    fn pass_at(&self, now: Instant) -> Result<(), Problem> {
        let mut refusals = self.refusals.lock().unwrap_or_else(PoisonError::into_inner);
        while refusals.front().is_some_and(|at| now.duration_since(*at) >= MEMORY) {
            refusals.pop_front();
        }
        if refusals.len() > TOLERATED {
            return Err(Problem::Blocked);
        }
        if let Some(wait) = self.requests.wait(&(), now) {
            refusals.push_back(now);
            return Err(if refusals.len() > TOLERATED { Problem::Blocked } else { Problem::TooMany { wait } });
        }
        self.requests.count((), now);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_eighth_in_a_second_waits_and_the_stubborn_are_shut_out_for_a_minute() {
        let throttle = Throttle::new(7);
        let start = Instant::now();
        for _ in 0..7 {
            assert_eq!(throttle.pass_at(start), Ok(()));
        }
        for _ in 0..TOLERATED {
            assert!(matches!(throttle.pass_at(start), Err(Problem::TooMany { .. })));
        }
        assert_eq!(throttle.pass_at(start), Err(Problem::Blocked));
        assert_eq!(throttle.pass_at(start + Duration::from_secs(30)), Err(Problem::Blocked));
        assert_eq!(throttle.pass_at(start + MEMORY), Ok(()));
    }

    #[test]
    fn a_caller_that_waits_goes_on() {
        let throttle = Throttle::new(7);
        let start = Instant::now();
        for second in 0..5 {
            let now = start + Duration::from_secs(second);
            for _ in 0..7 {
                assert_eq!(throttle.pass_at(now), Ok(()));
            }
            assert!(throttle.pass_at(now).is_err());
        }
    }
}
