//! What becomes of a transaction whose owner is cut off.

use std::pin::pin;
use std::task::Poll;
use std::time::Duration;

use infrastructure::database::Database;
use testkit::TestDatabase;

use crate::fixtures::count;

/// Asks for a transaction, and gives up when it is not there after being woken so many times.
async fn begin_and_give_up(database: &Database, wakes: usize) {
    let (mut begin, mut left) = (pin!(database.begin()), wakes);
    std::future::poll_fn(|wake| match (begin.as_mut().poll(wake), left) {
        (Poll::Ready(_), _) | (Poll::Pending, 0) => Poll::Ready(()),
        (Poll::Pending, _) => {
            left -= 1;
            Poll::Pending
        }
    })
    .await;
}

/// Seen to fail: with the transaction begun by the one who is cut off, what others wrote on that connection later was in
/// the transaction that nobody ended.
#[tokio::test]
async fn a_transaction_whose_owner_is_cut_off_at_its_beginning_holds_nothing_that_others_write() {
    let test = TestDatabase::new().await;
    test.as_owner("create table notes (note integer); grant select, insert on notes to synkro_system").await;
    let mut written = 0;
    for wakes in 0..6 {
        for _ in 0..5 {
            begin_and_give_up(test.database(), wakes).await;
            // Each connection of the pool gets its turn.
            let writes =
                (0..4).map(|note| sqlx::query("insert into notes values ($1)").bind(note).execute(test.pool()));
            for wrote in futures::future::join_all(writes).await {
                wrote.unwrap();
                written += 1;
            }
        }
    }
    tokio::time::sleep(Duration::from_millis(50)).await;
    let Some(other) = test.another_process().await else { return assert!(test.is_embedded()) };
    assert_eq!(count(other.pool(), "notes").await, written);
}
