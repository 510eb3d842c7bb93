//! Writing statements, and telling each commit what became of it.
//!
//! A statement is all or nothing. If the database refuses it, its commits are repeated one by one, so that only the
//! guilty one fails, with its own error. If it ends without an answer, whether it was recorded is not known: nothing
//! is repeated, and everyone in it is told that the log did not answer.

use std::io;
use std::time::Duration;

use super::commit::{AppendError, Appended, Commit};
use super::connections::Connections;
use super::refusal::Failure;
use super::statement::append;
use crate::database::Database;

/// Longest wait for one statement; after it, whether it was recorded is not known.
pub(super) const PATIENCE: Duration = Duration::from_secs(30);

pub(super) type Answer = Result<Appended, AppendError>;

/// Writes statements.
pub(super) struct Writer {
    database: Database,
    connections: Connections,
}

impl Writer {
    pub(super) fn new(database: Database) -> Self {
        Self { connections: Connections::new(database.clone()), database }
    }

    /// The result of each commit.
    pub(super) async fn append(&self, commits: &[Commit]) -> Vec<Answer> {
        match self.statement(commits).await {
            Ok(appended) => vec![Ok(appended); commits.len()],
            Err(failure) => match commits {
                [single] => vec![Err(failure.for_one(self.database.pool(), single).await)],
                many if failure.has_a_culprit() => self.one_by_one(many).await,
                many => vec![Err(failure.for_all()); many.len()],
            },
        }
    }

    async fn one_by_one(&self, commits: &[Commit]) -> Vec<Answer> {
        let mut results: Vec<Answer> = Vec::with_capacity(commits.len());
        for commit in commits {
            match self.statement(std::slice::from_ref(commit)).await {
                Ok(appended) => results.push(Ok(appended)),
                Err(failure) if failure.has_a_culprit() => {
                    results.push(Err(failure.for_one(self.database.pool(), commit).await));
                }
                Err(failure) => {
                    let error = failure.for_all();
                    results.push(Err(error.clone()));
                    // No commit is to blame. The rest is not sent: each would only wait for the database in turn.
                    results.resize(commits.len(), Err(error.of_the_unsent()));
                    break;
                }
            }
        }
        results
    }

    /// One statement, with an end to waiting for it.
    async fn statement(&self, commits: &[Commit]) -> Result<Appended, Failure> {
        let mut line = self.connections.take().await.map_err(Failure::NotSent)?;
        if commits.iter().any(|commit| commit.is_stale(line.epoch)) {
            self.connections.give_back(line);
            return Err(Failure::Stale);
        }
        let appended = tokio::time::timeout(PATIENCE, append(&mut line, commits)).await;
        let appended = match appended {
            Ok(appended) => appended.map_err(Failure::of),
            Err(_) => Err(Failure::Unanswered(io::Error::from(io::ErrorKind::TimedOut).into())),
        };
        if appended.as_ref().err().is_none_or(Failure::spares_the_connection) {
            self.connections.give_back(line);
        } else {
            self.connections.give_up(line);
        }
        appended
    }
}
