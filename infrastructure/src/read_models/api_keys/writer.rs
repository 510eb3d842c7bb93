use async_trait::async_trait;
use cqrs_es::Aggregate;
use domain::api_key::{ApiKey, ApiKeyEvent};
use sea_orm::sea_query::{Expr, OnConflict};
use sea_orm::{ColumnTrait, DatabaseTransaction, DbErr, EntityTrait, QueryFilter, Set};
use serde_json::json;

use super::entity::{ActiveModel, Column, Entity};
use crate::event_store::LoggedEvent;
use crate::projections::{Follows, Projection, ProjectionError, Table, decode};

/// Keeps the table `api_keys`.
pub struct ApiKeysProjection;

impl ApiKeysProjection {
    /// The projection's frozen name.
    pub(super) const NAME: &str = "api_keys";
}

#[async_trait]
impl Projection for ApiKeysProjection {
    fn name(&self) -> &'static str {
        Self::NAME
    }

    fn follows(&self) -> Follows {
        Follows::Aggregate(ApiKey::TYPE)
    }

    fn tables(&self) -> &'static [Table] {
        &[Table { name: "api_keys", tenant: "tenant_id", aggregate: Some("id") }]
    }

    async fn apply(&self, transaction: &DatabaseTransaction, events: &[&LoggedEvent]) -> Result<(), ProjectionError> {
        for event in events {
            write(transaction, decode(event)?).await?;
        }
        Ok(())
    }
}

async fn write(transaction: &DatabaseTransaction, event: ApiKeyEvent) -> Result<(), DbErr> {
    match event {
        ApiKeyEvent::ApiKeyCreated { api_key_id, tenant_id, name, scopes, expires_at, created_by, at } => {
            let row = ActiveModel {
                id: Set(api_key_id.uuid()),
                tenant_id: Set(tenant_id.uuid()),
                name: Set(name.to_string()),
                scopes: Set(json!(scopes)),
                created_by: Set(created_by.uuid()),
                created_at: Set(at),
                expires_at: Set(expires_at),
                revoked_at: Set(None),
                revoked_by: Set(None),
            };
            let known = OnConflict::column(Column::Id).do_nothing().to_owned();
            Entity::insert(row).on_conflict(known).exec_without_returning(transaction).await?;
        }
        ApiKeyEvent::ApiKeyRevoked { api_key_id, revoked_by, at, .. } => {
            let update = Entity::update_many().filter(Column::Id.eq(api_key_id.uuid()));
            let update = update.col_expr(Column::RevokedAt, Expr::value(at));
            update.col_expr(Column::RevokedBy, Expr::value(revoked_by.uuid())).exec(transaction).await?;
        }
    }
    Ok(())
}
