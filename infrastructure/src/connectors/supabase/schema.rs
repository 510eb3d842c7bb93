//! The tables that Synkro keeps in the tenant's project, and the SQL that makes them.

use std::fmt::Write;

/// Version of [`schema_sql`]; it grows with every change of the tables, each of which only adds: whoever writes an older
/// version goes on.
pub const SCHEMA_VERSION: u32 = 2;

/// A table in the tenant's project.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Table {
    /// Its name in the schema `public`.
    pub name: &'static str,
    /// What it holds, for the people who look at it.
    pub about: &'static str,
    /// Its columns.
    pub columns: &'static [ColumnDefinition],
    /// Columns of its primary key.
    pub key: &'static [&'static str],
}

/// A column of a [`Table`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ColumnDefinition {
    /// Its name.
    pub name: &'static str,
    /// Its type.
    pub kind: ColumnType,
    /// Whether it may be null.
    pub nullable: bool,
}

/// The types of columns that the tables use.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ColumnType {
    /// A 64-bit number.
    BigInt,
    /// A text.
    Text,
    /// An instant.
    Timestamp,
    /// A UUID.
    Uuid,
    /// JSON, stored parsed.
    Json,
}

impl ColumnType {
    /// Its name in PostgreSQL.
    pub fn sql(self) -> &'static str {
        match self {
            Self::BigInt => "bigint",
            Self::Text => "text",
            Self::Timestamp => "timestamptz",
            Self::Uuid => "uuid",
            Self::Json => "jsonb",
        }
    }
}

const fn required(name: &'static str, kind: ColumnType) -> ColumnDefinition {
    ColumnDefinition { name, kind, nullable: false }
}

const fn optional(name: &'static str, kind: ColumnType) -> ColumnDefinition {
    ColumnDefinition { name, kind, nullable: true }
}

pub(super) const CONTACTS: Table = Table {
    name: "synkro_contacts",
    about: "People of the deals; phones in E.164.",
    columns: &[
        required("id", ColumnType::BigInt),
        required("name", ColumnType::Text),
        required("phones", ColumnType::Json),
    ],
    key: &["id"],
};

pub(super) const DEALS: Table = Table {
    name: "synkro_deals",
    about: "Deals of the CRM; contact_ids refer to synkro_contacts.",
    columns: &[
        required("id", ColumnType::BigInt),
        required("name", ColumnType::Text),
        required("outcome", ColumnType::Text),
        required("status_id", ColumnType::BigInt),
        required("pipeline_id", ColumnType::BigInt),
        required("price_minor", ColumnType::BigInt),
        optional("responsible", ColumnType::Text),
        required("contact_ids", ColumnType::Json),
        required("created_at", ColumnType::Timestamp),
        required("updated_at", ColumnType::Timestamp),
        optional("closed_at", ColumnType::Timestamp),
    ],
    key: &["id"],
};

pub(super) const CHATS: Table = Table {
    name: "synkro_chats",
    about: "Chats of the messaging service; phone in E.164.",
    columns: &[
        required("id", ColumnType::BigInt),
        optional("contact_name", ColumnType::Text),
        optional("phone", ColumnType::Text),
    ],
    key: &["id"],
};

pub(super) const MESSAGES: Table = Table {
    name: "synkro_messages",
    about: "Messages of the chats; sender is customer or agent.",
    columns: &[
        required("chat_id", ColumnType::BigInt),
        required("message_id", ColumnType::Text),
        required("written_at", ColumnType::Timestamp),
        required("sender", ColumnType::Text),
        required("kind", ColumnType::Text),
        required("text", ColumnType::Text),
    ],
    key: &["chat_id", "message_id"],
};

pub(super) const REPORTS: Table = Table {
    name: "synkro_reports",
    about: "Reports: the text in Markdown, the numbers, and what the AI wrote.",
    columns: &[
        required("id", ColumnType::Uuid),
        required("run_id", ColumnType::Uuid),
        required("period_from", ColumnType::Timestamp),
        required("period_to", ColumnType::Timestamp),
        required("headline", ColumnType::Text),
        required("body", ColumnType::Text),
        required("metrics", ColumnType::Json),
        required("narrative", ColumnType::Json),
    ],
    key: &["id"],
};

/// The table that says which version the others have. It has a row for each version that was ever run.
pub const VERSIONS: Table = Table {
    name: "synkro_schema",
    about: "Versions of these tables that were put in place here.",
    columns: &[required("version", ColumnType::BigInt), optional("applied_at", ColumnType::Timestamp)],
    key: &["version"],
};

/// All tables, in the order in which they are filled.
pub const TABLES: &[&Table] = &[&CONTACTS, &DEALS, &CHATS, &MESSAGES, &REPORTS];

/// An index on what readers sort and filter by, besides the keys, and the version that it came with.
struct Index {
    since: u32,
    table: &'static str,
    columns: &'static [&'static str],
}

