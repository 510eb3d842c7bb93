//! Who holds the readers of the log back.

use std::str::FromStr;
use std::time::Duration;

use application::ports::clock::Ids;
use chrono::{DateTime, Utc};
use infrastructure::database::Database;
use infrastructure::event_store::{Holder, Horizon, Session, Stall};
use infrastructure::system::SystemIds;
use sqlx::postgres::PgConnectOptions;
use sqlx::{ConnectOptions, PgConnection};
use testkit::engine::PostgresServer;
use testkit::{CapturedLog, TestDatabase};

use crate::event_log::commit;
use crate::fixtures::until;

/// What no explanation may show.
const PERSONAL: &str = "ann@acme.example";

/// A server where an open transaction holds no other test up. None where the tests use PGlite, which has one session and so
/// nobody to wait for.
async fn own_server() -> Option<(PostgresServer, TestDatabase)> {
    let test = TestDatabase::new().await;
    if test.is_embedded() {
        test.appender().append(commit("a", 0, 1)).await.unwrap();
        assert_eq!(Horizon::stall(test.database()).await.unwrap(), None);
        return None;
    }
    let server = PostgresServer::start();
    let test = TestDatabase::on(server.url()).await;
    Some((server, test))
}

/// A session of somebody else with a transaction open that has written something, and when that began.
struct Culprit {
    connection: PgConnection,
    pid: i32,
    application: String,
    began: DateTime<Utc>,
}

impl Culprit {
    async fn at(test: &TestDatabase) -> Self {
        let application = format!("import {}", SystemIds.next().simple());
        let options = PgConnectOptions::from_str(&test.url().unwrap()).unwrap().application_name(&application);
        let mut connection = options.connect().await.unwrap();
        sqlx::raw_sql("begin").execute(&mut connection).await.unwrap();
        let (pid, began) = sqlx::query_as("select pg_backend_pid(), now()").fetch_one(&mut connection).await.unwrap();
        let write = format!("  INSERT into log_generations (generation, reason) values (0, '{PERSONAL}')");
        sqlx::raw_sql(&write).execute(&mut connection).await.unwrap();
        Self { connection, pid, application, began }
    }

    async fn end(mut self) {
        sqlx::raw_sql("rollback").execute(&mut self.connection).await.unwrap();
    }

    fn is_behind(&self, stall: &Stall) -> bool {
        matches!(&stall.holder, Holder::Session(session) if session.pid == self.pid)
    }

    /// The stall, as soon as it is this session's.
    async fn stall(&self, database: &Database) -> (Stall, Session) {
        let mut found = None;
        until("the culprit is found", async || {
            found = Horizon::stall(database).await.unwrap().filter(|stall| self.is_behind(stall));
            found.is_some()
        })
        .await;
        let stall = found.unwrap();
        let Holder::Session(session) = stall.holder.clone() else { panic!("{stall:?}") };
        (stall, session)
    }
}

/// Seen to fail: with the horizon looked for in `backend_xmin`, which a session that idles does not have.
#[tokio::test]
async fn a_stall_names_the_session_whose_transaction_is_open() {
    let Some((_server, test)) = own_server().await else { return };
    let culprit = Culprit::at(&test).await;
    test.appender().append(commit("a", 0, 1)).await.unwrap();
    let (stall, session) = culprit.stall(test.database()).await;
    assert_eq!(session.application_name.as_deref(), Some(culprit.application.as_str()));
    assert_eq!(session.transaction_began, Some(culprit.began));
    assert_eq!(session.state.as_deref(), Some("idle in transaction"));
    assert_eq!(session.command.as_deref(), Some("insert"));
    let recorded: DateTime<Utc> =
        sqlx::query_scalar("select recorded_at from events").fetch_one(test.pool()).await.unwrap();
    assert_eq!(stall.since, recorded);
    let told = stall.to_string();
    assert!(told.contains(&culprit.application), "{told}");
    assert!(told.ends_with(&format!("); to end it: select pg_terminate_backend({})", culprit.pid)), "{told}");
    assert!(!told.contains(PERSONAL) && !format!("{stall:?}").contains(PERSONAL), "{stall:?}");
    culprit.end().await;
    until("the stall is over", async || Horizon::stall(test.database()).await.unwrap().is_none()).await;
}

