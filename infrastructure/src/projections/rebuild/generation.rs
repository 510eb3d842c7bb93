//! The schemas of generations, and moving tables between them.

use sea_orm::{ConnectionTrait, DatabaseConnection, DbBackend, DbErr, Statement, TryGetable};

/// How long the exchange waits for those who read the tables. Whoever wants to read them meanwhile waits behind it. It is
/// shorter than the server's `deadlock_timeout` of one second, so that of a reader and an exchange that wait for each
/// other the exchange gives way.
const LOCK_TIMEOUT: &str = "500ms";

/// The schemas of one projection's generations.
#[derive(Debug, Clone)]
pub(super) struct Generation {
    /// The schema that everything lives in.
    live: String,
    /// Where the next generation is built.
    next: String,
    /// Where the previous one is kept.
    previous: String,
}

impl Generation {
    pub(super) async fn of(connection: &DatabaseConnection, projection: &str) -> Result<Self, DbErr> {
        let live: String = single(connection, "select current_schema()::text as value").await?;
        let next = quoted(&format!("{live}_next_{projection}"));
        let previous = quoted(&format!("{live}_old_{projection}"));
        Ok(Self { live: quoted(&live), next, previous })
    }

    /// Makes the next generation's empty tables in place of whatever is left of an earlier one. Indexes come later: they
    /// are quicker to make on full tables. The schema's comment says which program and which tables it was begun with.
    pub(super) async fn create_next(&self, connection: &impl ConnectionTrait, tables: &[&str]) -> Result<(), DbErr> {
        let Self { live, next, .. } = self;
        self.drop_next(connection).await?;
        connection.execute_unprepared(&format!("create schema {next}")).await?;
        let fingerprint = fingerprint(connection).await?.replace('\'', "''");
        connection.execute_unprepared(&format!("comment on schema {next} is '{fingerprint}'")).await?;
        for table in tables {
            let sql = format!(
                "create table {next}.{table} (like {live}.{table} including defaults including constraints \
                 including comments including generated including identity)"
            );
            connection.execute_unprepared(&sql).await?;
        }
        Ok(())
    }

    /// True where the next generation is whole and was begun by this program, so that it can be gone on with.
    pub(super) async fn is_next_ours(&self, connection: &impl ConnectionTrait, tables: &[&str]) -> Result<bool, DbErr> {
        let sql = "select obj_description(to_regnamespace($1), 'pg_namespace') as value";
        let begun_with: Option<String> = of_name(connection, sql, &self.next).await?;
        let is_same = begun_with == Some(fingerprint(connection).await?);
        Ok(is_same && self.missing_next(connection, tables).await?.is_none())
    }

    /// The first table that the next generation does not have.
    pub(super) async fn missing_next<'t>(
        &self,
        connection: &impl ConnectionTrait,
        tables: &[&'t str],
    ) -> Result<Option<&'t str>, DbErr> {
        for table in tables {
            let sql = "select to_regclass($1) is null as value";
            if of_name(connection, sql, &self.next_table(table)).await? {
                return Ok(Some(table));
            }
        }
        Ok(None)
    }

    /// Gives the next generation's tables the keys and indexes of the live ones, under the same names.
    pub(super) async fn index_next(&self, connection: &impl ConnectionTrait, tables: &[&str]) -> Result<(), DbErr> {
        for table in tables {
            for statement in self.missing_indexes(connection, table).await? {
                connection.execute_unprepared(&statement).await?;
            }
            connection.execute_unprepared(&format!("analyze {}.{table}", self.next)).await?;
        }
        Ok(())
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
    pub(super) async fn exchange(&self, transaction: &impl ConnectionTrait, tables: &[&str]) -> Result<(), DbErr> {
        let Self { live, next, previous } = self;
        transaction.execute_unprepared(&format!("set local lock_timeout = '{LOCK_TIMEOUT}'")).await?;
        self.drop_previous(transaction).await?;
        transaction.execute_unprepared(&format!("create schema {previous}")).await?;
        let all: Vec<String> = tables.iter().map(|table| self.live_table(table)).collect();
        transaction.execute_unprepared(&format!("lock table {} in access exclusive mode", all.join(", "))).await?;
        for table in tables {
            let keep = format!("alter table {live}.{table} set schema {previous}");
            let take = format!("alter table {next}.{table} set schema {live}");
            transaction.execute_unprepared(&keep).await?;
            transaction.execute_unprepared(&take).await?;
        }
        transaction.execute_unprepared(&format!("drop schema {next}")).await.map(|_| ())
    }

    pub(super) async fn drop_next(&self, connection: &impl ConnectionTrait) -> Result<(), DbErr> {
        connection.execute_unprepared(&format!("drop schema if exists {} cascade", self.next)).await.map(|_| ())
    }

    pub(super) async fn drop_previous(&self, connection: &impl ConnectionTrait) -> Result<(), DbErr> {
        connection.execute_unprepared(&format!("drop schema if exists {} cascade", self.previous)).await.map(|_| ())
    }

    pub(super) async fn has_previous(&self, connection: &impl ConnectionTrait) -> Result<bool, DbErr> {
        of_name(connection, "select to_regnamespace($1) is not null as value", &self.previous).await
    }

    pub(super) fn live_table(&self, table: &str) -> String {
        format!("{}.{table}", self.live)
    }

    pub(super) fn next_table(&self, table: &str) -> String {
        format!("{}.{table}", self.next)
    }
}

fn quoted(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}

/// What a generation's rows depend on besides the log: the program that makes them, and the tables' form.
async fn fingerprint(connection: &impl ConnectionTrait) -> Result<String, DbErr> {
    let migration: String = single(connection, "select max(version) as value from seaql_migrations").await?;
    Ok(format!("{} {migration}", env!("CARGO_PKG_VERSION")))
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
