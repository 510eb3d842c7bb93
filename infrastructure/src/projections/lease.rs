//! Which process feeds a projection.
//!
//! A lease is two columns of the checkpoint: its holder, and until when by the database's clock. Every batch takes and
//! renews it with the statement that moves the checkpoint; between batches one statement a second renews all that a
//! process holds and takes those that nobody does. What a process remembers of its leases is a hint: the checkpoint's
//! compare-and-set asks again.
//!
//! A process that gets nowhere with a projection gives its lease back and rests, so that another one may try.

use std::collections::{BTreeSet, HashMap, HashSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use application::error::chain;
use application::ports::clock::Ids;
use application::ports::commands::LogPosition;
use sea_orm::{ConnectionTrait, DatabaseTransaction, DbBackend, DbErr, Statement, Value};
use tokio::sync::{Notify, watch};
use uuid::Uuid;

use crate::database::{Database, Mode};
use crate::event_store::position::{of_columns, parameters};
use crate::system::SystemIds;

/// How long a lease lasts, in seconds; a killed process's projections stand still no longer than this and [`RENEW`].
const SECONDS: f64 = 3.0;

/// How often leases are renewed and free ones looked for.
const RENEW: Duration = Duration::from_secs(1);

/// How long giving back may take; leases end by themselves.
const GIVE_BACK: Duration = Duration::from_secs(2);

/// Rows that somebody has locked are passed over: the holder's own batch renews them, and a rebuild is short.
const TAKE: &str = "
with free as (
    select name from projection_checkpoints
    where name = any($1) and (holder is null or holder = $2 or held_until <= clock_timestamp() or $3)
    for update skip locked
), taken as (
    update projection_checkpoints checkpoint
    set holder = $2, held_until = clock_timestamp() + make_interval(secs => $4)
    from free where checkpoint.name = free.name
    returning checkpoint.name
)
select name, generation, tx::text::bigint, position
from projection_checkpoints
where name = any($1)
  and (name in (select name from taken) or (holder = $2 and held_until > clock_timestamp()))";

/// Moves the checkpoint if it still stands where it was read, nobody else holds the lease, and the last event of the batch is
/// there: a server that has taken over since it was read may lack it. In the rate every event
/// counts 1/60 at first and less from then on, so that a steady stream shows as its events per second.
///
/// The transaction need not be durable at once: after a crash of the server rows and checkpoint are both as they were, and
/// the events are applied again. The same statement says so, to save a round trip, and how long each later statement of the
/// transaction may take: one whose process has given up must not keep the checkpoint's row from the others.
const ADVANCE: &str = "
update projection_checkpoints
set generation = $5, tx = $6::text::xid8, position = $7, updated_at = clock_timestamp(),
    holder = $8, held_until = clock_timestamp() + make_interval(secs => $10),
    events_per_second = $11 / 60.0 + events_per_second
        * exp(-least(greatest(extract(epoch from clock_timestamp() - updated_at)::float8, 0), 600) / 60)
where name = $1 and generation = $2 and tx = $3::text::xid8 and position = $4
  and (holder is null or holder = $8 or held_until <= clock_timestamp() or $9)
  and (($2, $3, $4) = ($5, $6, $7)
       or (select true from events where (generation, events.tx, position) = ($5, $6::text::xid8, $7)))
returning exists (select from parked_events where projection = $1) as parked,
          set_config('synchronous_commit', 'off', true), set_config('statement_timeout', '45s', true)";

/// The same for several projections that have nothing to write. Rows that somebody has locked are passed over, so that one
/// projection does not wait for another, and two processes not for each other. The last events are looked up by a scalar
/// query: `exists` may be made a join, which reads the whole log for a handful of rows.
const ADVANCE_ALL: &str = "
with wanted as (
    select * from unnest($1::text[], $2::int[], $3::text[], $4::bigint[], $5::int[], $6::text[], $7::bigint[], $8::float8[])
        as w (name, generation, tx, position, to_generation, to_tx, to_position, events)
), free as (
    select name, to_generation, to_tx, to_position, events
    from projection_checkpoints checkpoint join wanted w using (name)
    where checkpoint.generation = w.generation and checkpoint.tx = w.tx::xid8 and checkpoint.position = w.position
      and (holder is null or holder = $9 or held_until <= clock_timestamp() or $10)
      and (select true from events e where (e.generation, e.tx, e.position) = (to_generation, to_tx::xid8, to_position))
    for update of checkpoint skip locked
), moved as (
    update projection_checkpoints checkpoint
    set generation = to_generation, tx = to_tx::xid8, position = to_position, updated_at = clock_timestamp(),
        holder = $9, held_until = clock_timestamp() + make_interval(secs => $11),
        events_per_second = events / 60.0 + events_per_second
            * exp(-least(greatest(extract(epoch from clock_timestamp() - updated_at)::float8, 0), 600) / 60)
    from free where checkpoint.name = free.name
    returning checkpoint.name
)
select name, set_config('synchronous_commit', 'off', true) from moved";

/// Gives the lease to nobody for its usual time. One who waits for the checkpoint's lock would go on with what its statement
/// saw of the parked events before it waited; without the lease it has to begin anew.
pub(super) async fn take_away(transaction: &DatabaseTransaction, name: &str) -> Result<(), DbErr> {
    let sql = "update projection_checkpoints
               set holder = gen_random_uuid(), held_until = clock_timestamp() + make_interval(secs => $2)
               where name = $1";
    let statement = Statement::from_sql_and_values(DbBackend::Postgres, sql, [name.into(), SECONDS.into()]);
    transaction.execute(statement).await.map(|_| ())
}

/// A part of the log that a projection is brought over.
#[derive(Debug, Clone, Copy)]
pub(super) struct Stretch {
    /// Where the checkpoint must stand.
    pub(super) from: LogPosition,
    /// Where it will stand.
    pub(super) to: LogPosition,
    /// Events in between.
    pub(super) events: usize,
}

/// Positions of several projections, as columns.
#[derive(Default)]
struct Positions {
    generations: Vec<i32>,
    txs: Vec<String>,
    places: Vec<i64>,
}

impl Positions {
    fn push(&mut self, at: LogPosition) {
        self.generations.push(at.generation);
        self.txs.push(at.tx.to_string());
        self.places.push(at.position);
    }
}

#[expect(clippy::cast_precision_loss, reason = "a batch holds hundreds of events")]
fn as_rate(events: usize) -> f64 {
    events as f64
}

/// A checkpoint that was moved, and is locked until the transaction ends.
#[derive(Debug, Clone, Copy)]
pub(super) struct Advanced {
    /// False where the projection has no parked events. True where it may have some.
    pub(super) may_have_parked: bool,
}

/// The leases of one process.
#[derive(Clone)]
pub(super) struct Leases {
    database: Database,
    holder: Uuid,
    held: watch::Sender<BTreeSet<String>>,
    /// Where the checkpoints stood when the leases were last renewed, until somebody compares them.
    seen: Arc<Mutex<HashMap<String, LogPosition>>>,
    /// The projections that are left to other processes for now.
    resting: Arc<Mutex<HashSet<String>>>,
    /// That there is one more to look for.
    rested: Arc<Notify>,
}

/// Ends a projection's rest, also where its feeding is given up meanwhile.
struct Rest<'a> {
    leases: &'a Leases,
    name: &'a str,
}

