//! A notification as messages in Telegram's HTML, none longer than Telegram takes.

use application::ports::services::Notification;

/// Longest message in UTF-16 code units, markup not counted (sheet §2).
const LONGEST: usize = 4_096;

/// Longest caption of a picture, counted the same way (sheet §5).
const LONGEST_CAPTION: usize = 1_024;

/// Longest title; what is longer is no title. A title is a caption where the whole text is too long for one.
const LONGEST_TITLE: usize = LONGEST_CAPTION;

const CUT: char = '…';

/// The title in bold and the lines under it, in as many messages as they take.
///
/// The plain text is divided before it is escaped, so neither a tag nor an entity is ever divided.
pub(super) fn messages(message: &Notification) -> Vec<String> {
    let title = shortened(message.title.trim(), LONGEST_TITLE);
    let body = message.lines.join("\n");
    let mut rest = body.trim_end();
    if title.is_empty() {
        return divided(rest).into_iter().map(escaped).collect();
    }
    let mut first = format!("<b>{}</b>", escaped(&title));
    if !rest.is_empty() {
        let (beginning, end) = piece(rest, LONGEST - units(&title) - 1);
        first = format!("{first}\n{}", escaped(beginning));
        rest = end;
    }
    std::iter::once(first).chain(divided(rest).into_iter().map(escaped)).collect()
}

/// The text as a picture's caption where it fits there. Else the title, and the lines in messages of their own.
pub(super) fn captioned(message: &Notification) -> (String, Vec<String>) {
    let title = shortened(message.title.trim(), LONGEST_TITLE);
    let body = message.lines.join("\n");
    let body = body.trim_end();
    if units(&title) + units("\n") + units(body) <= LONGEST_CAPTION {
        return (messages(message).concat(), Vec::new());
    }
    let caption = if title.is_empty() { title } else { format!("<b>{}</b>", escaped(&title)) };
    (caption, divided(body).into_iter().map(escaped).collect())
}

fn divided(mut text: &str) -> Vec<&str> {
    let mut pieces = Vec::new();
    while !text.trim().is_empty() {
        let (beginning, end) = piece(text, LONGEST);
        // Telegram takes no message without a letter.
        if !beginning.trim().is_empty() {
            pieces.push(beginning);
        }
        text = end;
    }
    pieces
}

/// As much of the text as fits, and the rest: divided between lines, else between words, else between characters. A division that
/// would leave most of the message empty is none to look for.
fn piece(text: &str, most: usize) -> (&str, &str) {
    let mut room = most;
    let beyond = text.char_indices().find(|(_, c)| match room.checked_sub(c.len_utf16()) {
        Some(left) => {
            room = left;
            false
        }
        None => true,
    });
    let Some((end, _)) = beyond else { return (text, "") };
    // The character that does not fit may be the space itself.
    let next = text[end..].chars().next().map_or(end, |c| end + c.len_utf8());
    let border = |at: usize| (at > end / 2).then_some(at);
    let line = text[..next].rfind('\n').and_then(border);
    let word = || text[..next].rfind(' ').and_then(border);
    match line.or_else(word) {
        Some(at) => (text[..at].trim_end(), text[at + 1..].trim_start_matches('\n')),
        None => text.split_at(end),
    }
}

fn units(text: &str) -> usize {
    text.encode_utf16().count()
}

