//! Building read models anew beside the live ones.

use std::collections::{BTreeMap, BTreeSet};

use async_trait::async_trait;
use domain::ids::TenantId;
use domain::rebuild::RebuildScope;
use uuid::Uuid;

use crate::error::AppError;

/// Which rows of which read model, as someone asks for them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RebuildTarget {
    /// The read model's name.
    pub projection: String,
    /// Only the rows of this tenant.
    pub tenant: Option<TenantId>,
    /// Only the rows of this aggregate.
    pub aggregate: Option<TargetAggregate>,
}

/// An aggregate as someone names it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TargetAggregate {
    /// The name of its type.
    pub aggregate_type: String,
    /// Its id.
    pub aggregate_id: Uuid,
}

/// What a rebuild begins with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RebuildBeginning {
    /// Nothing; there was no earlier start.
    New,
    /// What an earlier start has built.
    Resumed,
    /// Nothing, although an earlier start has built something.
    Anew(Discarded),
}

/// Why what an earlier start has built is not gone on with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Discarded {
    /// The program that began it was built from other sources.
    OtherProgram,
    /// The tables had another form: a migration was applied since, or a column was changed.
    OtherTables,
    /// It was of other rows.
    OtherRows,
    /// A part of it is missing, or the live rows are not as far as it any more.
    Damaged,
}

/// How far a rebuild has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RebuildProgress {
    /// Events that the next generation has seen since this start.
    pub done: u64,
    /// Events that it had to see when it began.
    pub total: u64,
    /// What it began with.
    pub beginning: RebuildBeginning,
}

/// What a rebuild found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Comparison {
    /// The digests of every tenant, per table.
    pub digests: Vec<TenantDigest>,
    /// Some of the rows that differ, at most a hundred of each table. Of every tenant that differs there are some, unless
    /// more than a hundred do.
    pub differences: Vec<Difference>,
    /// How many rows differ, per table that has any.
    pub rows_differing: BTreeMap<String, u64>,
}

impl Comparison {
    /// True where both generations say the same.
    pub fn is_equal(&self) -> bool {
        self.digests.iter().all(TenantDigest::is_equal)
    }

    /// How many tenants have rows that differ; the platform's own rows count as one.
    pub fn tenants_differing(&self) -> u64 {
        let differing = self.digests.iter().filter(|digest| !digest.is_equal());
        differing.map(|digest| digest.tenant_id).collect::<BTreeSet<_>>().len() as u64
    }
}

/// A digest of one tenant's rows of one table, in both generations. It does not depend on the rows' order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TenantDigest {
    /// The table.
    pub table: String,
    /// The tenant; none for the platform's own rows.
    pub tenant_id: Option<Uuid>,
    /// Rows and digest in the live table.
    pub live: (i64, i64),
    /// Rows and digest in the next generation.
    pub next: (i64, i64),
}

impl TenantDigest {
    /// True where both generations say the same.
    pub fn is_equal(&self) -> bool {
        self.live == self.next
    }
}

/// A row that differs. It holds no values but the key's: they may be personal data, and staff need not see them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Difference {
    /// The table.
    pub table: String,
    /// Whose row it is, by the next generation where it has the row; none for the platform's own.
    pub tenant_id: Option<Uuid>,
    /// The row's key, as JSON.
    pub key: String,
    /// True where the live table has the row.
    pub in_live: bool,
    /// True where the next generation has the row.
    pub in_next: bool,
    /// The names of the columns that differ, where both have the row.
    pub columns: Vec<String>,
}

/// Why rebuilt rows were not put in the place of the live ones.
#[derive(Debug)]
pub enum ExchangeError {
    /// The live rows are as they were.
    NotDone(AppError),
    /// Nobody knows which rows are live: the database ended without an answer and could not be asked afterwards.
    Unanswered(AppError),
}

/// Builds the rows of read models anew from the log. Nothing but those rows changes: no side effect is repeated.
#[async_trait]
pub trait RebuildEngine: Send + Sync {
    /// The scope that is meant.
    ///
    /// # Errors
    /// `invalid`, naming each bad field: no such read model, nothing of the tenant or aggregate in the log, or a read
    /// model whose rows cannot be told apart by aggregate.
    async fn scope(&self, target: &RebuildTarget) -> Result<RebuildScope, AppError>;

    /// Builds the next generation beside the live rows and says what differs at one position of the log. What an earlier
    /// call of the same scope has built is gone on with.
    ///
    /// # Errors
    /// `conflict` where another process rebuilds the same read model.
    async fn build(
        &self,
        projection: &str,
        scope: RebuildScope,
        show: &(dyn Fn(RebuildProgress) + Send + Sync),
    ) -> Result<Comparison, AppError>;

    /// Puts the rows that were built in the place of the live ones, in one transaction.
    ///
    /// # Errors
    /// `conflict` where the tables are in use for too long, or the rows do not fit among those of others. Where it was not
    /// done, what was built is kept.
    async fn exchange(&self, projection: &str, scope: RebuildScope) -> Result<(), ExchangeError>;

    /// Gives up what was built.
    async fn abandon(&self, projection: &str, scope: RebuildScope) -> Result<(), AppError>;
}
