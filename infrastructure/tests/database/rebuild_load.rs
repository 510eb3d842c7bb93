//! Rebuilds while events go on, without holding up the projection that they are of.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use infrastructure::event_store::LoggedEvent;
use infrastructure::projections::{Follows, Projection, ProjectionError, Rebuild, Table};
use sea_orm::{ConnectionTrait, DatabaseTransaction, DbBackend, Statement};
use testkit::TestDatabase;

use crate::event_log::commit;
use crate::fixtures::{count, until};
use crate::probe::Probe;

/// A steady load of some hundred events a second.
pub(crate) async fn write_for_ever(test: &TestDatabase) {
    let appender = test.appender();
    for n in 0.. {
        appender.append(commit(&format!("load-{n}"), 0, 5)).await.unwrap();
        tokio::time::sleep(Duration::from_millis(15)).await;
    }
}

/// A probe that sees how many events a rebuild writes while it holds the live checkpoint.
struct Watching {
    probe: Arc<Probe>,
    most_while_held: AtomicUsize,
    most: AtomicUsize,
}

#[async_trait]
impl Projection for Watching {
    fn name(&self) -> &'static str {
        self.probe.name()
    }

    fn follows(&self) -> Follows {
        self.probe.follows()
    }

    fn tables(&self) -> &'static [Table] {
        self.probe.tables()
    }

    async fn apply(&self, transaction: &DatabaseTransaction, events: &[&LoggedEvent]) -> Result<(), ProjectionError> {
        // A row that this transaction has locked names it.
        let sql = "select position('_next_' in current_schema()) > 0 as rebuilds,
                          xmax::text = pg_current_xact_id()::xid::text as holds
                   from projection_checkpoints where name = 'probe'";
        let row = transaction.query_one(Statement::from_string(DbBackend::Postgres, sql)).await?.unwrap();
        if row.try_get::<bool>("", "rebuilds")? {
            let most = if row.try_get::<bool>("", "holds")? { &self.most_while_held } else { &self.most };
            most.fetch_max(events.len(), Ordering::SeqCst);
        }
        self.probe.apply(transaction, events).await
    }
}

/// Seen to fail: with an exchange that locks the live checkpoint before it writes what is missing.
#[tokio::test]
async fn an_exchange_holds_the_live_projection_for_the_last_few_events_only() {
    let test = TestDatabase::new().await;
    if test.is_embedded() {
        // Nobody can write meanwhile.
        return;
    }
    let watching = Arc::new(Watching {
        probe: Probe::working_over(&test).await,
        most_while_held: AtomicUsize::new(0),
        most: AtomicUsize::new(0),
    });
    let projections: [Arc<dyn Projection>; 1] = [watching.clone()];
    test.appender().append(commit("first", 0, 10)).await.unwrap();
    test.catch_up_with(&projections).await;
    let runner = test.runner();
    let rebuilds = async {
        let rebuild = Rebuild::of(test.database(), watching.as_ref()).await.unwrap();
        rebuild.build(|_| ()).await.unwrap();
        // Somebody looks at what differs, and meanwhile much is recorded.
        let built = count(test.pool(), "probe").await;
        test.appender().append(commit("much", 0, 900)).await.unwrap();
        until("the live rows are there", async || count(test.pool(), "probe").await > built + 900).await;
        rebuild.exchange().await.unwrap();
    };
    tokio::select! {
        () = rebuilds => {}
        () = runner.run(&projections) => unreachable!("it feeds for ever"),
        () = write_for_ever(&test) => unreachable!("it writes for ever"),
    }
    let [held, free] = [&watching.most_while_held, &watching.most].map(|most| most.load(Ordering::SeqCst));
    assert!(free >= 900, "{free}");
    assert!(held < 450, "{held} events were written while the live projection stood still");
    test.catch_up_with(&projections).await;
    assert_eq!(count(test.pool(), "probe").await, count(test.pool(), "events").await);
}
