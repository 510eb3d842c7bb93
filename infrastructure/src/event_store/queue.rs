//! Commits that wait to be written, at most one of each aggregate at a time.
//!
//! In one statement, two commits of an aggregate would make the whole of it fail. So each aggregate has a lane, in which
//! the next commit waits for the outcome of the one before it. Lanes are told apart by a hash alone: two aggregates that
//! share one only wait for each other.

use std::collections::hash_map::{Entry, RandomState};
use std::collections::{HashMap, VecDeque};
use std::hash::BuildHasher;
use std::sync::Arc;

use tokio::sync::oneshot;

use super::commit::{AppendError, Commit};
use super::writer::Answer;

/// A commit that cannot be sent.
#[derive(Debug, thiserror::Error)]
#[error("the commit holds no events; leave out what changes nothing")]
struct NoEvents;

/// A commit and the one who waits for it.
pub(super) struct Waiting {
    pub(super) commit: Commit,
    pub(super) answer: oneshot::Sender<Answer>,
}

/// The hash of an aggregate's key.
pub(super) type Lane = u64;

/// What became of a commit.
pub(super) struct Ended {
    pub(super) lane: Lane,
    /// The aggregate and its newest sequence, where the commit was recorded.
    pub(super) recorded: Option<Recorded>,
}

pub(super) struct Recorded {
    pub(super) aggregate_type: &'static str,
    pub(super) aggregate_id: String,
    pub(super) sequence: usize,
}

impl Recorded {
    /// True of a commit of the same aggregate that was decided before.
    fn overtakes(&self, commit: &Commit) -> bool {
        commit.expected < self.sequence && commit.key() == (self.aggregate_type, &self.aggregate_id)
    }
}

/// The commits that wait, in the order in which they came, but for those that wait for their own aggregate.
#[derive(Default)]
pub(super) struct Queue {
    hasher: RandomState,
    /// The first of their lanes.
    ready: VecDeque<(Lane, Waiting)>,
    /// The others, for each lane that has a commit that is ready or in flight.
    behind: HashMap<Lane, VecDeque<Waiting>>,
    waiting: usize,
}

impl Queue {
    /// How many wait.
    pub(super) fn len(&self) -> usize {
        self.waiting
    }

    /// One who wants nothing recorded is told so at once: in a statement nothing would tell what became of it.
    pub(super) fn push(&mut self, waiting: Waiting) {
        if waiting.commit.events.is_empty() {
            // One who no longer waits has been cut off.
            let _ = waiting.answer.send(Err(AppendError::Database(Arc::new(sqlx::Error::Encode(NoEvents.into())))));
            return;
        }
        self.waiting += 1;
        let lane = self.hasher.hash_one(waiting.commit.key());
        match self.behind.entry(lane) {
            Entry::Occupied(mut others) => others.get_mut().push_back(waiting),
            Entry::Vacant(empty) => {
                empty.insert(VecDeque::new());
                self.ready.push_back((lane, waiting));
            }
        }
    }

    /// The commits of the next statement. None of their aggregates gives another before [`Self::end`] was told of each.
    pub(super) fn next_batch(&mut self, most: usize) -> Vec<(Lane, Waiting)> {
        let batch: Vec<_> = self.ready.drain(..most.min(self.ready.len())).collect();
        self.waiting -= batch.len();
        batch
    }

