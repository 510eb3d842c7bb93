//! Numbers to lengths.

/// An axis from nought, with round numbers on it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Scale {
    step: u128,
    steps: u128,
}

/// The most numbers on an axis above nought.
const MOST_STEPS: u128 = 5;

impl Scale {
    /// The shortest axis that has room for the largest number. Its steps are 1, 2 or 5 of a power of ten.
    pub(super) fn up_to(largest: u128) -> Self {
        let largest = largest.max(1);
        let mut power = 1_u128;
        loop {
            for step in [1, 2, 5].map(|digit| digit * power) {
                let steps = largest.div_ceil(step);
                if steps <= MOST_STEPS {
                    return Self { step, steps };
                }
            }
            power *= 10;
        }
    }

    /// The numbers on it, nought included.
    pub(super) fn marks(self) -> impl Iterator<Item = u128> {
        (0..=self.steps).map(move |number| number * self.step)
    }

    pub(super) fn top(self) -> u128 {
        self.step * self.steps
    }

    /// How many of the axis's pixels a number takes.
    pub(super) fn length(self, number: u128, axis: i32) -> i32 {
        part(number, self.top(), axis)
    }
}

/// `number` of `whole` on a line of so many pixels.
pub(super) fn part(number: u128, whole: u128, line: i32) -> i32 {
    let line = u128::try_from(line).unwrap_or_default();
    i32::try_from(number.min(whole) * line / whole.max(1)).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn axes_end_on_round_numbers() {
        let top = |largest| Scale::up_to(largest).top();
        assert_eq!([0, 1, 3, 4, 5, 9, 17, 38, 101, 999].map(top), [1, 1, 3, 4, 5, 10, 20, 40, 150, 1_000]);
        let largest = u128::from(u64::MAX) * 3;
        assert!((largest..2 * largest).contains(&top(largest)));
    }

    #[test]
    fn lengths_are_proportional_and_bounded() {
        let scale = Scale::up_to(100);
        assert_eq!([0, 25, 50, 100, 1_000].map(|number| scale.length(number, 300)), [0, 75, 150, 300, 300]);
        assert_eq!(part(7, 0, 300), 0);
    }
}
