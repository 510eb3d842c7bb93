//! The models on offer.

use crate::limits::Limits;

/// Input limit of the small models.
const SMALL: u32 = 32_768;
const OUTPUT: u32 = 65_536;

/// What a provider says of a model.
pub(super) struct Model {
    pub(super) id: &'static str,
    pub(super) display_name: &'static str,
    /// In tokens.
    pub(super) input_limit: u32,
    /// In tokens.
    pub(super) output_limit: u32,
    pub(super) generates: bool,
}

impl Model {
    fn new(id: &'static str, display_name: &'static str, input_limit: u32, generates: bool) -> Self {
        Self { id, display_name, input_limit, output_limit: if generates { OUTPUT } else { 1 }, generates }
    }
}

/// A large and a small model that generate, and one that does not.
pub(super) fn gemini(limits: Limits) -> Vec<Model> {
    vec![
        Model::new("gemini-3.8-flash", "Gemini 3.8 Flash", limits.gemini_input_tokens, true),
        Model::new("gemini-3.5-flash-lite", "Gemini 3.5 Flash-Lite", SMALL, true),
        Model::new("gemini-embedding-001", "Gemini Embedding 001", 2_048, false),
    ]
}

/// A large and a small model.
pub(super) fn openai(limits: Limits) -> Vec<Model> {
    vec![
        Model::new("local-large", "Local Large", limits.gemini_input_tokens, true),
        Model::new("local-small", "Local Small", SMALL, true),
    ]
}
