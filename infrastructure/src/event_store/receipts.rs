//! Receipts: which request caused which events, so that a repeat is answered with the first outcome (ADR 0015).

use application::ports::commands::{LogPosition, Recorded};
use application::{CommandError, PortError, Receipt, RequestContext};
use domain::EventSourced;
use serde::Deserialize;
use serde_json::Value;
use sqlx::postgres::PgRow;
use sqlx::{FromRow, Row};
use uuid::Uuid;

use super::aggregate::tenant_in_key;
use super::position::of_columns;
use crate::database::Database;
use crate::error::{from_sqlx, internal};

/// How long a repeat gets the first outcome. Later the key is as good as new.
const DAYS_KEPT: i32 = 30;

/// Receipts that one transaction deletes.
const PORTION: i64 = 1_000;

/// Those that another process is deleting are left to it.
const PURGE: &str = "
delete from receipts
where (tenant_id, key) in (
    select tenant_id, key from receipts
    where recorded_at < now() - make_interval(days => $1)
    order by recorded_at
    limit $2
    for update skip locked
)";

/// A receipt on its way into the database, with the events that it is about.
#[derive(Debug, Clone)]
pub struct NewReceipt {
    /// The tenant within which the key is unique; the nil UUID for the platform's own work.
    pub tenant: Uuid,
    /// Who asked.
    pub actor: String,
    /// What makes the request recognizable.
    pub receipt: Receipt,
}

impl NewReceipt {
    /// The receipt of this request, where it has one.
    pub(super) fn of(context: &RequestContext) -> Option<Self> {
        let receipt = context.receipt()?.clone();
        Some(Self { tenant: tenant_in_key(context.tenant()), actor: context.actor().id(), receipt })
    }
}

/// The receipts of all requests.
#[derive(Clone)]
pub struct Receipts {
    database: Database,
}

impl Receipts {
    /// The receipts in this database.
    pub fn new(database: Database) -> Self {
        Self { database }
    }

    /// Deletes those that have outlived their time, and says how many. It does so in portions, each a transaction of its
    /// own, so that it holds no reader of the log back for long, and what was done stays done if it is cut off.
    pub async fn purge(&self) -> Result<u64, PortError> {
        let mut purged = 0;
        loop {
            let portion = sqlx::query(PURGE)
                .bind(DAYS_KEPT)
                .bind(PORTION)
                .execute(self.database.pool())
                .await
                .map_err(from_sqlx)?;
            purged += portion.rows_affected();
            if portion.rows_affected() < PORTION.cast_unsigned() {
                return Ok(purged);
            }
        }
    }

    /// What the request recorded when it was made first.
    ///
    /// # Errors
    /// [`CommandError::KeyReused`] where its key stands for something else, or for a request of someone else.
    pub(super) async fn first_outcome<A: EventSourced>(
        &self,
        context: &RequestContext,
    ) -> Result<Option<Recorded<A::Event>>, CommandError<A::Error>> {
        let Some(receipt) = context.receipt() else { return Ok(None) };
        let rows: Vec<Found> = sqlx::query_as(FIND)
            .bind(tenant_in_key(context.tenant()))
            .bind(receipt.key.as_str())
            .fetch_all(self.database.pool())
            .await
            .map_err(from_sqlx)?;
        let Some(first) = rows.first() else { return Ok(None) };
        let same_request = first.request_hash == receipt.request_hash.0 && first.aggregate_type == A::TYPE;
        if !same_request || first.actor_id != context.actor().id() {
            return Err(CommandError::KeyReused);
        }
        Ok(Some(recorded(&rows, first)?))
    }
}

/// The receipt with each of its events. The position is that of the last event of their transaction, which is what the
/// statement that recorded them answered with.
const FIND: &str = "
select r.request_hash, r.actor_id, r.aggregate_type, r.aggregate_id, e.payload, e.generation, e.tx::text::bigint as tx,
       (select max(l.position) from events l where l.generation = e.generation and l.tx = e.tx) as position
from receipts r
join events e on e.aggregate_type = r.aggregate_type and e.aggregate_id = r.aggregate_id
    and e.sequence between r.first_sequence and r.last_sequence
where r.tenant_id = $1 and r.key = $2
order by e.sequence";

struct Found {
    request_hash: Vec<u8>,
    actor_id: String,
    aggregate_type: String,
    aggregate_id: String,
    payload: Value,
    position: LogPosition,
}

impl FromRow<'_, PgRow> for Found {
    fn from_row(row: &PgRow) -> Result<Self, sqlx::Error> {
        Ok(Self {
            request_hash: row.try_get("request_hash")?,
            actor_id: row.try_get("actor_id")?,
            aggregate_type: row.try_get("aggregate_type")?,
            aggregate_id: row.try_get("aggregate_id")?,
            payload: row.try_get("payload")?,
            position: of_columns((row.try_get("generation")?, row.try_get("tx")?, row.try_get("position")?)),
        })
    }
}

fn recorded<E: for<'de> Deserialize<'de>>(rows: &[Found], first: &Found) -> Result<Recorded<E>, PortError> {
    let events: Result<Vec<E>, _> = rows.iter().map(|row| E::deserialize(&row.payload)).collect();
    Ok(Recorded {
        id: Uuid::try_parse(&first.aggregate_id).map_err(internal)?,
        position: Some(first.position),
        events: events.map_err(internal)?,
        replayed: true,
    })
}
