//! The `limit` and `cursor` of lists.
//!
//! A cursor is opaque to clients: 16 hexadecimal digits of the row's time in microseconds, then 32 of its id.

use application::AppError;
use application::ports::read_models::{Cursor, PageRequest};
use chrono::DateTime;
use poem_openapi::registry::MetaSchema;
use uuid::Uuid;

use crate::input::{FieldValue, Input, both};

const TIME_DIGITS: usize = 16;
const ID_DIGITS: usize = 32;

/// How many rows a page holds where the client does not say.
const DEFAULT_LIMIT: u64 = 20;
/// How many rows a page holds at most.
const LARGEST_LIMIT: u64 = 100;

/// How many rows a page shall hold.
pub(crate) struct PageLimit(u64);

impl PageLimit {
    /// How many rows that are, also where the client does not say.
    pub(crate) fn rows(limit: Option<Self>) -> u64 {
        limit.map_or(DEFAULT_LIMIT, |Self(limit)| limit)
    }
}

impl FieldValue for PageLimit {
    const WANTED: &'static str = "must be a whole number from 1 to 100";

    fn schema() -> MetaSchema {
        MetaSchema {
            minimum: Some(1.0),
            maximum: Some(100.0),
            default: Some(DEFAULT_LIMIT.into()),
            ..MetaSchema::new_with_format("integer", "int32")
        }
    }

    fn read(text: &str) -> Option<Self> {
        text.parse().ok().filter(|limit| (1..=LARGEST_LIMIT).contains(limit)).map(Self)
    }
}

/// Where a page shall begin.
pub(crate) struct After(Cursor);

impl FieldValue for After {
    const WANTED: &'static str = "must be the `next` of an earlier answer; leave it out to begin with the newest";

    fn schema() -> MetaSchema {
        MetaSchema::new("string")
    }

    fn read(text: &str) -> Option<Self> {
        decode(text).map(Self)
    }
}

/// The page that a list's parameters ask for.
///
/// # Errors
/// `invalid`, naming both parameters where both are bad.
pub(crate) fn page_request(
    limit: Option<Input<PageLimit>>,
    cursor: Option<Input<After>>,
) -> Result<PageRequest, AppError> {
    let (limit, after) = both(("limit", Input::optional(limit)), ("cursor", Input::optional(cursor)))?;
    Ok(PageRequest { after: after.map(|After(cursor)| cursor), limit: PageLimit::rows(limit) })
}

/// The cursor as clients see it.
pub(crate) fn encode(cursor: Cursor) -> String {
    format!("{:0width$x}{}", cursor.at.timestamp_micros().cast_unsigned(), cursor.id.simple(), width = TIME_DIGITS)
}

fn decode(text: &str) -> Option<Cursor> {
    let hexadecimal = |byte: u8| matches!(byte, b'0'..=b'9' | b'a'..=b'f');
    if text.len() != TIME_DIGITS + ID_DIGITS || !text.bytes().all(hexadecimal) {
        return None;
    }
    let (time, id) = text.split_at(TIME_DIGITS);
    let micros = u64::from_str_radix(time, 16).ok()?.cast_signed();
    Some(Cursor { at: DateTime::from_timestamp_micros(micros)?, id: Uuid::try_parse(id).ok()? })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cursor(micros: i64) -> Cursor {
        Cursor { at: DateTime::from_timestamp_micros(micros).unwrap(), id: Uuid::from_u128(u128::MAX / 3) }
    }

    #[test]
    fn a_cursor_comes_back_as_it_went() {
        for micros in [0, 1, -1, 1_780_336_800_123_456, -62_135_596_800_000_000] {
            assert_eq!(decode(&encode(cursor(micros))), Some(cursor(micros)), "{micros}");
        }
    }

    #[test]
    fn what_is_not_a_cursor_is_refused() {
        let good = encode(cursor(1_780_336_800_123_456));
        let upper = good.to_uppercase();
        let longer = format!("{good}0");
        let signed = format!("+{}", &good[1..]);
        let endless = format!("7{}{}", "f".repeat(TIME_DIGITS - 1), "0".repeat(ID_DIGITS));
        let two_bytes = format!("é{}", &good[2..]);
        for bad in ["", "abc", &good[1..], &upper, &longer, &signed, &endless, &two_bytes] {
            assert_eq!(decode(bad), None, "{bad}");
        }
    }

    #[test]
    fn a_limit_is_between_one_and_a_hundred() {
        for (text, limit) in [("1", Some(1)), ("100", Some(100)), ("0", None), ("101", None), ("-1", None), ("x", None)]
        {
            assert_eq!(PageLimit::read(text).map(|PageLimit(limit)| limit), limit, "{text}");
        }
    }
}
