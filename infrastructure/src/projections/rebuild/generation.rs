//! The schemas of generations, and moving tables and rows between them.

use application::ports::rebuilds::Discarded;
use domain::rebuild::RebuildScope;
use sea_orm::{ConnectionTrait, DatabaseConnection, DbBackend, DbErr, Statement, TryGetable};

use super::protection;
use super::scope::rows_of;
use crate::database::Database;
use crate::projections::Table;

/// How long the exchange waits for those who read the tables. Whoever wants to read them meanwhile waits behind it. It is
/// shorter than the server's `deadlock_timeout` of one second, so that of a reader and an exchange that wait for each
/// other the exchange gives way.
const LOCK_TIMEOUT: &str = "500ms";

/// The columns of a table that are written.
const COLUMNS: &str = "
select attname::text as name from pg_attribute
where attrelid = $1::regclass and attnum > 0 and not attisdropped and attgenerated = ''
order by attnum";

/// The columns of a table's key.
const KEY: &str = "
select a.attname::text as name
from pg_index x
join lateral unnest(x.indkey) with ordinality as k(attnum, place) on true
join pg_attribute a on a.attrelid = x.indrelid and a.attnum = k.attnum
where x.indrelid = $1::regclass and x.indisprimary
order by k.place";

/// A digest of all migrations that were applied, and of the columns of the tables.
const FORM: &str = "
select md5(concat_ws(' ',
    (select string_agg(version, ' ' order by version) from seaql_migrations),
    (select string_agg(concat_ws(' ', relname, attname, format_type(atttypid, atttypmod), attnotnull), ', '
                       order by relname, attnum)
     from pg_attribute join pg_class on pg_class.oid = attrelid
     where attrelid = any($1::text[]::regclass[]) and attnum > 0 and not attisdropped))) as value";

/// The schemas of one projection's generations.
#[derive(Debug, Clone)]
pub(super) struct Generation {
    /// The schema that everything lives in.
    live: String,
    /// Where the next generation is built.
    next: String,
    /// Where the previous one is kept.
    previous: String,
    /// Whose rows are built.
    scope: RebuildScope,
}

impl Generation {
    pub(super) async fn of(
        connection: &DatabaseConnection,
        projection: &str,
        scope: RebuildScope,
    ) -> Result<Self, DbErr> {
        let live: String = single(connection, "select current_schema()::text as value").await?;
        let next = quoted(&format!("{live}_next_{projection}"));
        let previous = quoted(&format!("{live}_old_{projection}"));
        Ok(Self { live: quoted(&live), next, previous, scope })
    }

    /// Makes the next generation's empty tables in place of whatever is left of an earlier one. Indexes come later: they
    /// are quicker to make on full tables. The schema's comment says which program, which tables and which rows it was begun
    /// with.
    pub(super) async fn create_next(&self, connection: &impl ConnectionTrait, tables: &[Table]) -> Result<(), DbErr> {
        let Self { live, next, .. } = self;
        self.drop_next(connection).await?;
        connection.execute_unprepared(&format!("create schema {next}")).await?;
        let fingerprint =
            self.fingerprint(connection, tables).await?.map(|(_, part)| part).join(" ").replace('\'', "''");
        connection.execute_unprepared(&format!("comment on schema {next} is '{fingerprint}'")).await?;
        for Table { name: table, .. } in tables {
            let sql = format!(
                "create table {next}.{table} (like {live}.{table} including defaults including constraints \
                 including comments including generated including identity)"
            );
            connection.execute_unprepared(&sql).await?;
        }
        protection::copy(connection, (live, next), tables).await
    }

    /// What the next generation has that this rebuild would not have given it; none where it is this rebuild's.
    pub(super) async fn foreign_next(
        &self,
        connection: &impl ConnectionTrait,
        tables: &[Table],
    ) -> Result<Option<Discarded>, DbErr> {
        let sql = "select coalesce(obj_description(to_regnamespace($1), 'pg_namespace'), '') as value";
        let begun_with: String = of_name(connection, sql, &self.next).await?;
        let ours = self.fingerprint(connection, tables).await?;
        let mut theirs = begun_with.splitn(ours.len(), ' ');
        let differs = ours.iter().find(|(_, part)| theirs.next() != Some(part.as_str()));
        Ok(differs.map(|(discarded, _)| *discarded))
    }

    /// What a generation's rows depend on besides the log, each with what it means if that is another one: the sources of the
    /// program that makes them, the tables' form, and whose rows they are.
    async fn fingerprint(
        &self,
        connection: &impl ConnectionTrait,
        tables: &[Table],
    ) -> Result<[(Discarded, String); 3], DbErr> {
        let names: Vec<String> = tables.iter().map(|table| self.live_table(table)).collect();
        let form = Statement::from_sql_and_values(DbBackend::Postgres, FORM, [names.into()]);
        Ok([
            (Discarded::OtherProgram, env!("PROJECTION_SOURCES").to_owned()),
            (Discarded::OtherTables, value(connection, form).await?),
            (Discarded::OtherRows, format!("{:?}", self.scope)),
        ])
    }

