//! Sessions that the server ends under load, as an operator or a failing server does.

use std::time::Duration;

use application::ports::read_models::Progress;
use sqlx::{Connection, PgConnection};
use testkit::TestDatabase;
use testkit::engine::{Dice, PostgresServer, assert_whole};
use testkit::settings::{LONG, setting};

use crate::loader::Loader;

/// Between two terminations at most so long.
const MOST: Duration = Duration::from_millis(80);

/// How long recovery may take.
const PATIENCE: Duration = Duration::from_secs(30);

/// The server is the test's own, because sessions are not told apart by the test that they belong to.
///
/// Seen to fail: with a projection that ends with its first failure.
#[tokio::test]
async fn sessions_that_the_server_ends_are_replaced_and_nothing_acknowledged_is_lost() {
    let rounds = if setting(LONG).is_some() { 1_000 } else { 60_u32 };
    let server = PostgresServer::start();
    let test = TestDatabase::on(server.url()).await;
    let mut dice = Dice::of_test();
    let mut administrator = PgConnection::connect(&server.url()).await.unwrap();
    let mut loader = Loader::start(&test.url().unwrap(), dice.roll());
    loader.goes_beyond(0).await;
    let mut terminated = 0;
    for round in 0..rounds {
        tokio::time::sleep(dice.between(Duration::ZERO, MOST)).await;
        // Every tenth time all at once, else one that is just at work, if there is any.
        let at_once = if round % 10 == 0 { 1_000 } else { 1 };
        terminated += terminate(&mut administrator, at_once).await;
    }
    assert!(terminated > i64::from(rounds) / 2, "only {terminated} sessions could be ended");
    loader.goes_beyond(loader.acknowledged()).await;
    // The loader's own projections have to get there; the verdict below feeds them too.
    let last = test.last_position().await.unwrap();
    assert!(test.checkpoints().passed(last, PATIENCE).await.unwrap(), "the loader's projections did not go on");
    let (acknowledged, counts) = loader.end().await;
    assert!(counts.unanswered > 0, "no command was cut off: {counts}");
    assert_whole(&test, &acknowledged).await;
}

async fn terminate(administrator: &mut PgConnection, most: i64) -> i64 {
    sqlx::query_scalar(
        "select count(*) filter (where pg_terminate_backend(pid)) from (
            select pid from pg_stat_activity where application_name = 'synkro'
            order by state = 'active' desc, random() limit $1
         ) as chosen",
    )
    .bind(most)
    .fetch_one(administrator)
    .await
    .unwrap()
}
