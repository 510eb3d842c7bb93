//! The application's port for rebuilding read models.

use std::sync::Arc;

use application::ports::rebuilds::{
    Comparison, ExchangeError, RebuildEngine, RebuildProgress, RebuildTarget, TargetAggregate,
};
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

    /// The owner of an aggregate, of the tenant where one is named; none where the log has no such aggregate.
    async fn owner(
        &self,
        aggregate: &TargetAggregate,
        tenant: Option<TenantId>,
    ) -> Result<Option<Option<TenantId>>, PortError> {
        let sql = "select tenant_id from events
                   where aggregate_type = $1 and aggregate_id = $2 and ($3::uuid is null or tenant_id = $3)
                   order by sequence limit 1";
        let owner: Option<Option<Uuid>> = sqlx::query_scalar(sql)
            .bind(&aggregate.aggregate_type)
            .bind(aggregate.aggregate_id.to_string())
            .bind(tenant.map(TenantId::uuid))
            .fetch_optional(self.database.pool())
            .await
            .map_err(from_sqlx)?;
        Ok(owner.map(|owner| owner.map(TenantId::from)))
    }

    /// The scope of one aggregate's rows, and what is wrong with it.
    async fn of_aggregate(
        &self,
        projection: &dyn Projection,
        aggregate: &TargetAggregate,
        tenant: Option<TenantId>,
    ) -> Result<(RebuildScope, Vec<ScopeFault>), PortError> {
        let TargetAggregate { aggregate_type, aggregate_id } = aggregate;
        let (name, followed) = (projection.name(), followed_types(projection.follows()));
        let mut faults = Vec::new();
        if let Some(table) = projection.tables().iter().find(|table| table.aggregate.is_none()) {
            faults.push(ScopeFault::NotByAggregate { projection: name, table: table.name });
        } else if !followed.contains(&aggregate_type.as_str()) {
            let (aggregate_type, followed) = (aggregate_type.clone(), followed.join(", "));
            faults.push(ScopeFault::NotFollowed { projection: name, aggregate_type, followed });
        }
        let owner = self.owner(aggregate, tenant).await?;
        if owner.is_none() && faults.is_empty() {
            let aggregate_type = aggregate_type.clone();
            faults.push(ScopeFault::UnknownAggregate { aggregate_type, aggregate_id: *aggregate_id });
        }
        Ok((RebuildScope::Aggregate { aggregate_id: *aggregate_id, tenant_id: owner.flatten() }, faults))
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
        let scope = match (*tenant, aggregate, projection) {
            (_, Some(aggregate), Some(projection)) => {
                let (scope, wrong) = self.of_aggregate(projection, aggregate, *tenant).await?;
                faults.extend(wrong);
                scope
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

    async fn exchange(&self, projection: &str, scope: RebuildScope) -> Result<(), ExchangeError> {
        let rebuild = self.of(projection, scope).await.map_err(ExchangeError::NotDone)?;
        rebuild.exchange().await.map_err(|error| match error {
            RebuildError::Unanswered { .. } => ExchangeError::Unanswered(error.into()),
            error => ExchangeError::NotDone(error.into()),
        })
    }

    async fn abandon(&self, projection: &str, scope: RebuildScope) -> Result<(), AppError> {
        Ok(self.of(projection, scope).await?.abandon().await?)
    }
}
