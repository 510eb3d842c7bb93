//! What keeps tenants apart in the database: which table has which policies and rights, under roles that can look past
//! nothing. The tables come from the catalogue, so a new one that nobody thought of fails here.

use std::collections::BTreeMap;
use std::str::FromStr;

use application::ports::clock::Ids;
use infrastructure::database::{Database, DatabaseError};
use infrastructure::projections::Rebuild;
use infrastructure::system::SystemIds;
use sea_orm::{ConnectionTrait, DatabaseTransaction, DbBackend, DbErr, RuntimeErr, Statement};
use sqlx::postgres::PgConnectOptions;
use testkit::TestDatabase;

use crate::fixtures::count;
use crate::rebuild::projection;
use crate::story::Company;

/// What is not allowed to a role.
pub(crate) const DENIED: &str = "42501";

/// Whose rows a table holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Rows {
    /// A tenant's, whom this column names.
    Of(&'static str),
    /// A tenant's, but no column names it: nobody sees them who may see one tenant.
    Hidden,
    /// The platform's: nothing of a tenant is in it.
    Platform,
}

/// What `synkro_app` may read of its tenant's rows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Reads {
    Nothing,
    /// Those that name no secret.
    Columns,
    All,
}

/// Every table: whose rows, what `synkro_system` may do with it, and what `synkro_app` may read.
pub(crate) const TABLES: [(&str, Rows, &str, Reads); 38] = [
    ("api_key_secrets", Rows::Of("tenant_id"), "DELETE INSERT SELECT UPDATE", Reads::Nothing),
    ("api_keys", Rows::Of("tenant_id"), "DELETE INSERT SELECT UPDATE", Reads::All),
    ("audit_entries", Rows::Of("tenant_id"), "DELETE INSERT SELECT UPDATE", Reads::All),
    ("authorization_states", Rows::Of("tenant_id"), "DELETE INSERT SELECT UPDATE", Reads::Nothing),
    ("catalogue_entries", Rows::Of("tenant_id"), "DELETE INSERT SELECT UPDATE", Reads::All),
    ("claims", Rows::Of("tenant_id"), "DELETE INSERT SELECT", Reads::Nothing),
    ("credentials", Rows::Hidden, "DELETE INSERT SELECT UPDATE", Reads::Nothing),
    ("events", Rows::Of("tenant_id"), "INSERT SELECT", Reads::All),
    ("impersonations", Rows::Of("tenant_id"), "DELETE INSERT SELECT UPDATE", Reads::All),
    ("integration_records", Rows::Of("tenant_id"), "DELETE INSERT SELECT UPDATE", Reads::All),
    ("integrations", Rows::Of("tenant_id"), "DELETE INSERT SELECT UPDATE", Reads::All),
    ("invitations", Rows::Of("tenant_id"), "DELETE INSERT SELECT UPDATE", Reads::All),
    ("log_generations", Rows::Platform, "SELECT", Reads::Nothing),
    ("mails", Rows::Of("tenant_id"), "DELETE INSERT SELECT UPDATE", Reads::Nothing),
    ("one_time_links", Rows::Of("tenant_id"), "DELETE INSERT SELECT UPDATE", Reads::Nothing),
    ("parked_events", Rows::Of("tenant_id"), "DELETE INSERT SELECT UPDATE", Reads::All),
    ("projection_checkpoints", Rows::Platform, "DELETE INSERT SELECT UPDATE", Reads::Nothing),
    ("receipts", Rows::Of("tenant_id"), "DELETE INSERT SELECT UPDATE", Reads::Nothing),
    ("recovery_codes", Rows::Of("tenant_id"), "DELETE INSERT SELECT UPDATE", Reads::Nothing),
    ("refresh_tokens", Rows::Of("tenant_id"), "DELETE INSERT SELECT UPDATE", Reads::Columns),
    ("reports", Rows::Of("tenant_id"), "DELETE INSERT SELECT UPDATE", Reads::All),
    ("roles", Rows::Of("tenant_id"), "DELETE INSERT SELECT UPDATE", Reads::All),
    ("run_steps", Rows::Of("tenant_id"), "DELETE INSERT SELECT UPDATE", Reads::All),
    ("runs", Rows::Of("tenant_id"), "DELETE INSERT SELECT UPDATE", Reads::All),
    ("seaql_migrations", Rows::Platform, "SELECT", Reads::Nothing),
    ("second_factors", Rows::Of("tenant_id"), "DELETE INSERT SELECT UPDATE", Reads::Nothing),
    ("secrets", Rows::Of("tenant_id"), "INSERT SELECT", Reads::Nothing),
    ("session_activity", Rows::Of("tenant_id"), "DELETE INSERT SELECT UPDATE", Reads::All),
    ("sessions", Rows::Of("tenant_id"), "DELETE INSERT SELECT UPDATE", Reads::All),
    ("sign_in_failures", Rows::Hidden, "DELETE INSERT SELECT UPDATE", Reads::Nothing),
    ("staging", Rows::Of("tenant_id"), "DELETE INSERT SELECT UPDATE", Reads::Nothing),
    ("step_claims", Rows::Hidden, "DELETE INSERT SELECT UPDATE", Reads::Nothing),
    ("step_queue", Rows::Of("tenant_id"), "DELETE INSERT SELECT UPDATE", Reads::Nothing),
    ("tenant_keys", Rows::Of("tenant_id"), "DELETE INSERT SELECT UPDATE", Reads::Nothing),
    ("tenants", Rows::Of("id"), "DELETE INSERT SELECT UPDATE", Reads::All),
    ("token_exchanges", Rows::Of("tenant_id"), "DELETE INSERT SELECT UPDATE", Reads::Nothing),
    ("users", Rows::Of("tenant_id"), "DELETE INSERT SELECT UPDATE", Reads::All),
    ("workers", Rows::Platform, "DELETE INSERT SELECT UPDATE", Reads::Nothing),
];

