//! What the demo shows at its end.

use std::fmt::Write;
use std::path::PathBuf;

use application::access::shape::ShownReport;
use application::ports::read_models::{PageRequest, RunStatus, RunView};
use domain::ids::ReportId;
use serde_json::{Value, json};
use simulator::Simulators;

use super::company::{Company, Data};
use super::{CliError, failure_text, provision};
use crate::wire::System;

/// What the reports say and what is where.
pub(super) struct Outcome {
    whole: RunView,
    day: RunView,
    report: Option<ShownReport>,
    deals: usize,
    chats: usize,
    messages: usize,
    telegram_messages: usize,
    charts: usize,
    chart_folder: PathBuf,
    events: u64,
}

impl Outcome {
    pub(super) async fn gather(
        system: &System,
        company: &Company,
        simulators: &Simulators,
        whole: RunView,
        day: RunView,
    ) -> Result<Self, CliError> {
        let context = provision::context(system, company);
        let page = PageRequest { after: None, limit: 100 };
        let reports = system.state.read_reports.list(&context, page).await?;
        let report = reports.items.into_iter().find(|report| report.about.id == ReportId::of(whole.id));
        let messages = simulators.telegram_messages();
        Ok(Self {
            whole,
            day,
            report,
            deals: simulators.row_count("synkro_deals"),
            chats: simulators.row_count("synkro_chats"),
            messages: simulators.row_count("synkro_messages"),
            telegram_messages: messages.len(),
            charts: messages.iter().filter(|message| message.photo.is_some()).count(),
            chart_folder: simulators.telegram_photos().to_owned(),
            events: system.log.count(company.tenant_id).await?,
        })
    }

    pub(super) fn completed(&self) -> bool {
        [&self.whole, &self.day].iter().all(|run| run.status == RunStatus::Completed)
    }

    /// What to do about a run that did not complete: its outcome stands, and a second start only finds it again.
    pub(super) fn retry_hint(&self) -> Option<String> {
        let failures: Vec<String> = [&self.whole, &self.day].into_iter().filter_map(failure_text).collect();
        if failures.is_empty() {
            return None;
        }
        Some(format!("{}\nStart anew with --fresh.", failures.join("\n")))
    }

    /// The one object of `--json`.
    pub(super) fn json(&self) -> Value {
        let step = |step: &application::ports::read_models::StepView| {
            let mut shown = json!({
                "name": step.step.name(),
                "status": step.status.name(),
                "attempts": step.attempts,
                "ms": step.elapsed_ms,
            });
            if let Some(failure) = &step.failure {
                shown["error"] = json!({"message": failure.message, "advice": failure.advice});
            }
            shown
        };
        let run = |run: &RunView| {
            json!({
                "id": run.id,
                "status": run.status.name(),
                "steps": run.steps.iter().map(step).collect::<Vec<_>>(),
            })
        };
        json!({
            "run": run(&self.whole),
            "day_run": run(&self.day),
            "deals": self.deals,
            "chats": self.chats,
            "messages": self.messages,
            "report": self.report.as_ref().map(|report| json!({
                "id": report.about.id,
                "period": report.about.period,
                "metrics": report.metrics,
                "summary": report.summary,
            })),
            "telegram_messages": self.telegram_messages,
            "telegram_charts": self.charts,
            "events": self.events,
        })
    }

    pub(super) fn text(&self, company: &Company, data: &Data) -> String {
        let mut text = String::new();
        if let Some(report) = &self.report {
            let _ = write!(text, "{}", report_text(report, data));
        }
        let _ = write!(
            text,
            "\nIn the storage of {}: {} deals, {} chats, {} messages. Event log: {} events.\n\
             Telegram: {} messages, {} with a chart; the charts lie in {}.",
            company.slug,
            self.deals,
            self.chats,
            self.messages,
            self.events,
            self.telegram_messages,
            self.charts,
            self.chart_folder.display()
        );
        text
    }
}

fn report_text(report: &ShownReport, data: &Data) -> String {
    let metrics = &report.metrics;
    let seconds = |value: Option<u64>| value.map_or_else(|| "–".to_owned(), |seconds| format!("{seconds} s"));
    let languages: Vec<String> =
        metrics.languages.iter().map(|(code, language)| format!("{} {code}", language.dialogues)).collect();
    let busiest = metrics.hours.iter().max_by_key(|hour| hour.customer_messages);
    let mut text = format!(
        "\n{}\n\n{}\n\n\
         Dialogues       {} ({} messages; {})\n\
         First response  median {}, 90th percentile {}\n\
         Unanswered      {} ({:.1} %), {} await a reply\n\
         Outcomes        {} won, {} lost, {} open\n\
         Agents          {}\n",
        report.headline.as_deref().unwrap_or_default(),
        report.summary.as_deref().unwrap_or_default(),
        metrics.dialogues,
        metrics.messages,
        languages.join(", "),
        seconds(metrics.first_response.median_seconds),
        seconds(metrics.first_response.p90_seconds),
        metrics.unanswered,
        metrics.unanswered_share * 100.0,
        metrics.awaiting_reply,
        metrics.outcomes.won,
        metrics.outcomes.lost,
        metrics.outcomes.open,
        metrics.agents.len(),
    );
    if let Some(hour) = busiest {
        let _ = writeln!(text, "Busiest hour    {:02}:00, {} messages of customers", hour.hour, hour.customer_messages);
    }
    if let Some(note) = data.derived_times() {
        let _ = writeln!(text, "Note            {note}");
    }
    text
}
