//! Telegram's subset of HTML to text and entities (Telegram sheet §2).

use serde_json::{Value, json};

/// Why a text is not the HTML that Telegram takes. Offsets are bytes of the text as sent.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum BadMarkup {
    #[error("Unsupported start tag \"{name}\" at byte offset {at}")]
    Unsupported { name: String, at: usize },
    #[error("Unclosed start tag at byte offset {at}")]
    UnclosedTag { at: usize },
    #[error("Unexpected end tag at byte offset {at}")]
    UnexpectedEnd { at: usize },
    #[error("Unmatched end tag at byte offset {at}, expected \"</{expected}>\", found \"</{found}>\"")]
    Unmatched { at: usize, expected: String, found: String },
    #[error("Can't find end tag corresponding to start tag \"{name}\"")]
    NeverEnded { name: String },
}

/// A tag that was opened and not closed yet.
struct Open {
    name: String,
    effect: Effect,
    /// In UTF-16 code units of the parsed text.
    offset: usize,
}

/// What a tag makes of its text.
enum Effect {
    Nothing,
    Entity(&'static str),
    Link(String),
}

/// The text that readers see, and its entities in the order of their beginnings.
pub(super) fn parse(source: &str) -> Result<(String, Vec<Value>), BadMarkup> {
    let mut parser = Parser { source, at: 0, text: String::new(), length: 0, open: Vec::new(), entities: Vec::new() };
    while let Some(next) = parser.rest().chars().next() {
        match next {
            '<' => parser.tag()?,
            '&' => parser.reference(),
            other => {
                parser.push(other);
                parser.at += other.len_utf8();
            }
        }
    }
    if let Some(open) = parser.open.pop() {
        return Err(BadMarkup::NeverEnded { name: open.name });
    }
    parser.entities.sort_by_key(|(offset, length, _)| (*offset, std::cmp::Reverse(*length)));
    Ok((parser.text, parser.entities.into_iter().map(|(_, _, entity)| entity).collect()))
}

struct Parser<'a> {
    source: &'a str,
    at: usize,
    text: String,
    /// Of `text`, in UTF-16 code units.
    length: usize,
    open: Vec<Open>,
    entities: Vec<(usize, usize, Value)>,
}

impl<'a> Parser<'a> {
    fn rest(&self) -> &'a str {
        &self.source[self.at..]
    }

    fn push(&mut self, letter: char) {
        self.text.push(letter);
        self.length += letter.len_utf16();
    }

    fn tag(&mut self) -> Result<(), BadMarkup> {
        let start = self.at;
        let inside = &self.rest()[1..];
        let end = inside.find('>').ok_or(BadMarkup::UnclosedTag { at: start })?;
        let tag = &inside[..end];
        self.at += end + 2;
        match tag.strip_prefix('/') {
            Some(name) => self.close(&name.trim().to_ascii_lowercase(), start),
            None => self.open(tag, start),
        }
    }

    fn open(&mut self, tag: &str, start: usize) -> Result<(), BadMarkup> {
        let (name, attributes) = tag.split_once(char::is_whitespace).unwrap_or((tag, ""));
        let name = name.to_ascii_lowercase();
        let effect =
            effect(&name, attributes).ok_or_else(|| BadMarkup::Unsupported { name: name.clone(), at: start })?;
        self.open.push(Open { name, effect, offset: self.length });
        Ok(())
    }

    fn close(&mut self, name: &str, start: usize) -> Result<(), BadMarkup> {
        let open = self.open.pop().ok_or(BadMarkup::UnexpectedEnd { at: start })?;
        if open.name != name {
            return Err(BadMarkup::Unmatched { at: start, expected: open.name, found: name.to_owned() });
        }
        let (offset, length) = (open.offset, self.length - open.offset);
        let entity = match open.effect {
            Effect::Entity(kind) => json!({"type": kind, "offset": offset, "length": length}),
            Effect::Link(url) => json!({"type": "text_link", "offset": offset, "length": length, "url": url}),
            Effect::Nothing => return Ok(()),
        };
        if length > 0 {
            self.entities.push((offset, length, entity));
        }
        Ok(())
    }

    /// A character reference; what is none stays as it is.
    fn reference(&mut self) {
        let found = self.rest().find(';').and_then(|end| Some((resolve(&self.rest()[1..end])?, end + 1)));
        let (letter, width) = found.unwrap_or(('&', 1));
        self.push(letter);
        self.at += width;
    }
}

