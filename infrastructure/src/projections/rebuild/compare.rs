//! What differs between the live tables and the next generation.

use sea_orm::{ConnectionTrait, DbBackend, DbErr, Statement};
use uuid::Uuid;

use super::generation::Generation;

/// Stands for the platform where a tenant is compared, because a join finds no equal nulls.
const PLATFORM: Uuid = Uuid::nil();

/// The most differing rows that are named.
const MOST_ROWS: usize = 100;

/// A digest of one tenant's rows of one table, in both generations. It does not depend on the rows' order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TenantDigest {
    /// The table.
    pub table: String,
    /// The tenant; none for the platform's own rows.
    pub tenant_id: Option<Uuid>,
    /// Rows and digest in the live table.
    pub live: (i64, i64),
    /// Rows and digest in the next generation.
    pub next: (i64, i64),
}

impl TenantDigest {
    /// True where both generations say the same.
    pub fn is_equal(&self) -> bool {
        self.live == self.next
    }
}

/// A row that differs. It holds no values but the key's: they may be personal data, and staff need not see them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Difference {
    /// The table.
    pub table: String,
    /// The row's key, as JSON.
    pub key: String,
    /// True where the live table has the row.
    pub in_live: bool,
    /// True where the next generation has the row.
    pub in_next: bool,
    /// The names of the columns that differ, where both have the row.
    pub columns: Vec<String>,
}

/// The digests of every tenant that has rows in either generation.
pub(super) async fn digests(
    connection: &impl ConnectionTrait,
    generation: &Generation,
    table: &str,
) -> Result<Vec<TenantDigest>, DbErr> {
    let tenant = tenant_column(connection, &generation.live_table(table)).await?;
    let side = |name: &str| {
        format!(
            "select coalesce({tenant}, '{PLATFORM}') as tenant_id, count(*) as rows,
                    coalesce(bit_xor(hashtextextended(t::text, 0)), 0) as digest
             from {name} t group by 1"
        )
    };
    let sql = format!(
        "with live as ({}), next as ({})
         select nullif(tenant_id, '{PLATFORM}') as tenant_id,
                coalesce(live.rows, 0) as live_rows, coalesce(live.digest, 0) as live_digest,
                coalesce(next.rows, 0) as next_rows, coalesce(next.digest, 0) as next_digest
         from live full join next using (tenant_id)
         order by 1",
        side(&generation.live_table(table)),
        side(&generation.next_table(table))
    );
    let rows = connection.query_all(Statement::from_string(DbBackend::Postgres, sql)).await?;
    rows.iter()
        .map(|row| {
            Ok(TenantDigest {
                table: table.to_owned(),
                tenant_id: row.try_get("", "tenant_id")?,
                live: (row.try_get("", "live_rows")?, row.try_get("", "live_digest")?),
                next: (row.try_get("", "next_rows")?, row.try_get("", "next_digest")?),
            })
        })
        .collect()
}

/// The rows that differ, by the table's key; at most a hundred of them.
pub(super) async fn differences(
    connection: &impl ConnectionTrait,
    generation: &Generation,
    table: &str,
) -> Result<Vec<Difference>, DbErr> {
    let (live, next) = (generation.live_table(table), generation.next_table(table));
    let key = key_columns(connection, &live).await?.join(", ");
    let sql = format!(
        "select (select jsonb_object_agg(k.key, k.value) from jsonb_each(coalesce(to_jsonb(live), to_jsonb(next))) k
                 where k.key = any(string_to_array($1, ', ')))::text as key,
                to_jsonb(live) is not null as in_live, to_jsonb(next) is not null as in_next,
                (select coalesce(jsonb_agg(l.key order by l.key), '[]') from jsonb_each(to_jsonb(live)) l
                 where to_jsonb(next) is not null and l.value is distinct from to_jsonb(next) -> l.key) as columns
         from {live} as live full join {next} as next using ({key})
         where to_jsonb(live) is distinct from to_jsonb(next)
         order by {key}
         limit {MOST_ROWS}"
    );
    let rows =
        connection.query_all(Statement::from_sql_and_values(DbBackend::Postgres, sql, [key.clone().into()])).await?;
    rows.iter()
        .map(|row| {
            let columns: serde_json::Value = row.try_get("", "columns")?;
            Ok(Difference {
                table: table.to_owned(),
                key: row.try_get("", "key")?,
                in_live: row.try_get("", "in_live")?,
                in_next: row.try_get("", "in_next")?,
                columns: serde_json::from_value(columns).map_err(|error| DbErr::Json(error.to_string()))?,
            })
        })
        .collect()
}

/// The column that says whose a row is: a table of tenants is keyed by them.
async fn tenant_column(connection: &impl ConnectionTrait, table: &str) -> Result<&'static str, DbErr> {
    let columns = names(
        connection,
        "select attname::text as name from pg_attribute
         where attrelid = $1::regclass and attname = 'tenant_id' and not attisdropped",
        table,
    )
    .await?;
    Ok(if columns.is_empty() { "id" } else { "tenant_id" })
}

async fn key_columns(connection: &impl ConnectionTrait, table: &str) -> Result<Vec<String>, DbErr> {
    let sql = "select a.attname::text as name
         from pg_index x
         join lateral unnest(x.indkey) with ordinality as k(attnum, place) on true
         join pg_attribute a on a.attrelid = x.indrelid and a.attnum = k.attnum
         where x.indrelid = $1::regclass and x.indisprimary
         order by k.place";
    names(connection, sql, table).await
}

async fn names(connection: &impl ConnectionTrait, sql: &str, table: &str) -> Result<Vec<String>, DbErr> {
    let statement = Statement::from_sql_and_values(DbBackend::Postgres, sql, [table.into()]);
    connection.query_all(statement).await?.iter().map(|row| row.try_get("", "name")).collect()
}
