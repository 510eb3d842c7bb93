//! Building the rows of a read model anew, or looking whether that would change them.

use std::collections::BTreeMap;
use std::sync::Arc;

use domain::ids::RebuildId;
use domain::rebuild::{
    FinishRebuild, Rebuild, RebuildCommand, RebuildError, RebuildGoal, RebuildOutcome, RebuildScope, StartRebuild,
};
use domain::values::{ReadModelName, Reason};
use domain::{Classified, ErrorKind, FieldError};

use crate::context::RequestContext;
use crate::error::{AppError, chain};
use crate::ports::clock::{Clock, Ids};
use crate::ports::commands::Commands;
use crate::ports::rebuilds::{Comparison, ExchangeError, RebuildEngine, RebuildProgress, RebuildTarget};

/// What to build, and why.
#[derive(Debug, Clone)]
pub struct RebuildRequest {
    /// Which rows.
    pub target: RebuildTarget,
    /// What it is for.
    pub goal: RebuildGoal,
    /// Why; needed where rows are exchanged.
    pub reason: Option<String>,
}

/// What a rebuild came to.
#[derive(Debug, Clone)]
pub struct Rebuilt {
    /// Its id, under which the log has it.
    pub id: RebuildId,
    /// What differed.
    pub comparison: Comparison,
}

/// Rebuilds and verifies read models, and records who did it, why, and what differed.
pub struct ReadModelRebuilding {
    /// The log.
    pub rebuilds: Arc<dyn Commands<Rebuild>>,
    /// What builds.
    pub engine: Arc<dyn RebuildEngine>,
    /// The time.
    pub clock: Arc<dyn Clock>,
    /// Ids.
    pub ids: Arc<dyn Ids>,
}

/// A request without faults.
struct Order {
    projection: ReadModelName,
    scope: RebuildScope,
    goal: RebuildGoal,
    reason: Option<Reason>,
}

/// A rebuild that could not be brought to its end.
struct Failed {
    /// What differed, where it came so far.
    found: Option<Comparison>,
    error: AppError,
    /// Whether it is known that the live rows are as they were.
    is_known: bool,
}

impl ReadModelRebuilding {
    /// Builds the rows beside the live ones, says what differs, and puts them in the place of the live ones where that is
    /// the goal. Beginning and end are in the log, in that of the tenant whose rows they are; a process that is killed in
    /// between leaves the beginning alone, and so does one that cannot find out how it ended.
    ///
    /// # Errors
    /// `forbidden` for all but support staff; `invalid` with each bad field; `conflict` where another process rebuilds
    /// the same read model, or its tables are in use.
    pub async fn rebuild(
        &self,
        context: &RequestContext,
        request: RebuildRequest,
        show: &(dyn Fn(RebuildProgress) + Send + Sync),
    ) -> Result<Rebuilt, AppError> {
        context.require_support(None)?;
        let order = self.order(request).await?;
        let context = context.require_support(order.scope.tenant())?;
        let id = RebuildId::from(self.ids.next());
        let start = StartRebuild {
            rebuild_id: id,
            projection: order.projection.clone(),
            scope: order.scope,
            goal: order.goal,
            reason: order.reason.clone(),
            at: self.clock.now(),
        };
        self.rebuilds.execute(&context, id.uuid(), RebuildCommand::Start(start)).await?;
        match self.carry_out(&order, show).await {
            Ok(comparison) => {
                let outcome = match order.goal {
                    RebuildGoal::Exchange => RebuildOutcome::Exchanged,
                    RebuildGoal::Verify => RebuildOutcome::Verified,
                };
                self.finish(&context, id, outcome, Some(&comparison)).await?;
                Ok(Rebuilt { id, comparison })
            }
            Err(Failed { error, is_known: false, .. }) => {
                tracing::error!(rebuild = %id, "how the rebuild ended is not known, so its end is not in the log");
                Err(error)
            }
            Err(Failed { found, error, .. }) => {
                if let Err(unrecorded) = self.finish(&context, id, RebuildOutcome::Abandoned, found.as_ref()).await {
                    tracing::error!(rebuild = %id, error = chain(&unrecorded), "the end of a rebuild is not in the log");
                }
                Err(error)
            }
        }
    }

    /// Everything that is wrong with a request is said at once.
    async fn order(&self, request: RebuildRequest) -> Result<Order, AppError> {
        let RebuildRequest { target, goal, reason } = request;
        let mut fields = Vec::new();
        let reason = match reason.map(|reason| reason.parse::<Reason>()) {
            Some(Ok(reason)) => Some(reason),
            Some(Err(fault)) => {
                fields.push(FieldError::new("reason", fault.to_string()));
                None
            }
            None => {
                let missing = (goal == RebuildGoal::Exchange).then(|| RebuildError::ReasonMissing.fields());
                fields.extend(missing.into_iter().flatten());
                None
            }
        };
        let scope = match self.engine.scope(&target).await {
            Err(error) if error.kind == ErrorKind::Invalid => {
                fields.splice(0..0, error.fields);
                None
            }
            other => Some(other?),
        };
        match (scope, target.projection.parse::<ReadModelName>()) {
            (Some(scope), Ok(projection)) if fields.is_empty() => Ok(Order { projection, scope, goal, reason }),
            _ => Err(AppError::invalid(fields)),
        }
    }

    async fn carry_out(
        &self,
        order: &Order,
        show: &(dyn Fn(RebuildProgress) + Send + Sync),
    ) -> Result<Comparison, Failed> {
        let projection = order.projection.as_str();
        let built = self.engine.build(projection, order.scope, show).await;
        let comparison = built.map_err(|error| Failed { found: None, error, is_known: true })?;
        let settled = match order.goal {
            RebuildGoal::Exchange => self.engine.exchange(projection, order.scope).await,
            RebuildGoal::Verify => self.engine.abandon(projection, order.scope).await.map_err(ExchangeError::NotDone),
        };
        let (error, is_known) = match settled {
            Ok(()) => return Ok(comparison),
            Err(ExchangeError::NotDone(error)) => (error, true),
            Err(ExchangeError::Unanswered(error)) => (error, false),
        };
        Err(Failed { found: Some(comparison), error, is_known })
    }

    async fn finish(
        &self,
        context: &RequestContext,
        id: RebuildId,
        outcome: RebuildOutcome,
        found: Option<&Comparison>,
    ) -> Result<(), AppError> {
        let end = FinishRebuild {
            outcome,
            tenants_differing: found.map_or(0, Comparison::tenants_differing),
            rows_differing: found.map_or_else(BTreeMap::new, |found| found.rows_differing.clone()),
            at: self.clock.now(),
        };
        self.rebuilds.execute(context, id.uuid(), RebuildCommand::Finish(end)).await?;
        Ok(())
    }
}
