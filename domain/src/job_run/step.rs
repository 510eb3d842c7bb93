use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::values::ContentHash;

/// The steps of the pipeline, in their order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Step {
    /// Deals of the period from the CRM.
    FetchDeals,
    /// Those deals into the tenant's storage.
    SaveDeals,
    /// Chats and messages of the deals' contacts.
    FetchChats,
    /// Those chats and messages into the tenant's storage.
    SaveChats,
    /// Metrics, and the material for the AI.
    BuildPackage,
    /// The AI's narrative.
    Analyse,
    /// The report into the tenant's storage, its summary into the log.
    PersistReport,
    /// A message to the tenant's group.
    Notify,
}

impl Step {
    /// All steps in their order.
    pub const ALL: [Self; 8] = [
        Self::FetchDeals,
        Self::SaveDeals,
        Self::FetchChats,
        Self::SaveChats,
        Self::BuildPackage,
        Self::Analyse,
        Self::PersistReport,
        Self::Notify,
    ];

    /// The frozen name.
    pub fn name(self) -> &'static str {
        match self {
            Self::FetchDeals => "fetch_deals",
            Self::SaveDeals => "save_deals",
            Self::FetchChats => "fetch_chats",
            Self::SaveChats => "save_chats",
            Self::BuildPackage => "build_package",
            Self::Analyse => "analyse",
            Self::PersistReport => "persist_report",
            Self::Notify => "notify",
        }
    }

    /// Its place, from 1.
    pub fn number(self) -> u32 {
        self as u32 + 1
    }

    /// The step after it.
    pub fn next(self) -> Option<Self> {
        Self::ALL.get(self as usize + 1).copied()
    }
}

/// What a step leaves behind: counts for people, and where the next steps find its data.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct StepOutput {
    /// The staged data, if the step made any.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub staged: Option<ContentHash>,
    /// What was done, for example `deals: 300`.
    pub counts: BTreeMap<String, u64>,
}

impl StepOutput {
    /// An output with counts only.
    pub fn counts<const N: usize>(counts: [(&str, usize); N]) -> Self {
        let counts = counts.into_iter().map(|(name, count)| (name.to_owned(), count as u64)).collect();
        Self { staged: None, counts }
    }

    /// The same output with staged data.
    #[must_use]
    pub fn staged(self, staged: ContentHash) -> Self {
        Self { staged: Some(staged), ..self }
    }
}
