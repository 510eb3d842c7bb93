//! Where projections stand.

use application::PortError;
use application::ports::projections::{Lease, Standing, Standings};
use async_trait::async_trait;
use chrono::{DateTime, Utc};
use sqlx::Row;
use sqlx::postgres::PgRow;
use uuid::Uuid;

use super::Checkpoints;
use crate::error::from_sqlx;
use crate::event_store::position::of_columns;

/// Each projection of `$1`, at the beginning of the log where it has no checkpoint yet. The events after it are taken in
/// their order and at most `$2` of them, so that an index leads to them and nothing before them is read.
const STANDINGS: &str = "
select standing.*,
       (select count(*) from (
            select from events
            where (generation, events.tx, position) > (standing.generation, xid, standing.position)
            order by generation, events.tx, position limit $2
        ) as unread) as behind,
       (select extract(epoch from clock_timestamp() - recorded_at)::float8 from events
        where (generation, events.tx, position) > (standing.generation, xid, standing.position)
        order by generation, events.tx, position limit 1) as behind_seconds,
       (select count(*) from parked_events where projection = standing.name) as parked
from (
    select wanted.name, wanted.place, coalesce(checkpoint.generation, 0) as generation,
           coalesce(checkpoint.tx, '0') as xid, coalesce(checkpoint.tx, '0')::text::bigint as tx,
           coalesce(checkpoint.position, 0) as position,
           coalesce(events_per_second
               * exp(-least(greatest(extract(epoch from clock_timestamp() - updated_at)::float8, 0), 600) / 60), 0)
               as events_per_second,
           case when held_until > clock_timestamp() then holder end as holder, held_until
    from unnest($1::text[]) with ordinality as wanted (name, place)
    left join projection_checkpoints checkpoint using (name)
) as standing
order by standing.place";

#[async_trait]
impl Standings for Checkpoints {
    async fn standings(&self) -> Result<Vec<Standing>, PortError> {
        let rows = sqlx::query(STANDINGS)
            .bind(self.names())
            .bind(Standing::MOST_COUNTED.cast_signed())
            .fetch_all(self.database().pool())
            .await
            .map_err(from_sqlx)?;
        rows.iter().map(standing).collect::<Result<_, sqlx::Error>>().map_err(from_sqlx)
    }
}

fn standing(row: &PgRow) -> Result<Standing, sqlx::Error> {
    let (holder, until): (Option<Uuid>, Option<DateTime<Utc>>) = (row.try_get("holder")?, row.try_get("held_until")?);
    Ok(Standing {
        name: row.try_get("name")?,
        position: of_columns((row.try_get("generation")?, row.try_get("tx")?, row.try_get("position")?)),
        behind: row.try_get::<i64, _>("behind")?.cast_unsigned(),
        behind_seconds: row.try_get::<Option<f64>, _>("behind_seconds")?.unwrap_or_default().max(0.0),
        events_per_second: row.try_get("events_per_second")?,
        parked: row.try_get::<i64, _>("parked")?.cast_unsigned(),
        lease: holder.zip(until).map(|(holder, until)| Lease { holder, until }),
    })
}
