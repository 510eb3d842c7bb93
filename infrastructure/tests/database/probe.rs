//! A projection that tests can break and mend.

use std::sync::Arc;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use async_trait::async_trait;
use infrastructure::event_store::LoggedEvent;
use infrastructure::projections::{Follows, Projection, ProjectionError, Table};
use sea_orm::{ConnectionTrait, DatabaseTransaction, DbBackend, DbErr, Statement};
use testkit::TestDatabase;

/// What goes wrong at the third event of every aggregate.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Fault {
    /// The writer finds fault with it.
    Refuse,
    /// The database reports this SQLSTATE.
    Raise(&'static str),
    /// The server ends the connection.
    Terminate,
    /// Somebody else holds the table for longer than the writer waits.
    WaitForTheTable,
    /// The writer never comes to an end.
    Hang,
}

/// Writes the number of each event into the table `probe`, and has a fault until it is mended.
pub(crate) struct Probe {
    fault: Mutex<Option<Fault>>,
    failures: AtomicUsize,
    written: AtomicUsize,
    calls: AtomicUsize,
}

impl Probe {
    /// A probe with a fault, whose table is there.
    pub(crate) async fn over(test: &TestDatabase, fault: Fault) -> Arc<Self> {
        let probe = Self::working_over(test).await;
        probe.break_with(fault);
        probe
    }

    /// A probe without a fault, whose table is there.
    pub(crate) async fn working_over(test: &TestDatabase) -> Arc<Self> {
        test.as_owner(
            "create table if not exists probe (
                position bigint primary key,
                place bigint generated always as identity,
                written_at timestamptz not null default clock_timestamp());
             grant select, insert, update, delete on probe to synkro_system",
        )
        .await;
        Arc::new(Self {
            fault: Mutex::new(None),
            failures: AtomicUsize::new(0),
            written: AtomicUsize::new(0),
            calls: AtomicUsize::new(0),
        })
    }

    pub(crate) fn break_with(&self, fault: Fault) {
        *self.fault.lock().unwrap() = Some(fault);
    }

    pub(crate) fn mend(&self) {
        *self.fault.lock().unwrap() = None;
    }

    /// How often the fault showed.
    pub(crate) fn failures(&self) -> usize {
        self.failures.load(Ordering::SeqCst)
    }

    /// How often this one was given events.
    pub(crate) fn calls(&self) -> usize {
        self.calls.load(Ordering::SeqCst)
    }

    /// How many rows this one has written, committed or not.
    pub(crate) fn written(&self) -> usize {
        self.written.load(Ordering::SeqCst)
    }
}

#[async_trait]
impl Projection for Probe {
    fn name(&self) -> &'static str {
        "probe"
    }

    fn follows(&self) -> Follows {
        Follows::Everything
    }

    fn tables(&self) -> &'static [Table] {
        &[Table { name: "probe", tenant: "tenant_id", aggregate: None }]
    }

    async fn apply(&self, transaction: &DatabaseTransaction, events: &[&LoggedEvent]) -> Result<(), ProjectionError> {
        self.calls.fetch_add(1, Ordering::SeqCst);
        for event in events {
            let fault = *self.fault.lock().unwrap();
            if let Some(fault) = fault.filter(|_| event.sequence == 3) {
                self.failures.fetch_add(1, Ordering::SeqCst);
                fail(transaction, fault).await?;
            }
            let row = [event.position.position.into()];
            // Plain: a second delivery of an event that was written would be an error.
            let insert = "insert into probe (position) values ($1)";
            transaction.execute(Statement::from_sql_and_values(DbBackend::Postgres, insert, row)).await?;
            self.written.fetch_add(1, Ordering::SeqCst);
        }
        Ok(())
    }
}

async fn fail(transaction: &DatabaseTransaction, fault: Fault) -> Result<(), ProjectionError> {
    let sql = match fault {
        Fault::Refuse => return Err(DbErr::Custom("Ann Example is not a day".into()).into()),
        Fault::Hang => return std::future::pending().await,
        Fault::Raise(code) => format!("do $$ begin raise exception 'Ann Example' using errcode = '{code}'; end $$"),
        // Only the login may end its sessions.
        Fault::Terminate => "set local role none; select pg_terminate_backend(pg_backend_pid())".to_owned(),
        Fault::WaitForTheTable => "set local lock_timeout = '20ms'; lock table probe in exclusive mode".to_owned(),
    };
    transaction.execute_unprepared(&sql).await?;
    Ok(())
}
