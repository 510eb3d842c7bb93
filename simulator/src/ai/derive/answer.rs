//! The shapes of an answer.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

/// Most items of each list in a report.
pub(super) const MAX_ITEMS: usize = 8;
/// Most dialogue ids that one topic or finding lists; its texts state the full number.
pub(super) const MAX_IDS: usize = 100;

/// What the engine has to say.
pub(in crate::ai) enum Answer {
    Report(Report),
    /// About a prompt without a package.
    Plain(String),
}

/// A report on dialogues.
#[derive(Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(in crate::ai) struct Report {
    #[serde(default)]
    pub(super) headline: String,
    #[serde(default)]
    pub(super) summary: String,
    #[serde(default)]
    pub(super) topics: Vec<Topic>,
    #[serde(default)]
    pub(super) findings: Vec<Finding>,
    #[serde(default)]
    pub(super) recommendations: Vec<String>,
}

#[derive(Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(in crate::ai) struct Topic {
    pub(super) name: String,
    #[serde(default)]
    pub(super) dialogue_ids: Vec<String>,
}

#[derive(Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(in crate::ai) struct Finding {
    pub(super) title: String,
    #[serde(default)]
    pub(super) detail: String,
    #[serde(default)]
    pub(super) dialogue_ids: Vec<String>,
}

impl Answer {
    pub(in crate::ai) fn to_object(&self) -> Map<String, Value> {
        let value = match self {
            Self::Report(report) => json!(report),
            Self::Plain(text) => json!({ "text": text }),
        };
        value.as_object().cloned().unwrap_or_default()
    }

    pub(in crate::ai) fn to_text(&self) -> String {
        match self {
            Self::Report(report) => report.to_text(),
            Self::Plain(text) => text.clone(),
        }
    }
}

impl Report {
    fn to_text(&self) -> String {
        let findings = self.findings.iter().map(|finding| format!("- {}: {}", finding.title, finding.detail));
        let recommendations = self.recommendations.iter().map(|recommendation| format!("- {recommendation}"));
        let opening = [self.headline.clone(), self.summary.clone()];
        opening.into_iter().chain(findings).chain(recommendations).collect::<Vec<_>>().join("\n")
    }
}

/// The ids that are listed of all that belong.
pub(super) fn listed<'a>(ids: impl IntoIterator<Item = &'a str>) -> Vec<String> {
    ids.into_iter().take(MAX_IDS).map(ToOwned::to_owned).collect()
}
