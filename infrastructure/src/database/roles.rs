//! The roles that connections take on, as the migrations make them.

use sqlx::PgPool;

use super::DatabaseError;

/// Sees the rows of the tenant that its session names, and only reads.
pub(super) const APP: &str = "synkro_app";

/// Sees all rows; owns nothing.
pub(super) const SYSTEM: &str = "synkro_system";

/// What the server answers where a table, or a role of the connection, is not there yet, or the role has no right to the
/// table yet.
const NOT_MIGRATED: [&str; 3] = ["42P01", "22023", "42501"];

/// True where the error says that the newest migrations were not applied.
pub(super) fn says_not_migrated(error: &sqlx::Error) -> bool {
    let code = error.as_database_error().and_then(sqlx::error::DatabaseError::code);
    code.is_some_and(|code| NOT_MIGRATED.contains(&code.as_ref()))
}

/// Refuses a login that may not take on roles that are there.
pub(super) async fn require_membership(login: &PgPool) -> Result<(), DatabaseError> {
    let asked = sqlx::query_as(
        "select current_user::text, not exists (
            select from pg_roles where rolname in ($1, $2) and not pg_has_role(current_user, oid, 'member'))",
    );
    let (name, is_member): (String, bool) =
        asked.bind(APP).bind(SYSTEM).fetch_one(login).await.map_err(DatabaseError::Ask)?;
    if is_member { Ok(()) } else { Err(DatabaseError::NoMember { login: name }) }
}
