use application::access::shape::{ReportAbout, ReportWords, ShownReport};
use application::ports::read_models::Page;
use application::use_cases::FullReport;
use chrono::{DateTime, Utc};
use domain::narrative::{Finding, Narrative, Topic};
use poem_openapi::Object;
use poem_openapi::types::Example;
use uuid::Uuid;

use super::example;
use super::metrics::MetricsBody;
use crate::cursor::encode;
use crate::rest::body::{KindBody, PeriodBody};

/// One page of reports.
#[derive(Object)]
pub(super) struct ReportList {
    /// The reports, newest first.
    items: Vec<ReportBody>,
    /// The `cursor` of the next page; `null` on the last one.
    #[oai(nullable)]
    next: Option<String>,
    /// Events of the company that could not be shown in this list yet; normally 0. Reports may be missing.
    parked: u64,
}

impl From<Page<ShownReport>> for ReportList {
    fn from(page: Page<ShownReport>) -> Self {
        Self {
            items: page.items.into_iter().map(ReportBody::from).collect(),
            next: page.next.map(encode),
            parked: page.parked,
        }
    }
}

/// A report without its full text.
#[derive(Object)]
#[oai(rename = "Report", example)]
struct ReportBody {
    /// Its id.
    id: Uuid,
    /// The run that made it.
    run_id: Uuid,
    /// What it is about.
    kind: KindBody,
    /// The time that it covers.
    period: PeriodBody,
    /// Its first line; `null` where your right does not show names.
    #[oai(nullable)]
    headline: Option<String>,
    /// A paragraph; `null` where your right does not show names.
    #[oai(nullable)]
    summary: Option<String>,
    /// The numbers, computed by Synkro. With the reach `stats` they come without agents.
    metrics: MetricsBody,
    /// The AI model that wrote the words.
    model: String,
    /// The version of the prompt that it wrote by, `/api/v1/integrations/ai/prompts` lists them; `null` in reports of earlier
    /// releases.
    #[oai(nullable)]
    prompt_version: Option<u32>,
    /// When it was published.
    published_at: DateTime<Utc>,
}

impl From<ShownReport> for ReportBody {
    fn from(ShownReport { about, headline, summary, metrics }: ShownReport) -> Self {
        let ReportAbout { id, run_id, kind, period, model, prompt_version, published_at } = about;
        Self {
            id: id.uuid(),
            run_id: run_id.uuid(),
            kind: kind.into(),
            period: period.into(),
            headline,
            summary,
            metrics: metrics.into(),
            model,
            prompt_version,
            published_at,
        }
    }
}

/// A report with its full text.
#[derive(Object)]
#[oai(rename = "FullReport", example)]
pub(super) struct FullReportBody {
    /// The report.
    report: ReportBody,
    /// The whole text, in Markdown; `null` where your right does not show names.
    #[oai(nullable)]
    body: Option<String>,
    /// What the AI wrote, in its parts; `null` where your right does not show names.
    #[oai(nullable)]
    narrative: Option<NarrativeBody>,
    /// Events of the company that could not be shown in its reports yet; normally 0.
    parked: u64,
}

impl From<FullReport> for FullReportBody {
    fn from(FullReport { report, words, parked }: FullReport) -> Self {
        let (body, narrative) = words.map(|ReportWords { body, narrative }| (body, narrative.into())).unzip();
        Self { report: report.into(), body, narrative, parked }
    }
}

/// What the AI wrote. The numbers of a report are never its work.
#[derive(Object)]
#[oai(rename = "Narrative")]
struct NarrativeBody {
    /// One line.
    headline: String,
    /// A paragraph.
    summary: String,
    /// What the customers wrote about.
    topics: Vec<TopicBody>,
    /// What stands out.
    findings: Vec<FindingBody>,
    /// What to do about it.
    recommendations: Vec<String>,
}

/// Something that customers wrote about.
#[derive(Object)]
#[oai(rename = "Topic")]
struct TopicBody {
    /// Its name.
    name: String,
    /// Dialogues in which it comes up.
    dialogue_ids: Vec<String>,
}

/// Something that stands out.
#[derive(Object)]
#[oai(rename = "Finding")]
struct FindingBody {
    /// One line.
    title: String,
    /// What was seen.
    detail: String,
    /// Dialogues that show it.
    dialogue_ids: Vec<String>,
}

impl From<Narrative> for NarrativeBody {
    fn from(narrative: Narrative) -> Self {
        let topic = |Topic { name, dialogue_ids }| TopicBody { name, dialogue_ids };
        let finding = |Finding { title, detail, dialogue_ids }| FindingBody { title, detail, dialogue_ids };
        Self {
            headline: narrative.headline,
            summary: narrative.summary,
            topics: narrative.topics.into_iter().map(topic).collect(),
            findings: narrative.findings.into_iter().map(finding).collect(),
            recommendations: narrative.recommendations,
        }
    }
}

impl Example for ReportBody {
    fn example() -> Self {
        let Narrative { headline, summary, .. } = example::narrative();
        Self {
            id: Uuid::from_u128(0x5b0c_3f6d_21f4_5c1e_8a7e_0d4c_9b1f_6a20),
            run_id: Uuid::from_u128(0x0197_b1c0_5f6e_7c3a_9d55_2f6c_1a7e_4b13),
            kind: KindBody::Daily,
            period: example::period().into(),
            headline: Some(headline),
            summary: Some(summary),
            metrics: example::metrics().into(),
            model: "gemini-2.5-flash".into(),
            prompt_version: Some(3),
            published_at: example::published_at(),
        }
    }
}

impl Example for FullReportBody {
    fn example() -> Self {
        let narrative = example::narrative();
        let body = format!("# {}\n\n{}\n", narrative.headline, narrative.summary);
        Self { report: ReportBody::example(), body: Some(body), narrative: Some(narrative.into()), parked: 0 }
    }
}