/// Of every table: whether a column names a tenant, the policies, and the rights of all but the owner.
const CATALOGUE: &str = "
select c.relname::text as name,
       exists (select from pg_attribute where attrelid = c.oid and attname = 'tenant_id') as names_tenant,
       c.relrowsecurity and c.relforcerowsecurity as is_forced,
       array(select concat_ws(' ', polname, polcmd, polroles::regrole[]::text, pg_get_expr(polqual, polrelid),
                              pg_get_expr(polwithcheck, polrelid))
             from pg_policy where polrelid = c.oid order by polname)::text as policies,
       coalesce((select jsonb_object_agg(role, rights)
                 from (select pg_get_userbyid(grantee)::text as role,
                              string_agg(privilege_type, ' ' order by privilege_type) as rights
                       from aclexplode(c.relacl) where grantee <> c.relowner group by 1) as given), '{}')::text as rights
from pg_class c
where c.relnamespace = current_schema()::regnamespace and c.relkind in ('r', 'p', 'm', 'v', 'f')
order by 1";

/// What a table is protected by.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Protection {
    names_tenant: bool,
    is_forced: bool,
    policies: String,
    rights: String,
}

async fn protections(test: &TestDatabase) -> BTreeMap<String, Protection> {
    let all: Vec<(String, bool, bool, String, String)> =
        sqlx::query_as(CATALOGUE).fetch_all(test.pool()).await.unwrap();
    all.into_iter()
        .map(|(name, names_tenant, is_forced, policies, rights)| {
            (name, Protection { names_tenant, is_forced, policies, rights })
        })
        .collect()
}

/// A transaction of a role, after something that the owner does in it. Without a tenant, none is set.
pub(crate) async fn acting_as(
    test: &TestDatabase,
    before: &str,
    role: &str,
    tenant: Option<&str>,
) -> DatabaseTransaction {
    let transaction = test.database().begin_as_owner().await.unwrap();
    let tenant = tenant.map(|tenant| format!("; set local synkro.tenant = '{tenant}'")).unwrap_or_default();
    transaction.execute_unprepared(&format!("{before}; set local role {role}{tenant}")).await.unwrap();
    transaction
}

