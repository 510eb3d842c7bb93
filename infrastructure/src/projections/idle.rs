//! Projections that events do not concern still move on. Those that do so at once share one statement.

use std::sync::{Mutex, MutexGuard, PoisonError};

use application::error::chain;
use sea_orm::DbErr;
use tokio::sync::oneshot::{self, error::TryRecvError};

use super::lease::{Leases, Stretch};

/// Moves checkpoints together: while one statement is on its way, the next ones gather.
pub(super) struct IdleMoves {
    leases: Leases,
    waiting: Mutex<Vec<Move>>,
    /// Whoever holds it moves all that wait.
    turn: tokio::sync::Mutex<()>,
}

struct Move {
    name: &'static str,
    stretch: Stretch,
    moved: oneshot::Sender<bool>,
}

impl IdleMoves {
    pub(super) fn new(leases: Leases) -> Self {
        Self { leases, waiting: Mutex::default(), turn: tokio::sync::Mutex::default() }
    }

    /// Moves the checkpoint and renews the lease; false where another process moved the one or holds the other.
    ///
    /// # Errors
    /// Those of the database.
    pub(super) async fn advance(&self, name: &'static str, stretch: Stretch) -> Result<bool, DbErr> {
        let (moved, mut answer) = oneshot::channel();
        self.waiting().push(Move { name, stretch, moved });
        let turn = self.turn.lock().await;
        let mut moved = answer.try_recv();
        if moved == Err(TryRecvError::Empty) {
            self.advance_waiting().await;
            moved = answer.try_recv();
        }
        drop(turn);
        // What could not be moved together is moved alone: somebody may only have held its row for a moment.
        Ok(moved == Ok(true) || self.leases.advance_one(name, stretch).await?)
    }

    async fn advance_waiting(&self) {
        let all = std::mem::take(&mut *self.waiting());
        let stretches = all.iter().map(|one| (one.name, one.stretch));
        let names = self.leases.advance_all(stretches).await.unwrap_or_else(|error| {
            tracing::debug!(error = chain(&error), "checkpoints were not moved together");
            Vec::new()
        });
        for Move { name, moved, .. } in all {
            // One who no longer waits was given up.
            let _ = moved.send(names.iter().any(|moved| moved == name));
        }
    }

    /// Nobody panics while holding it.
    fn waiting(&self) -> MutexGuard<'_, Vec<Move>> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
