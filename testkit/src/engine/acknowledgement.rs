//! What a load says, as lines that a killed process leaves behind.

use std::fmt;
use std::ops::AddAssign;
use std::str::FromStr;

use application::ports::commands::LogPosition;
use uuid::Uuid;

/// A commit that the engine acknowledged. As text: its fields in their order, with spaces between them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Acknowledgement {
    /// The aggregate's type name.
    pub aggregate_type: String,
    /// The aggregate.
    pub aggregate_id: Uuid,
    /// The sequence of the commit's first event.
    pub first: i64,
    /// The sequence of its last event.
    pub last: i64,
    /// Its place in the log, as the engine said it.
    pub position: LogPosition,
    /// The request that caused it; no other commit has the same.
    pub request_id: Uuid,
}

/// What became of a load's commands.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Counts {
    /// Recorded.
    pub acknowledged: u64,
    /// Refused by a rule, or because a value is taken.
    pub refused: u64,
    /// Given up after losing its race again and again.
    pub raced: u64,
    /// Without an answer of the log: recorded or not.
    pub unanswered: u64,
}

/// The line says nothing of the kind.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the line has another form than a load writes")]
pub struct NotSaid;

impl fmt::Display for Acknowledgement {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { aggregate_type, aggregate_id, first, last, position, request_id } = self;
        write!(out, "{aggregate_type} {aggregate_id} {first} {last} {position} {request_id}")
    }
}

impl FromStr for Acknowledgement {
    type Err = NotSaid;

    fn from_str(line: &str) -> Result<Self, NotSaid> {
        let words: Vec<&str> = line.split(' ').collect();
        let [aggregate_type, aggregate_id, first, last, position, request_id] = words[..] else { return Err(NotSaid) };
        Ok(Self {
            aggregate_type: aggregate_type.to_owned(),
            aggregate_id: aggregate_id.parse().map_err(|_| NotSaid)?,
            first: first.parse().map_err(|_| NotSaid)?,
            last: last.parse().map_err(|_| NotSaid)?,
            position: position.parse().map_err(|_| NotSaid)?,
            request_id: request_id.parse().map_err(|_| NotSaid)?,
        })
    }
}

impl fmt::Display for Counts {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { acknowledged, refused, raced, unanswered } = self;
        write!(out, "ended: {acknowledged} acknowledged, {refused} refused, {raced} raced, {unanswered} unanswered")
    }
}

impl FromStr for Counts {
    type Err = NotSaid;

    fn from_str(line: &str) -> Result<Self, NotSaid> {
        let numbers = line.strip_prefix("ended: ").ok_or(NotSaid)?.split(", ");
        let numbers = numbers.map(|part| part.split(' ').next().unwrap_or_default().parse());
        let numbers: Vec<u64> = numbers.collect::<Result<_, _>>().map_err(|_| NotSaid)?;
        let [acknowledged, refused, raced, unanswered] = numbers[..] else { return Err(NotSaid) };
        Ok(Self { acknowledged, refused, raced, unanswered })
    }
}

impl AddAssign for Counts {
    fn add_assign(&mut self, other: Self) {
        self.acknowledged += other.acknowledged;
        self.refused += other.refused;
        self.raced += other.raced;
        self.unanswered += other.unanswered;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_read_as_they_were_written() {
        let said = Acknowledgement {
            aggregate_type: "user".into(),
            aggregate_id: Uuid::from_u128(7),
            first: 1,
            last: 2,
            position: LogPosition { generation: 1, tx: 800, position: 12 },
            request_id: Uuid::from_u128(8),
        };
        assert_eq!(said.to_string().parse(), Ok(said.clone()));
        // A process that is killed may leave half a line.
        assert_eq!(said.to_string()[..30].parse::<Acknowledgement>(), Err(NotSaid));
        let counts = Counts { acknowledged: 4, refused: 3, raced: 2, unanswered: 1 };
        assert_eq!(counts.to_string().parse(), Ok(counts));
        assert_eq!("ended: 4 acknowledged".parse::<Counts>(), Err(NotSaid));
    }
}