impl Drop for Rest<'_> {
    fn drop(&mut self) {
        self.leases.resting().remove(self.name);
        self.leases.rested.notify_one();
    }
}

impl Leases {
    pub(super) fn new(database: Database) -> Self {
        let (held, seen) = (watch::Sender::default(), Arc::default());
        Self { database, holder: SystemIds.next(), held, seen, resting: Arc::default(), rested: Arc::default() }
    }

    fn seen(&self) -> MutexGuard<'_, HashMap<String, LogPosition>> {
        self.seen.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn resting(&self) -> MutexGuard<'_, HashSet<String>> {
        self.resting.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// True where no other process can exist, so that a lease is one of a process that was killed.
    fn is_alone(&self) -> bool {
        self.database.mode() == Mode::Embedded
    }

    /// Takes and renews what it can of the named leases but those that rest, for as long as it is polled.
    pub(super) async fn keep(&self, names: &[&str]) {
        let mut known = false;
        loop {
            let taken = async {
                if !known {
                    self.introduce(names).await?;
                }
                let awake: Vec<&str> = names.iter().copied().filter(|name| !self.resting().contains(*name)).collect();
                self.take(&awake).await
            };
            match taken.await {
                Ok(()) => known = true,
                Err(error) => tracing::warn!(error = chain(&error), "the projections' leases could not be renewed"),
            }
            tokio::select! {
                () = tokio::time::sleep(RENEW) => {}
                () = self.rested.notified() => {}
            }
        }
    }

    /// Gives the lease back and leaves the projection to other processes until the pause is over.
    pub(super) async fn rest(&self, name: &str, pause: Duration) {
        let _rest = Rest { leases: self, name };
        self.resting().insert(name.to_owned());
        // A renewal that is on its way lets the lease last its usual time once more, and no longer.
        let names = [name];
        tokio::join!(self.give_back(&names), tokio::time::sleep(pause));
    }

