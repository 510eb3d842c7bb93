//! SIGKILL of the process at random moments under load.

use std::time::Duration;

use testkit::TestDatabase;
use testkit::engine::{Dice, assert_whole};
use testkit::settings::{LONG, setting};

use crate::loader::Loader;

/// How long after its first acknowledgement a loader is killed.
const LEAST: Duration = Duration::from_millis(50);
const MOST: Duration = Duration::from_millis(600);

/// Seen to fail: with an appender that answers before the commit, acknowledged commits were lost; with the checkpoint
/// moved outside of the rows' transaction, and with a reader that does not wait for open transactions, rows were
/// missing; with claims in a statement of their own, some belonged to no event.
#[tokio::test]
async fn killed_again_and_again_nothing_acknowledged_is_lost_and_every_read_model_is_right() {
    let kills = if setting(LONG).is_some() { 200 } else { 8 };
    let test = TestDatabase::on_a_server().await;
    let url = test.url().unwrap();
    let mut dice = Dice::of_test();
    let mut acknowledged = Vec::new();
    for _ in 0..kills {
        let mut loader = Loader::start(&url, dice.roll());
        loader.goes_beyond(0).await;
        tokio::time::sleep(dice.between(LEAST, MOST)).await;
        acknowledged.extend(loader.kill());
    }
    assert_whole(&test, &acknowledged).await;
}
