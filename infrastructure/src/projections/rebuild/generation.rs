//! The schemas of generations, and moving tables between them.

use sea_orm::{ConnectionTrait, DatabaseConnection, DbBackend, DbErr, Statement};

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

    /// Makes the next generation's empty tables, without indexes: those are quicker to make on full tables.
    pub(super) async fn create_next(&self, connection: &impl ConnectionTrait, tables: &[&str]) -> Result<(), DbErr> {
        let Self { live, next, .. } = self;
        connection.execute_unprepared(&format!("create schema if not exists {next}")).await?;
        for table in tables {
            let sql = format!(
                "create table if not exists {next}.{table} (like {live}.{table} including defaults including constraints \
                 including comments including generated including identity)"
            );
            connection.execute_unprepared(&sql).await?;
        }
        Ok(())
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

    /// Puts the next generation in the live one's place and keeps that one as the previous.
    pub(super) async fn exchange(&self, transaction: &impl ConnectionTrait, tables: &[&str]) -> Result<(), DbErr> {
        let Self { live, next, previous } = self;
        transaction.execute_unprepared(&format!("drop schema if exists {previous} cascade")).await?;
        transaction.execute_unprepared(&format!("create schema {previous}")).await?;
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
        let row = connection
            .query_one(Statement::from_sql_and_values(
                DbBackend::Postgres,
                "select to_regnamespace($1) is not null as value",
                [self.previous.clone().into()],
            ))
            .await?;
        row.map_or(Ok(false), |row| row.try_get("", "value"))
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

async fn single<T: sea_orm::TryGetable>(connection: &impl ConnectionTrait, sql: &str) -> Result<T, DbErr> {
    let row = connection.query_one(Statement::from_string(DbBackend::Postgres, sql)).await?;
    row.ok_or_else(|| DbErr::RecordNotFound(sql.into()))?.try_get("", "value")
}
