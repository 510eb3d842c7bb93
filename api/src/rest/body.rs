//! Shapes that several resources share.

use application::ports::commands::LogPosition;
use chrono::{DateTime, Utc};
use domain::report::ReportKind;
use poem_openapi::payload::Json;
use poem_openapi::types::ToJSON;
use poem_openapi::{ApiResponse, Enum, Object};

use crate::AppState;
use crate::position::{header, settled};

/// The answer of operations that show something.
#[derive(ApiResponse)]
pub(super) enum Shown<T: ToJSON> {
    /// What was asked for.
    #[oai(status = 200)]
    Ok(Json<T>),
}

impl<T: ToJSON> Shown<T> {
    pub(super) fn new(value: impl Into<T>) -> Self {
        Self::Ok(Json(value.into()))
    }
}

/// The answer of commands that show nothing.
#[derive(ApiResponse)]
pub(super) enum Done {
    /// It is done, or was done already.
    #[oai(status = 204)]
    Done(
        /// The command's place in the log; absent where there was nothing to change.
        #[oai(header = "Synkro-Position")]
        Option<String>,
    ),
}

impl Done {
    /// The answer to a command, once the read models show it.
    pub(super) async fn after(state: &AppState, position: Option<LogPosition>) -> Self {
        settled(state, position).await;
        Self::Done(position.map(header))
    }
}

/// A time from `from`, included, to `to`, not included.
#[derive(Object)]
#[oai(rename = "Period")]
pub(super) struct PeriodBody {
    /// First instant.
    pub(super) from: DateTime<Utc>,
    /// First instant after it.
    pub(super) to: DateTime<Utc>,
}

impl From<domain::period::Period> for PeriodBody {
    fn from(period: domain::period::Period) -> Self {
        Self { from: period.from, to: period.to }
    }
}

/// What a report is about: one day of the company, or days that someone chose.
#[derive(Enum)]
#[oai(rename = "ReportKind", rename_all = "snake_case")]
pub(super) enum KindBody {
    Daily,
    Custom,
}

impl From<ReportKind> for KindBody {
    fn from(kind: ReportKind) -> Self {
        match kind {
            ReportKind::Daily => Self::Daily,
            ReportKind::Custom => Self::Custom,
        }
    }
}