    /// The first table that the next generation does not have.
    pub(super) async fn missing_next(
        &self,
        connection: &impl ConnectionTrait,
        tables: &[Table],
    ) -> Result<Option<&'static str>, DbErr> {
        for table in tables {
            let sql = "select to_regclass($1) is null as value";
            if of_name(connection, sql, &self.next_table(table)).await? {
                return Ok(Some(table.name));
            }
        }
        Ok(None)
    }

    /// Gives the next generation's tables the keys and indexes of the live ones, under the same names.
    pub(super) async fn index_next(&self, database: &Database, tables: &[Table]) -> Result<(), DbErr> {
        for Table { name: table, .. } in tables {
            let mut is_whole = true;
            while self.index_once(database, table).await? {
                is_whole = false;
            }
            if is_whole {
                continue;
            }
            let transaction = database.begin_as_owner().await?;
            transaction.execute_unprepared(&format!("analyze {}.{table}", self.next)).await?;
            transaction.commit().await?;
        }
        Ok(())
    }

    /// Makes one missing key or index; false where none is missing. What a killed process still has the server make is
    /// waited for, so that nothing is made twice.
    async fn index_once(&self, database: &Database, table: &str) -> Result<bool, DbErr> {
        let transaction = database.begin_as_owner().await?;
        let lock = format!("lock table {}.{table} in share row exclusive mode", self.next);
        transaction.execute_unprepared(&lock).await?;
        let missing = self.missing_indexes(&transaction, table).await?;
        if let Some(statement) = missing.first() {
            transaction.execute_unprepared(statement).await?;
        }
        transaction.commit().await?;
        Ok(!missing.is_empty())
    }

    async fn missing_indexes(&self, connection: &impl ConnectionTrait, table: &str) -> Result<Vec<String>, DbErr> {
        let rows = connection
            .query_all(Statement::from_sql_and_values(
                DbBackend::Postgres,
                "select i.relname::text as name, pg_get_indexdef(x.indexrelid) as definition,
                        pg_get_constraintdef(c.oid) as key
                 from pg_index x
                 join pg_class i on i.oid = x.indexrelid
                 left join pg_constraint c on c.conindid = x.indexrelid and c.contype in ('p', 'u')
                 where x.indrelid = $1::regclass
                   and not exists (
                       select 1 from pg_index y join pg_class j on j.oid = y.indexrelid
                       where y.indrelid = $2::regclass and j.relname = i.relname)
                 order by c.contype nulls last, i.relname",
                [format!("{}.{table}", self.live).into(), format!("{}.{table}", self.next).into()],
            ))
            .await?;
        rows.iter()
            .map(|row| {
                let name: String = row.try_get("", "name")?;
                let key: Option<String> = row.try_get("", "key")?;
                let definition: String = row.try_get("", "definition")?;
                Ok(match key {
                    Some(key) => format!("alter table {}.{table} add constraint {} {key}", self.next, quoted(&name)),
                    None => self.on_next(&definition, table),
                })
            })
            .collect()
    }

    /// An index definition names the table with its schema, or without where the search path finds it.
    fn on_next(&self, definition: &str, table: &str) -> String {
        let target = format!(" ON {}.{table} ", self.next);
        let live = self.live.trim_matches('"');
        [format!(" ON {}.{table} ", self.live), format!(" ON {live}.{table} "), format!(" ON {table} ")]
            .iter()
            .find(|named| definition.contains(named.as_str()))
            .map_or_else(|| definition.to_owned(), |named| definition.replacen(named.as_str(), &target, 1))
    }

    /// Makes a transaction's unqualified names mean the next generation's tables first.
    pub(super) async fn enter_next(&self, transaction: &impl ConnectionTrait) -> Result<(), DbErr> {
        let Self { live, next, .. } = self;
        transaction.execute_unprepared(&format!("set local search_path = {next}, {live}")).await.map(|_| ())
    }

    /// Makes a transaction's unqualified names mean the live tables again.
    pub(super) async fn leave_next(&self, transaction: &impl ConnectionTrait) -> Result<(), DbErr> {
        transaction.execute_unprepared(&format!("set local search_path = {}", self.live)).await.map(|_| ())
    }

    /// Puts the next generation in the live one's place and keeps that one as the previous. Fails where somebody else
    /// holds the tables for longer than [`LOCK_TIMEOUT`].
    pub(super) async fn exchange(&self, transaction: &impl ConnectionTrait, tables: &[Table]) -> Result<(), DbErr> {
        let Self { live, next, previous, .. } = self;
        transaction.execute_unprepared(&format!("set local lock_timeout = '{LOCK_TIMEOUT}'")).await?;
        self.drop_previous(transaction).await?;
        transaction.execute_unprepared(&format!("create schema {previous}")).await?;
        let all: Vec<String> = tables.iter().map(|table| self.live_table(table)).collect();
        transaction.execute_unprepared(&format!("lock table {} in access exclusive mode", all.join(", "))).await?;
        for Table { name: table, .. } in tables {
            let keep = format!("alter table {live}.{table} set schema {previous}");
            let take = format!("alter table {next}.{table} set schema {live}");
            transaction.execute_unprepared(&keep).await?;
            transaction.execute_unprepared(&take).await?;
        }
        transaction.execute_unprepared(&format!("drop schema {next}")).await.map(|_| ())
    }

    /// Puts the next generation's rows in the place of the live ones that they are about; the rows of others stay, and
    /// readers do not wait. A live row under a key that the next generation has goes too, whoever it claims to be of: the
    /// log says whose that key is.
    pub(super) async fn replace(&self, transaction: &impl ConnectionTrait, tables: &[Table]) -> Result<(), DbErr> {
        transaction.execute_unprepared(&format!("set local lock_timeout = '{LOCK_TIMEOUT}'")).await?;
        for table in tables {
            let (live, next) = (self.live_table(table), self.next_table(table));
            let columns = listed(&names(transaction, COLUMNS, &live).await?);
            let own = rows_of(self.scope, table).unwrap_or_else(|| "true".to_owned());
            let same_key = self.same_key(transaction, table).await?;
            for statement in [
                format!("delete from {live} where {own}"),
                format!("delete from {live} as live using {next} as next where {same_key}"),
                format!("insert into {live} ({columns}) select {columns} from {next}"),
            ] {
                transaction.execute_unprepared(&statement).await?;
            }
        }
        self.drop_next(transaction).await
    }

    /// The live rows that the next generation's are compared with, as it stands in a `from`: those that it is about, and
    /// those that have one of its keys.
    pub(super) async fn live_rows(&self, connection: &impl ConnectionTrait, table: &Table) -> Result<String, DbErr> {
        let (live, next) = (self.live_table(table), self.next_table(table));
        let Some(own) = rows_of(self.scope, table) else { return Ok(live) };
        let same_key = self.same_key(connection, table).await?;
        Ok(format!(
            "(select * from {live} where {own}
              union all
              select * from {live} as live where ({own}) is not true and exists (select from {next} as next where {same_key}))"
        ))
    }

    async fn same_key(&self, connection: &impl ConnectionTrait, table: &Table) -> Result<String, DbErr> {
        let key = self.key(connection, table).await?;
        let same = |column: &String| format!("live.{0} = next.{0}", quoted(column));
        Ok(key.iter().map(same).collect::<Vec<_>>().join(" and "))
    }

    /// The columns of the table's key.
    pub(super) async fn key(&self, connection: &impl ConnectionTrait, table: &Table) -> Result<Vec<String>, DbErr> {
        names(connection, KEY, &self.live_table(table)).await
    }

    pub(super) async fn drop_next(&self, connection: &impl ConnectionTrait) -> Result<(), DbErr> {
        connection.execute_unprepared(&format!("drop schema if exists {} cascade", self.next)).await.map(|_| ())
    }

    pub(super) async fn drop_previous(&self, connection: &impl ConnectionTrait) -> Result<(), DbErr> {
        connection.execute_unprepared(&format!("drop schema if exists {} cascade", self.previous)).await.map(|_| ())
    }

    pub(super) async fn has_next(&self, connection: &impl ConnectionTrait) -> Result<bool, DbErr> {
        of_name(connection, "select to_regnamespace($1) is not null as value", &self.next).await
    }

    pub(super) async fn has_previous(&self, connection: &impl ConnectionTrait) -> Result<bool, DbErr> {
        of_name(connection, "select to_regnamespace($1) is not null as value", &self.previous).await
    }

    fn live_table(&self, table: &Table) -> String {
        format!("{}.{}", self.live, table.name)
    }

    pub(super) fn next_table(&self, table: &Table) -> String {
        format!("{}.{}", self.next, table.name)
    }
}

