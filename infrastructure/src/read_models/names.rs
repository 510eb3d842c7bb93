//! How the platform's staff are called. Their accounts stand under the platform, which the role of a single tenant does not see;
//! a company is told the names of those who acted in it, and nothing else about them.

use std::collections::HashMap;

use application::PortError;
use uuid::Uuid;

use crate::database::Database;
use crate::error::from_sqlx;
use crate::event_store::tenant_in_key;

/// The names of those of these ids who are on the staff.
pub(crate) async fn staff_names(database: &Database, ids: &[Uuid]) -> Result<HashMap<Uuid, String>, PortError> {
    if ids.is_empty() {
        return Ok(HashMap::new());
    }
    let names = sqlx::query_as("select id, name from users where tenant_id = $1 and id = any($2)");
    let names: Vec<(Uuid, String)> =
        names.bind(tenant_in_key(None)).bind(ids).fetch_all(database.pool()).await.map_err(from_sqlx)?;
    Ok(names.into_iter().collect())
}
