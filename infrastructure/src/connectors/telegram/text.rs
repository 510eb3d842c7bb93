//! A notification as Telegram's HTML, cut where Telegram would refuse it.

use application::ports::services::Notification;

/// Longest message in UTF-16 code units, markup not counted (sheet §2).
const LONGEST: usize = 4_096;
const CUT: char = '…';

/// The title in bold and the lines under it.
///
/// The plain text is cut before it is escaped, so neither a tag nor an entity is ever cut.
pub(super) fn html(message: &Notification) -> String {
    let title = shortened(message.title.trim(), LONGEST);
    let left = LONGEST - units(&title);
    let body = message.lines.join("\n");
    let body = body.trim_end();
    if body.is_empty() || left < 2 {
        return format!("<b>{}</b>", escaped(&title));
    }
    format!("<b>{}</b>\n{}", escaped(&title), escaped(&shortened(body, left - 1)))
}

fn units(text: &str) -> usize {
    text.encode_utf16().count()
}

/// The text, or as much of it as fits together with a sign that it was cut.
fn shortened(text: &str, most: usize) -> String {
    if units(text) <= most {
        return text.to_owned();
    }
    let mut room = most - CUT.len_utf16();
    let fits = |c: &char| match room.checked_sub(c.len_utf16()) {
        Some(left) => {
            room = left;
            true
        }
        None => false,
    };
    let kept: String = text.chars().take_while(fits).collect();
    format!("{}{CUT}", kept.trim_end())
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn message(title: &str, lines: &[&str]) -> Notification {
        Notification { title: title.into(), lines: lines.iter().map(|&line| line.into()).collect() }
    }

    fn plain(html: &str) -> String {
        let html = html.replace("<b>", "").replace("</b>", "");
        html.replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&")
    }

    #[test]
    fn markup_in_the_text_is_shown_as_text() {
        assert_eq!(html(&message("A & B <x>", &["1 < 2", "c"])), "<b>A &amp; B &lt;x&gt;</b>\n1 &lt; 2\nc");
        assert_eq!(html(&message("Title", &[])), "<b>Title</b>");
    }

    #[test]
    fn a_long_text_is_cut_to_the_limit_and_says_so() {
        for letter in ["a", "&", "😀", "я"] {
            let html = html(&message("Report", &[&letter.repeat(5_000)]));
            let plain = plain(&html);
            let length = units(&plain);
            assert!((LONGEST - 1..=LONGEST).contains(&length), "{letter}: {length}");
            assert!(plain.ends_with(CUT));
            assert!(html.starts_with("<b>Report</b>\n"));
        }
    }

    #[test]
    fn what_just_fits_is_not_cut() {
        let exact = "a".repeat(LONGEST - "T\n".len());
        assert_eq!(units(&plain(&html(&message("T", &[&exact])))), LONGEST);
        assert!(!html(&message("T", &[&exact])).contains(CUT));
    }

    #[test]
    fn even_a_title_alone_may_be_too_long() {
        let html = html(&message(&"😀".repeat(3_000), &["line"]));
        assert!(html.ends_with("…</b>"));
        assert!(units(&plain(&html)) <= LONGEST);
    }
}