const fn index(since: u32, table: &'static str, columns: &'static [&'static str]) -> Index {
    Index { since, table, columns }
}

/// Version 2: one chat is read in the order of its messages.
const INDEXES: [Index; 4] = [
    index(1, "synkro_deals", &["updated_at"]),
    index(1, "synkro_messages", &["written_at"]),
    index(1, "synkro_reports", &["period_from"]),
    index(2, "synkro_messages", &["chat_id", "written_at"]),
];

/// The SQL that prepares a project; running it again changes nothing.
///
/// Row-level security is on and no policy is made, so only keys that bypass it, the service keys, reach the rows: with
/// the public key a browser sees nothing.
pub fn schema_sql() -> String {
    let mut sql = String::from("begin;\n");
    for table in TABLES {
        push_table(&mut sql, table);
    }
    push_indexes(&mut sql, 1);
    sql.push_str(VERSION_TABLE);
    push_end(&mut sql);
    sql
}

/// The SQL that brings a project of an older version to [`SCHEMA_VERSION`]; none where there is nothing to do. Running it again
/// changes nothing.
pub fn upgrade_sql(from: Option<u32>) -> Option<String> {
    match from {
        None | Some(0) => Some(schema_sql()),
        Some(from) if from < SCHEMA_VERSION => {
            let mut sql = String::from("begin;\n");
            push_indexes(&mut sql, from + 1);
            push_end(&mut sql);
            Some(sql)
        }
        Some(_) => None,
    }
}

/// The indexes that came with this version and later ones.
fn push_indexes(sql: &mut String, since: u32) {
    for Index { table, columns, .. } in INDEXES.iter().filter(|index| index.since >= since) {
        let (name, list) = (columns.join("_"), columns.join(", "));
        line(sql, format_args!("create index if not exists {table}_{name}_idx on public.{table} ({list});"));
    }
}

fn push_end(sql: &mut String) {
    line(
        sql,
        format_args!("insert into public.synkro_schema (version) values ({SCHEMA_VERSION}) on conflict do nothing;"),
    );
    sql.push_str(GRANTS);
    sql.push_str("notify pgrst, 'reload schema';\ncommit;\n");
}

const VERSION_TABLE: &str = "\
create table if not exists public.synkro_schema (
  version integer primary key,
  applied_at timestamptz not null default now()
);
alter table public.synkro_schema enable row level security;
";

/// Projects may be set up to grant nothing on new tables; a database outside Supabase may lack the role.
const GRANTS: &str = "\
do $$
declare
  synkro_table regclass;
begin
  if exists (select from pg_roles where rolname = 'service_role') then
    for synkro_table in
      select oid::regclass from pg_class
      where relnamespace = 'public'::regnamespace and relkind = 'r' and relname like 'synkro\\_%'
    loop
      execute format('grant select, insert, update, delete on %s to service_role', synkro_table);
    end loop;
  end if;
end
$$;
";

fn push_table(sql: &mut String, table: &Table) {
    let name = table.name;
    line(sql, format_args!("create table if not exists public.{name} ("));
    for column in table.columns {
        let null = if column.nullable { "" } else { " not null" };
        line(sql, format_args!("  {} {}{null},", column.name, column.kind.sql()));
    }
    line(sql, format_args!("  primary key ({})\n);", table.key.join(", ")));
    line(sql, format_args!("comment on table public.{name} is '{}';", table.about.replace('\'', "''")));
    line(sql, format_args!("alter table public.{name} enable row level security;"));
}

fn line(sql: &mut String, text: std::fmt::Arguments<'_>) {
    writeln!(sql, "{text}").expect("a String takes every text");
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_sql_makes_every_table_with_its_columns_its_key_and_security() {
        let sql = schema_sql();
        for table in TABLES {
            assert!(sql.contains(&format!("create table if not exists public.{} (", table.name)));
            assert!(sql.contains(&format!("alter table public.{} enable row level security;", table.name)));
            for column in table.columns {
                assert!(sql.contains(&format!("  {} {}", column.name, column.kind.sql())), "{}", column.name);
            }
        }
        assert!(sql.contains("primary key (chat_id, message_id)"));
    }

    #[test]
    fn keys_are_columns_that_are_never_null() {
        for table in TABLES {
            for key in table.key {
                let column = table.columns.iter().find(|column| column.name == *key);
                assert!(column.is_some_and(|column| !column.nullable), "{}.{key}", table.name);
            }
        }
    }

    #[test]
    fn indexes_are_on_columns_that_exist() {
        for Index { table, columns, since } in INDEXES {
            let table = TABLES.iter().find(|it| it.name == table).unwrap();
            assert!(columns.iter().all(|column| table.columns.iter().any(|it| it.name == *column)));
            assert!((1..=SCHEMA_VERSION).contains(&since));
        }
    }

    /// Seen to fail with an upgrade that leaves the new version's index out.
    #[test]
    fn an_upgrade_makes_what_came_since_and_nothing_else() {
        assert_eq!(upgrade_sql(None), Some(schema_sql()));
        assert_eq!((upgrade_sql(Some(SCHEMA_VERSION)), upgrade_sql(Some(SCHEMA_VERSION + 1))), (None, None));
        let sql = upgrade_sql(Some(1)).unwrap();
        assert!(!sql.contains("create table") && !sql.contains("synkro_deals"), "{sql}");
        for part in ["(chat_id, written_at);", "values (2)", "grant select", "reload schema"] {
            assert!(sql.contains(part) && schema_sql().contains(part), "{part} in {sql}");
        }
    }
}
