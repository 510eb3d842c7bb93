//! Random choices that a seed repeats.

use std::time::Duration;

use application::ports::clock::Ids;
use infrastructure::system::SystemIds;

use crate::settings::{SEED, setting};

/// A generator of random numbers, `SplitMix64`: the same seed gives the same numbers.
#[derive(Debug, Clone)]
pub struct Dice(u64);

impl Dice {
    /// Dice of a given seed.
    pub fn of(seed: u64) -> Self {
        Self(seed)
    }

    /// Dice of a test. Its seed is the one of `SYNKRO_TEST_SEED`, or a new one; it is written to the standard error,
    /// which the test runner shows when the test fails.
    ///
    /// # Panics
    /// Where `SYNKRO_TEST_SEED` is no number.
    #[expect(clippy::print_stderr, reason = "whoever repeats the failed test needs the seed")]
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "any number below 2^32 is a good seed")]
    pub fn of_test() -> Self {
        let seed = match setting(SEED) {
            Some(seed) => seed.parse().unwrap_or_else(|_| panic!("{SEED} must be a whole number, not {seed:?}")),
            None => (SystemIds.chance() * f64::from(u32::MAX)) as u64,
        };
        eprintln!("random moments from {SEED}={seed}");
        Self(seed)
    }

    /// A whole number of 64 random bits.
    pub fn roll(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// A whole number below `end`, which must not be 0.
    pub fn below(&mut self, end: u64) -> u64 {
        self.roll() % end
    }

    /// A time between two, to the microsecond.
    pub fn between(&mut self, least: Duration, most: Duration) -> Duration {
        let span = u64::try_from(most.saturating_sub(least).as_micros()).unwrap_or(u64::MAX - 1);
        least + Duration::from_micros(self.below(span + 1))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_seed_repeats_its_numbers_and_no_other_does() {
        let rolls = |seed| {
            let mut dice = Dice::of(seed);
            [(); 4].map(|()| dice.roll())
        };
        assert_eq!(rolls(1), rolls(1));
        assert_ne!(rolls(1), rolls(2));
        let (least, most) = (Duration::from_millis(50), Duration::from_millis(60));
        let mut dice = Dice::of(3);
        assert!((0..1000).map(|_| dice.between(least, most)).all(|time| (least..=most).contains(&time)));
    }
}
