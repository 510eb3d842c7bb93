//! Errors in the envelope of PostgREST (Supabase sheet §4).

use poem::http::StatusCode;
use serde_json::json;

use super::gateway::Role;
use crate::http::Reply;

/// An error of PostgREST or of the database behind it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Failure {
    pub(super) status: StatusCode,
    pub(super) code: &'static str,
    pub(super) message: String,
    details: Option<String>,
    hint: Option<String>,
}

impl Failure {
    fn new(status: StatusCode, code: &'static str, message: impl Into<String>) -> Self {
        Self { status, code, message: message.into(), details: None, hint: None }
    }

    fn bad(code: &'static str, message: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, code, message)
    }

    pub(super) fn unknown_schema() -> Self {
        let failure = Self::new(StatusCode::NOT_ACCEPTABLE, "PGRST106", "The schema must be one of: public");
        Self { hint: Some("Only the schema public is exposed".into()), ..failure }
    }

    pub(super) fn method_not_allowed(method: &str) -> Self {
        Self::new(StatusCode::METHOD_NOT_ALLOWED, "PGRST117", format!("Unsupported HTTP method: {method}"))
    }

    pub(super) fn unknown_table(table: &str, similar: Option<&str>) -> Self {
        let message = format!("Could not find the table 'public.{table}' in the schema cache");
        let hint = similar.map(|name| format!("Perhaps you meant the table 'public.{name}'"));
        Self { hint, ..Self::new(StatusCode::NOT_FOUND, "PGRST205", message) }
    }

    /// A column that a payload or `columns` names.
    pub(super) fn unknown_payload_column(table: &str, column: &str) -> Self {
        Self::bad("PGRST204", format!("Could not find the '{column}' column of '{table}' in the schema cache"))
    }

    /// A column that a query names.
    pub(super) fn unknown_column(table: &str, column: &str) -> Self {
        Self::bad("42703", format!("column {table}.{column} does not exist"))
    }

    pub(super) fn bad_body(message: impl Into<String>) -> Self {
        Self::bad("PGRST102", message)
    }

    pub(super) fn unsupported_media_type(media_type: &str) -> Self {
        let message = format!("Content-Type not acceptable: {media_type}");
        Self::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, "PGRST102", message)
    }

    pub(super) fn bad_query(message: impl Into<String>) -> Self {
        Self::bad("PGRST100", message)
    }

    pub(super) fn unknown_preferences(names: &[String]) -> Self {
        let failure = Self::bad("PGRST122", "Invalid preferences given with handling=strict");
        Self { details: Some(format!("Invalid preferences: {}", names.join(", "))), ..failure }
    }

    pub(super) fn offset_beyond(offset: usize, total: usize) -> Self {
        let failure = Self::new(StatusCode::RANGE_NOT_SATISFIABLE, "PGRST103", "Requested range not satisfiable");
        Self {
            details: Some(format!("An offset of {offset} was requested, but there are only {total} rows.")),
            ..failure
        }
    }

    pub(super) fn no_rights(table: &str, role: Role) -> Self {
        let status = match role {
            Role::Anon => StatusCode::UNAUTHORIZED,
            Role::Service => StatusCode::FORBIDDEN,
        };
        Self::new(status, "42501", format!("new row violates row-level security policy for table \"{table}\""))
    }

    pub(super) fn no_such_constraint() -> Self {
        Self::bad("42P10", "there is no unique or exclusion constraint matching the ON CONFLICT specification")
    }

    pub(super) fn null_value(table: &str, column: &str) -> Self {
        let message = format!("null value in column \"{column}\" of relation \"{table}\" violates not-null constraint");
        Self::bad("23502", message)
    }

    pub(super) fn bad_value(code: &'static str, kind: &str, value: &str) -> Self {
        Self::bad(code, format!("invalid input syntax for type {kind}: \"{value}\""))
    }

    pub(super) fn duplicate(table: &str, columns: &[String], values: &str) -> Self {
        let message = format!("duplicate key value violates unique constraint \"{table}_pkey\"");
        let details = format!("Key ({})=({values}) already exists.", columns.join(", "));
        Self { details: Some(details), ..Self::new(StatusCode::CONFLICT, "23505", message) }
    }

    pub(super) fn row_twice() -> Self {
        let message = "ON CONFLICT DO UPDATE command cannot affect row a second time";
        Self::new(StatusCode::INTERNAL_SERVER_ERROR, "21000", message)
    }

    /// The database cannot write (PostgreSQL class 53, insufficient resources).
    pub(super) fn storage(reason: &str) -> Self {
        Self::new(StatusCode::SERVICE_UNAVAILABLE, "53100", format!("could not write: {reason}"))
    }

    pub(super) fn into_reply(self) -> Reply {
        let body = json!({"code": self.code, "details": self.details, "hint": self.hint, "message": self.message});
        let reply = Reply::json(self.status, &body).header("proxy-status", format!("PostgREST; error={}", self.code));
        if self.status == StatusCode::UNAUTHORIZED { reply.header("www-authenticate", "Bearer") } else { reply }
    }
}
