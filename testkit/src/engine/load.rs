//! The engine at work as one process runs it: writers over one appender, and all projections.

use std::sync::Arc;
use std::time::Duration;

use application::ports::clock::Clock;
use infrastructure::database::Database;
use infrastructure::event_store::Appender;
use infrastructure::projections::{Checkpoints, ProjectionRunner};
use infrastructure::read_models;
use infrastructure::signals::{self, Signal};
use infrastructure::system::SystemClock;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use super::story::{NotDone, Stores, Story};
use super::{Acknowledgement, Counts, Dice};

/// Longest pause of a writer between two of its stories; without pauses a load would starve what else runs.
const PAUSE: Duration = Duration::from_millis(8);

/// The pause after a command without an answer, as a client would make it.
const OUTAGE: Duration = Duration::from_millis(50);

/// Writers that work on the log at the same time.
#[derive(Debug, Clone, Copy)]
pub struct Load {
    /// What they do follows from this number. Two loads on one schema need two seeds.
    pub seed: u64,
    /// How many they are.
    pub writers: u64,
    /// Whether the projections are fed beside them.
    pub projects: bool,
}

/// Is told of every commit, after it was acknowledged.
pub type Tell = Arc<dyn Fn(&Acknowledgement) + Send + Sync>;

impl Load {
    /// Does the work until it is told to stop. Commands that fail are counted, and the writers go on.
    ///
    /// # Panics
    /// Where a writer does.
    pub async fn put_on(self, database: &Database, tell: Tell, stop: CancellationToken) -> Counts {
        let grown = Signal::default();
        let stores = Arc::new(Stores::new(database, &Appender::new(database.clone(), grown.clone())));
        let mut background = JoinSet::new();
        if self.projects {
            background.spawn(project(database.clone(), grown.clone()));
            background.spawn(signals::listen(database.clone(), grown));
        }
        let mut dice = Dice::of(self.seed);
        let mut writers = JoinSet::new();
        for _ in 0..self.writers {
            writers.spawn(write(Arc::clone(&stores), Dice::of(dice.roll()), Arc::clone(&tell), stop.clone()));
        }
        let mut counts = Counts::default();
        for writer in writers.join_all().await {
            counts += writer;
        }
        counts
    }
}

async fn project(database: Database, grown: Signal) {
    let projections = read_models::all();
    let checkpoints = Checkpoints::new(database.clone(), Signal::default(), &projections);
    ProjectionRunner::new(database, checkpoints, grown).run(&projections).await;
}

async fn write(stores: Arc<Stores>, mut dice: Dice, tell: Tell, stop: CancellationToken) -> Counts {
    let mut counts = Counts::default();
    while !stop.is_cancelled() {
        let mut story = Story { stores: &stores, dice: &mut dice, now: SystemClock.now(), tell: tell.as_ref() };
        let (acknowledged, stopped) = story.live().await;
        counts.acknowledged += acknowledged;
        match stopped {
            None => {}
            Some(NotDone::Refused) => counts.refused += 1,
            Some(NotDone::Raced) => counts.raced += 1,
            Some(NotDone::Unanswered) => {
                counts.unanswered += 1;
                tokio::time::sleep(OUTAGE).await;
            }
        }
        tokio::time::sleep(dice.between(Duration::ZERO, PAUSE)).await;
    }
    counts
}
