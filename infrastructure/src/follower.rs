//! What every process keeps in memory and in step with the log by itself: who may do what, and which tokens are refused.
//!
//! Unlike a projection, a view in memory has no rows, no checkpoint and no lease: each process has its own, filled anew when
//! it starts. And it does not wait for the horizon, behind which a long transaction of anybody would hold it back. What has
//! been committed is delivered at the next look, each event once, those of one aggregate in their order. Only between
//! aggregates is there no order.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use application::PortError;
use application::error::chain;
use application::ports::commands::LogPosition;
use async_trait::async_trait;
use tokio::sync::watch;
use tokio::time::Instant;

use crate::database::Database;
use crate::error::from_sqlx;
use crate::event_store::{LogReader, LoggedEvent};
use crate::signals::{Signal, Waiter};

/// How often the log is looked at without a hint.
const POLL: Duration = Duration::from_millis(250);

/// Least time between two looks, however many hints there are.
const BREATH: Duration = Duration::from_millis(10);

/// Pause after a look that failed.
const RETRY: Duration = Duration::from_millis(500);

/// Events of one look at a time.
const PAGE: i64 = 1_000;

/// State in memory that is made of events.
#[async_trait]
pub trait LiveView: Send + Sync + 'static {
    /// The kinds of aggregates whose events change it, by their type names.
    fn follows(&self) -> &'static [&'static str];

    /// Fills the state anew, and tells the place in the log whose earlier events it holds; later ones it may hold too. A
    /// view that is filled from the log itself tells [`LogReader::horizon`] as it was before.
    async fn load(&self) -> Result<LogPosition, PortError>;

    /// Changes the state. An event that it holds already must change nothing.
    fn apply(&self, events: &[LoggedEvent]);
}

/// How current the views of this process are.
#[derive(Clone)]
pub struct Freshness(watch::Receiver<Option<Instant>>);

impl Freshness {
    /// Whether the views hold what had been recorded that long ago.
    pub fn within(&self, age: Duration) -> bool {
        self.0.borrow().is_some_and(|looked| looked.elapsed() <= age)
    }

    /// Waits until the views have been filled; they are empty before.
    pub async fn filled(&mut self) {
        // Where the follower has ended nothing will ever be fresh, and whoever asks `within` is told so.
        let _ = self.0.wait_for(Option::is_some).await;
    }
}

/// Keeps views in step with the log.
pub struct Follower {
    reader: LogReader,
    hints: Signal,
    views: Vec<Arc<dyn LiveView>>,
    looked: watch::Sender<Option<Instant>>,
}

/// Where one view stands.
struct Place {
    /// Every event up to here has been delivered.
    behind: LogPosition,
    /// Events after it that have been delivered.
    ahead: BTreeSet<LogPosition>,
}

impl Follower {
    /// A follower that is woken by hints.
    pub fn new(database: &Database, hints: Signal, views: Vec<Arc<dyn LiveView>>) -> Self {
        Self { reader: LogReader::new(database.clone()), hints, views, looked: watch::Sender::new(None) }
    }

    /// How current the views are.
    pub fn freshness(&self) -> Freshness {
        Freshness(self.looked.subscribe())
    }

    /// Fills the views and keeps them in step, for as long as it is polled.
    pub async fn run(&self) {
        let mut hints = self.hints.subscribe();
        loop {
            if let Err(error) = self.follow(&mut hints).await {
                tracing::warn!(error = chain(&error), "rights and revocations in memory wait for the log");
            }
            tokio::time::sleep(RETRY).await;
        }
    }

    async fn follow(&self, hints: &mut Waiter) -> Result<(), PortError> {
        let (_, mut server) = self.reader.horizon_of_server().await.map_err(from_sqlx)?;
        let mut places = self.load().await?;
        loop {
            let began = Instant::now();
            let (horizon, answering) = self.reader.horizon_of_server().await.map_err(from_sqlx)?;
            if answering != server || places.iter().any(|place| horizon < place.behind) {
                tracing::warn!(
                    "another server answers, or the log is shorter than it was; rights and revocations are read anew"
                );
                places = self.load().await?;
                server = answering;
            }
            for (view, place) in self.views.iter().zip(&mut places) {
                self.deliver(view.as_ref(), place, horizon).await?;
            }
            self.looked.send_replace(Some(began));
            tokio::time::sleep(BREATH).await;
            hints.wait(POLL).await;
        }
    }

    async fn load(&self) -> Result<Vec<Place>, PortError> {
        let mut places = Vec::with_capacity(self.views.len());
        for view in &self.views {
            places.push(Place { behind: view.load().await?, ahead: BTreeSet::new() });
        }
        Ok(places)
    }

    /// Delivers what has been committed. The horizon is older than the look, so that whatever lies behind it is seen.
    async fn deliver(&self, view: &dyn LiveView, place: &mut Place, horizon: LogPosition) -> Result<(), PortError> {
        let mut from = place.behind;
        loop {
            let page = self.reader.committed(view.follows(), from, PAGE).await.map_err(from_sqlx)?;
            let whole = page.len() < usize::try_from(PAGE).unwrap_or(usize::MAX);
            from = page.last().map_or(from, |last| last.position);
            let new: Vec<LoggedEvent> = page.into_iter().filter(|event| place.ahead.insert(event.position)).collect();
            if !new.is_empty() {
                view.apply(&new);
            }
            if whole {
                place.behind = place.behind.max(horizon);
                place.ahead = place.ahead.split_off(&place.behind);
                return Ok(());
            }
        }
    }
}