/// What a start tag does; nothing if Telegram does not take it.
fn effect(name: &str, attributes: &str) -> Option<Effect> {
    let entity = match name {
        "b" | "strong" => "bold",
        "i" | "em" => "italic",
        "u" | "ins" => "underline",
        "s" | "strike" | "del" => "strikethrough",
        "code" => "code",
        "pre" => "pre",
        "tg-spoiler" => "spoiler",
        "span" if attribute(attributes, "class").as_deref() == Some("tg-spoiler") => "spoiler",
        "blockquote" if attributes.split_whitespace().any(|word| word == "expandable") => "expandable_blockquote",
        "blockquote" => "blockquote",
        "a" => return Some(attribute(attributes, "href").map_or(Effect::Nothing, Effect::Link)),
        _ => return None,
    };
    Some(Effect::Entity(entity))
}

/// The value of `name="value"`, references resolved.
fn attribute(attributes: &str, name: &str) -> Option<String> {
    let (_, after) = attributes.split_once(&format!("{name}="))?;
    let quote = after.chars().next().filter(|quote| matches!(quote, '"' | '\''))?;
    let (value, _) = after[1..].split_once(quote)?;
    Some(value.replace("&quot;", "\"").replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&"))
}

fn resolve(name: &str) -> Option<char> {
    match name {
        "lt" => Some('<'),
        "gt" => Some('>'),
        "amp" => Some('&'),
        "quot" => Some('"'),
        _ => {
            let number = name.strip_prefix('#')?;
            let code = match number.strip_prefix(['x', 'X']) {
                Some(hexadecimal) => u32::from_str_radix(hexadecimal, 16).ok()?,
                None => number.parse().ok()?,
            };
            char::from_u32(code).filter(|letter| *letter != '\0')
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn markup_becomes_entities_that_count_utf16_units() {
        let (text, entities) =
            parse("😀 <b>A &amp; <i>B</i></b> <a href=\"https://e.test/?a=1&amp;b=2\">&lt;x&gt;</a>").unwrap();
        assert_eq!(text, "😀 A & B <x>");
        assert_eq!(
            entities,
            [
                json!({"type": "bold", "offset": 3, "length": 5}),
                json!({"type": "italic", "offset": 7, "length": 1}),
                json!({"type": "text_link", "offset": 9, "length": 3, "url": "https://e.test/?a=1&b=2"}),
            ]
        );
    }

    #[test]
    fn references_that_are_none_stay() {
        assert_eq!(parse("R&D &nbsp; &#65;&#x42; a & b").unwrap().0, "R&D &nbsp; AB a & b");
    }

    #[test]
    fn what_does_not_balance_is_refused() {
        let cases = [
            ("<b>x", "Can't find end tag corresponding to start tag \"b\""),
            ("<b><i>x</b></i>", "Unmatched end tag at byte offset 7, expected \"</i>\", found \"</b>\""),
            ("x</b>", "Unexpected end tag at byte offset 1"),
            ("a <table>x</table>", "Unsupported start tag \"table\" at byte offset 2"),
            ("1 < 2", "Unclosed start tag at byte offset 2"),
            ("<span>x</span>", "Unsupported start tag \"span\" at byte offset 0"),
        ];
        for (source, reason) in cases {
            assert_eq!(parse(source).unwrap_err().to_string(), reason, "{source}");
        }
    }
}
