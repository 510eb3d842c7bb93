//! What differs between the live rows and the next generation's.

use application::ports::rebuilds::{Comparison, Difference, TenantDigest};
use sea_orm::{ConnectionTrait, DbBackend, DbErr, Statement};
use uuid::Uuid;

use super::generation::{Generation, listed};
use crate::projections::Table;

/// Stands for the platform where a tenant is compared, because a join finds no equal nulls.
const PLATFORM: Uuid = Uuid::nil();

/// The most differing rows of a table that are named.
const MOST_ROWS: usize = 100;

/// Compares the tables in both generations, as they are in one snapshot.
pub(super) async fn compare(
    connection: &impl ConnectionTrait,
    generation: &Generation,
    tables: &[Table],
) -> Result<Comparison, DbErr> {
    let mut comparison = Comparison { digests: Vec::new(), differences: Vec::new(), rows_differing: [].into() };
    for table in tables {
        let digests = digests(connection, generation, table).await?;
        if !digests.iter().all(TenantDigest::is_equal) {
            let (named, all) = differences(connection, generation, table).await?;
            comparison.rows_differing.insert(table.name.to_owned(), all);
            comparison.differences.extend(named);
        }
        comparison.digests.extend(digests);
    }
    Ok(comparison)
}

/// The digests of every tenant that has rows in either generation.
async fn digests(
    connection: &impl ConnectionTrait,
    generation: &Generation,
    table: &Table,
) -> Result<Vec<TenantDigest>, DbErr> {
    let tenant = table.tenant;
    let side = |rows: &str| {
        format!(
            "select coalesce({tenant}, '{PLATFORM}') as tenant_id, count(*) as rows,
                    coalesce(bit_xor(hashtextextended(t::text, 0)), 0) as digest
             from {rows} t group by 1"
        )
    };
    let sql = format!(
        "with live as ({}), next as ({})
         select nullif(tenant_id, '{PLATFORM}') as tenant_id,
                coalesce(live.rows, 0) as live_rows, coalesce(live.digest, 0) as live_digest,
                coalesce(next.rows, 0) as next_rows, coalesce(next.digest, 0) as next_digest
         from live full join next using (tenant_id)
         order by 1",
        side(&generation.live_rows(connection, table).await?),
        side(&generation.next_table(table))
    );
    let rows = connection.query_all(Statement::from_string(DbBackend::Postgres, sql)).await?;
    rows.iter()
        .map(|row| {
            Ok(TenantDigest {
                table: table.name.to_owned(),
                tenant_id: row.try_get("", "tenant_id")?,
                live: (row.try_get("", "live_rows")?, row.try_get("", "live_digest")?),
                next: (row.try_get("", "next_rows")?, row.try_get("", "next_digest")?),
            })
        })
        .collect()
}

/// The rows that differ, by tenant and key, and how many there are. At most a hundred are named: the first of every
/// tenant, then the second ones, so that a tenant with many does not hide another.
async fn differences(
    connection: &impl ConnectionTrait,
    generation: &Generation,
    table: &Table,
) -> Result<(Vec<Difference>, u64), DbErr> {
    let (live, next) = (generation.live_rows(connection, table).await?, generation.next_table(table));
    let columns = generation.key(connection, table).await?;
    let key = listed(&columns);
    let tenant = table.tenant;
    let owner = format!("case when to_jsonb(next) is null then live.{tenant} else next.{tenant} end");
    let sql = format!(
        "select * from (
            select (select jsonb_object_agg(k.key, k.value)
                    from jsonb_each(coalesce(to_jsonb(live), to_jsonb(next))) k
                    where k.key = any($1))::text as key,
                   {owner} as owner, to_jsonb(live) is not null as in_live, to_jsonb(next) is not null as in_next,
                   (select coalesce(jsonb_agg(l.key order by l.key), '[]') from jsonb_each(to_jsonb(live)) l
                    where to_jsonb(next) is not null and l.value is distinct from to_jsonb(next) -> l.key) as columns,
                   row_number() over (partition by {owner} order by {key}) as nth_of_owner,
                   row_number() over (order by {key}) as nth, count(*) over () as differing
            from {live} as live full join {next} as next using ({key})
            where to_jsonb(live) is distinct from to_jsonb(next)
            order by nth_of_owner, nth
            limit {MOST_ROWS}
         ) as named
         order by owner nulls first, nth"
    );
    let rows = connection.query_all(Statement::from_sql_and_values(DbBackend::Postgres, sql, [columns.into()])).await?;
    let all: i64 = rows.first().map_or(Ok(0), |row| row.try_get("", "differing"))?;
    let named = rows.iter().map(|row| {
        let columns: serde_json::Value = row.try_get("", "columns")?;
        Ok(Difference {
            table: table.name.to_owned(),
            tenant_id: row.try_get("", "owner")?,
            key: row.try_get("", "key")?,
            in_live: row.try_get("", "in_live")?,
            in_next: row.try_get("", "in_next")?,
            columns: serde_json::from_value(columns).map_err(|error| DbErr::Json(error.to_string()))?,
        })
    });
    Ok((named.collect::<Result<_, DbErr>>()?, all.cast_unsigned()))
}
