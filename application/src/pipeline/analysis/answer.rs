//! Whether an answer is a narrative: it fits the schema and cites only dialogues that it was given.

use std::collections::HashSet;

use domain::narrative::Narrative;
use serde_json::{Value, json};

/// The most problems that a repair request names.
const MOST_PROBLEMS: usize = 10;

/// Why an answer was not accepted: places and rules, never its words, which may be personal.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Rejection {
    pub(super) problems: Vec<String>,
}

/// The schema of a narrative, as the model is given it.
pub(super) fn schema() -> Value {
    let ids = json!({"type": "array", "items": {"type": "string"}, "maxItems": 200});
    let text = |most: u32| json!({"type": "string", "minLength": 1, "maxLength": most});
    json!({
        "type": "object",
        "additionalProperties": false,
        "required": ["headline", "summary", "topics", "findings", "recommendations"],
        "properties": {
            "headline": text(200),
            "summary": text(4000),
            "topics": {"type": "array", "maxItems": 12, "items": {
                "type": "object",
                "additionalProperties": false,
                "required": ["name", "dialogue_ids"],
                "properties": {"name": text(120), "dialogue_ids": ids},
            }},
            "findings": {"type": "array", "maxItems": 12, "items": {
                "type": "object",
                "additionalProperties": false,
                "required": ["title", "detail", "dialogue_ids"],
                "properties": {"title": text(200), "detail": text(2000), "dialogue_ids": ids},
            }},
            "recommendations": {"type": "array", "maxItems": 12, "items": text(500)},
        },
    })
}

/// The compiled schema.
pub(super) struct AnswerCheck {
    validator: jsonschema::Validator,
}

impl AnswerCheck {
    pub(super) fn new() -> Self {
        let validator = jsonschema::validator_for(&schema()).expect("the schema is a constant that a test compiles");
        Self { validator }
    }

    /// The narrative in the answer.
    pub(super) fn narrative(&self, text: &str, known: &HashSet<&str>) -> Result<Narrative, Rejection> {
        let value: Value = serde_json::from_str(unfenced(text))
            .map_err(|error| Rejection { problems: vec![format!("the answer is not JSON (line {})", error.line())] })?;
        let mut problems: Vec<String> = self
            .validator
            .iter_errors(&value)
            .take(MOST_PROBLEMS)
            .map(|error| format!("{} breaks the rule {}", error.instance_path(), error.schema_path()))
            .collect();
        if problems.is_empty() {
            match serde_json::from_value::<Narrative>(value) {
                Ok(narrative) => {
                    let unknown = narrative.cited().filter(|id| !known.contains(id)).count();
                    if unknown == 0 {
                        return Ok(without_nul(narrative));
                    }
                    problems.push(format!("{unknown} dialogue ids are not among those of the package"));
                }
                Err(_) => problems.push("the answer is not a narrative".into()),
            }
        }
        Err(Rejection { problems })
    }
}

/// Models like to wrap JSON into a Markdown fence.
fn unfenced(text: &str) -> &str {
    let text = text.trim();
    let inner = text.strip_prefix("```json").or_else(|| text.strip_prefix("```"));
    inner.and_then(|inner| inner.strip_suffix("```")).unwrap_or(text).trim()
}

/// JSON can say NUL, PostgreSQL's jsonb cannot.
fn without_nul(mut narrative: Narrative) -> Narrative {
    let clean = |text: &mut String| text.retain(|char| char != '\0');
    clean(&mut narrative.headline);
    clean(&mut narrative.summary);
    narrative.topics.iter_mut().for_each(|topic| clean(&mut topic.name));
    for finding in &mut narrative.findings {
        clean(&mut finding.title);
        clean(&mut finding.detail);
    }
    narrative.recommendations.iter_mut().for_each(clean);
    narrative
}
