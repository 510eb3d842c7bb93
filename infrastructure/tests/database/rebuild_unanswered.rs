//! An exchange whose commit is not answered.

use std::sync::Arc;

use application::AppError;
use application::ports::rebuilds::{Comparison, ExchangeError, RebuildEngine, RebuildProgress, RebuildTarget};
use async_trait::async_trait;
use domain::ErrorKind;
use domain::rebuild::{RebuildGoal, RebuildScope};
use infrastructure::database::Database;
use infrastructure::projections::PgRebuildEngine;
use infrastructure::read_models;
use sqlx::PgPool;
use testkit::TestDatabase;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use url::Url;

use crate::fixtures::count;
use crate::rebuild::told;
use crate::rebuild_events::{last_rebuild, rebuilding_with, recorded, request, support};
use crate::rebuild_scope::run_sql;

/// Where the connection breaks at the commit of an exchange.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Breaks {
    /// The server does not get it.
    Before,
    /// The server has done it.
    After,
    /// The server has done it, and the one that takes over lacks it, and gave the transaction's number to another one.
    AfterAndLost,
}

/// The test's database behind a connection that breaks; none on PGlite.
async fn behind(test: &TestDatabase, breaks: Breaks) -> Option<Database> {
    let mut url = Url::parse(&test.url()?).unwrap();
    let server = (url.host_str().unwrap().to_owned(), url.port().unwrap_or(5432));
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    url.set_host(Some("127.0.0.1")).unwrap();
    url.set_port(Some(listener.local_addr().unwrap().port())).unwrap();
    // What is said in the open can be read.
    url.query_pairs_mut().append_pair("sslmode", "disable");
    let behind = test.pool().clone();
    tokio::spawn(async move {
        while let Ok((client, _)) = listener.accept().await {
            let server = TcpStream::connect(&server).await.unwrap();
            tokio::spawn(relay(client, server, breaks, behind.clone()));
        }
    });
    Some(Database::connect(url.as_str(), 4).await.unwrap())
}

async fn relay(mut client: TcpStream, mut server: TcpStream, breaks: Breaks, behind: PgPool) -> std::io::Result<()> {
    let (mut asked, mut answered, mut exchanges) = (vec![0; 65_536], vec![0; 65_536], false);
    let says = |bytes: &[u8], words: &[u8]| bytes.windows(words.len()).any(|window| window == words);
    loop {
        tokio::select! {
            read = client.read(&mut asked) => {
                let asked = &asked[..read?];
                exchanges |= says(asked, b"access exclusive mode");
                let commits = exchanges && says(asked, b"COMMIT");
                if asked.is_empty() || (commits && breaks == Breaks::Before) {
                    return Ok(());
                }
                server.write_all(asked).await?;
                if commits {
                    let is_done = server.read(&mut answered).await? > 0;
                    if is_done && breaks == Breaks::AfterAndLost {
                        let not_exchanged = "insert into projection_checkpoints (name) values ('users@next')";
                        sqlx::query(not_exchanged).execute(&behind).await.unwrap();
                    }
                    return Ok(());
                }
            }
            read = server.read(&mut answered) => match read? {
                0 => return Ok(()),
                read => client.write_all(&answered[..read]).await?,
            },
        }
    }
}

/// Seen to fail: without asking what became of the transaction, the exchange that had happened was recorded as abandoned.
#[tokio::test]
async fn what_became_of_an_exchange_is_asked_and_recorded() {
    for (breaks, outcome) in [(Breaks::After, "exchanged"), (Breaks::Before, "abandoned")] {
        let test = told().await;
        let Some(database) = behind(&test, breaks).await else { return assert!(test.is_embedded()) };
        run_sql(&test, "update users set name = 'Nobody'").await;
        let engine = Arc::new(PgRebuildEngine::new(database, read_models::all()));
        let request = request("users", RebuildGoal::Exchange);
        let rebuilt = rebuilding_with(&test, engine).rebuild(&support(), request, &|_| ()).await;
        assert_eq!(rebuilt.is_ok(), breaks == Breaks::After, "{rebuilt:?}");
        let damaged = if breaks == Breaks::Before { count(test.pool(), "users").await } else { 0 };
        assert_eq!(count(test.pool(), "users where name = 'Nobody'").await, damaged, "{breaks:?}");
        let events = recorded(&test, last_rebuild(&test).await).await;
        assert_eq!(events[1].1["outcome"], outcome);
    }
}

/// Seen to fail: with the server believed that says that a transaction of this number was committed.
#[tokio::test]
async fn an_exchange_that_the_server_that_took_over_lacks_is_not_said_to_have_happened() {
    let test = told().await;
    let Some(database) = behind(&test, Breaks::AfterAndLost).await else { return assert!(test.is_embedded()) };
    let engine = Arc::new(PgRebuildEngine::new(database, read_models::all()));
    let request = request("users", RebuildGoal::Exchange);
    let error = rebuilding_with(&test, engine).rebuild(&support(), request, &|_| ()).await.unwrap_err();
    assert_eq!((error.kind, error.code), (ErrorKind::Unavailable, "rebuild.unanswered"));
    assert_eq!(recorded(&test, last_rebuild(&test).await).await.len(), 1, "the beginning alone");
}

/// An engine whose database is gone at the exchange.
struct Silent(PgRebuildEngine);

#[async_trait]
impl RebuildEngine for Silent {
    async fn scope(&self, target: &RebuildTarget) -> Result<RebuildScope, AppError> {
        self.0.scope(target).await
    }

    async fn build(
        &self,
        projection: &str,
        scope: RebuildScope,
        show: &(dyn Fn(RebuildProgress) + Send + Sync),
    ) -> Result<Comparison, AppError> {
        self.0.build(projection, scope, show).await
    }

    async fn exchange(&self, _projection: &str, _scope: RebuildScope) -> Result<(), ExchangeError> {
        Err(ExchangeError::Unanswered(AppError::new(ErrorKind::Unavailable, "rebuild.unanswered", "Look at the rows.")))
    }

    async fn abandon(&self, projection: &str, scope: RebuildScope) -> Result<(), AppError> {
        self.0.abandon(projection, scope).await
    }
}

/// Seen to fail: with every failure recorded as abandoned.
#[tokio::test]
async fn an_end_that_nobody_knows_is_not_recorded() {
    let test = told().await;
    let engine = Arc::new(Silent(PgRebuildEngine::new(test.database().clone(), read_models::all())));
    let request = request("users", RebuildGoal::Exchange);
    let error = rebuilding_with(&test, engine).rebuild(&support(), request, &|_| ()).await.unwrap_err();
    assert_eq!((error.kind, error.code), (ErrorKind::Unavailable, "rebuild.unanswered"));
    assert_eq!(recorded(&test, last_rebuild(&test).await).await.len(), 1, "the beginning alone");
}
