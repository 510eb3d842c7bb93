//! How many of a tenant's events a read model could not apply yet, said together with its rows.

use application::{PortError, TenantScope};
use sea_orm::sea_query::{Expr, SimpleExpr};
use sea_orm::{
    ConnectionTrait, DbBackend, DbErr, EntityTrait, FromQueryResult, QueryResult, QuerySelect, Select, Statement, Value,
};

use crate::error::from_orm;

const COUNT: &str = "(select count(*) from parked_events where tenant_id = $1 and projection = $2)";

/// A row, and the tenant's parked events as the same snapshot holds them.
pub(super) struct Counted<M> {
    pub(super) model: M,
    pub(super) parked: u64,
}

impl<M: FromQueryResult> FromQueryResult for Counted<M> {
    fn from_query_result(row: &QueryResult, prefix: &str) -> Result<Self, DbErr> {
        let parked: i64 = row.try_get(prefix, "parked")?;
        Ok(Self { model: M::from_query_result(row, prefix)?, parked: parked.cast_unsigned() })
    }
}

/// The rows of the query, and the tenant's events that are parked in the projection. Only where there is no row that
/// could carry the number it is asked for by a statement of its own.
pub(super) async fn rows_and_parked<E: EntityTrait>(
    connection: &impl ConnectionTrait,
    query: Select<E>,
    scope: &TenantScope,
    projection: &str,
) -> Result<(Vec<E::Model>, u64), PortError> {
    let values = || [Value::from(scope.tenant_id().uuid()), Value::from(projection)];
    let count: SimpleExpr = Expr::cust_with_values(COUNT, values());
    let counted = query.expr_as(count, "parked").into_model::<Counted<E::Model>>();
    let rows = counted.all(connection).await.map_err(from_orm)?;
    let parked = if let Some(first) = rows.first() {
        first.parked
    } else {
        let sql = format!("select {COUNT} as parked");
        let statement = Statement::from_sql_and_values(DbBackend::Postgres, sql, values());
        let row = connection.query_one(statement).await.map_err(from_orm)?;
        let parked: Option<i64> = row.map(|row| row.try_get("", "parked")).transpose().map_err(from_orm)?;
        parked.unwrap_or_default().cast_unsigned()
    };
    Ok((rows.into_iter().map(|row| row.model).collect(), parked))
}
