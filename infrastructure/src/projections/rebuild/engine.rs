//! The application's port for rebuilding read models.

use std::sync::Arc;

use application::ports::rebuilds::{Comparison, RebuildEngine, RebuildProgress, RebuildTarget};
use application::{AppError, PortError};
use async_trait::async_trait;
use domain::ids::TenantId;
use domain::rebuild::RebuildScope;
use uuid::Uuid;

use super::scope::followed_types;
use super::{Rebuild, ScopeFault, UnknownScope};
use crate::database::Database;
use crate::error::from_sqlx;
use crate::projections::{Projection, RebuildError};

/// Rebuilds projections beside the live ones, in the same database.
pub struct PgRebuildEngine {
    database: Database,
    projections: Vec<Arc<dyn Projection>>,
}

impl PgRebuildEngine {
    /// Over these projections of the database.
    pub fn new(database: Database, projections: Vec<Arc<dyn Projection>>) -> Self {
        Self { database, projections }
    }

    fn find(&self, name: &str) -> Result<&dyn Projection, ScopeFault> {
        let found = self.projections.iter().find(|projection| projection.name() == name);
        found.map(AsRef::as_ref).ok_or_else(|| {
            let known: Vec<&str> = self.projections.iter().map(|projection| projection.name()).collect();
            ScopeFault::UnknownProjection { name: name.to_owned(), known: known.join(", ") }
        })
    }

    async fn of(&self, projection: &str, scope: RebuildScope) -> Result<Rebuild<'_>, AppError> {
        let projection = self.find(projection).map_err(|fault| UnknownScope(vec![fault]))?;
        Ok(Rebuild::of_rows(&self.database, projection, scope).await.map_err(RebuildError::from)?)
    }

    async fn has_events(&self, tenant: TenantId) -> Result<bool, PortError> {
        sqlx::query_scalar("select exists (select from events where tenant_id = $1)")
            .bind(tenant.uuid())
            .fetch_one(self.database.pool())
            .await
            .map_err(from_sqlx)
    }

    /// The owner of an aggregate that the projection follows, of the tenant where one is named; none where the log has no
    /// such aggregate.
    async fn owner(
        &self,
        projection: &dyn Projection,
        aggregate: Uuid,
        tenant: Option<TenantId>,
    ) -> Result<Option<Option<TenantId>>, PortError> {
        let sql = "select tenant_id from events
                   where aggregate_type = any($1) and aggregate_id = $2 and ($3::uuid is null or tenant_id = $3)
                   order by sequence limit 1";
        let owner: Option<Option<Uuid>> = sqlx::query_scalar(sql)
            .bind(followed_types(projection.follows()))
            .bind(aggregate.to_string())
            .bind(tenant.map(TenantId::uuid))
            .fetch_optional(self.database.pool())
            .await
            .map_err(from_sqlx)?;
        Ok(owner.map(|owner| owner.map(TenantId::from)))
    }
}

#[async_trait]
impl RebuildEngine for PgRebuildEngine {
    async fn scope(&self, target: &RebuildTarget) -> Result<RebuildScope, AppError> {
        let RebuildTarget { projection, tenant, aggregate } = target;
        let mut faults = Vec::new();
        let projection = self.find(projection).map_err(|fault| faults.push(fault)).ok();
        if let Some(tenant) = *tenant
            && !self.has_events(tenant).await?
        {
            faults.push(ScopeFault::UnknownTenant(tenant));
        }
        let scope = match (*tenant, *aggregate, projection) {
            (_, Some(aggregate_id), Some(projection)) => {
                let (name, mut tables) = (projection.name(), projection.tables().iter());
                if let Some(table) = tables.find(|table| table.aggregate.is_none()) {
                    faults.push(ScopeFault::NotByAggregate { projection: name, table: table.name });
                }
                let owner = self.owner(projection, aggregate_id, *tenant).await?;
                if owner.is_none() && faults.is_empty() {
                    faults.push(ScopeFault::UnknownAggregate { projection: name, aggregate_id });
                }
                RebuildScope::Aggregate { aggregate_id, tenant_id: owner.flatten() }
            }
            (Some(tenant_id), ..) => RebuildScope::Tenant { tenant_id },
            (None, ..) => RebuildScope::Everyone,
        };
        if faults.is_empty() { Ok(scope) } else { Err(UnknownScope(faults).into()) }
    }

    async fn build(
        &self,
        projection: &str,
        scope: RebuildScope,
        show: &(dyn Fn(RebuildProgress) + Send + Sync),
    ) -> Result<Comparison, AppError> {
        let rebuild = self.of(projection, scope).await?;
        rebuild.build(show).await?;
        Ok(rebuild.compare().await?)
    }

    async fn exchange(&self, projection: &str, scope: RebuildScope) -> Result<(), AppError> {
        Ok(self.of(projection, scope).await?.exchange().await?)
    }

    async fn abandon(&self, projection: &str, scope: RebuildScope) -> Result<(), AppError> {
        Ok(self.of(projection, scope).await?.abandon().await?)
    }
}