/// The SQLSTATE and text of a refusal.
pub(crate) fn refusal(error: &DbErr) -> (String, String) {
    let (DbErr::Exec(RuntimeErr::SqlxError(source)) | DbErr::Query(RuntimeErr::SqlxError(source))) = error else {
        panic!("not the server's refusal: {error}")
    };
    let refused = source.as_database_error().unwrap();
    (refused.code().unwrap().into_owned(), refused.message().to_owned())
}

/// Seen to fail: with a table that was not forced, and with a right too many on the log.
#[tokio::test]
async fn every_table_is_protected_and_each_role_has_the_rights_it_needs_alone() {
    let test = TestDatabase::new().await;
    let found = protections(&test).await;
    let listed: Vec<&str> = TABLES.iter().map(|(name, ..)| *name).collect();
    let names: Vec<&str> = found.keys().map(String::as_str).collect();
    assert_eq!(names, listed, "isolate a new table in its migration, and list it in TABLES");
    for (name, rows, system, app) in TABLES {
        let table = &found[name];
        assert_eq!(table.names_tenant, matches!(rows, Rows::Of("tenant_id")), "{name}");
        let of_the_system = "\"of_the_system * {synkro_system} true true\"";
        let tenant = |column| {
            format!(
                "\"of_the_tenant * {{synkro_app}} ({column} = ( SELECT (NULLIF(current_setting('synkro.tenant'::text, \
                 true), ''::text))::uuid AS \\\"nullif\\\"))\""
            )
        };
        let policies = match rows {
            Rows::Of(column) => format!("{{{of_the_system},{}}}", tenant(column)),
            Rows::Hidden => format!("{{{of_the_system}}}"),
            Rows::Platform => "{}".to_owned(),
        };
        assert_eq!((table.is_forced, &table.policies), (rows != Rows::Platform, &policies), "{name}");
        let app = if app == Reads::All { "\"synkro_app\": \"SELECT\", " } else { "" };
        assert_eq!(table.rights, format!("{{{app}\"synkro_system\": \"{system}\"}}"), "{name}");
    }
    let of_columns: Vec<String> = sqlx::query_scalar(
        "select attrelid::regclass || '.' || attname from pg_attribute join pg_class c on c.oid = attrelid
         where relnamespace = current_schema()::regnamespace and attacl is not null order by 1",
    )
    .fetch_all(test.pool())
    .await
    .unwrap();
    let shown = ["ends_at", "expires_at", "session_id", "tenant_id", "used_at"];
    // Secrets are sealed under another key, and otherwise never changed.
    let expected = shown.map(|column| format!("refresh_tokens.{column}")).into_iter().chain(["secrets.sealed".into()]);
    assert_eq!(of_columns, expected.collect::<Vec<_>>());
}

#[tokio::test]
async fn the_roles_can_look_past_nothing_and_own_nothing() {
    let test = TestDatabase::new().await;
    let roles: Vec<(String, bool, i64, i64)> = sqlx::query_as(
        "select rolname::text, rolsuper or rolbypassrls or rolcanlogin or rolcreaterole or rolcreatedb,
                (select count(*) from pg_class where relowner = r.oid),
                (select count(*) from pg_auth_members where member = r.oid)
         from pg_roles r where rolname in ('synkro_app', 'synkro_system') order by 1",
    )
    .fetch_all(test.pool())
    .await
    .unwrap();
    let role = |name: &str| (name.to_owned(), false, 0, 0);
    assert_eq!(roles, [role("synkro_app"), role("synkro_system")], "no attribute, no table, no membership");
}

/// Belt to the trigger's braces.
///
/// Seen to fail: with DELETE granted, the trigger answered instead.
#[tokio::test]
async fn no_role_may_change_the_log() {
    let test = TestDatabase::new().await;
    Company::new(&test, 1).set_up().await;
    let insert =
        "insert into events (aggregate_type, aggregate_id, sequence, event_type, event_version, payload, metadata)
                  values ('a', 'b', 1, 'c', '1', '{}', '{}')";
    let changes = ["update events set payload = '{}'", "delete from events", "truncate events"];
    for (role, refused) in [("synkro_app", &[insert] as &[&str]), ("synkro_app", &changes), ("synkro_system", &changes)]
    {
        for change in refused {
            let transaction = acting_as(&test, "select", role, None).await;
            let error = transaction.execute_unprepared(change).await.unwrap_err();
            assert_eq!(refusal(&error).0, DENIED, "{role}: {change}: {error}");
        }
    }
}

