//! How requests write names, levels and permissions.

use std::str::FromStr;

use domain::access::{ActionName, Grant, Level, ResourceName, RoleName};
use domain::values::DisplayName;
use poem_openapi::registry::MetaSchema;

use crate::input::FieldValue;

const WORD: &str = "^[a-z0-9_-]{1,40}$";

fn word(example: &str) -> MetaSchema {
    MetaSchema { pattern: Some(WORD.into()), example: Some(example.into()), ..MetaSchema::new("string") }
}

fn parsed<T: FromStr>(text: &str) -> Option<T> {
    text.parse().ok()
}

impl FieldValue for RoleName {
    const WANTED: &'static str = "must be 1 to 40 of a-z, 0-9, '-' and '_', such as sales_manager";

    fn schema() -> MetaSchema {
        word("sales_manager")
    }

    fn read(text: &str) -> Option<Self> {
        parsed(text)
    }
}

impl FieldValue for ResourceName {
    const WANTED: &'static str = "must be 1 to 40 of a-z, 0-9, '-' and '_', such as requests";

    fn schema() -> MetaSchema {
        word("requests")
    }

    fn read(text: &str) -> Option<Self> {
        parsed(text)
    }
}

impl FieldValue for ActionName {
    const WANTED: &'static str = "must be 1 to 40 of a-z, 0-9, '-' and '_', such as assign";

    fn schema() -> MetaSchema {
        word("assign")
    }

    fn read(text: &str) -> Option<Self> {
        parsed(text)
    }
}

impl FieldValue for DisplayName {
    const WANTED: &'static str = "must be 1 to 200 characters on one line";

    fn schema() -> MetaSchema {
        MetaSchema {
            min_length: Some(1),
            max_length: Some(200),
            example: Some("Sales manager".into()),
            ..MetaSchema::new("string")
        }
    }

    fn read(text: &str) -> Option<Self> {
        parsed(text)
    }
}

impl FieldValue for Level {
    const WANTED: &'static str = "must be a whole number from 1 to 100";
    const NUMERIC: bool = true;

    fn schema() -> MetaSchema {
        MetaSchema {
            minimum: Some(1.0),
            maximum: Some(100.0),
            example: Some(40.into()),
            ..MetaSchema::new_with_format("integer", "int32")
        }
    }

    fn read(text: &str) -> Option<Self> {
        Self::try_from(parsed::<u8>(text)?).ok()
    }
}

impl FieldValue for Grant {
    const WANTED: &'static str = "must be resource:action or resource:action:reach, such as reports:read:stats or \
                                  requests:*; a reach is own, stats, anonymized, limited or all";

    fn schema() -> MetaSchema {
        MetaSchema { example: Some("reports:read:stats".into()), ..MetaSchema::new("string") }
    }

    fn read(text: &str) -> Option<Self> {
        parsed(text)
    }
}

/// A name of a role, or `*` for every one.
pub(super) struct Manageable(pub(super) String);

impl FieldValue for Manageable {
    const WANTED: &'static str = "must be the name of a role, or * alone for every role";

    fn schema() -> MetaSchema {
        MetaSchema { example: Some("sales_manager".into()), ..MetaSchema::new("string") }
    }

    fn read(text: &str) -> Option<Self> {
        (text == "*" || parsed::<RoleName>(text).is_some()).then(|| Self(text.to_owned()))
    }
}
