//! The real clock, and real ids and chance.

use application::ports::clock::{Clock, Ids};
use chrono::{DateTime, SubsecRound, Utc};
use uuid::Uuid;

/// The machine's clock.
pub struct SystemClock;

impl Clock for SystemClock {
    #[expect(clippy::disallowed_methods, reason = "the one place that reads the clock")]
    fn now(&self) -> DateTime<Utc> {
        Utc::now().trunc_subsecs(6)
    }
}

/// Time-ordered ids and the machine's randomness.
pub struct SystemIds;

impl Ids for SystemIds {
    #[expect(clippy::disallowed_methods, reason = "the one place that makes ids")]
    fn next(&self) -> Uuid {
        Uuid::now_v7()
    }

    #[expect(clippy::disallowed_methods, reason = "the one place that draws random numbers")]
    #[expect(clippy::cast_precision_loss, reason = "53 random bits are exact in an f64")]
    fn chance(&self) -> f64 {
        let bits = Uuid::new_v4().as_u64_pair().1 & ((1 << 53) - 1);
        bits as f64 / (1_u64 << 53) as f64
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn chance_is_spread_between_0_and_1() {
        let drawn: Vec<f64> = (0..1000).map(|_| SystemIds.chance()).collect();
        assert!(drawn.iter().all(|chance| (0.0..1.0).contains(chance)));
        let mean = drawn.iter().sum::<f64>() / 1000.0;
        assert!((0.4..0.6).contains(&mean), "{mean}");
    }
}
