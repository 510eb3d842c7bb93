use async_trait::async_trait;
use cqrs_es::Aggregate;
use domain::role::{Role, RoleEvent};
use sea_orm::sea_query::{Expr, OnConflict, SimpleExpr};
use sea_orm::{ColumnTrait, DatabaseTransaction, DbErr, EntityTrait, QueryFilter, Set};
use uuid::Uuid;

use super::entity::{ActiveModel, Column, Entity};
use crate::event_store::LoggedEvent;
use crate::projections::{Follows, Projection, ProjectionError, Table, decode};
use crate::read_models::text::to_json;

/// Keeps the table `roles`.
pub struct RolesProjection;

impl RolesProjection {
    /// The projection's frozen name.
    pub(super) const NAME: &str = "roles";
}

#[async_trait]
impl Projection for RolesProjection {
    fn name(&self) -> &'static str {
        Self::NAME
    }

    fn follows(&self) -> Follows {
        Follows::Aggregate(Role::TYPE)
    }

    fn tables(&self) -> &'static [Table] {
        &[Table { name: "roles", tenant: "tenant_id", aggregate: Some("id") }]
    }

    async fn apply(&self, transaction: &DatabaseTransaction, events: &[&LoggedEvent]) -> Result<(), ProjectionError> {
        for event in events {
            write(transaction, event.sequence, decode(event)?).await?;
        }
        Ok(())
    }
}

async fn write(transaction: &DatabaseTransaction, version: i64, event: RoleEvent) -> Result<(), DbErr> {
    let id = event.role_id().uuid();
    let changes: Vec<(Column, SimpleExpr)> = match event {
        RoleEvent::RoleDefined { tenant_id, name, title, level, permissions, may_manage, at, .. } => {
            let row = ActiveModel {
                id: Set(id),
                tenant_id: Set(tenant_id.uuid()),
                name: Set(name.into()),
                title: Set(title.into()),
                level: Set(level.number().into()),
                permissions: Set(to_json(&permissions)),
                may_manage: Set(to_json(&may_manage)),
                version: Set(version),
                defined_at: Set(at),
                removed: Set(false),
            };
            return define(transaction, row).await;
        }
        RoleEvent::RoleChanged { title, level, may_manage, .. } => vec![
            (Column::Title, Expr::value(title.as_str())),
            (Column::Level, Expr::value(i16::from(level.number()))),
            (Column::MayManage, Expr::value(to_json(&may_manage))),
        ],
        RoleEvent::PermissionGranted { permission, .. } => {
            // A list in the order of the texts, like that of a role which was defined with it.
            let with =
                "(select jsonb_agg(distinct value order by value) from jsonb_array_elements(permissions || $1) value)";
            vec![(Column::Permissions, Expr::cust_with_values(with, [to_json(&permission)]))]
        }
        RoleEvent::PermissionRevoked { permission, .. } => {
            vec![(Column::Permissions, Expr::cust_with_values("permissions - $1", [permission.to_string()]))]
        }
        RoleEvent::RoleRemoved { .. } => vec![(Column::Removed, Expr::value(true))],
    };
    update(transaction, id, version, changes).await
}

async fn define(transaction: &DatabaseTransaction, row: ActiveModel) -> Result<(), DbErr> {
    let columns = [
        Column::Title,
        Column::Level,
        Column::Permissions,
        Column::MayManage,
        Column::Version,
        Column::DefinedAt,
        Column::Removed,
    ];
    let anew = OnConflict::column(Column::Id).update_columns(columns).to_owned();
    Entity::insert(row).on_conflict(anew).exec_without_returning(transaction).await?;
    Ok(())
}

async fn update(
    transaction: &DatabaseTransaction,
    id: Uuid,
    version: i64,
    changes: Vec<(Column, SimpleExpr)>,
) -> Result<(), DbErr> {
    let mut update = Entity::update_many().col_expr(Column::Version, Expr::value(version)).filter(Column::Id.eq(id));
    for (column, value) in changes {
        update = update.col_expr(column, value);
    }
    update.exec(transaction).await?;
    Ok(())
}
