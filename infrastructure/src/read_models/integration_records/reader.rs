use application::ports::read_models::{Cursor, IntegrationRecord, IntegrationRecords, Page, PageRequest, RecordFilter};
use application::{PortError, TenantScope};
use async_trait::async_trait;
use domain::integration::IntegrationKind;
use sea_orm::sea_query::Expr;
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter, QuerySelect};
use uuid::Uuid;

use super::IntegrationRecordsProjection;
use super::entity::{Column, Entity, Model};
use crate::database::Database;
use crate::error::from_orm;
use crate::read_models::paging;
use crate::read_models::parked::rows_and_parked;
use crate::read_models::text::from_json;

/// What the records are ordered by.
const NEWEST: [Column; 2] = [Column::RecordedAt, Column::Sequence];

/// Reads the table `integration_records`.
pub struct IntegrationRecordsReader(Database);

impl IntegrationRecordsReader {
    /// Over this database.
    pub fn new(database: &Database) -> Self {
        Self(database.clone())
    }
}

#[async_trait]
impl IntegrationRecords for IntegrationRecordsReader {
    async fn list(
        &self,
        scope: &TenantScope,
        kind: IntegrationKind,
        filter: RecordFilter,
        page: PageRequest,
    ) -> Result<Page<IntegrationRecord>, PortError> {
        let mut query = Entity::find()
            .filter(Column::TenantId.eq(scope.tenant_id().uuid()))
            .filter(Column::Kind.eq(kind.name()))
            .filter(Column::EventType.is_in(event_types(filter).iter().copied()));
        if let Some(Cursor { at, id }) = page.after {
            let values = [sea_orm::Value::from(at), sea_orm::Value::from(sequence_of(id))];
            query = query.filter(Expr::cust_with_values("(recorded_at, sequence) < ($1, $2)", values));
        }
        query = query.limit(paging::rows(page));
        let connection = self.0.scoped(scope).await.map_err(from_orm)?;
        let name = IntegrationRecordsProjection::NAME;
        let (rows, parked) = rows_and_parked(&connection, query, NEWEST, scope, name).await?;
        let records: Result<Vec<IntegrationRecord>, PortError> = rows.into_iter().map(record).collect();
        Ok(paging::page(records?, page, parked, |record| Cursor { at: record.at, id: id_of(record.sequence) }))
    }
}

fn event_types(filter: RecordFilter) -> &'static [&'static str] {
    match filter {
        RecordFilter::Versions => &["IntegrationConfigured"],
        RecordFilter::Trials => &["IntegrationTried", "IntegrationWritten"],
    }
}

/// Cursors hold an id; that of a record is its number.
fn id_of(sequence: u64) -> Uuid {
    Uuid::from_u128(sequence.into())
}

fn sequence_of(id: Uuid) -> i64 {
    i64::try_from(id.as_u128()).unwrap_or(i64::MAX)
}

fn record(row: Model) -> Result<IntegrationRecord, PortError> {
    Ok(IntegrationRecord {
        sequence: row.sequence.cast_unsigned(),
        at: row.recorded_at,
        event: from_json("integration_records", "event", row.event)?,
    })
}
