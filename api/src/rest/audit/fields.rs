//! How requests say which events they ask for.

use application::ports::audit::AuditOrder;
use application::ports::commands::LogPosition;
use domain::events::CATALOGUE;
use poem_openapi::registry::MetaSchema;

use crate::input::FieldValue;

/// The longest id of an actor or an aggregate.
const LONGEST_ID: usize = 200;

/// A place in the log.
pub(super) struct Position(pub(super) LogPosition);

impl FieldValue for Position {
    const WANTED: &'static str = "must be a position in the log such as 1-7431-205, as an earlier answer gave it";

    fn schema() -> MetaSchema {
        MetaSchema {
            pattern: Some("^[0-9]+-[0-9]+-[0-9]+$".into()),
            example: Some("1-7431-205".into()),
            ..MetaSchema::new("string")
        }
    }

    fn read(text: &str) -> Option<Self> {
        text.parse().ok().filter(|position: &LogPosition| position.to_string() == text).map(Self)
    }
}

/// In which order events are listed.
pub(super) struct Order(pub(super) AuditOrder);

impl FieldValue for Order {
    const WANTED: &'static str = "must be newest or oldest, for what comes first";

    fn schema() -> MetaSchema {
        let enum_items = ["newest", "oldest"].map(Into::into).to_vec();
        MetaSchema { enum_items, default: Some("newest".into()), ..MetaSchema::new("string") }
    }

    fn read(text: &str) -> Option<Self> {
        match text {
            "newest" => Some(Self(AuditOrder::NewestFirst)),
            "oldest" => Some(Self(AuditOrder::OldestFirst)),
            _ => None,
        }
    }
}

/// Who acts, or what something happened to.
pub(super) struct Id(pub(super) String);

impl FieldValue for Id {
    const WANTED: &'static str =
        "must be an id, or the name of an operator or of a part of Synkro: 1 to 200 characters";

    fn schema() -> MetaSchema {
        MetaSchema { min_length: Some(1), max_length: Some(LONGEST_ID), ..MetaSchema::new("string") }
    }

    fn read(text: &str) -> Option<Self> {
        let fits = (1..=LONGEST_ID).contains(&text.chars().count()) && !text.chars().any(char::is_control);
        fits.then(|| Self(text.to_owned()))
    }
}

/// The name of a type of aggregate.
pub(super) struct AggregateType(pub(super) String);

impl FieldValue for AggregateType {
    const WANTED: &'static str = "must be a type of aggregate such as job_run; docs/events.md lists all";

    fn schema() -> MetaSchema {
        MetaSchema { example: Some("job_run".into()), ..MetaSchema::new("string") }
    }

    fn read(text: &str) -> Option<Self> {
        CATALOGUE.iter().any(|(name, _)| *name == text).then(|| Self(text.to_owned()))
    }
}

/// The name of an event.
pub(super) struct EventType(pub(super) String);

impl FieldValue for EventType {
    const WANTED: &'static str = "must be the name of an event such as RunStarted; docs/events.md lists all";

    fn schema() -> MetaSchema {
        MetaSchema { example: Some("RunStarted".into()), ..MetaSchema::new("string") }
    }

    fn read(text: &str) -> Option<Self> {
        let mut names = CATALOGUE.iter().flat_map(|(_, events)| *events);
        names.any(|(name, _)| *name == text).then(|| Self(text.to_owned()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_there_is_can_be_asked_for() {
        assert!(EventType::read("RunStarted").is_some() && EventType::read("runstarted").is_none());
        assert!(AggregateType::read("job_run").is_some() && AggregateType::read("note").is_none());
        for bad in ["", "1", "1-2", "1-2-3-4", "1-2-x", "+1-2-3", "01-2-3"] {
            assert!(Position::read(bad).is_none(), "{bad}");
        }
        assert!(Position::read("1-7431-205").is_some());
    }
}
