use chrono::{DateTime, Utc};

use super::{Published, Report, ReportError, ReportEvent, ReportKind};
use crate::ids::{ReportId, RunId, TenantId};
use crate::metrics::Metrics;
use crate::period::Period;
use crate::values::Personal;

/// What can be asked of a report.
#[derive(Debug, Clone)]
pub enum ReportCommand {
    /// Publish it.
    Publish(Box<PublishReport>),
}

/// A report whose full text lies in the tenant's storage.
#[derive(Debug, Clone)]
pub struct PublishReport {
    /// The owner.
    pub tenant_id: TenantId,
    /// The run that made it.
    pub run_id: RunId,
    /// What period it is about.
    pub kind: ReportKind,
    /// The time it covers.
    pub period: Period,
    /// Its first line.
    pub headline: Personal<String>,
    /// A paragraph.
    pub summary: Personal<String>,
    /// The numbers.
    pub metrics: Metrics,
    /// The AI model that wrote the narrative.
    pub model: String,
    /// The version of the AI's settings, and so of the prompt, that it wrote by; none where the run does not tell.
    pub prompt_version: Option<u32>,
    /// Now.
    pub at: DateTime<Utc>,
}

impl Report {
    /// The events that a command causes in this situation.
    pub fn decide(&self, command: ReportCommand) -> Result<Vec<ReportEvent>, ReportError> {
        match command {
            ReportCommand::Publish(new) => self.publish(*new),
        }
    }

    fn publish(&self, new: PublishReport) -> Result<Vec<ReportEvent>, ReportError> {
        let PublishReport { tenant_id, run_id, kind, period, headline, summary, metrics, model, prompt_version, at } =
            new;
        match self {
            Self::Published(published) if *published == (Published { tenant_id, run_id }) => Ok(Vec::new()),
            Self::Published(_) => Err(ReportError::AlreadyPublished),
            Self::Absent => Ok(vec![ReportEvent::ReportPublished {
                report_id: ReportId::of(run_id),
                tenant_id,
                run_id,
                kind,
                period,
                headline,
                summary,
                metrics: Box::new(metrics),
                model,
                prompt_version,
                at,
            }]),
        }
    }
}
