//! Reading a tenant's own history, as far as the reader is shown it.

use std::sync::Arc;

use domain::ErrorKind;
use domain::access::{Facet, Permission};
use domain::values::Language;

use crate::access::shape::{ShownEntry, Sight};
use crate::context::{RequestContext, TenantScope};
use crate::error::AppError;
use crate::ports::audit::{AuditPage, AuditRequest, AuditTrail};
use crate::ports::commands::LogPosition;

/// Reads the history of a tenant.
pub struct ReadAudit {
    /// The log.
    pub trail: Arc<dyn AuditTrail>,
}

impl ReadAudit {
    /// A part of the history, told in this language.
    ///
    /// # Errors
    /// `forbidden` without the right.
    pub async fn page(
        &self,
        context: &RequestContext,
        request: &AuditRequest,
        language: Language,
    ) -> Result<AuditPage<ShownEntry>, AppError> {
        let scope = context.authorize(Permission::AuditRead)?;
        let AuditPage { items, next } = self.trail.page(&scope, request).await?;
        let sight = sight(context, &scope);
        Ok(AuditPage { items: items.into_iter().map(|entry| sight.entry(entry, language)).collect(), next })
    }

    /// The event at this position, told in this language.
    ///
    /// # Errors
    /// `forbidden` without the right; `not_found`, for another tenant's event and one that is not shown too.
    pub async fn at(
        &self,
        context: &RequestContext,
        position: LogPosition,
        language: Language,
    ) -> Result<ShownEntry, AppError> {
        let scope = context.authorize(Permission::AuditRead)?;
        let missing = || AppError::new(ErrorKind::NotFound, "audit.not_found", "There is no event at this position.");
        Ok(sight(context, &scope).entry(self.trail.at(&scope, position).await?.ok_or_else(missing)?, language))
    }
}

/// Where the reader is shown only what they did themselves, all that is shown is theirs. What the company spends takes the right
/// to see costs besides.
fn sight(context: &RequestContext, scope: &TenantScope) -> Sight {
    let sight = if scope.only_of().is_some() { Sight::of_own(scope.reach()) } else { Sight::of_others(scope.reach()) };
    if Sight::of_costs(context).shows(Facet::Money) { sight } else { sight.without_costs() }
}