    /// Lets the next commit of the lane go on. Those that were decided before the recorded one have lost their race.
    pub(super) fn end(&mut self, Ended { lane, recorded }: Ended) {
        let Entry::Occupied(mut others) = self.behind.entry(lane) else { return };
        while let Some(next) = others.get_mut().pop_front() {
            if recorded.as_ref().is_some_and(|recorded| recorded.overtakes(&next.commit)) {
                self.waiting -= 1;
                // One who no longer waits has been cut off.
                let _ = next.answer.send(Err(AppendError::LostRace));
            } else {
                self.ready.push_back((lane, next));
                return;
            }
        }
        others.remove();
    }
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, Instant};

    use serde_json::value::RawValue;

    use super::*;
    use crate::event_store::NewEvent;

    fn push(queue: &mut Queue, aggregate_id: &str, expected: usize) -> oneshot::Receiver<Answer> {
        let event =
            NewEvent { event_type: "Noted".into(), event_version: "1".into(), payload: RawValue::NULL.to_owned() };
        let commit = Commit {
            tenant: None,
            aggregate_type: "note",
            aggregate_id: aggregate_id.into(),
            expected,
            remembered: None,
            events: vec![event],
            claims: Vec::new(),
            metadata: RawValue::NULL.to_owned(),
            receipt: None,
        };
        let (answer, recorded) = oneshot::channel();
        queue.push(Waiting { commit, answer });
        recorded
    }

    /// The aggregates of the next statement, and the outcome of each, all recorded or none.
    fn next(queue: &mut Queue, most: usize, recorded: bool) -> (Vec<String>, Vec<Ended>) {
        let batch = queue.next_batch(most);
        let ended = batch.into_iter().map(|(lane, Waiting { commit, .. })| {
            let sequence = commit.recorded();
            let Commit { aggregate_type, aggregate_id, .. } = commit;
            let told = Recorded { aggregate_type, aggregate_id: aggregate_id.clone(), sequence };
            (aggregate_id, Ended { lane, recorded: recorded.then_some(told) })
        });
        ended.unzip()
    }

    fn end(queue: &mut Queue, outcome: Vec<Ended>) {
        for ended in outcome {
            queue.end(ended);
        }
    }

    fn was_overtaken(answer: &mut oneshot::Receiver<Answer>) -> bool {
        matches!(answer.try_recv(), Ok(Err(AppendError::LostRace)))
    }

    #[test]
    fn an_aggregate_is_once_in_a_batch_and_the_others_keep_their_order() {
        let mut queue = Queue::default();
        let _answers = [("a", 0), ("b", 0), ("a", 1), ("c", 0), ("d", 0)].map(|(id, at)| push(&mut queue, id, at));
        let (first, ended) = next(&mut queue, 3, true);
        assert_eq!((first.as_slice(), queue.len()), (["a", "b", "c"].map(String::from).as_slice(), 2));
        assert_eq!(next(&mut queue, 3, true).0, ["d"], "the second of a waits");
        end(&mut queue, ended);
        assert_eq!((next(&mut queue, 3, true).0, queue.len()), (vec!["a".to_owned()], 0));
    }

    #[test]
    fn commits_that_were_decided_before_the_recorded_one_have_lost_their_race() {
        let mut queue = Queue::default();
        let mut answers = [0, 0, 0, 1].map(|expected| push(&mut queue, "a", expected));
        let (_, ended) = next(&mut queue, 9, true);
        end(&mut queue, ended);
        assert_eq!(answers.each_mut().map(was_overtaken), [false, true, true, false]);
        assert_eq!((next(&mut queue, 9, true).0.len(), queue.len()), (1, 0));
    }

    #[test]
    fn nobody_is_overtaken_by_what_was_not_recorded() {
        let mut queue = Queue::default();
        let mut answers = [0, 0].map(|expected| push(&mut queue, "a", expected));
        let (_, ended) = next(&mut queue, 9, false);
        end(&mut queue, ended);
        assert_eq!(answers.each_mut().map(was_overtaken), [false, false]);
        assert_eq!(next(&mut queue, 9, false).0, ["a"]);
    }

    /// A busy aggregate costs the others nothing, and each of its own commits is looked at once. Seen to fail with an `end`
    /// that looks at all that wait in the lane: stopped by the clock, where the test itself takes a second.
    #[test]
    fn many_commits_of_one_aggregate_take_no_longer_each_than_few() {
        let (mut queue, many, began) = (Queue::default(), 100_000, Instant::now());
        let _answers: Vec<_> = (0..many).map(|expected| push(&mut queue, "a", expected)).collect();
        for _ in 0..many {
            let (batch, ended) = next(&mut queue, 256, true);
            assert_eq!(batch.len(), 1);
            end(&mut queue, ended);
            assert!(began.elapsed() < Duration::from_secs(30), "{} still wait", queue.len());
        }
        assert_eq!(queue.len(), 0);
    }
}
