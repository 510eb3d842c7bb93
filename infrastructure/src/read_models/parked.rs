//! How many of a tenant's events a read model could not apply yet, said together with its rows.

use application::{PortError, TenantScope};
use sea_orm::sea_query::{Alias, Asterisk, Expr, JoinType, Order, Query};
use sea_orm::{
    ConnectionTrait, DbErr, EntityTrait, FromQueryResult, QueryOrder, QueryResult, QuerySelect, QueryTrait, Select,
};

use crate::error::from_orm;

/// The rows of the query, the newest first by the given columns, and the tenant's events that are parked in the
/// projection, also where there is no row.
///
/// Rows and number are one statement, which sees one moment. One that waited while the tables were exchanged sees the
/// moment after it; a transaction with one snapshot for several statements would see an empty table.
pub(super) async fn rows_and_parked<E: EntityTrait, M: FromQueryResult>(
    connection: &impl ConnectionTrait,
    query: Select<E>,
    newest: [E::Column; 2],
    scope: &TenantScope,
    projection: &str,
) -> Result<(Vec<M>, u64), PortError> {
    let [tally, found] = ["tally", "found"].map(Alias::new);
    let count = Query::select()
        .expr_as(Expr::cust("count(*)"), Alias::new("parked"))
        .from(Alias::new("parked_events"))
        .and_where(Expr::col(Alias::new("tenant_id")).eq(scope.tenant_id().uuid()))
        .and_where(Expr::col(Alias::new("projection")).eq(projection))
        .take();
    let rows = newest.iter().fold(query, |query, column| query.order_by_desc(*column));
    let rows = rows.expr_as(Expr::value(true), "is_row").into_query();
    let mut statement = Query::select()
        .column((tally.clone(), Asterisk))
        .column((found.clone(), Asterisk))
        .from_subquery(count, tally)
        .join_subquery(JoinType::LeftJoin, rows, found.clone(), Expr::cust("true"))
        .take();
    for column in newest {
        statement.order_by((found.clone(), column), Order::Desc);
    }
    let answer = connection.query_all(connection.get_database_backend().build(&statement)).await.map_err(from_orm)?;
    read(&answer).map_err(from_orm)
}

/// Every row has the number; where nothing was found, one row has it alone.
fn read<M: FromQueryResult>(answer: &[QueryResult]) -> Result<(Vec<M>, u64), DbErr> {
    let mut rows = Vec::new();
    for row in answer {
        if row.try_get::<Option<bool>>("", "is_row")?.is_some() {
            rows.push(M::from_query_result(row, "")?);
        }
    }
    let parked: Option<i64> = answer.first().map(|row| row.try_get("", "parked")).transpose()?;
    Ok((rows, parked.unwrap_or_default().cast_unsigned()))
}