#[tokio::test]
async fn nobody_is_blamed_while_no_event_waits() {
    let Some((_server, test)) = own_server().await else { return };
    test.appender().append(commit("a", 0, 1)).await.unwrap();
    test.catch_up().await;
    let culprit = Culprit::at(&test).await;
    until("the transaction is old enough", async || {
        sqlx::query_scalar("select clock_timestamp() > $1 + interval '3 seconds'")
            .bind(culprit.began)
            .fetch_one(test.pool())
            .await
            .unwrap()
    })
    .await;
    assert_eq!(Horizon::stall(test.database()).await.unwrap(), None);
    culprit.end().await;
}

/// The database under a login that may see nothing about other roles' sessions.
async fn as_stranger(test: &TestDatabase, role: &str) -> Database {
    test.as_owner(&format!("create role {role}")).await;
    let options = PgConnectOptions::from_str(&test.url().unwrap()).unwrap().options([("role", role)]);
    Database::connect_with(options, 1).await.unwrap()
}

#[tokio::test]
async fn a_role_without_the_right_to_see_sessions_still_learns_which_it_is() {
    let Some((_server, test)) = own_server().await else { return };
    let role = format!("synkro_test_{}", SystemIds.next().simple());
    let database = as_stranger(&test, &role).await;
    let culprit = Culprit::at(&test).await;
    test.appender().append(commit("a", 0, 1)).await.unwrap();
    let (stall, session) = culprit.stall(&database).await;
    let application = culprit.application.clone();
    culprit.end().await;
    database.close().await;
    test.as_owner(&format!("drop role {role}")).await;
    assert_eq!(session.application_name.as_deref(), Some(application.as_str()));
    assert_eq!((session.transaction_began, session.state, session.command), (None, None, None));
    assert!(stall.to_string().contains("pg_read_all_stats"), "{stall}");
}

/// Seen to fail: without remembering what it had told, the watch warned at every look.
#[tokio::test]
async fn the_watch_tells_of_a_stall_once_and_once_of_its_end() {
    let Some((_server, test)) = own_server().await else { return };
    let log = CapturedLog::start();
    let culprit = Culprit::at(&test).await;
    test.appender().append(commit("a", 0, 1)).await.unwrap();
    let (pid, application) = (culprit.pid, culprit.application.clone());
    let lines = |part: &str| log.text().lines().filter(|line| line.contains(part)).count();
    let end_of = format!("no longer wait for the transaction of session {pid}:");
    let story = async {
        until("it is told", async || lines(&application) > 0).await;
        // Two more looks.
        tokio::time::sleep(Duration::from_secs(5)).await;
        assert_eq!(lines(&application), 1);
        culprit.end().await;
        until("its end is told", async || lines(&end_of) > 0).await;
    };
    tokio::select! {
        () = Horizon::watch(test.database().clone()) => unreachable!("it watches for as long as it is polled"),
        () = story => {}
    }
    assert_eq!((lines(&application), lines(&end_of)), (1, 1), "{}", log.text());
}

/// Seen to fail: with sessions alone looked through.
#[tokio::test]
async fn a_prepared_transaction_that_was_left_is_named_with_what_ends_it() {
    let Some((_server, test)) = own_server().await else { return };
    let gid = format!("it's {}", SystemIds.next().simple());
    let quoted = format!("'{}'", gid.replace('\'', "''"));
    let mut culprit = Culprit::at(&test).await;
    sqlx::raw_sql(&format!("prepare transaction {quoted}")).execute(&mut culprit.connection).await.unwrap();
    test.appender().append(commit("a", 0, 1)).await.unwrap();
    let deadline = tokio::time::Instant::now() + Duration::from_secs(20);
    let found = loop {
        let stall = Horizon::stall(test.database()).await.unwrap();
        let is_it = |stall: &Stall| matches!(&stall.holder, Holder::Prepared { gid: held, .. } if *held == gid);
        let found = stall.filter(is_it);
        if found.is_some() || tokio::time::Instant::now() > deadline {
            break found;
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    };
    sqlx::raw_sql(&format!("rollback prepared {quoted}")).execute(&mut culprit.connection).await.unwrap();
    let told = found.expect("the prepared transaction is found").to_string();
    assert!(told.ends_with(&format!("rollback prepared {quoted}")), "{told}");
    until("the stall is over", async || Horizon::stall(test.database()).await.unwrap().is_none()).await;
}