/// Seen to fail: without what is copied to the next generation, the system's role could not write it; with the rights copied
/// alone, nothing protected the exchanged table.
#[tokio::test]
async fn a_rebuild_s_tables_are_protected_as_those_that_they_replace() {
    let test = TestDatabase::new().await;
    Company::new(&test, 1).live().await;
    test.catch_up().await;
    let before = protections(&test).await;
    let owners = "pg_class where relnamespace = current_schema()::regnamespace and relkind in ('r', 'p')
                  and pg_get_userbyid(relowner) in ('synkro_app', 'synkro_system')";
    for name in ["runs", "audit_entries", "tenants"] {
        let projection = projection(name);
        let rebuild = Rebuild::of(test.database(), projection.as_ref()).await.unwrap();
        rebuild.build(|_| ()).await.unwrap();
        assert!(rebuild.compare().await.unwrap().is_equal());
        rebuild.exchange().await.unwrap();
        assert_eq!(protections(&test).await, before, "{name}");
        assert!(rebuild.drop_previous().await.unwrap());
        assert_eq!(protections(&test).await, before, "{name}");
        assert_eq!(count(test.pool(), owners).await, 0, "{name}");
    }
    test.catch_up().await;
}

/// A login without any privilege, which owns its schema; none on PGlite, where there is one login.
async fn humble(test: &TestDatabase, login: &str) -> Option<Database> {
    let url = test.url()?;
    test.as_owner(&format!(
        "create role {login};
         do $$ begin
             execute format('alter schema %I owner to {login}', current_schema());
             execute format('grant create on database %I to {login}', current_database());
         end $$"
    ))
    .await;
    let options = PgConnectOptions::from_str(&url).unwrap().options([("role", login)]);
    Some(Database::connect_with(options, 8).await.unwrap())
}

/// What a login needs that is no superuser: an administrator's word, once. Forced policies hold for it as for everybody.
///
/// Seen to fail: with the server's own words passed on, nobody was told what to run.
#[tokio::test]
async fn a_login_without_privileges_is_told_what_an_administrator_has_to_run() {
    let test = TestDatabase::unmigrated().await;
    let login = format!("synkro_test_{}", SystemIds.next().simple());
    let Some(database) = humble(&test, &login).await else { return assert!(test.is_embedded()) };
    assert!(matches!(database.is_current().await, Err(DatabaseError::NoMember { .. })));
    let DatabaseError::Migrate(refused) = database.migrate().await.unwrap_err() else { panic!("another error") };
    let (code, said) = refusal(&refused);
    let remedy = format!("an administrator runs: grant synkro_app to {login}; grant synkro_system to {login}");
    assert!(code == DENIED && said.ends_with(&remedy), "{said}");

    test.as_owner(&format!("grant synkro_app to {login}; grant synkro_system to {login}")).await;
    database.migrate().await.unwrap();
    assert!(database.is_current().await.unwrap());
    Company::new(&test, 1).live().await;
    test.catch_up().await;
    let runs = projection("runs");
    let rebuild = Rebuild::of(&database, runs.as_ref()).await.unwrap();
    rebuild.build(|_| ()).await.unwrap();
    assert!(rebuild.compare().await.unwrap().is_equal());
    rebuild.exchange().await.unwrap();
    let transaction = database.begin_as_owner().await.unwrap();
    let seen = Statement::from_string(DbBackend::Postgres, "select count(*) from runs");
    let rows: i64 = transaction.query_one(seen).await.unwrap().unwrap().try_get_by_index(0).unwrap();
    assert_eq!(rows, 5, "the owner sees all rows, as a member of synkro_system");
    transaction.rollback().await.unwrap();
    database.close().await;
    test.as_owner(&format!("reassign owned by {login} to current_user; drop owned by {login}; drop role {login}"))
        .await;
}
