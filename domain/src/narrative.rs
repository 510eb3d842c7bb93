//! What the AI writes about a period: words only. Numbers in a report are computed by [`crate::metrics`].

use serde::{Deserialize, Serialize};

/// The AI's part of a report.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Narrative {
    /// One line.
    pub headline: String,
    /// A paragraph.
    pub summary: String,
    /// What the customers wrote about.
    pub topics: Vec<Topic>,
    /// What stands out.
    pub findings: Vec<Finding>,
    /// What to do about it.
    pub recommendations: Vec<String>,
}

/// Something that customers wrote about.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Topic {
    /// Its name.
    pub name: String,
    /// Dialogues in which it comes up.
    pub dialogue_ids: Vec<String>,
}

/// Something that stands out.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Finding {
    /// One line.
    pub title: String,
    /// What was seen.
    pub detail: String,
    /// Dialogues that show it.
    pub dialogue_ids: Vec<String>,
}

impl Narrative {
    /// All dialogues that the narrative refers to.
    pub fn cited(&self) -> impl Iterator<Item = &str> {
        let topics = self.topics.iter().flat_map(|topic| &topic.dialogue_ids);
        let findings = self.findings.iter().flat_map(|finding| &finding.dialogue_ids);
        topics.chain(findings).map(String::as_str)
    }
}
