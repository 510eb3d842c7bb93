//! The database schema, as SQL files that are applied in order and never changed once released.
//!
//! No statement names a schema: all tables of a cell live in the one that `search_path` names.

use sea_orm_migration::prelude::*;

/// One SQL file.
struct SqlMigration {
    name: &'static str,
    sql: &'static str,
}

impl MigrationName for SqlMigration {
    fn name(&self) -> &str {
        self.name
    }
}

#[async_trait::async_trait]
impl MigrationTrait for SqlMigration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager.get_connection().execute_unprepared(self.sql).await.map(|_| ())
    }
}

/// All migrations, oldest first.
pub struct Migrator;

macro_rules! sql_files {
    ($($name:literal),+ $(,)?) => {
        vec![$(Box::new(SqlMigration { name: $name, sql: include_str!(concat!("../sql/", $name, ".sql")) })),+]
    };
}

impl MigratorTrait for Migrator {
    fn migrations() -> Vec<Box<dyn MigrationTrait>> {
        sql_files![
            "0001_event_log",
            "0002_read_models",
            "0003_secrets",
            "0004_pipeline",
            "0005_log_generations",
            "0006_parking",
            "0008_receipts",
            "0009_predecessors",
            "0010_row_level_security",
            "0011_sessions",
            "0012_roles",
            "0013_api_keys",
            "0014_people",
            "0015_tenants",
            "0016_api_key_list",
            "0017_staff",
            "0018_impersonations",
            "0019_session_proof",
            "0020_another_app",
            "0021_proposed_invitations",
            "0022_kek_exchange",
            "0023_integration_records",
            "0025_authorization_states",
            "0026_token_exchanges",
            "0027_data_key_exchange",
            "0028_ai_use",
        ]
    }
}
