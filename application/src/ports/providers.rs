//! What there is to connect. Each provider describes itself once, beside its adapter; the catalogue, the wizard, and the
//! reading of what people save are made of that description.

use domain::integration::{IntegrationKind, SecretName, Trial};

/// A text in the languages of the dashboard.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Text {
    /// In English.
    pub en: &'static str,
    /// In Russian.
    pub ru: &'static str,
}

/// A provider, as it describes itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Provider {
    /// The kind of service that it is.
    pub kind: IntegrationKind,
    /// Its frozen name, which saved settings refer to. Unique within the kind.
    pub name: &'static str,
    /// The name as people write it.
    pub title: &'static str,
    /// What to do at the provider before anything is saved here, in order.
    pub steps: &'static [Text],
    /// The settings that people fill in, named as they are stored.
    pub fields: &'static [Field],
    /// The secrets that people fill in.
    pub secrets: &'static [SecretField],
    /// What can be tried once it is saved; the first is tried where nobody says.
    pub trials: &'static [Trial],
    /// Whether what a trial found can be written to the tenant's storage.
    pub writes: bool,
}

impl Provider {
    /// The secret that people call by this name.
    pub fn secret(&self, name: &str) -> Option<&'static SecretField> {
        self.secrets.iter().find(|secret| secret.name.name() == name)
    }
}

/// A setting.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Field {
    /// Its name in the stored settings.
    pub name: &'static str,
    /// What people call it.
    pub title: Text,
    /// What it may hold.
    pub form: Form,
    /// What it holds where it is left out; none where it has to be given.
    pub absent: Absent,
}

/// A secret.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SecretField {
    /// Which one.
    pub name: SecretName,
    /// What people call it.
    pub title: Text,
    /// Whether the provider cannot be called without it.
    pub required: bool,
}

/// What a setting may hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Form {
    /// The address of an API.
    Address,
    /// A text of so many characters at most.
    Text {
        /// The most characters.
        most: usize,
        /// Whether it may have several lines.
        lines: bool,
    },
    /// One of these words.
    Choice(&'static [&'static str]),
    /// A whole number.
    Whole {
        /// The smallest.
        least: i64,
        /// The largest.
        most: i64,
    },
}

/// What a setting holds where it is left out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Absent {
    /// It cannot be left out.
    Refused,
    /// Nothing.
    Nothing,
    /// This text.
    Text(&'static str),
    /// This number.
    Whole(i64),
}

/// The tables that the tenant's storage has to have.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StorageSchema {
    /// Their newest version.
    pub version: u32,
    /// The SQL that makes them, whatever version the project has.
    pub sql: String,
}

/// A model that an AI account may use.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ModelInfo {
    /// What it is asked for by.
    pub name: String,
    /// Tokens that it reads at most, where the provider tells.
    pub input_token_limit: Option<u32>,
}