/// Names of columns, as SQL lists them.
pub(super) fn listed(columns: &[String]) -> String {
    columns.iter().map(|column| quoted(column)).collect::<Vec<_>>().join(", ")
}

fn quoted(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}

async fn single<T: TryGetable>(connection: &impl ConnectionTrait, sql: &str) -> Result<T, DbErr> {
    value(connection, Statement::from_string(DbBackend::Postgres, sql)).await
}

async fn of_name<T: TryGetable>(connection: &impl ConnectionTrait, sql: &str, name: &str) -> Result<T, DbErr> {
    value(connection, Statement::from_sql_and_values(DbBackend::Postgres, sql, [name.into()])).await
}

async fn value<T: TryGetable>(connection: &impl ConnectionTrait, statement: Statement) -> Result<T, DbErr> {
    let sql = statement.sql.clone();
    connection.query_one(statement).await?.ok_or(DbErr::RecordNotFound(sql))?.try_get("", "value")
}

async fn names(connection: &impl ConnectionTrait, sql: &str, table: &str) -> Result<Vec<String>, DbErr> {
    let statement = Statement::from_sql_and_values(DbBackend::Postgres, sql, [table.into()]);
    connection.query_all(statement).await?.iter().map(|row| row.try_get("", "name")).collect()
}