/// The text, or as much of it as fits together with a sign that it was cut.
fn shortened(text: &str, most: usize) -> String {
    if units(text) <= most {
        return text.to_owned();
    }
    let (kept, _) = piece(text, most - CUT.len_utf16());
    format!("{}{CUT}", kept.trim_end())
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn message(title: &str, lines: &[&str]) -> Notification {
        Notification { title: title.into(), lines: lines.iter().map(|&line| line.into()).collect(), illustration: None }
    }

    fn plain(html: &str) -> String {
        let html = html.replace("<b>", "").replace("</b>", "");
        html.replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&")
    }

    fn lengths(title: &str, lines: &[&str]) -> Vec<usize> {
        messages(&message(title, lines)).iter().map(|html| units(&plain(html))).collect()
    }

    /// The vectors of the sheet (§6).
    #[test]
    fn texts_are_escaped_and_divided_as_the_sheet_says() {
        assert_eq!(escaped("A & B <x>"), "A &amp; B &lt;x&gt;");
        assert_eq!(lengths("", &[&"a".repeat(4_097)]), [4_096, 1]);
        assert_eq!(lengths("", &[&"a".repeat(4_096)]), [4_096]);
    }

    #[test]
    fn markup_in_the_text_is_shown_as_text() {
        let html = messages(&message("A & B <x>", &["1 < 2", "c"]));
        assert_eq!(html, ["<b>A &amp; B &lt;x&gt;</b>\n1 &lt; 2\nc"]);
        assert_eq!(messages(&message("Title", &[])), ["<b>Title</b>"]);
    }

    /// Seen to fail: with lengths that are counted in characters.
    #[test]
    fn a_long_text_is_divided_and_nothing_is_left_out_or_broken() {
        for letter in ["a", "&", "😀", "я", "<b>"] {
            let text = letter.repeat(5_000);
            let parts = messages(&message("Report", &[&text]));
            assert!(parts.len() > 1 && parts[0].starts_with("<b>Report</b>\n"), "{letter}");
            let whole: String = parts
                .iter()
                .map(|part| part.replace("<b>Report</b>\n", ""))
                .map(|part| {
                    assert!(units(&plain(&part)) <= LONGEST, "{letter}");
                    part.replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&")
                })
                .collect();
            assert_eq!(whole, text, "{letter}");
        }
    }

    #[test]
    fn what_just_fits_is_one_message() {
        let exact = "a".repeat(LONGEST - "T\n".len());
        assert_eq!(lengths("T", &[&exact]), [LONGEST]);
        assert_eq!(lengths("T", &[&exact, "b"]).len(), 2);
    }

    #[test]
    fn lines_and_words_stay_whole_where_they_can() {
        let line = "word ".repeat(100);
        let lines = vec![line.trim(); 12];
        for part in messages(&message("Report", &lines)) {
            assert!(part.lines().all(|line| line == "<b>Report</b>" || line.len() == 499), "{part}");
        }
        for part in messages(&message("Report", &[&"word ".repeat(2_000)])) {
            assert!(part.trim_start_matches("<b>Report</b>\n").split(' ').all(|word| word == "word"), "{part}");
        }
    }

    /// Seen to fail: with the limit of messages for captions.
    #[test]
    fn a_text_is_a_caption_where_it_fits() {
        for (letter, just) in [("a", 1_017), ("😀", 508)] {
            let text = letter.repeat(just);
            let (caption, rest) = captioned(&message("Report", &[&text]));
            assert!(caption.starts_with("<b>Report</b>\n") && rest.is_empty(), "{letter}");
            let longer = letter.repeat(just + 1);
            assert_eq!(captioned(&message("Report", &[&longer])), ("<b>Report</b>".into(), vec![longer]), "{letter}");
        }
        assert_eq!(captioned(&message("", &[&"&".repeat(1_023)])).1, Vec::<String>::new());
        assert_eq!(captioned(&message("", &[&"&".repeat(1_024)])), (String::new(), vec!["&amp;".repeat(1_024)]));
        let (caption, rest) = captioned(&message(&"t".repeat(2_000), &[]));
        assert_eq!((units(&plain(&caption)), rest.len()), (LONGEST_CAPTION, 0));
    }

    #[test]
    fn even_a_title_alone_may_be_too_long() {
        let parts = messages(&message(&"😀".repeat(3_000), &["line"]));
        assert_eq!(parts.len(), 1);
        assert!(parts[0].ends_with("…</b>\nline") && units(&plain(&parts[0])) <= LONGEST);
    }
}