    /// Takes and renews what it can of the named leases, once.
    pub(super) async fn take(&self, names: &[&str]) -> Result<(), sqlx::Error> {
        let found: Vec<(String, i32, i64, i64)> = sqlx::query_as(TAKE)
            .bind(names)
            .bind(self.holder)
            .bind(self.is_alone())
            .bind(SECONDS)
            .fetch_all(self.database.pool())
            .await?;
        let mut held: BTreeSet<String> = found.iter().map(|(name, ..)| name.clone()).collect();
        let position = |(name, generation, tx, position)| (name, of_columns((generation, tx, position)));
        self.seen().extend(found.into_iter().map(position));
        held.retain(|name| !self.resting().contains(name));
        self.held.send_if_modified(|known| {
            let changed = *known != held;
            *known = held;
            changed
        });
        Ok(())
    }

    /// Moves the checkpoint and renews the lease; none where another process moved the one or holds the other.
    pub(super) async fn advance(
        &self,
        connection: &impl ConnectionTrait,
        name: &str,
        Stretch { from, to, events }: Stretch,
    ) -> Result<Option<Advanced>, DbErr> {
        let lease: [Value; 4] = [self.holder.into(), self.is_alone().into(), SECONDS.into(), as_rate(events).into()];
        let values = std::iter::once(name.into()).chain(parameters(from)).chain(parameters(to)).chain(lease);
        let moved = Statement::from_sql_and_values(DbBackend::Postgres, ADVANCE, values);
        let Some(row) = connection.query_one(moved).await? else { return Ok(None) };
        Ok(Some(Advanced { may_have_parked: row.try_get("", "parked")? }))
    }

    /// The same without a transaction of the caller's; false for none.
    pub(super) async fn advance_one(&self, name: &str, stretch: Stretch) -> Result<bool, DbErr> {
        Ok(self.advance(&self.database.orm(), name, stretch).await?.is_some())
    }

    /// Moves the checkpoints of projections that have nothing to write, where each stands as said and nobody else holds its
    /// lease or its row; those that were moved.
    pub(super) async fn advance_all(
        &self,
        stretches: impl Iterator<Item = (&'static str, Stretch)>,
    ) -> Result<Vec<String>, sqlx::Error> {
        let (mut names, mut events) = (Vec::new(), Vec::new());
        let (mut from, mut to) = (Positions::default(), Positions::default());
        for (name, stretch) in stretches {
            names.push(name);
            events.push(as_rate(stretch.events));
            from.push(stretch.from);
            to.push(stretch.to);
        }
        let moved: Vec<(String, String)> = sqlx::query_as(ADVANCE_ALL)
            .bind(names)
            .bind(from.generations)
            .bind(from.txs)
            .bind(from.places)
            .bind(to.generations)
            .bind(to.txs)
            .bind(to.places)
            .bind(events)
            .bind(self.holder)
            .bind(self.is_alone())
            .bind(SECONDS)
            .fetch_all(self.database.pool())
            .await?;
        Ok(moved.into_iter().map(|(name, _)| name).collect())
    }

    /// Makes checkpoints for new projections, in an order that all processes share.
    async fn introduce(&self, names: &[&str]) -> Result<(), sqlx::Error> {
        let sql = "insert into projection_checkpoints (name) select name from unnest($1::text[]) as new (name)
                   order by name on conflict do nothing";
        sqlx::query(sql).bind(names).execute(self.database.pool()).await.map(|_| ())
    }

    /// True where the checkpoint stood before this position when its lease was last renewed, as after a crash of the server,
    /// which loses what was not durable yet, or a moment ago. It says so once for each renewal.
    pub(super) fn has_fallen_back(&self, name: &str, at: LogPosition) -> bool {
        self.seen().remove(name).is_some_and(|seen| seen < at)
    }

    pub(super) fn holds(&self, name: &str) -> bool {
        self.held.borrow().contains(name)
    }

    /// Waits until this process holds the lease.
    pub(super) async fn until_held(&self, name: &str) {
        // The sender is a field of `self`, so the channel is open.
        let _ = self.held.subscribe().wait_for(|held| held.contains(name)).await;
    }

    /// Somebody else moved the checkpoint.
    pub(super) fn lost(&self, name: &str) {
        self.held.send_modify(|held| {
            held.remove(name);
        });
    }

    /// Gives the named leases back, so that others need not wait for their end.
    pub(super) async fn give_back(&self, names: &[&str]) {
        self.held.send_modify(|held| held.retain(|name| !names.contains(&name.as_str())));
        let sql = "update projection_checkpoints set holder = null, held_until = null
                   where name = any($1) and holder = $2";
        let given = sqlx::query(sql).bind(names).bind(self.holder).execute(self.database.pool());
        match tokio::time::timeout(GIVE_BACK, given).await {
            Ok(Ok(_)) => {}
            Ok(Err(error)) => tracing::warn!(error = chain(&error), "the projections' leases could not be given back"),
            Err(_) => tracing::warn!("the projections' leases could not be given back in time"),
        }
    }
}

#[cfg(test)]
mod tests;
