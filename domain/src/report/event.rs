use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use crate::ids::{ReportId, RunId, TenantId};
use crate::metrics::Metrics;
use crate::period::Period;
use crate::values::Personal;

/// What period a report is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ReportKind {
    /// One day of the tenant.
    Daily,
    /// Days that someone chose.
    Custom,
}

impl ReportKind {
    /// The frozen name.
    pub fn name(self) -> &'static str {
        match self {
            Self::Daily => "daily",
            Self::Custom => "custom",
        }
    }
}

/// What happened to a report.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "type")]
#[expect(missing_docs, reason = "the fields are those of the commands")]
pub enum ReportEvent {
    ReportPublished {
        report_id: ReportId,
        tenant_id: TenantId,
        run_id: RunId,
        kind: ReportKind,
        period: Period,
        headline: Personal<String>,
        summary: Personal<String>,
        metrics: Box<Metrics>,
        model: String,
        /// The version of the AI's settings, and so of the prompt. Events of earlier releases do not tell.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        prompt_version: Option<u32>,
        at: DateTime<Utc>,
    },
}

domain_events!(ReportEvent { ReportPublished = "1" });
